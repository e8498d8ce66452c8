"""The sections of the report, one function each; empty sections are left out."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TypeVar
from xml.etree.ElementTree import Element

import msgspec

from core.job.events import ShotSlated
from core.messages import catalogue
from core.messages.phrases import phrase
from core.messages.template import Language, decimal
from core.report import event_text
from core.report.event_text import opening, word
from core.report.html import add, el, name
from core.report.labels import SIGNS, numbers, remark_words, share, span, state_word, words_of
from core.report.view_model import JobView, ShotView, Trouble
from core.timeline.timeline import Remark

Moment = Callable[[float], str]


def file_of(path: str) -> str:
    """Return the last part of a path, whatever system it comes from."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2] or path


def rate_of(rate: str, speak: Language) -> str:
    """Format a frame rate: 25, 23.976 or 23,976."""
    exact = Fraction(rate)
    return str(exact) if exact.denominator == 1 else decimal(float(exact), speak, 3)


def look(shot: ShotView) -> str:
    """Return the CSS class that gives a shot its colour."""
    return "gap" if shot.gap and shot.good else shot.state


def label(shot: ShotView, speak: Language) -> str:
    """Return the text for a shot, on one line."""
    called = phrase("gap", speak) if shot.gap else shot.name
    return phrase(
        "page-shot-is", speak, shot=shot.number, name=called, state=state_word(shot.state, speak)
    )


def legend(told: JobView, speak: Language) -> Element:
    """Build the legend: the number of shots in each state."""
    row = el("ul", class_="legend")
    for state, sign in SIGNS.items():
        count = sum(shot.state == state for shot in told.shots)
        if count:
            pill = el("span", f"{sign} {count} {state_word(state, speak)}", class_=f"pill {state}")
            row.append(
                el("li", pill, el("span", f" {word('means', state, speak)}", class_="muted"))
            )
    return row


def needs(told: JobView, speak: Language) -> list[Element]:
    """Build the list of what the user can do: one box per kind of fault, one line per file."""
    causes: dict[str, dict[str, tuple[Trouble, list[int], list[str]]]] = {}
    for shot in told.shots:
        if not shot.good and shot.troubles:
            trouble = shot.troubles[-1]
            causes.setdefault(trouble.code, {}).setdefault(trouble.path, (trouble, [], []))[
                1
            ].append(shot.number)
    for clip, trouble in told.silenced:
        causes.setdefault(trouble.code, {}).setdefault(trouble.path, (trouble, [], []))[2].append(
            clip
        )
    boxes = []
    if told.outcome == "failed" and told.code:
        said = catalogue.words(
            told.code, speak, path=told.detail, detail=told.detail, name=told.detail
        )
        boxes.append(_box(said, [(phrase("page-job", speak), said.message)], speak))
    for files in causes.values():
        lines = [
            (_where(shots, clips, speak), words_of(trouble, speak).message)
            for trouble, shots, clips in files.values()
        ]
        boxes.append(_box(words_of(next(iter(files.values()))[0], speak), lines, speak))
    return [el("section", el("h2", phrase("page-needs", speak)), *boxes)] if boxes else []


def _where(shots: list[int], clips: list[str], speak: Language) -> str:
    where = (
        phrase("where-shots", speak, count=len(shots), numbers=numbers(shots, speak))
        if shots
        else ""
    )
    if not clips:
        return where
    sound = phrase("page-sound-of", speak, count=len(clips))
    return phrase("page-and-sound-of", speak, where=where, sound=sound) if where else opening(sound)


def _box(said: catalogue.Words, lines: list[tuple[str, str]], speak: Language) -> Element:
    box = el(
        "div",
        el("h3", said.title, el("span", f"  {said.code}", class_="muted code")),
        class_="need",
    )
    for where, message in lines:
        box.append(el("p", f"{where}: ", name(message)))
    for action in said.actions:
        care = "" if action.safe else f"  ▲ {phrase('page-with-care', speak)}"
        box.append(el("p", action.text, el("span", care, class_="care"), class_="do"))
    return box


def shots(told: JobView, pictures: Mapping[int, bytes], speak: Language) -> list[Element]:
    """Build a card for each shot."""
    if not told.shots:
        return []
    row = el("ol", class_="shots")
    for shot in told.shots:
        row.append(_card(told, shot, pictures.get(shot.number), speak))
    return [el("section", el("h2", phrase("page-shots", speak, count=len(told.shots))), row)]


def _card(told: JobView, shot: ShotView, picture: bytes | None, speak: Language) -> Element:
    state, meaning = state_word(shot.state, speak), word("means", shot.state, speak)
    weight = (
        ""
        if shot.good or shot.state == "waiting"
        else "part"
        if shot.state in ("mended", "previous")
        else "bad"
    )
    title = (
        phrase("gap", speak)
        if shot.gap
        else shot.name or phrase("page-shot", speak, shot=shot.number)
    )
    tries = None
    if len(shot.troubles) and shot.attempts > 1:
        tries = el(
            "a", phrase("page-attempts", speak, count=shot.attempts), href=f"#told-{shot.number}"
        )
    about = el(
        "div",
        el(
            "div",
            el("span", str(shot.number), class_="muted tc"),
            el("span", f"{SIGNS[shot.state]} {state}", class_=f"pill {shot.state}", title=meaning),
            class_="row",
        ),
        el("div", name(title), class_="name", title=title, dir="auto"),
        el(
            "div",
            el("span", told.timecode(shot.record_in) if shot.frames else "", class_="tc muted"),
            el(
                "span",
                phrase("page-frames", speak, count=shot.frames) if shot.frames else "",
                class_="tc muted",
            ),
            class_="row",
        ),
        el("div", tries) if tries is not None else None,
        class_="about",
    )
    return el(
        "li",
        _frame(shot, picture, speak),
        about,
        class_=f"shot {weight}".strip(),
        id=f"shot-{shot.number}",
    )


def _frame(shot: ShotView, picture: bytes | None, speak: Language) -> Element:
    if picture is not None:
        return el(
            "div", _image(picture, phrase("page-frame-of", speak, shot=shot.number)), class_="frame"
        )
    return el(
        "div",
        el("span", SIGNS[shot.state] if not shot.gap else "", aria_hidden="true"),
        class_=f"frame none {look(shot)}",
    )


def _image(picture: bytes, alt: str) -> Element:
    return el("img", src=f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}", alt=alt)


def troubles(
    told: JobView, good: Mapping[str, bytes], moment: Moment, speak: Language
) -> list[Element]:
    """Build the table of failures: what failed, where, and what was done about it."""
    anchored: set[int] = set()
    columns = phrase("page-troubles-columns", speak).split(", ") + (
        [phrase("page-last-good-column", speak)] if good else []
    )
    body = el("tbody")
    for alike in _by_cause([(shot, trouble) for shot in told.shots for trouble in shot.troubles]):
        where = el("span")
        for number in dict.fromkeys(shot.number for shot, _ in alike):
            name_of, first = phrase("page-shot", speak, shot=number), number not in anchored
            anchored.add(number)
            add(
                where,
                el("a", name_of, href=f"#shot-{number}", id=f"told-{number}" if first else ""),
                " ",
            )
        told_last = alike[-1][1]
        shown = next((t for _, t in alike if t.frame is not None), told_last)
        latest = msgspec.structs.replace(
            told_last, frame=shown.frame, source_frame=shown.source_frame, last_good=shown.last_good
        )
        body.append(_row(told, latest, where, good, moment, speak, count=len(alike)))
    for shot in told.shots:
        for note in shot.notes:
            if isinstance(note, ShotSlated):
                continue  # covered by its trouble
            body.append(
                el(
                    "tr",
                    el("td"),
                    el("td", phrase("page-shot", speak, shot=shot.number)),
                    el("td", name(event_text.sentence(note, speak)), colspan=str(len(columns) - 2)),
                )
            )
    for group in _by_cause([("", trouble) for trouble in told.elsewhere]):
        where = el("span", phrase("page-elsewhere", speak))
        body.append(_row(told, group[-1][1], where, good, moment, speak, count=len(group)))
    for silences in _by_cause(list(told.silenced)):
        clips = ", ".join(dict.fromkeys(told.clips.get(clip, clip) for clip, _ in silences))
        where = el("span", f"{phrase('page-silence', speak)} ", name(clips))
        body.append(_row(told, silences[-1][1], where, good, moment, speak, count=len(silences)))
    if not len(body):
        return []
    head = el("thead", el("tr", *(el("th", title) for title in columns)))
    return [
        el(
            "section",
            el("h2", phrase("page-what-failed", speak)),
            el("table", head, body, class_="troubles"),
        )
    ]


_Of = TypeVar("_Of")


def _by_cause(troubles: Sequence[tuple[_Of, Trouble]]) -> list[list[tuple[_Of, Trouble]]]:
    """Group troubles with the same cause (code and file), in order of first occurrence."""
    alike: dict[tuple[str, str], list[tuple[_Of, Trouble]]] = {}
    for of, trouble in troubles:
        alike.setdefault((trouble.code, trouble.path), []).append((of, trouble))
    return list(alike.values())


def _row(
    told: JobView,
    trouble: Trouble,
    where: Element,
    good: Mapping[str, bytes],
    moment: Moment,
    speak: Language,
    count: int = 1,
) -> Element:
    said = words_of(trouble, speak)
    kind = word("class", trouble.failure.type.value, speak) if trouble.failure else ""
    at = el("td")
    if trouble.frame is not None:
        add(
            at,
            el(
                "div",
                told.timecode(trouble.frame),
                class_="tc",
                title=phrase("page-record-timecode", speak),
            ),
        )
    if trouble.source_frame is not None:
        add(
            at,
            el(
                "div",
                phrase("page-source-frame", speak, frame=trouble.source_frame),
                class_="muted",
            ),
        )
    done = el("td")
    if trouble.recovery is not None:
        how = el("div", event_text.strategy(trouble.recovery, speak), class_="muted")
        add(done, f"{opening(event_text.done(trouble.recovery, speak, at=trouble.at))}. ", how)
    else:
        add(
            done, phrase("page-known-before" if trouble.failure is None else "page-given-up", speak)
        )
    attempt, picture = (
        phrase("page-attempt", speak, attempt=trouble.attempt),
        good.get(trouble.last_good),
    )
    return el(
        "tr",
        el("td", moment(trouble.at), class_="n"),
        el("td", where, el("div", attempt, class_="muted") if trouble.attempt else None),
        el(
            "td",
            el("b", said.title),
            f" {phrase('times', speak, count=count)}" if count > 1 else None,
            el("div", name(said.message)),
            el("div", f"{said.code}{f', {kind}' if kind else ''}", class_="muted code"),
        ),
        at,
        done,
        el("td", _image(picture, phrase("page-last-good", speak)) if picture else None)
        if good
        else None,
    )


def gates(told: JobView, moment: Moment, speak: Language) -> list[Element]:
    """Build the table of waits, and of the answers that a person gave."""
    rows = []
    for at, closed, opened in told.gates:
        end = event_text.sentence(opened, speak) if opened else phrase("page-still-waiting", speak)
        begin = event_text.sentence(closed, speak)
        rows.append(
            el("tr", el("td", moment(at), class_="n"), el("td", name(begin)), el("td", name(end)))
        )
    for answer in told.answers:
        rows.append(
            el("tr", el("td"), el("td", name(event_text.sentence(answer, speak)), colspan="2"))
        )
    return (
        [el("section", el("h2", phrase("page-gates", speak)), el("table", el("tbody", *rows)))]
        if rows
        else []
    )


def figures(told: JobView, speak: Language) -> list[Element]:
    """Build the tiles with the figures of the job."""
    took = told.figures
    cured = [e for e in told.episodes if e.ending == "cured"]
    failed = phrase("page-failed-attempts", speak, count=took.failures)
    tiles = [
        (span(took.worked_s, speak), phrase("page-of-work", speak, count=len(told.runs))),
        (str(took.frames_made), phrase("page-made", speak)),
        (str(took.frames_reused), phrase("page-reused", speak)),
        (span(took.saved_s, speak), phrase("page-spared", speak)),
        (str(took.retries), phrase("page-retries", speak, count=took.retries, failed=failed)),
        (
            span(took.recovering_s, speak),
            phrase("page-recovering", speak, cured=len(cured), count=len(told.episodes)),
        ),
    ]
    if took.frames_copied:
        tiles.insert(2, (str(took.frames_copied), phrase("page-copied", speak)))
    if took.overhead is not None:
        tiles.append((share(took.overhead, speak), phrase("page-overhead", speak)))
    row = el("div", class_="figures")
    for figure, meaning in tiles:
        row.append(el("div", el("b", figure), el("span", meaning, class_="muted"), class_="figure"))
    return [el("section", el("h2", phrase("page-figures", speak)), row)]


def remarks(told: JobView, speak: Language) -> list[Element]:
    """Build the table of what the film cannot carry of the timeline, one line per kind and text."""
    rows: dict[tuple[str, str, str], list[Remark]] = {}
    for remark in told.remarks:
        rows.setdefault(
            (remark.severity, remark.code, remark_words(remark, speak).message), []
        ).append(remark)
    if not rows:
        return []
    body = el("tbody")
    for alike in rows.values():
        said, severity, count = remark_words(alike[0], speak), alike[0].severity, len(alike)
        mark = (
            f"▲ {phrase('page-differs', speak)}"
            if severity == "loss"
            else phrase("page-note", speak)
        )
        title = el(
            "td",
            el("b", said.title),
            f" {phrase('times', speak, count=count)}" if count > 1 else None,
        )
        body.append(
            el(
                "tr",
                el("td", mark, class_="n"),
                title,
                el("td", name(said.message)),
                el("td", said.action, class_="muted"),
            )
        )
    return [el("section", el("h2", phrase("page-remarks", speak)), el("table", body))]


def past(told: JobView, moment: Moment, speak: Language) -> list[Element]:
    """Build the table of runs."""
    if not told.runs:
        return []
    body = el("tbody")
    for run in told.runs:
        cells = (
            moment(run.began),
            span(run.seconds, speak),
            f"Hotsplice {run.version}",
            f"ffmpeg {run.ffmpeg}",
            phrase("page-at-once", speak, workers=run.workers),
        )
        body.append(el("tr", *(el("td", cell) for cell in cells)))
    return [el("section", el("h2", phrase("page-runs", speak)), el("table", body))]
