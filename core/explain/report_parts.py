"""The sections of the report, one function each; a section that has nothing to say is left out."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from fractions import Fraction
from xml.etree.ElementTree import Element

from core.explain import catalogue, story
from core.explain.markup import add, el, name
from core.explain.tales import Chronicle, ShotTale, Trouble
from core.explain.wording import STATES, numbers, opening, share, span, strategy, words_of
from core.model.facts import ShotSlated

Moment = Callable[[float], str]


def file_of(path: str) -> str:
    """The last part of a path, of whatever system."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2] or path


def rate_of(rate: str) -> str:
    """25 fps, 23.976 fps."""
    exact = Fraction(rate)
    return f"{exact} fps" if exact.denominator == 1 else f"{float(exact):.3f} fps"


def look(shot: ShotTale) -> str:
    """The class that gives a shot its colour."""
    return "gap" if shot.gap and shot.good else shot.state


def label(shot: ShotTale) -> str:
    """A shot in one line."""
    return f"Shot {shot.number}, {'gap' if shot.gap else shot.name}: {STATES[shot.state][1]}"


def legend(told: Chronicle) -> Element:
    """How many shots there are of each state."""
    row = el("ul", class_="legend")
    for state, (sign, word, meaning) in STATES.items():
        count = sum(shot.state == state for shot in told.shots)
        if count:
            pill = el("span", f"{sign} {count} {word}", class_=f"pill {state}")
            row.append(el("li", pill, el("span", f" {meaning}", class_="muted")))
    return row


def needs(told: Chronicle) -> list[Element]:
    """What a person can do: one box for each kind of fault, one line in it for each file."""
    causes: dict[str, dict[str, tuple[Trouble, list[int], list[str]]]] = {}
    for shot in told.shots:
        if not shot.good and shot.troubles:
            trouble = shot.troubles[-1]
            causes.setdefault(trouble.code, {}).setdefault(trouble.path, (trouble, [], []))[1].append(shot.number)
    for clip, trouble in told.silenced:
        causes.setdefault(trouble.code, {}).setdefault(trouble.path, (trouble, [], []))[2].append(clip)
    boxes = []
    if told.outcome == "failed" and told.code:
        said = catalogue.words(told.code, path=told.detail, detail=told.detail, name=told.detail)
        boxes.append(_box(said, [("The job", said.message)]))
    for files in causes.values():
        lines = [(_where(shots, clips), words_of(trouble).message) for trouble, shots, clips in files.values()]
        boxes.append(_box(words_of(next(iter(files.values()))[0]), lines))
    return [el("section", el("h2", "What needs you"), *boxes)] if boxes else []


def _where(shots: list[int], clips: list[str]) -> str:
    where = f"Shot{'s' if len(shots) > 1 else ''} {numbers(shots)}" if shots else ""
    if not clips:
        return where
    sound = f"sound of {len(clips)} clip{'s' if len(clips) > 1 else ''}"
    return f"{where} and {sound}" if where else opening(sound)


def _box(said: catalogue.Words, lines: list[tuple[str, str]]) -> Element:
    box = el("div", el("h3", said.title, el("span", f"  {said.code}", class_="muted code")), class_="need")
    for where, message in lines:
        box.append(el("p", f"{where}: ", name(message)))
    for action in said.actions:
        box.append(el("p", action.text, el("span", "" if action.safe else "  ▲ with care", class_="care"), class_="do"))
    return box


def shots(told: Chronicle, pictures: Mapping[int, bytes]) -> list[Element]:
    """Every shot as a card."""
    if not told.shots:
        return []
    row = el("ol", class_="shots")
    for shot in told.shots:
        row.append(_card(told, shot, pictures.get(shot.number)))
    return [el("section", el("h2", f"The film, shot by shot ({len(told.shots)})"), row)]


def _card(told: Chronicle, shot: ShotTale, picture: bytes | None) -> Element:
    sign, word, meaning = STATES[shot.state]
    weight = "" if shot.good or shot.state == "waiting" else "part" if shot.state in ("mended", "previous") else "bad"
    title = "gap" if shot.gap else shot.name or f"Shot {shot.number}"
    tries = (
        el("a", f"{shot.attempts} attempts", href=f"#told-{shot.number}") if len(shot.troubles) and shot.attempts > 1 else None
    )
    about = el(
        "div",
        el(
            "div",
            el("span", str(shot.number), class_="muted tc"),
            el("span", f"{sign} {word}", class_=f"pill {shot.state}", title=meaning),
            class_="row",
        ),
        el("div", name(title), class_="name", title=title, dir="auto"),
        el(
            "div",
            el("span", told.timecode(shot.record_in) if shot.frames else "", class_="tc muted"),
            el("span", f"{shot.frames} f" if shot.frames else "", class_="tc muted"),
            class_="row",
        ),
        el("div", tries) if tries is not None else None,
        class_="about",
    )
    return el("li", _frame(shot, picture), about, class_=f"shot {weight}".strip(), id=f"shot-{shot.number}")


def _frame(shot: ShotTale, picture: bytes | None) -> Element:
    if picture is not None:
        return el("div", _image(picture, f"A frame of shot {shot.number}"), class_="frame")
    return el(
        "div", el("span", STATES[shot.state][0] if not shot.gap else "", aria_hidden="true"), class_=f"frame none {look(shot)}"
    )


def _image(picture: bytes, alt: str) -> Element:
    return el("img", src=f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}", alt=alt)


def troubles(told: Chronicle, good: Mapping[str, bytes], moment: Moment) -> list[Element]:
    """What failed, where, and what was done about it."""
    columns = ["When", "Where", "What failed", "At", "What was done", *(["Last good frame"] if good else [])]
    body = el("tbody")
    for shot in told.shots:
        first = True
        for trouble in shot.troubles:
            where = el("a", f"Shot {shot.number}", href=f"#shot-{shot.number}")
            body.append(_row(told, trouble, where, good, moment, id_=f"told-{shot.number}" if first else ""))
            first = False
        for note in shot.notes:
            if isinstance(note, ShotSlated):
                continue  # its trouble says so
            body.append(
                el(
                    "tr",
                    el("td"),
                    el("td", f"Shot {shot.number}"),
                    el("td", name(story.sentence(note)), colspan=str(len(columns) - 2)),
                )
            )
    for trouble in told.elsewhere:
        body.append(_row(told, trouble, el("span", "Sound or film"), good, moment))
    for clip, trouble in told.silenced:
        body.append(_row(told, trouble, el("span", "Silence for ", name(told.clips.get(clip, clip))), good, moment))
    if not len(body):
        return []
    head = el("thead", el("tr", *(el("th", title) for title in columns)))
    return [el("section", el("h2", "What failed and what was done"), el("table", head, body, class_="troubles"))]


def _row(told: Chronicle, trouble: Trouble, where: Element, good: Mapping[str, bytes], moment: Moment, id_: str = "") -> Element:
    said = words_of(trouble)
    kind = trouble.failure.type.value.replace("_", " ") if trouble.failure else ""
    at = el("td")
    if trouble.frame is not None:
        add(at, el("div", told.timecode(trouble.frame), class_="tc", title="record timecode"))
    if trouble.source_frame is not None:
        add(at, el("div", f"source frame {trouble.source_frame}", class_="muted"))
    done = el("td", "Known before rendering." if trouble.failure is None and not trouble.recovery else None)
    if trouble.recovery is not None:
        add(done, f"{opening(story.done(trouble.recovery))}. ", el("div", strategy(trouble.recovery), class_="muted"))
    elif trouble.failure is not None:
        add(done, "Given up; something stands in.")
    picture = good.get(trouble.last_good)
    return el(
        "tr",
        el("td", moment(trouble.at), class_="n"),
        el("td", where, el("div", f"attempt {trouble.attempt}", class_="muted") if trouble.attempt else None),
        el(
            "td",
            el("b", said.title),
            el("div", name(said.message)),
            el("div", f"{said.code}{f', {kind}' if kind else ''}", class_="muted code"),
        ),
        at,
        done,
        el("td", _image(picture, "The last good frame") if picture else None) if good else None,
        id=id_,
    )


def gates(told: Chronicle, moment: Moment) -> list[Element]:
    """What was waited for, and what a person answered."""
    rows = []
    for at, closed, opened in told.gates:
        end = story.sentence(opened) if opened else "Still waiting."
        rows.append(el("tr", el("td", moment(at), class_="n"), el("td", name(story.sentence(closed))), el("td", name(end))))
    for answer in told.answers:
        rows.append(el("tr", el("td"), el("td", name(story.sentence(answer)), colspan="2")))
    return [el("section", el("h2", "Waited for and answered"), el("table", el("tbody", *rows)))] if rows else []


def figures(told: Chronicle) -> list[Element]:
    """What it took."""
    took = told.figures
    cured = [e for e in told.episodes if e.ending == "cured"]
    tiles = [
        (span(took.worked_s), f"of work in {len(told.runs)} run{_s(len(told.runs))}"),
        (str(took.frames_made), "frames made"),
        (str(took.frames_reused), "frames from checkpoints"),
        (span(took.saved_s), "of rendering spared by them"),
        (
            str(took.retries),
            f"{'retry' if took.retries == 1 else 'retries'} after {took.failures} failed attempt{_s(took.failures)}",
        ),
        (span(took.recovering_s), f"with something to make good; {len(cured)} of {len(told.episodes)} cured"),
    ]
    if took.frames_copied:
        tiles.insert(2, (str(took.frames_copied), "frames copied without encoding"))
    if took.overhead is not None:
        tiles.append((share(took.overhead), "of the work was recording and checking"))
    row = el("div", class_="figures")
    for figure, meaning in tiles:
        row.append(el("div", el("b", figure), el("span", meaning, class_="muted"), class_="figure"))
    return [el("section", el("h2", "What it took"), row)]


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def remarks(told: Chronicle) -> list[Element]:
    """What the film cannot carry of the timeline; one line of each kind and text."""
    rows: dict[tuple[str, str, str], int] = {}
    for remark in told.remarks:
        key = (remark.severity, remark.code, remark.text)
        rows[key] = rows.get(key, 0) + 1
    if not rows:
        return []
    body = el("tbody")
    for (severity, code, text), count in rows.items():
        said = catalogue.words(code, name=text)
        mark = "▲ differs" if severity == "loss" else "note"
        title = el("td", el("b", said.title), f" ({count} times)" if count > 1 else None)
        body.append(
            el("tr", el("td", mark, class_="n"), title, el("td", name(said.message)), el("td", said.action, class_="muted"))
        )
    return [el("section", el("h2", "Where the film is not quite the timeline"), el("table", body))]


def past(told: Chronicle, moment: Moment) -> list[Element]:
    """The runs."""
    if not told.runs:
        return []
    body = el("tbody")
    for run in told.runs:
        cells = (
            moment(run.began),
            span(run.seconds),
            f"Hotsplice {run.version}",
            f"ffmpeg {run.ffmpeg}",
            f"{run.workers} at once",
        )
        body.append(el("tr", *(el("td", cell) for cell in cells)))
    return [el("section", el("h2", "Runs"), el("table", body))]
