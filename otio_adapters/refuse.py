"""The refusal of a timeline, and the format of names from a file in messages."""

from __future__ import annotations

import unicodedata
from typing import Any

from core.errors.refusal import Part, PartKind, Refused

LONGEST_NAME = 80
"""Maximum characters shown of a name; a name in a hostile file may have millions."""

_KINDS: tuple[PartKind, ...] = ("clip", "gap", "track", "stack", "transition")


class TimelineRefused(Refused):
    """A timeline that cannot be read.

    `code` is kebab-case and stable: timeline-missing, timeline-no-file, timeline-no-permission,
    timeline-unreadable, timeline-too-large, timeline-not-json, timeline-not-otio,
    timeline-schema-unknown, timeline-empty, timeline-invalid. `why` names the phrase (without
    `why-`) that says what is wrong and where; the fields fill it, and texts among them come from
    the file.
    """

    def __init__(self, code: str, *, why: str, **fields: object) -> None:
        safe = {
            name: plainly(value) if isinstance(value, str) else value
            for name, value in fields.items()
        }
        super().__init__(code, why=why, **safe)


def invalid(*, why: str, **fields: object) -> TimelineRefused:
    """Return the refusal of a timeline that contradicts itself."""
    return TimelineRefused("timeline-invalid", why=why, **fields)


def plainly(text: object) -> str:
    """Return a text from a file in a form that is safe in messages and logs.

    It is shortened, and has no characters that move the cursor, change the direction of the text or
    cannot be encoded. Empty where nothing of it is visible.
    """
    safe = "".join(_safe(character) for character in str(text)[: LONGEST_NAME + 1])
    if len(safe) > LONGEST_NAME:
        safe = safe[: LONGEST_NAME - 1] + "…"
    return safe if safe.strip() else ""


def named(text: object) -> str:
    """Return a name in quotes, or "without a name", for remarks."""
    safe = plainly(text)
    return f"“{safe}”" if safe else "without a name"


def _safe(character: str) -> str:
    if character.isprintable():
        return character
    return " " if unicodedata.category(character) == "Zs" else "\N{REPLACEMENT CHARACTER}"


def called(item: Any) -> Part:
    """Return an OTIO object as a part for the message of a refusal."""
    kind: PartKind = next((kind for kind in _KINDS if kind == type(item).__name__.lower()), "item")
    return Part(kind=kind, name=plainly(item.name))
