"""The display's own words, in every language: `words.yaml` by name."""

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
    """All of `words.yaml`, by name."""
    text = (resources.files("bridge.tray") / "words.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), dict[str, Phrase])


def say(name: str, language: Language, /, **fields: object) -> str:
    """A sentence or a label, filled in. `count` chooses between one and many where it has both."""
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
    """A text whose direction does not turn what stands beside it: isolated (Unicode FSI and PDI) where it holds letters that are
    read from right to left."""
    return (
        f"\u2068{text}\u2069"
        if any(bidirectional(one) in ("R", "AL", "AN") for one in text)
        else text
    )


def of(kind: str, name: str, language: Language) -> str:
    """The word for one of a kind (`state`, `shot`, `answer`); one of a newer companion as it is."""
    key = f"{kind}-{name}"
    return say(key, language) if key in words() else name


def lasting(seconds: float, language: Language) -> str:
    """About how long something takes, in the one unit that says enough."""
    if seconds < 90:
        return say("seconds", language, number=max(1, round(seconds)))
    if seconds < 3600:
        return say("minutes", language, number=round(seconds / 60))
    return say("hours", language, number=decimal(seconds / 3600, language))


def joined(*parts: str) -> str:
    """Short things side by side, as far as there are any."""
    return BETWEEN.join(isolated(part) for part in parts if part)
