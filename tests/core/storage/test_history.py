"""What is remembered of sources across jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.job.events import Answered, Fact, JobAccepted, SourceMoved
from core.storage.history import History, SourceRecord
from core.storage.journal import Journal

FILM = "/films/film.mov"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.db")


def on_record(journal: Journal, *facts: Fact, job: str = "a", output: str = FILM) -> None:
    if (job, 1.0) not in journal.jobs():
        accepted = JobAccepted(
            digest=job, timeline_path="", timeline_name="", output=output, preset=""
        )
        journal.accept(job, accepted, b"", 1.0)
    journal.append(job, facts, 2.0)


def test_a_source_is_remembered_as_it_was_last(journal: Journal) -> None:
    memory = History(journal)
    assert memory.seen("/m/a.mov") is None
    memory.see([SourceRecord("/m/a.mov", 1, "m", "f"), SourceRecord("/m/b.mov", 2, "n", "g")])
    memory.see([SourceRecord("/m/a.mov", 3, "o", "h")])
    assert (memory.seen("/m/a.mov"), memory.seen("/m/b.mov")) == (
        SourceRecord("/m/a.mov", 3, "o", "h"),
        SourceRecord("/m/b.mov", 2, "n", "g"),
    )


def test_the_newest_relink_of_any_job_for_the_film_holds(journal: Journal) -> None:
    memory = History(journal)
    on_record(
        journal,
        Answered(answer="relink", path="/m/a.mov", to="/1"),
        Answered(answer="relink", path="/m/b.mov", to="/2"),
    )
    on_record(
        journal,
        Answered(answer="relink", path="/m/a.mov", to="/3"),
        Answered(answer="skip", shot=2),
        job="b",
    )
    on_record(
        journal,
        Answered(answer="relink", path="/m/a.mov", to="/4"),
        job="c",
        output="/films/other.mov",
    )
    assert memory.relinks(FILM) == {"/m/a.mov": "/3", "/m/b.mov": "/2"}
    on_record(journal, Answered(answer="retry", path="/m/b.mov"))
    assert memory.relinks(FILM) == {"/m/a.mov": "/3"}


def test_where_a_source_was_found_last(journal: Journal) -> None:
    on_record(
        journal,
        SourceMoved(path="/m/a.mov", to="/1", how="content"),
        SourceMoved(path="/m/b.mov", to="/2", how="mhl"),
    )
    on_record(journal, SourceMoved(path="/m/a.mov", to="/3", how="content"), job="b")
    assert History(journal).moved(FILM) == {"/m/a.mov": "/3", "/m/b.mov": "/2"}
    assert History(journal).moved("/films/other.mov") == {}
