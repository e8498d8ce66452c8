"""`jobs`, `show` and `checkpoints`: the journal, read aloud."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.cli.main import main
from core.job.events import JobAccepted, RunStarted
from core.storage import locks
from core.storage.journal import Journal
from tests.bridge.cli.said import summary_of


def test_an_empty_home_has_no_jobs(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    assert main(["jobs"]) == 0
    assert "No jobs yet" in capsys.readouterr().out
    assert main(["jobs", "--json"]) == 0
    assert capsys.readouterr().out == ""
    assert (home / "settings.yaml").exists()


def test_jobs_are_listed_and_told(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    output = "/films/[red]a[/red]:cat:\\[x].mov"
    asked = JobAccepted(
        digest="d",
        timeline_path="/[/].otio",
        timeline_name="Reel \x1b[31m",
        output=output,
        preset="[/]",
    )
    journal = Journal(home / "journal.db")
    journal.accept("abc", asked, b"", 1.0)
    journal.append("abc", [RunStarted(version="1", ffmpeg="9", workers=2)], 2.0)
    journal.close()
    assert main(["jobs"]) == 0
    said = capsys.readouterr().out
    assert output in said and "unfinished" in said and " [/] " in said
    with locks.film(home, output):
        assert main(["jobs"]) == 0
        assert "made elsewhere" in capsys.readouterr().out, "another process is at work on it"
    assert main(["jobs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["output"] == output
    assert main(["show", "ab"]) == 0
    said = capsys.readouterr().out
    assert (
        output in said and "/[/].otio" in said and "Reel \\x1b[31m" in said and "\x1b" not in said
    )
    assert main(["checkpoints", "abc"]) == 0
    assert "No checkpoints yet" in capsys.readouterr().out


def test_the_record_is_told_also_while_the_settings_have_a_mistake(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = Journal(home / "journal.db")
    asked = JobAccepted(
        digest="d", timeline_path="/t.otio", timeline_name="T", output="/films/a.mov", preset="h264"
    )
    journal.accept("abc", asked, b"", 1.0)
    journal.close()
    (home / "settings.yaml").write_text("job: 3")
    assert main(["jobs", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["job"] == "abc" and said.err.count("settings.yaml: line 1") == 1


def test_a_damaged_journal_is_refused_in_words(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    home.mkdir()
    (home / "journal.db").write_text("no database " * 100)
    assert main(["jobs", "--json"]) == 2
    assert summary_of(capsys.readouterr().out)["code"] == "journal-damaged"
