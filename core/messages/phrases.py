"""Sentences that belong to no code, including the one about what is safe."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from core.messages.catalogue import read
from core.messages.template import Language, fill


class Forms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The singular form of a sentence, and the form for all other counts."""

    one: str
    other: str


class Phrase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence in each language."""

    en: str | Forms
    de: str | Forms


@lru_cache(maxsize=1)
def phrases() -> Mapping[str, Phrase]:
    """Return all sentences of `phrases.yaml`, by name."""
    return msgspec.convert(read("phrases.yaml"), dict[str, Phrase])


def phrase(name: str, language: Language = "en", /, **fields: object) -> str:
    """Return a sentence with its fields filled in.

    `count` selects singular or plural where the sentence has both.
    """
    known: Phrase = phrases()[name]
    said: str | Forms = getattr(known, language)
    if isinstance(said, Forms):
        said = said.one if fields.get("count") == 1 else said.other
    return fill(said, fields)


def what_is_safe(
    *,
    verified: int,
    shots: int,
    language: Language = "en",
    published: bool = True,
    old_film: str = "",
) -> str:
    """Return what is safe now: `verified` of `shots` shots are verified.

    If nothing was `published`, the text says so, and that `old_film` (its name, empty for none) is
    unchanged.
    """
    said = [] if published else [phrase("nothing-published", language)]
    if old_film and not published:
        said.append(phrase("film-as-it-was", language, name=old_film))
    return " ".join([*said, phrase("shots-verified", language, good=verified, count=shots)])
