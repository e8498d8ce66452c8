"""The command line: words and documented exit codes for everything that can be typed, and names shown as they are."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bridge.cli import console, inspect
from bridge.cli.house import house, place
from bridge.cli.main import main, parser
from core.decide.recovery import LOOK_AGAIN
from core.explain import catalogue
from core.model.facts import (
    ANEW,
    AttemptFailed,
    ClockJumped,
    Fact,
    FilmPlanned,
    GateClosed,
    GateOpened,
    JobAccepted,
    PreviousUsed,
    RunInterrupted,
    RunStarted,
    SealBroken,
    ShotMended,
    ShotSlated,
    SoundSilenced,
)
from core.model.failure import ErrorType, Evidence, Failure, Recovery, Strategy
from core.perform import hiring
from core.record import locks
from core.record.journal import Journal

NAMES = (
    "plain.mov",
    "[bold]x[/bold].mov",
    "[/]",
    "a\\[bold]x",
    "a\\\\[bold]x",
    "tail\\",
    "tail\\\\",
    "shot[5].mov",
    "a\\[5]",
    "[",
    "]",
    ":cat:.mov",
    "[link=file:///x]y[/link]",
    "[none]",
    "\\",
    "",
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOTSPLICE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def summary_of(text: str) -> dict[str, Any]:
    last: dict[str, Any] = json.loads(text.splitlines()[-1])
    assert last["event"] == "summary"
    return last


# Words ----------------------------------------------------------------------------------------------------------------


def test_help_names_every_command_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    words = ["assemble", "resume", "jobs", "show", "report", "diagnose", "stats", "checkpoints", "check", "rollback", "clean", "presets", "doctor", "demo"]
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
def test_words_that_are_not_understood(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(words) == 2
    said = capsys.readouterr()
    report = summary_of(said.out)
    assert (report["exit_code"], report["outcome"], report["code"]) == (2, "refused", "command-unclear")
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
    logged = json.loads((tmp_path / "home" / "logs" / "hotsplice.log").read_text().splitlines()[-1])
    assert (logged["event"], logged["code"]) == ("refused", code)
    assert main([word for word in words if word != "--json"]) == 2
    said = capsys.readouterr()
    assert report["action"] in said.out and "Traceback" not in said.out + said.err


def test_rolling_back_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rollback", "f.mov"]) == 2
    assert "No earlier film is kept" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["presets"], ["check", "f.mov", "--json"], ["doctor"], ["assemble", "t.otio", "-o", "f.mov", "--json"]])
def test_settings_that_are_not_understood(home: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    home.mkdir()
    (home / "settings.yaml").write_text("job: 3")
    assert main(words) == 2
    said = capsys.readouterr().out
    assert "settings.yaml" in said and "line 1" in said and "“jobs”" in said
    if "--json" in words:
        assert summary_of(said)["code"] == "settings-invalid"


def test_the_record_is_told_also_while_the_settings_have_a_mistake(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = Journal(home / "journal.db")
    asked = JobAccepted(digest="d", timeline_path="/t.otio", timeline_name="T", output="/films/a.mov", preset="h264")
    journal.accept("abc", asked, b"", 1.0)
    journal.close()
    (home / "settings.yaml").write_text("job: 3")
    assert main(["jobs", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["job"] == "abc" and said.err.count("settings.yaml: line 1") == 1


def test_a_name_that_is_no_text_is_reported_in_json(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "bridge.cli.main", "assemble", "t.otio", "-o", b"none\xff/f.mov", "--json"]
    ran = subprocess.run(
        words,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONIOENCODING": "utf-8:strict"},
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
def test_a_name_that_is_no_text_is_refused_before_anything(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.err.startswith("Name cannot be read. The name ") and "Change the name" in said.err


@pytest.mark.skipif(sys.platform == "win32", reason="a folder that a program is in cannot go away there")
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


# What is there --------------------------------------------------------------------------------------------------------


def test_the_doctor_finds_this_machine_well(capsys: pytest.CaptureFixture[str], home: Path, tmp_path: Path) -> None:
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    marks = re.findall(r"^(ok|note|bad) ", said, re.MULTILINE)
    assert "bad" not in marks and marks.count("ok") >= 10
    for what in ("ffmpeg", "prores-hq", "data folder", "scratch folder", "timelines", "media library", "journal"):
        assert re.search(rf"^(ok|note)\s+{what}\s", said, re.MULTILINE), what
    assert said.endswith("This machine can assemble films.\n")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["home", "scratch"], "nothing is left of what was tried"


@pytest.mark.parametrize("ffmpeg", ["/none/ffmpeg", "/bin/true", "/"])
def test_the_doctor_finds_a_wrong_ffmpeg(capsys: pytest.CaptureFixture[str], home: Path, ffmpeg: str) -> None:
    home.mkdir()
    (home / "settings.yaml").write_text(f"ffmpeg: {ffmpeg}\n")
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert re.search(r"^bad   ffmpeg .* cannot be used as ffmpeg", said, re.MULTILINE)
    assert "Correct the path in the settings" in said and "1 of these must be mended first." in said
    assert re.search(r"^ok    journal ", said, re.MULTILINE), "the other findings are told all the same"


def test_the_doctor_finds_a_folder_that_cannot_be_used(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    home.write_text("a file")
    assert main(["doctor"]) == 1
    assert re.search(r"^bad   data folder ", capsys.readouterr().out, re.MULTILINE)


def test_presets_are_listed_with_the_users_own(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    (home / "presets").mkdir(parents=True)
    (home / "presets" / "mine.yaml").write_text(
        "name: '[/]mine'\ntitle: 'Mine [bold]:cat:'\ncontainer: mov\nextension: .mov\n"
        "video: {encoder: prores_ks, pixel_format: yuv422p10le}\naudio: {}\n"
    )
    assert main(["presets"]) == 0
    said = capsys.readouterr().out
    for name in ("prores-hq", "dnxhr-hq", "h264", "ffv1", "mjpeg"):
        assert re.search(rf"^{name}\s+\.m", said, re.MULTILINE), name
    assert re.search(r"^\[/\]mine +\.mov +Mine \[bold\]:cat:", said, re.MULTILINE)
    assert str(home / "presets") in said
    assert main(["doctor"]) == 0
    assert "  [/]mine" in capsys.readouterr().out


def test_a_preset_that_is_not_understood_is_named(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    (home / "presets").mkdir(parents=True)
    (home / "presets" / "mine.yaml").write_bytes(b"\xff")
    assert main(["presets"]) == 2
    assert "mine.yaml" in capsys.readouterr().out


def test_an_empty_home_has_no_jobs(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    assert main(["jobs"]) == 0
    assert "No jobs yet" in capsys.readouterr().out
    assert main(["jobs", "--json"]) == 0
    assert capsys.readouterr().out == ""
    assert (home / "settings.yaml").exists()


def test_jobs_are_listed_and_told(capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    output = "/films/[red]a[/red]:cat:\\[x].mov"
    asked = JobAccepted(digest="d", timeline_path="/[/].otio", timeline_name="Reel \x1b[31m", output=output, preset="[/]")
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
    assert output in said and "/[/].otio" in said and "Reel ?[31m" in said and "\x1b" not in said
    assert main(["checkpoints", "abc"]) == 0
    assert "No checkpoints yet" in capsys.readouterr().out


def test_a_damaged_journal_is_refused_in_words(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    home.mkdir()
    (home / "journal.db").write_text("no database " * 100)
    assert main(["jobs", "--json"]) == 2
    assert summary_of(capsys.readouterr().out)["code"] == "journal-damaged"


# Names are shown, never obeyed ----------------------------------------------------------------------------------------


def shown(markup: str) -> str:
    out = io.StringIO()
    Console(file=out, highlight=False, soft_wrap=True, emoji=False, force_terminal=False).print(markup)
    return out.getvalue()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("before", "after"), [("", ""), ("[red]", "[/]"), ("a ", " (b)"), ("[dim]x[/] ", "\n[red]y[/]")])
def test_a_name_is_shown_as_it_is(name: str, before: str, after: str) -> None:
    plain = re.sub(r"\[/?\w*\]", "", before) + name + re.sub(r"\[/?\w*\]", "", after)
    assert shown(f"{before}{console.safe(name)}{after}") == f"{plain}\n"


@pytest.mark.parametrize("name", ["a\x1b[31mb", "a\nb", "a\rb", "a\x00b", "a\u202eb", "a\udcffb", "a\x9bb"])
def test_control_characters_do_nothing(name: str) -> None:
    assert re.fullmatch(r"a\?(\[31m)?b\n", shown(console.safe(name)))


def test_a_live_line_shows_names_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    live = console.Live()
    out = io.StringIO()
    live.console = Console(file=out, soft_wrap=True, emoji=False, highlight=False)
    failure = Failure(
        type=ErrorType.USER_INPUT_INVALID,
        code="source-missing",
        evidence=Evidence(operation="o", place="source", path="/[/]:cat:"),
    )
    live.fact("job", 1, SoundSilenced(clip="[/]c1", failure=failure))
    live.close()
    assert out.getvalue() == "Silence for [/]c1 (media offline): /[/]:cat: is not there.\n"


# In another language --------------------------------------------------------------------------------------------------


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
    assert german["title"] == f"{catalogue.title_of(code, 'de')}." and german["title"] != english["title"]
    assert re.search(r"n Sie\b", german["action"]) and german["action"] == german["actions"][0]["do"]
    assert german["more"] == english["more"] == f"docs/errors.md#{code}"


def test_the_settings_choose_the_language(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    home.mkdir()
    (home / "settings.yaml").write_text("language: de\n")
    assert main(["resume", "abc"]) == 2
    said = capsys.readouterr().out
    assert "Kein solcher Auftrag. Es gibt keinen Auftrag abc." in said and "Lesen Sie hotsplice jobs." in said


def test_a_live_line_in_german(monkeypatch: pytest.MonkeyPatch) -> None:
    live = console.Live("de")
    out = io.StringIO()
    live.console = Console(file=out, soft_wrap=True, emoji=False, highlight=False)
    evidence = Evidence(operation="o", place="source", path="/m/a.mov")
    failure = Failure(type=ErrorType.PERMANENT_FILE_CORRUPTION, code="source-damaged", evidence=evidence)
    live.fact("job", 1, ShotSlated(shot=3, failure=failure))
    live.fact("job", 2, PLANNED)
    live.close()
    assert out.getvalue() == (
        "Einstellung 3 ist ein Platzhalter (Beschädigte Medien): /m/a.mov ist in dem Teil beschädigt, den der Schnitt verwendet.\n"
        "Auftrag job: 3 Einstellungen, 72 Bilder ab 01:00:00:00, 24 Bilder sind schon gesichert.\n"
    )


DAMAGED = Failure(
    type=ErrorType.PERMANENT_FILE_CORRUPTION,
    code="source-damaged",
    evidence=Evidence(operation="o", place="source", path="/m/[a].mov"),
)
GONE = Failure(
    type=ErrorType.HARDWARE_FAILURE,
    code="source-volume-gone",
    evidence=Evidence(operation="o", place="source", path="/v/a.mov"),
)
LIVE: tuple[tuple[Fact, str, str], ...] = (
    (
        ShotMended(shot=3, key="k", bad=((2, 1), (9, 4)), failure=DAMAGED, source_frame=120),
        "Shot 3 is made in part (part of a shot is missing): Only some frames of /m/[a].mov are bad: 5 frames from frame 120 on.",
        "Einstellung 3 entsteht zum Teil (Einstellung teils defekt): Nur einige Bilder von /m/[a].mov sind schlecht: "
        "5 Bilder ab Bild 120.",
    ),
    (
        PreviousUsed(shot=3, seals=(), job="abc"),
        "Shot 3 is an earlier render (earlier render used): An earlier good render of shot 3 stands in for what cannot be made now.",
        "Einstellung 3 ist ein früheres Rendering (Früheres Rendering): Ein früheres gutes Rendering von Einstellung 3 steht für "
        "das, was sich jetzt nicht herstellen lässt.",
    ),
    (
        GateClosed(gate="source:/v/[x]", path="/v/[x]", failure=GONE),
        "Waiting for /v/[x] (drive disconnected): The drive of /v/a.mov went away.",
        "Warten auf /v/[x] (Laufwerk getrennt): Das Laufwerk von /v/a.mov ist verschwunden.",
    ),
    (
        GateOpened(gate="source:/v/[x]", closed_s=3.25),
        "Work goes on with /v/[x] after 3.2 s.",
        "Nach 3,2 s geht die Arbeit mit /v/[x] weiter.",
    ),
    (
        GateOpened(gate="machine", closed_s=600.0, given_up=True),
        "After 600.0 s there is no more waiting.",
        "Nach 600,0 s wird nicht weiter gewartet.",
    ),
    (
        ClockJumped(by_s=3600.0, slept=True),
        "The machine slept: The machine slept while the film was being made (3600 s).",
        "Rechner im Ruhezustand: Der Rechner schlief, während der Film entstand (3600 s).",
    ),
    (
        ClockJumped(by_s=-2.0),
        "Clock was set: The machine's clock was set while the film was being made (-2 s).",
        "Uhr wurde gestellt: Die Uhr des Rechners wurde gestellt, während der Film entstand (-2 s).",
    ),
)


@pytest.mark.parametrize(("fact", "english", "german"), LIVE, ids=[f"{type(fact).__name__}" for fact, _, _ in LIVE])
def test_what_is_done_about_it_is_told_while_it_is_done(fact: Fact, english: str, german: str) -> None:
    for language, text in (("en", english), ("de", german)):
        live = console.Live(language)  # type: ignore[arg-type]
        out = io.StringIO()
        live.console = Console(file=out, soft_wrap=True, emoji=False, highlight=False)
        live.fact("job", 1, fact)
        live.close()
        assert out.getvalue() == f"{text}\n"


def test_that_a_file_was_replaced_is_said_once_in_a_plan() -> None:
    live, out = console.Live(), io.StringIO()
    live.console = Console(file=out, soft_wrap=True, emoji=False, highlight=False)
    evidence = Evidence(operation="render", place="source", path="/m/a.mov", note="source-changed")
    failure = Failure(type=ErrorType.TRANSIENT_RESOURCE, code="source-changed", evidence=evidence)
    again = Recovery(strategy=Strategy.WAIT_AND_RETRY, retry_at=1.0, change=LOOK_AGAIN)
    for _ in range(2):
        live.fact("job", 1, PLANNED)
        for number in range(16):
            live.fact("job", 2, AttemptFailed(key=f"v{number}", shot=number, attempt=1, at=1.0, failure=failure, recovery=again))
            live.fact("job", 3, SealBroken(key=f"c{number}", reason="source-changed"))
        live.fact("job", 4, RunInterrupted(reason=ANEW))
    live.close()
    told = [
        "Retry (media changed meanwhile): /m/a.mov was changed while the film was being made.",
        "A checkpoint is made again: media changed meanwhile",
        "The film is laid out anew, since some of its media is now another file.",
    ]
    lines = out.getvalue().splitlines()
    assert (lines[1:4], lines[5:]) == (told, told)


PLANNED = FilmPlanned(
    cut="c", shots=3, segments=3, chunks=1, frames=72, samples=144000, reused=1, reused_frames=24, rate="24", start_frame=86400,
    start_timecode="01:00:00:00",
)  # fmt: skip


def test_a_closing_word_says_what_can_be_done_and_marks_what_cannot_be_undone() -> None:
    said = catalogue.words("scratch-full", path="/scratch/[x]")
    actions = [{"do": action.text, "safe": action.safe} for action in said.actions]
    problem = {
        "code": said.code, "path": "/scratch", "shots": [2, 5], "clips": ["a1"], "timecodes": ["01:00:01:00", "01:00:09:00"],
        "title": said.title, "message": said.message, "did": said.did, "action": said.action, "actions": actions,
    }  # fmt: skip
    live = console.Live()
    out = io.StringIO()
    live.console = Console(file=out, soft_wrap=True, emoji=False, highlight=False)
    live.summary({"problems": [problem], "exit_code": 1, "title": "Done.", "message": "m", "safe": "s", "action": "Mend it."})
    assert out.getvalue() == (
        "Scratch disk full\n"
        "   Shots 2, 5, first at 01:00:01:00 and sound: The scratch volume of /scratch/[x] is full.\n"
        "   Hotsplice freed what is its own and can be made again, and waited for room; every sealed shot of this film is kept.\n"
        "   → Free some space or run hotsplice clean, then hotsplice resume; finished segments are kept. "
        "(with care: this cannot be undone)\n"
        "   → Set another scratch folder in the settings.\n"
        "Done. m\ns\nMend it.\n"
    )


# The last boundary ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_json", [False, True])
def test_what_nobody_foresaw_is_written_down_and_not_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, as_json: bool
) -> None:
    def fails(_: object) -> int:
        raise ZeroDivisionError("something odd")

    monkeypatch.setattr(inspect, "run", fails)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main(["jobs", *(["--json"] if as_json else [])]) == 3
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err and "ZeroDivisionError" not in said.out + said.err
    (kept,) = tmp_path.glob("hotsplice-*.txt")
    logged = [json.loads(line) for line in (tmp_path / "home" / "logs" / "hotsplice.log").read_text().splitlines()]
    assert [(one["event"], one["errors"][0]["type"]) for one in logged] == [("unforeseen", "ZeroDivisionError")]
    text = kept.read_text()
    assert "Traceback" in text and "ZeroDivisionError: something odd" in text
    if as_json:
        report = summary_of(said.out)
        assert (report["exit_code"], report["code"]) == (3, "unforeseen") and str(kept) in report["message"]
    else:
        assert said.out == "" and str(kept) in said.err


def test_what_nobody_foresaw_is_said_even_if_the_words_are_what_is_broken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(*_: object, **__: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(inspect, "run", fails)
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

    monkeypatch.setattr(inspect, "run", fails)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    assert main(["jobs"]) == 3
    assert "could not even be written down" in capsys.readouterr().err


def test_ctrl_c_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(inspect, "run", stopped)
    assert main(["jobs"]) == 130


def test_folders_to_search_are_named_one_by_one() -> None:
    for words in (["assemble", "t.otio", "-o", "f.mov"], ["resume"]):
        assert parser().parse_args(words).search == []
        assert parser().parse_args([*words, "--search", "/a", "--search", "~/b"]).search == ["/a", "~/b"]


def test_named_folders_come_before_those_of_the_settings(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    home.mkdir()
    (home / "settings.yaml").write_text("media_folders: [/Volumes/A, ~/Rushes]")
    made = house(place(), jobs=1, search=["here", "~/there"])
    made.journal.close()
    assert made.media_folders == (str(tmp_path / "here"), str(tmp_path / "there"), "/Volumes/A", str(tmp_path / "Rushes"))


def test_what_is_done_before_the_plan_is_said() -> None:
    assert console.step_title("examine", 3, "en") == "Opening media"
    assert console.step_title("settle", 1, "en") == "1 file is still being written; waiting for it"
    assert (console.step_title("find", 3, "en"), console.step_title("find", 1, "en")) == ("Looking for 3 files", "Looking for 1 file")


@pytest.mark.parametrize(
    ("chosen", "started"),
    [("", [3]), ("jobs: 2\n", [3]), ("low_priority: true\n", [0]), ("jobs: many\n", [0])],
    ids=["as many as are asked for", "the command goes before the settings", "who steps back starts nobody first", "wrong settings"],
)
def test_workers_are_started_before_the_timeline_is_read(
    chosen: str, started: list[int], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir(exist_ok=True)
    (home / "settings.yaml").write_text(chosen)
    counts: list[int] = []

    @contextlib.contextmanager
    def ahead(count: int) -> Iterator[list[hiring.Hand]]:
        counts.append(count)
        yield []

    monkeypatch.setattr(hiring, "ahead", ahead)
    assert main(["assemble", "missing.otio", "-o", "film.mov", "--jobs", "3"]) == 2
    assert counts == started
