"""Sentences with holes to text. Values are shown and never obeyed: what stands in a file name is no form to fill.

`{name}` is a field; `{name|frame|frames}` is one with its noun, in the number that it has; a part in `[brackets]` is left out
when a field in it is empty. Brackets do not nest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, get_args

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_FIELD = re.compile(r"\{(\w+)(?:\|[^|{}]+\|[^|{}]+)?\}")
_SPACED_FIELD = re.compile(r"( ?)\{(\w+)(?:\|([^|{}]+)\|([^|{}]+))?\}")
_PART = re.compile(r"\[([^\[\]]*)\]")
_SPACES = {"\n", "\r", "\t"}


def filled(sentence: str, fields: Mapping[str, object]) -> str:
    """The sentence with its fields; one that is not known is left out instead of failing the report of a failure."""
    texts = {name: shown(value) for name, value in fields.items()}

    def part(found: re.Match[str]) -> str:
        return found[1] if all(texts.get(name) for name in _FIELD.findall(found[1])) else ""

    def field(found: re.Match[str]) -> str:
        text = texts.get(found[2], "")
        noun = found[3] if text == "1" else found[4]
        return f"{found[1]}{text} {noun}" if text and noun else found[1] + text if text else ""

    return _SPACED_FIELD.sub(field, _PART.sub(part, sentence)).strip()


def fields_of(sentence: str) -> tuple[frozenset[str], frozenset[str]]:
    """Fields that a sentence needs, and those that it can do without."""
    needed = frozenset(_FIELD.findall(_PART.sub("", sentence)))
    return needed, frozenset(_FIELD.findall(sentence)) - needed


def shown(value: object) -> str:
    """A value on one line, without characters that move the cursor or turn the direction of reading. Bytes of names that
    are no text (surrogates) stay: they are part of the name, and whoever prints them escapes them."""
    return "" if value is None else "".join(map(_visible, str(value)))


def _visible(character: str) -> str:
    if character.isprintable() or "\udc80" <= character <= "\udcff":
        return character
    return " " if character in _SPACES or character.isspace() else "?"


def within(title: str, language: Language = "en") -> str:
    """A title in the middle of a sentence; German keeps the capitals of its nouns."""
    return title.lower() if language == "en" else title


def decimal(value: float, language: Language = "en", places: int = 1) -> str:
    """A number as it is written in the language: 1.5 or 1,5."""
    text = f"{value:.{places}f}"
    return text.replace(".", ",") if language == "de" else text


def human_bytes(count: float, language: Language = "en") -> str:
    """1.2 GB and the like, by thousands as drives are sold."""
    whole = {"en": "bytes", "de": "Byte"}[language]
    if abs(count) < 1000:
        return f"{count:.0f} {whole}"
    for unit in ("KB", "MB", "GB"):
        count /= 1000
        if abs(count) < 999.95:
            return f"{decimal(count, language)} {unit}"
    return f"{decimal(count / 1000, language)} TB"
