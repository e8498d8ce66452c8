"""What the teller tells, in this process: from a real journal, with kept plans, sealed segments and films before this one."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bridge.daemon.helper_requests import Tell
from bridge.daemon.queries import Queries
from bridge.protocol.requests import Describe, Pictures, Stats
from bridge.protocol.responses import Described, Figures, Pictured, Refusal
from bridge.services.job_accounts import film_place
from bridge.services.locations import Locations
from bridge.settings.settings import Settings
from core.graph.nodes import Plan
from core.job.events import (
    FilmPublished,
    FilmRemoved,
    FilmRolledBack,
    JobAccepted,
    JobFinished,
    ProblemFound,
    RunInterrupted,
)
from core.storage import artifacts
from core.storage.history import History
from core.storage.journal_faults import JournalLost
from core.storage.submissions import Submissions
from tests.core.props import offline, plan
from tests.core.report.telling import ACCEPTED, FILM, PLAN, PUBLISHED, RUN, key, planned, sealed

ENDED = JobFinished(outcome="incomplete")
MISSING = ProblemFound(code="source-missing", path="/media/a.mov", shots=(1,))


class Desk:
    """A teller, and jobs on record."""

    def __init__(self, folder: Path, language: str = "en") -> None:
        self.where = Locations(folder / "home", Settings(language=language))  # type: ignore[arg-type]
        self.journal = self.where.journal()
        self.submissions = Submissions(self.journal)
        self.teller = Queries(self.where, self.journal)

    def job(
        self, name: str, *facts: object, made: Plan = PLAN, output: str = "/films/film.mov"
    ) -> str:
        accepted: JobAccepted = msgspec.structs.replace(ACCEPTED, output=output)
        self.submissions.accept(
            f"name-{name}", content="", body="", job=name, fact=accepted, timeline=b"", at=1.0
        )
        if facts:
            History(self.journal).keep_plan(name, "cut", made)
            self.journal.append(name, facts, 2.0)  # type: ignore[arg-type]
        return name

    def tell(self, asked: Describe | Pictures | Stats, *working: str) -> object:
        return self.teller.answer(Tell(asked=asked, working=working))

    def describe(self, job: str, *working: str) -> Described:
        said = self.tell(Describe(request="d", job=job), *working)
        assert isinstance(said, Described), said
        return said


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.journal.close()


def test_a_job_without_a_plan_is_described_by_what_is_known(desk):
    said = desk.describe(desk.job("abc"))
    assert (said.job.state, said.title, said.shots, said.findings, said.rate, said.last) == (
        "waiting", "Waiting for its turn.", (), (), "", desk.submissions.last("abc"),
    )  # fmt: skip


def test_shots_findings_and_the_films_numbers(desk):
    said = desk.describe(
        desk.job("abc", RUN, MISSING, planned(), sealed(2), sealed(3), PUBLISHED, ENDED)
    )
    assert [(shot.number, shot.name, shot.first, shot.state, shot.gap) for shot in said.shots] == [
        (1, "A001", 0, "slate", False), (2, "B002", 24, "verified", False), (3, "", 44, "verified", True),
    ]  # fmt: skip
    assert (said.rate, said.start_frame, said.frames, said.drop_frame) == ("24", 86400, 50, False)
    assert [(one.code, one.first, one.frames, one.answers) for one in said.findings] == [
        ("source-missing", 0, 24, ("retry", "relink", "skip"))
    ]
    assert (
        said.job.state == "incomplete"
        and "Published, but incomplete." in said.title
        and said.safe
        and said.action
    )


def test_every_kept_film_is_told_for_the_place_where_the_film_stands(desk, tmp_path):
    """An incomplete film beside a complete one: what is said of it, and what can be brought back, is about its own place."""
    place, kept = tmp_path / "film.incomplete.mov", tmp_path / ".hotsplice"
    kept.mkdir()
    for path in (place, kept / f"{place.name}.previous", kept / f"{place.name}.1.abc123.kept"):
        path.write_bytes(b"a film")
    beside = FilmPublished(
        output=str(place),
        film_hash="two",
        kept=str(kept / f"{place.name}.previous"),
        kept_hash="one",
        replaced=True,
        complete=False,
    )
    desk.job(
        "abc", RUN, planned(), sealed(1), sealed(2), sealed(3), beside, JobFinished(outcome="incomplete"),
        output=str(tmp_path / "film.mov"),
    )  # fmt: skip
    said = desk.describe("abc")
    assert [(one.number, one.complete) for one in said.kept] == [
        (1, None),
        (2, None),
    ] and said.rollback == "before"
    assert (
        said.job.film == str(place)
        and str(place) in said.message
        and f"rollback {place}" in said.action
    )
    assert "rollback " + str(tmp_path / "film.mov") not in said.action


def test_what_a_roll_back_would_bring_is_told_of_every_job_of_the_film(desk):
    def published(film: str, kept: str = "") -> FilmPublished:
        return FilmPublished(output="/films/film.mov", film_hash=film, kept=kept)

    desk.job(
        "abc",
        RUN,
        planned(),
        sealed(1),
        sealed(2),
        sealed(3),
        published("one"),
        JobFinished(outcome="complete"),
    )
    assert desk.describe("abc").rollback == "" and "kept" not in desk.describe("abc").message
    second = published("two", "/films/.hotsplice/film.mov.previous")
    desk.job(
        "def",
        RUN,
        planned(),
        sealed(1),
        sealed(2),
        sealed(3),
        second,
        JobFinished(outcome="complete"),
    )
    assert (desk.describe("abc").rollback, desk.describe("def").rollback) == ("this", "before")
    assert "Another film stands in its place now" in desk.describe("abc").message
    desk.journal.append(
        "def", [FilmRolledBack(output="/films/film.mov", film_hash="one", kept_hash="two")], 3.0
    )
    assert (desk.describe("abc").rollback, desk.describe("def").rollback) == ("before", "this")


def test_only_the_companion_knows_what_is_under_work(desk):
    job = desk.job("abc", RUN, planned(), sealed(1))
    assert (desk.describe(job).job.state, desk.describe(job, "other", job).job.state) == (
        "waiting",
        "working",
    )
    assert desk.describe(job, job).title == "Under work."
    desk.submissions.wish(job, "held")
    desk.journal.append(job, [RunInterrupted(reason="cancelled")], 3.0)
    assert (desk.describe(job).job.state, desk.describe(job).title) == ("held", "Stopped.")


def test_an_earlier_render_is_offered_where_there_is_one(desk):
    desk.job("old", RUN, planned(), sealed(1), sealed(2), JobFinished(outcome="complete"))
    short = (RUN, MISSING, planned(), sealed(1), PUBLISHED, JobFinished(outcome="incomplete"))
    lost = plan(FILM, {"/media/a.mov": offline("/media/a.mov")}, signature=PLAN.signature)
    new = desk.describe(desk.job("new", *short, made=lost))
    assert (
        new.findings[0].answers == ("retry", "relink", "previous", "skip")
        and "FILE, previous, skip" in new.action
    )
    other = desk.describe(desk.job("abc", *short, made=lost, output="/films/other.mov"))
    assert "previous" not in other.findings[0].answers and "FILE, skip or retry" in other.action


def test_words_are_in_the_settings_language(tmp_path):
    desk = Desk(tmp_path, "de")
    said = desk.describe(desk.job("abc", RUN, MISSING, planned(), PUBLISHED, ENDED))
    assert said.title == "Veröffentlicht, aber unvollständig." and said.findings[
        0
    ].message.endswith("ist nicht vorhanden.")
    refused = desk.tell(Describe(request="d", job="nosuch"))
    assert isinstance(refused, Refusal) and (refused.code, refused.re) == ("job-unknown", "d")
    desk.journal.close()


def test_a_record_that_is_lost_is_said_so(desk, monkeypatch):
    job = desk.job("abc")

    def lost(*_: object) -> None:
        raise JournalLost("gone")

    monkeypatch.setattr(desk.journal, "facts", lost)
    refused = desk.tell(Describe(request="d", job=job))
    assert isinstance(refused, Refusal) and refused.code == "journal-replaced"


def test_kept_pictures_are_told_at_once_and_what_cannot_be_had_is_left_out(desk):
    job = desk.job("abc", RUN, planned(), sealed(1))
    folder = desk.where.home / artifacts.PICTURES
    folder.mkdir()
    (folder / f"{key(1)}-12.jpg").write_bytes(b"picture")
    assert desk.tell(Pictures(request="p", job=job, shots=(1, 2, 3, 99))) == Pictured(
        re="p", job=job, pictures={1: b"picture"}
    )
    assert desk.tell(Pictures(request="p", job=job, shots=())) == Pictured(
        re="p", job=job, pictures={}
    )
    assert desk.tell(Pictures(request="p", job=desk.job("new"), shots=(1,))) == Pictured(
        re="p", job="new", pictures={}
    )


def test_figures_follow_what_happens_and_read_only_what_is_new(desk, monkeypatch):
    job, _ = (
        desk.job("abc", RUN, planned(), sealed(1)),
        desk.job("old", RUN, planned(), JobFinished(outcome="complete")),
    )

    def figures() -> dict[str, object]:
        said = desk.tell(Stats(request="s"))
        assert isinstance(said, Figures)
        return dict(msgspec.json.decode(said.figures))

    assert (figures()["jobs"], figures()["ended"]) == (2, 1)
    read: list[str] = []
    facts = desk.journal.facts
    monkeypatch.setattr(desk.journal, "facts", lambda name: read.append(name) or facts(name))
    desk.journal.append(job, [JobFinished(outcome="failed", code="output-full")], 3.0)
    assert figures()["ended"] == 2 and read == [job]


def test_a_film_beside_its_place_is_said_where_it_stands(desk):
    desk.job("abc")
    assert film_place(desk.journal, "abc", "/films/film.mov") == "/films/film.mov"
    fact = FilmPublished(
        output="/films/film.incomplete.mov", film_hash="h9", kept="", complete=False
    )
    desk.journal.append("abc", [fact], 9.0)
    assert film_place(desk.journal, "abc", "/films/film.mov") == "/films/film.incomplete.mov"
    desk.journal.append(
        "abc", [FilmRemoved(path="/films/film.incomplete.mov", film_hash="h9")], 9.5
    )
    assert film_place(desk.journal, "abc", "/films/film.mov") == "/films/film.mov"
