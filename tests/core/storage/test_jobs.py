"""Which jobs can be taken up, how they ended, and which are runs of one film: from a real journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.job.events import Answered, JobAccepted, JobFinished, RunInterrupted, RunStarted
from core.storage import jobs
from core.storage.journal import Journal

RUN = RunStarted(version="1", ffmpeg="7", workers=1)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.db")
    yield made
    made.close()


def accept(
    journal: Journal,
    job: str,
    *facts: object,
    output: str = "/films/a.mov",
    digest: str = "r",
    at: float = 1.0,
) -> str:
    fact = JobAccepted(
        digest=digest, timeline_path="/t.otio", timeline_name="t", output=output, preset="p"
    )
    journal.accept(job, fact, b"", at)
    journal.append(job, facts, at)  # type: ignore[arg-type]
    return job


@pytest.mark.parametrize(
    ("facts", "is_open", "outcome"),
    [
        ((), True, None),
        ((RUN,), True, None),
        ((RUN, JobFinished(outcome="failed")), True, "failed"),
        ((RUN, JobFinished(outcome="incomplete")), False, "incomplete"),
        (
            (RUN, Answered(answer="skip", shot=1), JobFinished(outcome="complete")),
            False,
            "complete",
        ),
        (
            (RUN, JobFinished(outcome="incomplete"), Answered(answer="skip", shot=1)),
            True,
            "incomplete",
        ),
        ((RUN, JobFinished(outcome="incomplete"), Answered(answer="stop")), False, "incomplete"),
        (
            (RUN, JobFinished(outcome="incomplete"), Answered(answer="skip", shot=1), RUN),
            True,
            None,
        ),
        (
            (
                RUN,
                JobFinished(outcome="incomplete"),
                Answered(answer="skip", shot=1),
                RUN,
                JobFinished(outcome="complete"),
            ),
            False,
            "complete",
        ),
        ((RUN, JobFinished(outcome="complete"), RUN, RunInterrupted(reason="SIGINT")), True, None),
        ((JobFinished(outcome="superseded"),), False, "superseded"),
    ],
)
def test_a_job_that_has_ended_is_open_again_after_an_answer(journal, facts, is_open, outcome):
    job = accept(journal, "one", *facts)
    assert jobs.is_open(journal, job) is is_open
    assert [name for name, _ in jobs.open_jobs(journal, "/films/a.mov")] == (
        [job] if is_open else []
    )
    end = jobs.ended(journal, job)
    assert (end.outcome if end else None) == outcome


def test_nine_jobs_of_one_film_are_one_line_and_their_ids_still_lead_to_them(journal):
    for number in range(9):
        accept(
            journal,
            f"job{number}",
            RUN,
            JobFinished(outcome="incomplete"),
            digest=f"cut {number // 5}",
            at=float(number),
        )
    accept(journal, "other", output="/films/b.mov", at=4.5)
    every = jobs.listed(journal)
    assert len(every) == 10 and all(one.runs == 1 for one in every)
    assert [(one.job, one.runs) for one in jobs.films(every, ())] == [("other", 1), ("job8", 9)]
    assert [one.job for one in jobs.films(every, {"job2"})] == ["job2", "other", "job8"], (
        "what is under work can be stopped by itself"
    )
    assert jobs.runs_of_film(journal, "/films/a.mov")[0] == ("job0", "cut 0")


def test_two_spellings_of_a_place_are_one_film(journal):
    accept(journal, "one", at=1.0)
    accept(journal, "two", output="/films/./a.mov", at=2.0)
    assert [(one.job, one.runs) for one in jobs.films(jobs.listed(journal), ())] == [("two", 2)]
