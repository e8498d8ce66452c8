"""How a run ended, in words of both languages: what is safe is counted at the end, and said with what can be done."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bridge.cli import summary
from core.engine.assemble import Ended
from core.engine.request import Request, pack
from core.engine.run_metrics import RunMetrics
from core.errors.failure import Evidence, Recovery, Strategy
from core.job.classify import diagnose
from core.job.events import (
    AttemptFailed,
    Fact,
    FilmPublished,
    JobFinished,
    RunInterrupted,
    ShotSlated,
)
from core.messages.template import Language
from otio_adapters.refuse import TimelineRefused
from tests.core.job.playbook import Playbook, made, play
from tests.core.props import PRORES, clip, cut, offline, picture, source, voice

MEDIA = source("/media/a.mov", picture(), voice())
FILM = cut(
    [clip(0, 24, name="A001"), clip(24, 24, source_in=10, name="B002")], audio=([clip(0, 24)],)
)
PUBLISHED = FilmPublished(output="/films/film.mov", film_hash="h", kept="")


def report(
    book: Playbook,
    end: Fact,
    output: Path = Path("/films/film.mov"),
    language: Language = "en",
    film: FilmPublished | None = PUBLISHED,
) -> dict[str, Any]:
    request = Request(
        timeline=FILM, packed=pack(b""), timeline_path="/t.otio", output=output, preset=PRORES
    )
    return summary.report(Ended("job7", end, book.state, RunMetrics(), film), request, language)  # type: ignore[arg-type]


def test_a_run_that_was_stopped_says_what_stands() -> None:
    book = play(FILM, MEDIA) >> made("render 1")
    said = report(book, RunInterrupted(reason="SIGINT"))
    assert (said["title"], said["safe"]) == (
        "Stopped.",
        "1 of 2 shots are verified; your media was not touched.",
    )
    assert said["action"] == "Run hotsplice resume job7."
    said = report(book, RunInterrupted(reason="SIGINT"), language="de")
    assert (said["title"], said["message"]) == (
        "Angehalten.",
        "Auftrag job7 kann von seinen Sicherungspunkten aus weitergehen.",
    )
    assert said["safe"] == "1 von 2 Einstellungen sind geprüft; Ihre Medien wurden nicht angerührt."


@pytest.mark.parametrize("stands", [False, True])
def test_a_run_that_failed_says_that_nothing_was_published(tmp_path: Path, stands: bool) -> None:
    output = tmp_path / "film.mov"
    if stands:
        output.write_bytes(b"the old film")
    book = play(FILM, MEDIA) >> made("render 1") >> made("render 2")
    end = JobFinished(outcome="failed", code="scratch-full", detail="/scratch")
    said = report(book, end, output)
    assert (
        said["title"] == "Scratch disk full."
        and said["message"] == "The scratch volume of /scratch is full."
    )
    old = "film.mov is as it was. " if stands else ""
    assert (
        said["safe"]
        == f"Nothing was published. {old}2 of 2 shots are verified; your media was not touched."
    )
    assert [action["safe"] for action in said["actions"]] == [False, True]
    assert said["more"] == "docs/errors.md#scratch-full" and said["did"]
    german = report(book, end, output, "de")
    assert german["title"] == "Arbeitsvolume voll." and german["safe"].startswith(
        "Nichts wurde veröffentlicht."
    )
    assert german["safe"].count("film.mov ist, wie es war.") == int(stands)


def test_the_failure_that_ended_a_job_is_told_from_its_evidence() -> None:
    seen = Evidence(
        operation="render",
        place="scratch",
        path="/scratch/x.mov",
        errno=errno.ENOSPC,
        free_bytes=1200,
    )
    book = play(FILM, MEDIA)
    stops = Recovery(strategy=Strategy.PROVIDE_USER_FEEDBACK, fatal=True)
    book >> AttemptFailed(
        key=book.key("render 1"),
        shot=1,
        attempt=3,
        at=book.now,
        failure=diagnose(seen),
        recovery=stops,
    )
    said = report(book, JobFinished(outcome="failed", code="scratch-full", detail="/elsewhere"))
    assert said["message"] == "The scratch volume of /scratch/x.mov is full: 1.2 KB free."


def test_an_incomplete_film_says_which_shots_and_where_they_stand() -> None:
    seen = Evidence(operation="render", place="source", path="/media/a.mov", note="log-says-damage")
    book = play(FILM, MEDIA) >> made("render 1") >> ShotSlated(shot=2, failure=diagnose(seen))
    said = report(book, JobFinished(outcome="incomplete"))
    assert said["title"] == "Published, but incomplete." and said["exit_code"] == 1
    (problem,) = said["problems"]
    assert (problem["code"], problem["shots"], problem["timecodes"]) == (
        "source-damaged",
        [2],
        ["01:00:01:00"],
    )
    assert (
        problem["title"] == "Damaged media"
        and problem["did"]
        and problem["more"] == "docs/errors.md#source-damaged"
    )
    assert problem["message"] == "/media/a.mov is damaged in the part the cut uses.", (
        "what is not known is not said"
    )
    german = report(book, JobFinished(outcome="incomplete"), language="de")
    assert (
        german["message"].startswith("/films/film.mov: 48 Bilder in ") and "," in german["message"]
    )
    assert german["problems"][0]["title"] == "Beschädigte Medien"


def test_a_film_that_stands_as_it_is_counts_what_is_in_it() -> None:
    """Its bytes were compared as a whole; no checkpoint needed to be looked at."""
    whole = report(play(FILM, MEDIA), JobFinished(outcome="unchanged"), film=None)
    assert (whole["title"], whole["shots_verified"], whole["exit_code"]) == ("Nothing to do.", 2, 0)
    half = cut([clip(0, 24, name="A001"), clip(24, 24, "/media/b.mov")])
    said = report(
        play(half, {"/media/a.mov": MEDIA, "/media/b.mov": offline("/media/b.mov")}),
        JobFinished(outcome="incomplete"),
        film=None,
    )
    assert (said["title"], said["outcome"]) == ("Nothing to do.", "incomplete")
    assert (said["exit_code"], said["safe"]) == (
        1,
        "1 of 2 shots are verified; your media was not touched.",
    )


def test_problems_that_were_planned_are_told_in_the_language() -> None:
    book = play(FILM, {"/media/a.mov": offline("/media/a.mov")})
    (problem,) = report(book, JobFinished(outcome="incomplete"), language="de")["problems"]
    assert (problem["title"], problem["shots"], problem["timecodes"]) == (
        "Medien offline", [1, 2], ["01:00:00:00", "01:00:01:00"],
    )  # fmt: skip


def test_a_timeline_that_is_turned_down_is_told_in_the_language() -> None:
    error = TimelineRefused("timeline-no-file", why="folder", name="cut {why}\x1b")
    english, german = summary.refusal(error, "en"), summary.refusal(error, "de")
    assert (english["title"], english["message"]) == (
        "Not a timeline file.", "“cut {why}\N{REPLACEMENT CHARACTER}” is a folder, not a timeline file.",
    )  # fmt: skip
    assert (
        english["action"]
        == english["actions"][0]["do"]
        == "Choose the .otio file itself, on a disk."
    )
    assert (german["title"], german["message"]) == (
        "Keine Timeline-Datei.", "„cut {why}\N{REPLACEMENT CHARACTER}“ ist ein Ordner, keine Timeline-Datei.",
    )  # fmt: skip
    assert german["action"] == "Wählen Sie die .otio-Datei selbst, auf einem Laufwerk."


def test_of_a_damaged_journal_the_file_is_named_and_nobody_is_told_to_move_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "journal.db").write_bytes(b"no database" * 100)
    db = sqlite3.connect(tmp_path / "journal.db")
    with pytest.raises(sqlite3.DatabaseError) as failed:
        db.execute("SELECT * FROM sqlite_master")
    db.close()
    said = summary.lost_record(tmp_path / "journal.db", tmp_path / "scratch", failed.value)
    assert said["code"] == "journal-damaged" and said["message"].startswith(
        f"{tmp_path / 'journal.db'} can be read"
    )
    assert "ove the file" not in str(said)


def test_a_scratch_disk_that_takes_no_more_is_not_told_as_the_journal(tmp_path: Path) -> None:
    error = OSError(
        errno.ENOSPC, "No space left on device", str(tmp_path / "scratch" / "store" / "v1.mov")
    )
    said = summary.lost_record(tmp_path / "home" / "journal.db", tmp_path / "scratch", error)
    assert said["code"] == "scratch-unusable" and str(tmp_path / "scratch") in said["message"]


def test_an_error_of_the_program_is_not_told_as_a_disk(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.ProgrammingError):
        summary.lost_record(
            tmp_path / "journal.db",
            tmp_path,
            sqlite3.ProgrammingError("Cannot operate on a closed database."),
        )


def test_a_record_that_is_lost_is_told_in_the_language(tmp_path: Path) -> None:
    said = summary.lost_record(
        tmp_path / "journal.db",
        tmp_path / "scratch",
        OSError(errno.EIO, "Input/output error"),
        "de",
    )
    assert said["title"] == "Laufwerk meldet Fehler."
    assert (
        said["safe"]
        == "Nichts wurde veröffentlicht; Ihre Medien und der alte Film wurden nicht angerührt."
    )
    assert (
        said["message"]
        == f"Das Laufwerk des Datenordners {tmp_path} meldet Fehler: Input/output error."
    )
