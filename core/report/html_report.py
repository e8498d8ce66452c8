"""Render a job view as a self-contained HTML page, in English or German.

The page needs no network, script or other file, and is written for people who were not there.
Pictures are embedded; a missing one is replaced by a drawing that says so. Colour is never the only
sign.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from importlib import resources
from xml.etree.ElementTree import Element

from core.messages.phrases import phrase
from core.messages.template import Language
from core.report import html_sections as parts
from core.report.html import add, el, name, page
from core.report.labels import verdict
from core.report.view_model import JobView

MARK = "Hotsplice report"
"""The `generator` of the page: a file with it is one of ours and may be replaced."""

_DENSE = 120
"""Number of shots from which there is no room for lines between them."""


def stylesheet() -> str:
    """Return the style sheet of the page."""
    return resources.files("core.report").joinpath("report.css").read_text(encoding="utf-8")


def report(
    told: JobView,
    *,
    pictures: Mapping[int, bytes],
    good: Mapping[str, bytes],
    moment: Callable[[float], str],
    speak: Language = "en",
) -> str:
    """Return the page.

    `pictures` are JPEGs by shot number, `good` are JPEGs by the `last_good` of a trouble; `moment`
    formats Unix seconds.
    """
    style = stylesheet()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    film = parts.file_of(told.place)
    said = verdict(told, speak)
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="generator", content=MARK),
        el("meta", name="referrer", content="no-referrer"),
        el("title", f"{film} – {said.word}"),
        el("style", style),
    )
    body = el("body", _header(told, film, moment, speak), *_strip(told, speak))
    add(
        body,
        *parts.needs(told, speak),
        *parts.shots(told, pictures, speak),
        *parts.troubles(told, good, moment, speak),
        *parts.gates(told, moment, speak),
        *parts.figures(told, speak),
        *parts.remarks(told, speak),
        *parts.past(told, moment, speak),
        el(
            "footer",
            el("p", phrase("page-written", speak, moment=moment(told.heard_at), job=told.job)),
        ),
    )
    return page(el("html", head, body, lang=speak))


def _header(told: JobView, film: str, moment: Callable[[float], str], speak: Language) -> Element:
    said = verdict(told, speak)
    facts = el("dl", class_="facts")
    planned = told.planned
    rows: list[tuple[str, Element | str]] = [
        (phrase("page-film", speak), name(told.place)),
        (
            phrase("page-timeline", speak),
            el(
                "span",
                name(told.accepted.timeline_name),
                " ",
                name(told.accepted.timeline_path, class_="muted"),
            ),
        ),
        (phrase("page-preset", speak), name(told.accepted.preset)),
    ]
    if planned is not None:
        begin, end, rate = (
            told.timecode(0),
            told.timecode(planned.frames),
            parts.rate_of(planned.rate, speak),
        )
        length = phrase("page-long", speak, begin=begin, end=end, count=planned.frames, rate=rate)
        rows.append((phrase("page-length", speak), el("span", length, class_="tc")))
    rows.append((phrase("page-asked", speak), moment(told.asked_at)))
    rows.append((phrase("page-heard", speak), moment(told.heard_at)))
    for title, value in rows:
        add(facts, el("dt", title), el("dd", value))
    return el(
        "header",
        el("div", el("h1", name(film)), el("p", said.sentence, class_="lead"), facts),
        el("div", f"{said.sign} {said.word}", class_=f"verdict {told.outcome}", role="status"),
    )


def _strip(told: JobView, speak: Language) -> list[Element]:
    """Draw the film as one strip, each shot as wide as it is long.

    Shots that deviate from the timeline are taller and have a mark.
    """
    if not told.shots:
        return []
    total = sum(max(1, shot.frames) for shot in told.shots)
    drawing = el(
        "svg",
        viewBox="0 0 1000 46",
        preserveAspectRatio="none",
        class_="strip dense" if len(told.shots) > _DENSE else "strip",
        role="img",
        aria_label=phrase("page-strip", speak),
    )
    at = 0.0
    for shot in told.shots:
        width = 1000 * max(1, shot.frames) / total
        low = shot.good
        box = el(
            "rect",
            x=f"{at:.2f}",
            width=f"{width:.2f}",
            y="18" if low else "10",
            height="20" if low else "36",
        )
        drawn = el("g", el("title", parts.label(shot, speak)), box, class_=parts.look(shot))
        if not low and shot.state != "waiting":
            middle = at + width / 2
            drawn.append(el("path", d=f"M{middle - 3:.2f} 0h6l-3 8z"))
        drawing.append(el("a", drawn, href=f"#shot-{shot.number}"))
        at += width
    ends = (told.timecode(0), told.timecode(told.planned.frames) if told.planned else "")
    return [
        drawing,
        el("div", el("span", ends[0]), el("span", ends[1]), class_="ruler tc"),
        parts.legend(told, speak),
    ]
