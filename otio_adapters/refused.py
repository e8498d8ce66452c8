"""The one way a timeline is turned down, and how names from a file are put in words."""

from __future__ import annotations

import unicodedata
from typing import Any

LONGEST_NAME = 80
"""Characters of a name that are shown; a name in a hostile file may have millions."""


class TimelineRefused(Exception):
    """A timeline that cannot be read.

    `code` is kebab-case and stable, `message` says what is wrong and where, `action` what the editor can do.
    Codes: timeline-missing, timeline-unreadable, timeline-too-large, timeline-not-json, timeline-not-otio,
    timeline-schema-unknown, timeline-empty, timeline-invalid.
    """

    def __init__(self, code: str, message: str, action: str) -> None:
        super().__init__(code, message, action)
        self.code = code
        self.message = message
        self.action = action

    def __str__(self) -> str:
        return self.message


def invalid(message: str, action: str = "Export the timeline again from the editor.") -> TimelineRefused:
    """The refusal of a timeline that contradicts itself."""
    return TimelineRefused("timeline-invalid", message, action)


def named(text: object) -> str:
    """A name as it may stand in a message or a log: in quotes, shortened, and without characters that move the cursor,
    turn the direction of reading or cannot be encoded."""
    safe = "".join(_safe(character) for character in str(text)[: LONGEST_NAME + 1])
    if len(safe) > LONGEST_NAME:
        safe = safe[: LONGEST_NAME - 1] + "…"
    return f"“{safe}”" if safe.strip() else "without a name"


def _safe(character: str) -> str:
    if character.isprintable():
        return character
    return " " if unicodedata.category(character) == "Zs" else "\N{REPLACEMENT CHARACTER}"


def called(item: Any) -> str:
    """An OTIO object for a message: `Clip “sh010”`, `Gap without a name`."""
    return f"{type(item).__name__} {named(item.name)}"
