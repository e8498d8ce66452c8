"""Build HTML as a tree of elements, never by concatenating text.

So a name cannot become markup, wherever it is placed.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

Part = Element | str | None

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
"""Characters that are shown as a replacement character.

These are control characters, bidirectional controls, line separators, surrogates and noncharacters.
Right-to-left scripts need none of them.
"""


def clean(text: str) -> str:
    """Return text that is safe in a page and does not affect what surrounds it."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)


def el(kind: str, *parts: Part, **attributes: str) -> Element:
    """Build an element with text and child elements.

    `class_` becomes class and `data_x` becomes data-x; empty attributes are left out.
    """
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
    """Build an element for an external name: shown whole, in its own direction, and isolated."""
    return el("bdi", text, **attributes)


def page(root: Element) -> str:
    """Return the document as text."""
    return (
        "<!doctype html>\n" + ElementTree.tostring(root, encoding="unicode", method="html") + "\n"
    )
