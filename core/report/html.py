"""HTML as a tree of elements, never as text put together: a name cannot become markup wherever it stands."""

from __future__ import annotations

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

Part = Element | str | None

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
"""Control characters, orders to turn the direction of writing round, halves of characters: a name shows a mark instead.
Scripts that run from right to left need none of them."""


def clean(text: str) -> str:
    """Text that can stand in a page and changes nothing around it."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)


def el(kind: str, *parts: Part, **attributes: str) -> Element:
    """An element with text and elements in it. `class_` is class, `data_x` is data-x; empty attributes are left out."""
    named = {
        name.rstrip("_").replace("_", "-"): clean(value)
        for name, value in attributes.items()
        if value
    }
    made = Element(kind, named)
    return add(made, *parts)


def add(made: Element, *parts: Part) -> Element:
    """Append text and elements."""
    for part in parts:
        if part is None:
            continue
        if not isinstance(part, str):
            made.append(part)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + clean(part)
        else:
            made.text = (made.text or "") + clean(part)
    return made


def name(text: str, **attributes: str) -> Element:
    """A name from outside: shown whole, in its own direction, without disturbing what stands around it."""
    return el("bdi", text, **attributes)


def page(root: Element) -> str:
    """The document."""
    return (
        "<!doctype html>\n" + ElementTree.tostring(root, encoding="unicode", method="html") + "\n"
    )
