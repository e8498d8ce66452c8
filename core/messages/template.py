"""Sentences with holes to text. Values are shown and never obeyed: what stands in a file name is no form to fill.

`{name}` is a field; `{name|frame|frames}` is one with its noun, in the number that it has; a part in `[brackets]` is left out
when a field in it is empty. Brackets do not nest.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Literal, get_args

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_FIELD = re.compile(r"\{(\w+)(?:\|[^|{}]+\|[^|{}]+)?\}")
_SPACED_FIELD = re.compile(r"( ?)\{(\w+)(?:\|([^|{}]+)\|([^|{}]+))?\}")
_PART = re.compile(r"\[([^\[\]]*)\]")
LONGEST_VALUE = 240
"""Characters of one value (a path, a name, a system's words) in a sentence: three lines of a terminal. JSON has it whole."""
_JOINERS = "\u200c\u200d"
"""Zero-width characters that words of several scripts and emoji need; they move no cursor and turn no direction."""


_LONGEST_DETAIL = 480
"""Characters of a system's own words, or of several mistakes."""
_COMPOSED = frozenset(
    {
        "message",
        "action",
        "sentence",
        "safe",
        "did",
        "done",
        "where",
        "what",
        "about",
        "changed",
        "title",
    }
)
"""Fields that hold sentences of ours: what is in them was shortened already."""


def fill(sentence: str, fields: Mapping[str, object]) -> str:
    """The sentence with its fields; one that is not known is left out instead of failing the report of a failure."""
    texts = {name: _field(name, value) for name, value in fields.items()}

    def part(found: re.Match[str]) -> str:
        return found[1] if all(texts.get(name) for name in _FIELD.findall(found[1])) else ""

    def field(found: re.Match[str]) -> str:
        text = texts.get(found[2], "")
        noun = found[3] if text == "1" else found[4]
        return f"{found[1]}{text} {noun}" if text and noun else found[1] + text if text else ""

    return _SPACED_FIELD.sub(field, _PART.sub(part, sentence)).strip()


def _field(name: str, value: object) -> str:
    """A value as it stands in a sentence. A system's own words may have several lines: they become one; in a name a line break is
    part of it."""
    if value is None or name in _COMPOSED:
        return shown(value)
    if name == "detail":
        return middle(shown(" ".join(str(value).splitlines())), _LONGEST_DETAIL)
    return middle(shown(value))


def middle(text: str, most: int = LONGEST_VALUE) -> str:
    """A text of at most `most` characters: its beginning and its end, where a path has its file's name."""
    if len(text) <= most:
        return text
    head = (most - 1) // 3
    return f"{text[:head]}…{text[len(text) - (most - 1 - head) :]}"


def fields_of(sentence: str) -> tuple[frozenset[str], frozenset[str]]:
    """Fields that a sentence needs, and those that it can do without."""
    needed = frozenset(_FIELD.findall(_PART.sub("", sentence)))
    return needed, frozenset(_FIELD.findall(sentence)) - needed


def shown(value: object) -> str:
    """A value on one line: characters that move the cursor or turn the direction of reading become visible, as `\\x1b` or
    `\\u202e`. Bytes of names that are no text (surrogates) stay: they are part of the name, and whoever prints them escapes
    them."""
    return "" if value is None else "".join(map(_visible, str(value)))


def _visible(character: str) -> str:
    if character.isprintable() or "\udc80" <= character <= "\udcff" or character in _JOINERS:
        return character
    if unicodedata.category(character) == "Zs":
        return " "
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


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
