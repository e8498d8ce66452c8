"""The tray's own texts in every language, by name: `words.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from unicodedata import bidirectional

import msgspec
import yaml

from core.messages.phrases import Forms, Phrase
from core.messages.template import Language, decimal, fill, shown

BETWEEN = "  ·  "


@lru_cache(maxsize=1)
def words() -> Mapping[str, Phrase]:
    """Load all of `words.yaml`, by name."""
    text = (resources.files("bridge.tray") / "words.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), dict[str, Phrase])


def say(name: str, language: Language, /, **fields: object) -> str:
    """Return a text with its fields filled in. `count` selects the singular or plural form."""
    known: Phrase = words()[name]
    said: str | Forms = getattr(known, language)
    if isinstance(said, Forms):
        said = said.one if fields.get("count") == 1 else said.other
    text = fill(said, fields)
    for value in map(shown, fields.values()):
        if value != isolated(value):
            text = text.replace(value, isolated(value))
    return text


def isolated(text: str) -> str:
    """Isolate right-to-left text with Unicode FSI and PDI, to keep its surroundings in order."""
    return (
        f"\u2068{text}\u2069"
        if any(bidirectional(one) in ("R", "AL", "AN") for one in text)
        else text
    )


def of(kind: str, name: str, language: Language) -> str:
    """Return the word for one of a kind (`state`, `shot`, `answer`).

    A name that only a newer daemon knows is returned unchanged.
    """
    key = f"{kind}-{name}"
    return say(key, language) if key in words() else name


def lasting(seconds: float, language: Language) -> str:
    """Format an approximate duration in a single unit."""
    if seconds < 90:
        return say("seconds", language, number=max(1, round(seconds)))
    if seconds < 3600:
        return say("minutes", language, number=round(seconds / 60))
    return say("hours", language, number=decimal(seconds / 3600, language))


def joined(*parts: str) -> str:
    """Join the non-empty parts with a separator."""
    return BETWEEN.join(isolated(part) for part in parts if part)
