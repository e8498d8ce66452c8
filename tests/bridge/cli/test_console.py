"""What is shown while a film is made and at its end: names as they are, and what is done about every fault."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from bridge.cli import console
from core.errors.failure import ErrorType, Evidence, Failure, Recovery, Strategy
from core.job.events import (
    REPLAN,
    AttemptFailed,
    ClockJumped,
    Fact,
    FilmPlanned,
    GateClosed,
    GateOpened,
    PreviousUsed,
    RunInterrupted,
    SealBroken,
    ShotMended,
    ShotSlated,
    SoundSilenced,
)
from core.job.retry_policy import LOOK_AGAIN
from core.messages import catalogue
from core.report import labels

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


def shown(markup: str) -> str:
    out = io.StringIO()
    Console(file=out, highlight=False, soft_wrap=True, emoji=False, force_terminal=False).print(
        markup
    )
    return out.getvalue()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("[red]", "[/]"), ("a ", " (b)"), ("[dim]x[/] ", "\n[red]y[/]")]
)
def test_a_name_is_shown_as_it_is(name: str, before: str, after: str) -> None:
    plain = re.sub(r"\[/?\w*\]", "", before) + name + re.sub(r"\[/?\w*\]", "", after)
    assert shown(f"{before}{console.safe(name)}{after}") == f"{plain}\n"


@pytest.mark.parametrize(
    "name", ["a\x1b[31mb", "a\nb", "a\rb", "a\x00b", "a\u202eb", "a\udcffb", "a\x9bb"]
)
def test_control_characters_do_nothing(name: str) -> None:
    said = shown(console.safe(name))
    assert (
        re.fullmatch(r"a(\?|\\(n|r|x\w\w|u\w{4}))(\[31m)?b\n", said) and said.strip().isprintable()
    )


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


def test_one_cause_in_one_file_is_one_live_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The summary names every shot; a line for each of forty would bury what else is said."""
    live = console.Live()
    out = io.StringIO()
    live.console = Console(file=out, soft_wrap=True, emoji=False, highlight=False)
    for shot in (3, 4, 9):
        live.fact("job", shot, ShotSlated(shot=shot, failure=DAMAGED))
        live.fact("job", shot, SoundSilenced(clip=f"c{shot}", failure=DAMAGED))
        live.fact(
            "job",
            shot,
            ShotMended(shot=shot + 20, key="k", bad=((2, 1),), failure=DAMAGED, source_frame=120),
        )
    live.fact("job", 20, ShotSlated(shot=10, failure=GONE))
    live.close()
    assert [line.partition(" (")[0] for line in out.getvalue().splitlines()] == [
        "Shot 3 is a slate", "Silence for c3", "Shot 23 is made in part", "Shot 10 is a slate",
    ]  # fmt: skip


def test_a_live_line_in_german(monkeypatch: pytest.MonkeyPatch) -> None:
    live = console.Live("de")
    out = io.StringIO()
    live.console = Console(file=out, soft_wrap=True, emoji=False, highlight=False)
    evidence = Evidence(operation="o", place="source", path="/m/a.mov")
    failure = Failure(
        type=ErrorType.PERMANENT_FILE_CORRUPTION, code="source-damaged", evidence=evidence
    )
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


@pytest.mark.parametrize(
    ("fact", "english", "german"), LIVE, ids=[f"{type(fact).__name__}" for fact, _, _ in LIVE]
)
def test_what_is_done_about_it_is_told_while_it_is_done(
    fact: Fact, english: str, german: str
) -> None:
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
            live.fact(
                "job",
                2,
                AttemptFailed(
                    key=f"v{number}",
                    shot=number,
                    attempt=1,
                    at=1.0,
                    failure=failure,
                    recovery=again,
                ),
            )
            live.fact("job", 3, SealBroken(key=f"c{number}", reason="source-changed"))
        live.fact("job", 4, RunInterrupted(reason=REPLAN))
    live.close()
    told = [
        "Retrying, attempt 2 (media changed meanwhile): /m/a.mov was changed while the film was being made.",
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
    live.summary(
        {
            "problems": [problem],
            "exit_code": 1,
            "title": "Done.",
            "message": "m",
            "safe": "s",
            "action": "Mend it.",
        }
    )
    assert out.getvalue() == (
        "Scratch disk full\n"
        "   Shots 2, 5, first at 01:00:01:00 and sound: The scratch volume of /scratch/[x] is full.\n"
        "   Hotsplice freed what is its own and can be made again, and waited for room; every sealed shot of this film is kept.\n"
        "   → Free some space or run hotsplice clean, then hotsplice resume; finished segments are kept. "
        "(with care: this cannot be undone)\n"
        "   → Set another scratch folder in the settings.\n"
        "Done. m\ns\nMend it.\n"
    )


def test_what_is_done_before_the_plan_is_said() -> None:
    assert labels.step_title("examine", 3, "en") == "Opening media"
    assert labels.step_title("settle", 1, "en") == "1 file is still being written; waiting for it"
    assert (labels.step_title("find", 3, "en"), labels.step_title("find", 1, "en")) == (
        "Looking for 3 files",
        "Looking for 1 file",
    )
