"""The command line: words and documented exit codes for everything that can be typed, and the last boundary."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.cli import show
from bridge.cli.main import main, parser
from bridge.services.composition import services
from bridge.services.locations import place
from core.executors import worker_process
from core.messages import catalogue
from tests.bridge.cli.said import summary_of


def test_help_names_every_command_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    words = [
        "assemble",
        "resume",
        "jobs",
        "show",
        "report",
        "diagnose",
        "stats",
        "checkpoints",
        "check",
        "rollback",
        "clean",
        "presets",
        "doctor",
        "demo",
    ]
    for word in words:
        assert re.search(rf"^\s+{word}\s", said, re.MULTILINE), word
    for code in ("0", "1", "2", "3", "130"):
        assert re.search(rf"^  {code} ", said, re.MULTILINE), code


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert re.fullmatch(r"hotsplice \S+\n", capsys.readouterr().out)


def test_no_words_are_answered_with_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage: hotsplice" in capsys.readouterr().out


BAD = (
    ["--json"],
    ["nonsense", "--json"],
    ["assemble", "--json"],
    ["assemble", "t.otio", "--json"],
    ["jobs", "x", "--json"],
    ["assemble", "t.otio", "-o", "f.mov", "--search", "--json"],
    ["assemble", "t.otio", "-o", "f.mov", "-j", "0", "--json"],
    ["assemble", "t.otio", "-o", "f.mov", "-j", "257", "--json"],
    ["assemble", "t.otio", "-o", "f.mov", "-j", "²", "--json"],
    ["resume", "-j", "two", "--json"],
    ["check", "--json"],
)


@pytest.mark.parametrize("words", BAD, ids=" ".join)
def test_words_that_are_not_understood(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main(words) == 2
    said = capsys.readouterr()
    report = summary_of(said.out)
    assert (report["exit_code"], report["outcome"], report["code"]) == (
        2,
        "refused",
        "command-unclear",
    )
    assert report["message"] and report["action"]
    assert main([word for word in words if word != "--json"] + ["--never"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and "usage: hotsplice" in said.err and "Traceback" not in said.err


REFUSED = (
    (["assemble", "none.otio", "-o", "f.mov", "--json"], "timeline-missing"),
    (["assemble", "none.otio", "-o", "f.avi", "--json"], "output-wrong-extension"),
    (["assemble", "none.otio", "-o", "none/f.mov", "--json"], "output-folder-missing"),
    (["assemble", "none.otio", "-o", ".", "--json"], "output-is-folder"),
    (["assemble", "none.otio", "-o", "f.mov", "-p", "x", "--json"], "preset-unknown"),
    (["resume", "--json"], "nothing-to-resume"),
    (["resume", "abc", "--json"], "job-unknown"),
    (["show", "abc", "--json"], "job-unknown"),
    (["checkpoints", "abc", "--json"], "job-unknown"),
    (["check", "abc", "--json"], "job-unknown"),
    (["check", "none.mov", "--json"], "film-not-there"),
)


@pytest.mark.parametrize(("words", "code"), REFUSED, ids=[" ".join(words) for words, _ in REFUSED])
def test_what_cannot_be_carried_out_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str], code: str
) -> None:
    assert main(words) == 2
    report = summary_of(capsys.readouterr().out)
    assert (report["exit_code"], report["code"]) == (2, code)
    told = [
        json.loads(line)
        for line in (tmp_path / "home" / "logs" / "hotsplice.log").read_text().splitlines()
    ]
    assert [one["code"] for one in told if one["event"] == "refused"] == [code]
    assert all(one["exit_code"] == 2 for one in told if one["event"] == "command ended")
    assert main([word for word in words if word != "--json"]) == 2
    said = capsys.readouterr()
    assert report["action"] in said.out and "Traceback" not in said.out + said.err


def test_rolling_back_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rollback", "f.mov"]) == 2
    assert "No earlier film is kept" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["presets"],
        ["check", "f.mov", "--json"],
        ["doctor"],
        ["assemble", "t.otio", "-o", "f.mov", "--json"],
    ],
)
def test_settings_that_are_not_understood(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    home.mkdir()
    (home / "settings.yaml").write_text("job: 3")
    assert main(words) == 2
    said = capsys.readouterr().out
    assert "settings.yaml" in said and "line 1" in said and "“jobs”" in said
    if "--json" in words:
        assert summary_of(said)["code"] == "settings-invalid"


def test_a_name_that_is_no_text_is_reported_in_json(tmp_path: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "bridge.cli.main",
        "assemble",
        "t.otio",
        "-o",
        b"none\xff/f.mov",
        "--json",
    ]
    ran = subprocess.run(
        words,
        capture_output=True,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[3]),
            "PYTHONIOENCODING": "utf-8:strict",
        },
        check=False,
    )
    assert ran.returncode == 2, ran.stderr
    report = summary_of(ran.stdout.decode())
    assert report["code"] == "name-not-text" and "none\ufffd" in report["message"]


@pytest.mark.skipif(sys.platform != "linux", reason="only there are names any bytes")
@pytest.mark.parametrize(
    "words",
    [
        ["assemble", "\udcff.otio", "-o", "f.mov"],
        ["assemble", "t.otio", "-o", "\udcff.mov"],
        ["assemble", "t.otio", "-o", "f.mov", "--search", "\udcff"],
        ["check", "\udcff.mov"],
        ["rollback", "\udcff.mov"],
        ["answer", "ab", "1", "relink", "\udcff.mov"],
    ],
    ids=ascii,
)
def test_a_name_that_is_no_text_is_refused_before_anything(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.err.startswith("Name cannot be read. The name ") and "Change the name" in said.err


@pytest.mark.skipif(
    sys.platform == "win32", reason="a folder that a program is in cannot go away there"
)
def test_a_folder_that_went_away_under_the_terminal_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive = tmp_path / "drive"
    drive.mkdir()
    monkeypatch.chdir(drive)
    monkeypatch.setenv("PWD", str(drive))
    drive.rmdir()
    assert main(["assemble", "t.otio", "-o", "f.mov"]) == 2
    assert f"The folder {drive} does not exist." in capsys.readouterr().err
    assert main(["jobs"]) == 0


@pytest.mark.parametrize(("words", "code"), REFUSED, ids=[" ".join(words) for words, _ in REFUSED])
def test_a_refusal_in_german(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str], code: str
) -> None:
    assert main(words) == 2
    english = summary_of(capsys.readouterr().out)
    monkeypatch.setenv("LC_MESSAGES", "de_DE.UTF-8")
    assert main(words) == 2
    german = summary_of(capsys.readouterr().out)
    assert german["code"] == english["code"] == code
    assert (
        german["title"] == f"{catalogue.title_of(code, 'de')}."
        and german["title"] != english["title"]
    )
    assert (
        re.search(r"n Sie\b", german["action"]) and german["action"] == german["actions"][0]["do"]
    )
    assert german["more"] == english["more"] == f"docs/errors.md#{code}"


def test_the_settings_choose_the_language(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    home.mkdir()
    (home / "settings.yaml").write_text("language: de\n")
    assert main(["resume", "abc"]) == 2
    said = capsys.readouterr().out
    assert (
        "Kein solcher Auftrag. Es gibt keinen Auftrag abc." in said
        and "Lesen Sie hotsplice jobs." in said
    )


@pytest.mark.parametrize("as_json", [False, True])
def test_what_nobody_foresaw_is_written_down_and_not_shown(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    as_json: bool,
) -> None:
    def fails(_: object) -> int:
        raise ZeroDivisionError("something odd")

    monkeypatch.setattr(show, "run", fails)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main(["jobs", *(["--json"] if as_json else [])]) == 3
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err and "ZeroDivisionError" not in said.out + said.err
    (kept,) = tmp_path.glob("hotsplice-*.txt")
    logged = [
        json.loads(line)
        for line in (tmp_path / "home" / "logs" / "hotsplice.log").read_text().splitlines()
    ]
    assert [(one["event"], one["errors"][0]["type"]) for one in logged] == [
        ("unforeseen", "ZeroDivisionError")
    ]
    text = kept.read_text()
    assert "Traceback" in text and "ZeroDivisionError: something odd" in text
    if as_json:
        report = summary_of(said.out)
        assert (report["exit_code"], report["code"]) == (3, "unforeseen") and str(kept) in report[
            "message"
        ]
    else:
        assert said.out == "" and str(kept) in said.err


def test_what_nobody_foresaw_is_said_even_if_the_words_are_what_is_broken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(*_: object, **__: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(show, "run", fails)
    monkeypatch.setattr(catalogue, "words", fails)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main(["jobs"]) == 3
    said = capsys.readouterr()
    assert "Unforeseen failure." in said.err and "Traceback" not in said.err and said.out == ""


def test_even_where_nothing_can_be_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(show, "run", fails)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    assert main(["jobs"]) == 3
    assert "could not even be written down" in capsys.readouterr().err


def test_ctrl_c_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(show, "run", stopped)
    assert main(["jobs"]) == 130


def test_folders_to_search_are_named_one_by_one() -> None:
    for words in (["assemble", "t.otio", "-o", "f.mov"], ["resume"]):
        assert parser().parse_args(words).search == []
        assert parser().parse_args([*words, "--search", "/a", "--search", "~/b"]).search == [
            "/a",
            "~/b",
        ]


def test_named_folders_come_before_those_of_the_settings(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    home.mkdir()
    (home / "settings.yaml").write_text("media_folders: [/Volumes/A, ~/Rushes]")
    made = services(place(), jobs=1, search=["here", "~/there"])
    made.journal.close()
    assert made.media_folders == (
        str(tmp_path / "here"),
        str(tmp_path / "there"),
        "/Volumes/A",
        str(tmp_path / "Rushes"),
    )


@pytest.mark.parametrize(
    ("chosen", "started"),
    [("", [3]), ("jobs: 2\n", [3]), ("low_priority: true\n", [0]), ("jobs: many\n", [0])],
    ids=[
        "as many as are asked for",
        "the command goes before the settings",
        "who steps back starts nobody first",
        "wrong settings",
    ],
)
def test_workers_are_started_before_the_timeline_is_read(
    chosen: str, started: list[int], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir(exist_ok=True)
    (home / "settings.yaml").write_text(chosen)
    counts: list[int] = []

    @contextlib.contextmanager
    def ahead(count: int) -> Iterator[list[worker_process.Hand]]:
        counts.append(count)
        yield []

    monkeypatch.setattr(worker_process, "spawn_ahead", ahead)
    assert main(["assemble", "missing.otio", "-o", "film.mov", "--jobs", "3"]) == 2
    assert counts == started
