"""Converts the model to the contents of tray and job list: icon, menu lines, rows. Pure."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from pathlib import PurePath
from typing import Literal, NamedTuple

from bridge.protocol.responses import JobLine
from bridge.tray.state import Doing, Model
from bridge.tray.words import joined, lasting, of, say
from core.messages.template import Language, shown

Role = Literal["quiet", "work", "good", "warn", "bad"]
"""Meaning of a colour. A sign, a pattern or a word always accompanies it."""
Kind = Literal["idle", "working", "attention", "done", "absent"]
ATTENTION = ("incomplete", "failed")
GOOD = ("complete", "unchanged")
_MOST_IN_MENU = 6
_SIGNS: dict[str, tuple[str, Role]] = {
    "elsewhere": ("play", "work"),
    "waiting": ("dots", "quiet"), "held": ("pause", "quiet"), "interrupted": ("pause", "quiet"), "superseded": ("back", "quiet"),
    "complete": ("check", "good"), "unchanged": ("check", "good"), "incomplete": ("half", "warn"), "failed": ("cross", "bad"),
}  # fmt: skip


class Icon(NamedTuple):
    """Contents of the tray icon.

    `progress` is from 0 to 1, or None when there is none to show. `words` is the tooltip.
    """

    kind: Kind
    progress: float | None
    words: str


class Line(NamedTuple):
    """A line of the tray's menu.

    `do` is its action, empty for a line without one; `job` is the job that it concerns, if any.
    """

    text: str
    do: str = ""
    job: str = ""
    sign: str = ""


class Row(NamedTuple):
    """A job in the list.

    `sign` names a drawn sign. `progress` is None for a job that is not running.
    """

    job: str
    title: str
    detail: str
    sign: str
    role: Role
    progress: float | None
    words: str


def wants_attention(model: Model, line: JobLine) -> bool:
    """Return whether the user should look at this job.

    It waits for something or has a slate, or it did not end as requested and the user has not yet
    looked at it.
    """
    if line.state == "working":
        return bool(model.gates.get(line.job) or model.slated.get(line.job))
    if outdated(model, line):
        return False
    return line.job not in model.seen and (
        line.state in ATTENTION or (line.state == "held" and bool(line.code))
    )


def outdated(model: Model, line: JobLine) -> bool:
    """Return whether a later job exists for the same film."""
    later = model.jobs[
        next((n for n, one in enumerate(model.jobs) if one.job == line.job), len(model.jobs)) + 1 :
    ]
    return any(one.output == line.output for one in later)


def progress(model: Model, line: JobLine) -> float | None:
    """Return a running job's progress from 0 to 1, or None when it is not running or unknown."""
    doing = model.doing.get(line.job)
    if line.state != "working" or doing is None:
        return None
    if doing.now is not None and doing.now.frames:
        return min(1.0, doing.now.frames_done / doing.now.frames)
    return 0.0


def icon(model: Model, language: Language) -> Icon:
    """Return the icon. Attention outranks work, and work outranks finished films."""
    if model.link in ("absent", "shut"):
        text = model.trouble.title if model.trouble else say("companion-absent", language)
        return Icon("absent", None, joined("Hotsplice", text))
    working = [line for line in model.jobs if line.state == "working"]
    calling = [line for line in model.jobs if wants_attention(model, line)]
    fresh = [line for line in model.jobs if line.state in GOOD and line.job not in model.seen]
    far = overall(model, working)
    if calling:
        return Icon(
            "attention", far, joined("Hotsplice", say("need-you", language, count=len(calling)))
        )
    if working:
        return Icon(
            "working", far or 0.0, joined("Hotsplice", *(_far(model, line) for line in working[:3]))
        )
    if fresh:
        return Icon(
            "done", None, joined("Hotsplice", say("films-done", language, count=len(fresh)))
        )
    return Icon(
        "idle",
        None,
        joined("Hotsplice", say("paused" if model.paused else "nothing-to-do", language)),
    )


def overall(model: Model, working: list[JobLine]) -> float | None:
    """Return the progress of all running jobs together, by frames."""
    known = [model.doing[line.job].now for line in working if line.job in model.doing]
    frames = sum(now.frames for now in known if now)
    return sum(now.frames_done for now in known if now) / frames if frames else None


def _far(model: Model, line: JobLine) -> str:
    far = progress(model, line)
    return f"{shown(line.timeline)} {100 * far:.0f} %" if far is not None else shown(line.timeline)


def menu(model: Model, language: Language) -> tuple[tuple[Line, ...], ...]:
    """Return the tray's menu as groups of lines."""

    def told(line: JobLine) -> Line:
        detail = state_words(model, line, language)
        return Line(
            shortened(joined(shown(line.timeline) or line.job, detail), 70),
            "show",
            line.job,
            sign_of(model, line)[0],
        )

    working = [line for line in reversed(model.jobs) if line.state == "working"]
    calling = [
        line
        for line in reversed(model.jobs)
        if line.state != "working" and wants_attention(model, line)
    ]
    jobs = [told(line) for line in (*working, *calling)][:_MOST_IN_MENU]
    waiting = sum(line.state == "waiting" for line in model.jobs)
    state: list[Line] = []
    if model.link in ("absent", "shut"):
        state = [
            Line(model.trouble.title if model.trouble else say("companion-absent", language)),
            Line(say("start-companion", language), "start"),
        ]
    elif not jobs:
        state = [Line(say("paused" if model.paused else "nothing-to-do", language))]
    if waiting:
        state.append(Line(say("jobs-waiting", language, count=waiting)))
    acts = [Line(say("open-window", language), "open"), Line(say("new-film", language), "new")]
    if model.link == "here":
        acts.append(
            Line(say("go-on-all", language), "go-on")
            if model.paused
            else Line(say("pause-all", language), "pause")
        )
    groups = (tuple(jobs), tuple(state), tuple(acts), (Line(say("quit-tray", language), "quit"),))
    return tuple(group for group in groups if group)


def rows(model: Model, language: Language, when: Callable[[float], str]) -> tuple[Row, ...]:
    """Return the rows of the job list: running jobs, then waiting ones, then the newest.

    `when` formats a moment.
    """
    order = {"working": 0, "elsewhere": 0, "waiting": 1}
    waiting = sorted(
        (line for line in model.jobs if line.state == "waiting"),
        key=lambda line: (-line.priority, line.at),
    )
    others = [line for line in reversed(model.jobs) if line.state != "waiting"]
    sorted_ = sorted([*waiting, *others], key=lambda line: order.get(line.state, 2))
    return tuple(_row(model, line, language, when) for line in sorted_)


def _row(model: Model, line: JobLine, language: Language, when: Callable[[float], str]) -> Row:
    sign, role = sign_of(model, line)
    words = state_words(model, line, language)
    title = shown(line.timeline) or PurePath(line.output).name or line.job
    detail = (
        words if line.state in ("working", "elsewhere", "waiting") else joined(words, when(line.at))
    )
    return Row(
        line.job,
        title,
        detail,
        sign,
        role,
        progress(model, line),
        "\n".join((title, words, shown(line.output), line.job)),
    )


def sign_of(model: Model, line: JobLine) -> tuple[str, Role]:
    """Return a job's sign and the role of its colour."""
    if line.state == "working":
        return ("gate", "warn") if model.gates.get(line.job) else ("play", "work")
    if line.state == "held" and line.code:
        return "cross", "quiet" if outdated(model, line) else "bad"
    sign, role = _SIGNS.get(line.state, ("dots", "quiet"))
    return sign, "quiet" if outdated(model, line) else role


def state_words(model: Model, line: JobLine, language: Language) -> str:
    """Describe the state of a job in a few words."""
    if line.state == "working":
        gates = model.gates.get(line.job)
        if gates:
            return say("waits-for", language, place=gates[0].path)
        return doing_words(model.doing.get(line.job), language)
    if line.state == "waiting" and line.priority:
        return joined(
            of("job", "waiting", language), say("first", language) if line.priority > 0 else ""
        )
    if line.holder:
        return say("job-elsewhere-of", language, folder=line.holder)
    return of("job", line.state, language)


def doing_words(doing: Doing | None, language: Language) -> str:
    """Describe the current step, its progress and the time left."""
    if doing is None:
        return say("begins", language)
    if doing.now is None:
        of_all = say("of-all", language, done=doing.done, total=doing.total) if doing.total else ""
        return joined(of("step", doing.step, language), of_all)
    now = doing.now
    far = f"{100 * now.frames_done / now.frames:.0f} %" if now.frames else ""
    if now.waiting_s > 0:
        return joined(
            far, say("retrying", language, seconds=ceil(now.waiting_s), attempt=now.retry_attempt)
        )
    left = (
        say("left", language, time=lasting(now.left_s, language)) if now.left_s is not None else ""
    )
    if now.phase in ("join", "publish"):
        return joined(of("step", now.phase, language), far)
    return joined(far, left) or of("step", now.phase, language)


def shortened(text: str, most: int) -> str:
    """Shorten a text to at most `most` characters.

    The middle is left out, because it is the least informative part of a name.
    """
    return (
        text if len(text) <= most else f"{text[: most // 2]}…{text[len(text) - (most - 1) // 2 :]}"
    )
