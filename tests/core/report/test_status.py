"""How a job stands as a whole, in the words with which a command ends."""

from __future__ import annotations

import pytest

from core.errors.failure import ErrorType
from core.job.events import JobFinished, ProblemFound, RunInterrupted
from core.report.status import job_status
from tests.core.report.telling import (
    ACCEPTED,
    DONE,
    PUBLISHED,
    RUN,
    chronicle_of,
    failed,
    failure,
    planned,
    sealed,
)

BEGIN = (ACCEPTED, (0, RUN), planned())
MADE = (sealed(1), sealed(2), sealed(3), PUBLISHED)


def of(*told: object, state: str = "", language: str = "en", old_film: str = ""):
    known = chronicle_of(*told)
    return job_status(known, state=state or known.outcome, language=language, old_film=old_film)


def test_a_film_that_is_complete():
    said = of(*BEGIN, *MADE, (9, DONE))
    assert said == ("Complete and verified.", "/films/film.mov: 50 frames in 9.0 s.", "", "")


def test_a_film_that_replaced_another_says_what_is_kept_and_how_they_are_exchanged():
    replaced = chronicle_of(*BEGIN, *MADE, (9, DONE))
    after = job_status(replaced, state="complete", rollback="before")
    assert after.message.endswith("The film before it is kept.")
    assert after.action == "hotsplice rollback /films/film.mov brings the film before it back."
    back = job_status(replaced, state="complete", rollback="this")
    assert (
        back.message.endswith("Another film stands in its place now; this one is kept.")
        and "this film back" in back.action
    )


def test_a_film_that_is_incomplete_says_what_is_safe_and_what_to_do():
    problem = ProblemFound(code="source-missing", path="/m/a.mov", shots=(2,))
    said = of(*BEGIN, problem, sealed(1), sealed(3), PUBLISHED, JobFinished(outcome="incomplete"))
    assert said.title == "Published, but incomplete." and said.safe.startswith(
        "2 of 3 shots are verified"
    )
    assert "Mend what is named" in said.action and "hotsplice answer abcdef 2" in said.action


def test_a_job_that_failed_says_why_and_that_the_old_film_stands():
    full = failure(
        "output-full",
        ErrorType.SYSTEM_RESOURCE_EXCEEDED,
        "/films/film.mov",
        place="output",
        free_bytes=1000,
    )
    told = (
        *BEGIN,
        sealed(1),
        failed(2, full, fatal=True, again=False),
        JobFinished(outcome="failed", code="output-full"),
    )
    said = of(*told, old_film="film.mov")
    assert (
        said.message == "The volume of /films/film.mov is full: 1.0 KB free."
        and said.title == "Film's volume full."
    )
    assert said.safe.startswith("Nothing was published. film.mov is as it was. 1 of 3 shots")
    refused = JobFinished(outcome="failed", code="output-folder-missing", detail="/films")
    bare = job_status(chronicle_of(ACCEPTED, refused, made=None), state="failed")
    assert "/films" in bare.message and "Nothing was published" in bare.safe and bare.action


@pytest.mark.parametrize(
    ("state", "title"),
    [("waiting", "Waiting for its turn."), ("working", "Under work."), ("interrupted", "Stopped.")],
)
def test_what_only_the_companion_knows_counts_more_than_the_record(state, title):
    told = (*BEGIN, sealed(1), RunInterrupted(reason="SIGTERM"))
    said = of(*told, state=state)
    assert said.title == title and said.safe.startswith("1 of 3 shots")
    assert ("hotsplice resume abcdef" in said.action) == (state == "interrupted")


def test_one_that_a_preference_stopped_says_which():
    assert (
        "hotsplice preferences source-missing ask"
        in of(*BEGIN, RunInterrupted(reason="stop at source-missing")).message
    )


def test_the_other_ends():
    assert of(*BEGIN, JobFinished(outcome="unchanged")).title == "Nothing to do."
    assert of(*BEGIN, JobFinished(outcome="incomplete")).title == "Nothing to do.", (
        "the film stood there already"
    )
    assert of(*BEGIN, JobFinished(outcome="superseded")).title == "Overtaken by a newer cut."
    assert of(ACCEPTED, state="interrupted").title == "Not finished."
    assert (
        of(*BEGIN, *MADE, (9, DONE), language="de").message
        == "/films/film.mov: 50 Bilder in 9,0 s."
    )


def test_a_film_that_is_as_decided_is_complete_and_says_what_was_left_and_how_to_take_it_back():
    problem = ProblemFound(code="source-missing", path="/m/a.mov", shots=(2,))
    begun = (*BEGIN, problem, sealed(1), sealed(3), PUBLISHED, JobFinished(outcome="incomplete"))
    said = of(*begun, RUN, problem, JobFinished(outcome="complete", taken_shots=(2,)))
    assert (
        said.title == "Complete as you decided."
        and "By your decision shot 2 is a slate." in said.message
    )
    assert said.action == "To take that back: hotsplice answer abcdef 2 retry"
    german = of(
        *begun, RUN, problem, JobFinished(outcome="complete", taken_shots=(2,)), language="de"
    )
    assert german.title == "Vollständig, wie Sie entschieden haben." and "Shot 2" in german.message
