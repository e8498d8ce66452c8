"""One job as a page: its state, the strip of its shots, findings and actions. Pure."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from pathlib import PurePath
from typing import NamedTuple

from bridge.protocol.requests import Answer
from bridge.protocol.responses import Act as Advised
from bridge.protocol.responses import Described, Finding, JobLine, KeptFilm, ShotLine
from bridge.tray.hints import advice
from bridge.tray.state import ENDED, Doing, Model
from bridge.tray.view import Role, progress, sign_of, state_words
from bridge.tray.words import joined, of, say
from core.messages.template import Language, shown
from core.timeline.timing import timecode

_SHOTS: dict[str, tuple[str, Role]] = {
    "verified": ("check", "good"), "reused": ("again", "good"), "mended": ("half", "warn"), "previous": ("back", "warn"),
    "slate": ("slate", "bad"), "missing": ("cross", "bad"), "waiting": ("dots", "quiet"), "working": ("play", "work"),
}  # fmt: skip
"""Sign and role by a shot's state. The sign also selects the pattern."""
_SEVERITY: dict[str, tuple[str, Role]] = {
    "error": ("stop", "bad"),
    "warning": ("warning", "warn"),
    "note": ("note", "quiet"),
}
_ANSWERS: tuple[str, ...] = ("relink", "retry", "previous", "skip", "stop")


class Tile(NamedTuple):
    """A shot on the strip.

    `words` describes it completely, for the tooltip, the line below and screen readers.
    """

    number: int
    name: str
    frames: int
    state: str
    sign: str
    role: Role
    gap: bool
    timecode: str
    words: str
    picture: bytes | None = None


class Act(NamedTuple):
    """An action that takes one click. `primary` marks the most likely one of its group."""

    do: str
    label: str
    about: tuple[str, ...] = ()
    path: str = ""
    primary: bool = False


class Card(NamedTuple):
    """A finding.

    `where` gives shots and timecode. `hints` says what the user can do outside the window.
    """

    severity: str
    sign: str
    role: Role
    kind: str
    title: str
    where: str
    message: str
    did: str
    hints: tuple[str, ...]
    acts: tuple[Act, ...]
    shot: int


class Legend(NamedTuple):
    """How many shots are in a state."""

    sign: str
    role: Role
    state: str
    text: str


class Page(NamedTuple):
    """A job.

    `progress` is from 0 to 1, or None when the job is not running. `known` is False until the
    daemon has described the job.
    """

    job: str
    title: str
    output: str
    preset: str
    state: str
    sign: str
    role: Role
    verdict: str
    message: str
    safe: str
    progress: float | None
    far: str
    left: str
    known: bool
    tiles: tuple[Tile, ...]
    legend: tuple[Legend, ...]
    cards: tuple[Card, ...]
    acts: tuple[Act, ...]


def page(model: Model, job: str, language: Language) -> Page | None:
    """Return the page of a job, or None for an unknown job."""
    line = model.job(job)
    if line is None:
        return None
    told = model.described.get(job)
    sign, role = sign_of(model, line)
    far, left = _progress_words(model.doing.get(job), line, language)
    tiles = _tiles(model, told, line, language) if told else ()
    over = (
        line.state not in ("working", "waiting")
        and told is not None
        and told.job.state == line.state
    )
    return Page(
        job=job,
        title=shown(line.timeline) or PurePath(line.output).name or job,
        output=line.film or line.output,
        preset=line.preset,
        state=line.state,
        sign=sign,
        role=role,
        verdict=shown(told.title)
        if told and over and told.title
        else state_words(model, line, language),
        message=shown(told.message) if told and over else _noticed(model, job),
        safe=shown(told.safe) if told else "",
        progress=progress(model, line),
        far=far,
        left=left,
        known=told is not None,
        tiles=tiles,
        legend=_legend(tiles, language),
        cards=tuple(_card(told, finding, language) for finding in _sorted(told.findings))
        if told
        else (),
        acts=_acts(model, line, told, language),
    )


def _noticed(model: Model, job: str) -> str:
    """Return the daemon's latest notice about an unfinished job.

    It says how the job was found, and what happened to its files.
    """
    said = model.noticed.get(job)
    return shown(f"{said.title}: {said.message}") if said else ""


def _progress_words(doing: Doing | None, line: JobLine, language: Language) -> tuple[str, str]:
    if line.state != "working":
        return "", ""
    if doing is None or doing.now is None:
        return "", ""
    now = doing.now
    shots = say("shots-of", language, done=now.shots_done, count=now.shots)
    frames = say("frames-of", language, done=now.frames_done, count=now.frames)
    left = say("left-unknown", language) if now.left_s is None and now.phase == "assemble" else ""
    speed = (
        say("speed", language, number=f"{now.frames_per_s:.0f}") if now.frames_per_s >= 1 else ""
    )
    return joined(of("step", now.phase, language), shots, frames), joined(left, speed)


def _tiles(model: Model, told: Described, line: JobLine, language: Language) -> tuple[Tile, ...]:
    doing = model.doing.get(line.job)
    at_work = set(doing.now.shots_now) if doing and doing.now else set()
    pictures = model.pictures.get(line.job, {})
    found = {shot: finding for finding in reversed(told.findings) for shot in finding.shots}
    tiles = []
    for shot in told.shots:
        state = (
            "working"
            if shot.number in at_work and shot.state in ("waiting", "missing")
            else shot.state
        )
        sign, role = _SHOTS.get(state, ("dots", "quiet"))
        role = "quiet" if shot.taken else role
        moment = _timecode(told, shot.first)
        finding = found.get(shot.number)
        tiles.append(
            Tile(
                number=shot.number,
                name=shown(shot.name) or say("gap", language),
                frames=shot.frames,
                state=state,
                sign=sign,
                role=role,
                gap=shot.gap,
                timecode=moment,
                words=_shot_words(shot, state, moment, finding, language),
                picture=pictures.get(shot.number),
            )
        )
    return tuple(tiles)


def _shot_words(
    shot: ShotLine, state: str, moment: str, finding: Finding | None, language: Language
) -> str:
    name = shown(shot.name) or say("gap", language)
    head = say("shot-named", language, number=shot.number, name=name)
    facts = joined(moment, say("frames", language, count=shot.frames), of("shot", state, language))
    why = f"{shown(finding.title)}: {shown(finding.message)}" if finding else ""
    path = shown(shot.path)
    return "\n".join(part for part in (head, facts, why, path if path not in why else "") if part)


def _timecode(told: Described, frame: int) -> str:
    try:
        return timecode(told.start_frame + frame, Fraction(told.rate), drop_frame=told.drop_frame)
    except (ValueError, ZeroDivisionError):
        return ""


def _legend(tiles: tuple[Tile, ...], language: Language) -> tuple[Legend, ...]:
    count: dict[str, int] = {}
    for tile in tiles:
        count[tile.state] = count.get(tile.state, 0) + 1
    known = [state for state in _SHOTS if state in count] + [
        state for state in count if state not in _SHOTS
    ]
    return tuple(
        Legend(
            *_SHOTS.get(state, ("dots", "quiet")),
            state,
            f"{count[state]} {of('shot', state, language)}",
        )
        for state in known
    )


def _sorted(findings: tuple[Finding, ...]) -> list[Finding]:
    order = {"error": 0, "warning": 1, "note": 2}
    return sorted(findings, key=lambda finding: order[finding.severity])


def _card(told: Described, finding: Finding, language: Language) -> Card:
    sign, role = _SEVERITY[finding.severity]
    shots = (
        say("at-shots", language, count=len(finding.shots), numbers=numbers(finding.shots))
        if finding.shots
        else ""
    )
    first = finding.first if finding.first is not None else next(
        (shot.first for shot in told.shots if shot.number in finding.shots), None
    )  # fmt: skip
    where = joined(shots, _timecode(told, first) if first is not None and told.rate else "")
    return Card(
        severity=finding.severity,
        sign=sign,
        role=role,
        kind=say("kind-decided", language)
        if finding.decided
        else of("severity", finding.severity, language),
        title=shown(finding.title),
        where=where,
        message=shown(finding.message),
        did=shown(finding.did),
        hints=() if finding.decided else tuple(_hint(act, language) for act in finding.actions),
        acts=_finding_acts(finding, language),
        shot=finding.shots[0] if finding.shots else 0,
    )


def _hint(act: Advised, language: Language) -> str:
    text = advice(shown(act.do))
    return text if act.safe else say("with-care", language, do=text)


def _finding_acts(finding: Finding, language: Language) -> tuple[Act, ...]:
    about = tuple(str(shot) for shot in finding.shots) or ((finding.code,) if finding.code else ())
    fits = [answer for answer in _ANSWERS if answer in finding.answers] if about else []
    acts = [
        Act(
            answer,
            _label(answer, finding, language),
            about[:1] if answer == "relink" else about,
            finding.path,
            primary=n == 0,
        )
        for n, answer in enumerate(fits)
    ]
    if finding.path:
        acts.append(Act("folder", say("do-folder", language), (), finding.path))
    return tuple(acts)


def _label(answer: str, finding: Finding, language: Language) -> str:
    """Return the label of an answer's button.

    What is left as it is may be a slate, a part of a shot, silence or something else.
    """
    if finding.decided:
        return say("do-take-back", language)
    partly = finding.code in ("shot-mended", "shot-unlike-record")
    if answer == "skip" and (not finding.shots or partly or finding.severity == "warning"):
        return say("do-leave", language)
    return say(f"do-{answer}", language)


def _acts(
    model: Model, line: JobLine, told: Described | None, language: Language
) -> tuple[Act, ...]:
    """Return the actions for the whole job, the most likely first.

    A film is not rolled back while a job renders it.
    """
    acts: list[str] = []
    if line.state in ("working", "elsewhere", "waiting"):
        acts = ["cancel"]
        if line.state == "waiting":
            acts.insert(0, "back" if line.priority > 0 else "first")
    elif line.state in ("held", "interrupted", "failed"):
        acts = ["resume"]
    if line.state in ("complete", "unchanged", "incomplete"):
        acts.append("folder")
    kept: list[Act] = []
    if told is not None and (told.rollback or told.kept) and line.state in ENDED:
        if not any(
            other.state in ("working", "elsewhere") and other.output == line.output
            for other in model.jobs
        ):
            acts += [f"rollback-{told.rollback}"] if told.rollback else []
            kept = [
                _bring_back(one, language)
                for one in told.kept
                if one.number > 1 or not told.rollback
            ]
    after = ["report", "copy", "bundle"] if told is not None else []
    made = (
        [Act("retry", say("do-retry", language), ("all",))]
        if line.state == "incomplete" and told is not None
        else []
    )
    return (*made, *_named(acts, language), *kept, *_named(after, language, first=False))


def _bring_back(kept: KeptFilm, language: Language) -> Act:
    """Offer to restore one of several kept films.

    The number is that of `hotsplice rollback FILM --list`.
    """
    when = datetime.fromtimestamp(kept.at).strftime("%Y-%m-%d %H:%M")
    state = say(
        "kept-unknown"
        if kept.complete is None
        else "kept-complete"
        if kept.complete
        else "kept-incomplete",
        language,
    )
    label = say("do-rollback-kept", language, when=when, state=joined(state, kept.length))
    return Act("rollback-kept", label, path=str(kept.number))


def _named(acts: list[str], language: Language, *, first: bool = True) -> tuple[Act, ...]:
    return tuple(
        Act(do, say(f"do-{do}", language), primary=first and n == 0 and do in ("resume", "folder"))
        for n, do in enumerate(acts)
    )


def answers(act: Act, job: str, name: str, *, file: str = "") -> tuple[Answer, ...]:
    """Return the daemon requests for an action about a finding: one answer per shot."""
    return tuple(
        Answer(request=f"{name}-{about}", job=job, about=about, answer=act.do, file=file)  # type: ignore[arg-type]
        for about in act.about
    )


def numbers(shots: tuple[int, ...]) -> str:
    """Format shot numbers as in "1, 2, 5–9", for any language."""
    runs: list[list[int]] = []
    for number in sorted(set(shots)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(
        f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs
    )


def diagnosis(told: Described, program: str) -> str:
    """Return plain text about a job, to paste into a message to someone who can help."""
    lines = [
        f"Hotsplice {program}, job {told.job.job}: {told.job.state}{f' ({told.job.code})' if told.job.code else ''}",
        f"{told.job.timeline}, {told.job.preset}, {told.frames} frames at {told.rate}, {len(told.shots)} shots",
        *filter(None, (told.title, told.message, told.safe)),
    ]
    for finding in _sorted(told.findings):
        where = f"shots {numbers(finding.shots)}" if finding.shots else ""
        moment = _timecode(told, finding.first) if finding.first is not None and told.rate else ""
        head = ", ".join(part for part in (finding.severity, finding.code, where, moment) if part)
        lines += ["", f"[{head}] {finding.title}", *filter(None, (finding.message, finding.did))]
    return "\n".join(map(shown, lines)) + "\n"
