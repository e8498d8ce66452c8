"""Fill sentence templates. Values are displayed, never interpreted: a file name is no template.

`{name}` is a field. `{name|frame|frames}` is a field with its noun, in singular or plural. A part
in `[brackets]` is left out when a field in it is empty. Brackets do not nest.
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
"""Maximum characters of one value in a sentence: three terminal lines. JSON has the whole value.

A value is a path, a name, or a message of the operating system.
"""
_JOINERS = "\u200c\u200d"
"""Zero-width characters that emoji and words of several scripts need.

They do not move the cursor or change the direction of the text.
"""


_LONGEST_DETAIL = 480
"""Maximum characters of an operating system message, or of several mistakes."""
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
"""Fields with our own sentences, whose values were already shortened."""


def fill(sentence: str, fields: Mapping[str, object]) -> str:
    """Fill in the fields of a sentence.

    An unknown field is left out, so that it does not break the report of a failure.
    """
    texts = {name: _field(name, value) for name, value in fields.items()}

    def part(found: re.Match[str]) -> str:
        return found[1] if all(texts.get(name) for name in _FIELD.findall(found[1])) else ""

    def field(found: re.Match[str]) -> str:
        text = texts.get(found[2], "")
        noun = found[3] if text == "1" else found[4]
        return f"{found[1]}{text} {noun}" if text and noun else found[1] + text if text else ""

    return _SPACED_FIELD.sub(field, _PART.sub(part, sentence)).strip()


def _field(name: str, value: object) -> str:
    """Format a value for a sentence.

    The lines of an operating system message become one; in a name, a line break is part of the
    name.
    """
    if value is None or name in _COMPOSED:
        return shown(value)
    if name == "detail":
        return middle(shown(" ".join(str(value).splitlines())), _LONGEST_DETAIL)
    return middle(shown(value))


def middle(text: str, most: int = LONGEST_VALUE) -> str:
    """Shorten a text to at most `most` characters, keeping its start and its end.

    The end matters because a path ends with the file name.
    """
    if len(text) <= most:
        return text
    head = (most - 1) // 3
    return f"{text[:head]}…{text[len(text) - (most - 1 - head) :]}"


def fields_of(sentence: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the fields that a sentence needs, and the optional ones."""
    needed = frozenset(_FIELD.findall(_PART.sub("", sentence)))
    return needed, frozenset(_FIELD.findall(sentence)) - needed


def shown(value: object) -> str:
    """Format a value on one line.

    Characters that move the cursor or change the direction of the text become visible, as `\\x1b`
    or `\\u202e`. Undecodable bytes in names (surrogates) stay, because they are part of the name;
    the code that prints them escapes them.
    """
    return "" if value is None else "".join(map(_visible, str(value)))


def _visible(character: str) -> str:
    if character.isprintable() or "\udc80" <= character <= "\udcff" or character in _JOINERS:
        return character
    if unicodedata.category(character) == "Zs":
        return " "
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def within(title: str, language: Language = "en") -> str:
    """Return a title for use within a sentence; German keeps the capitals of its nouns."""
    return title.lower() if language == "en" else title


def decimal(value: float, language: Language = "en", places: int = 1) -> str:
    """Format a number for the language: 1.5 or 1,5."""
    text = f"{value:.{places}f}"
    return text.replace(".", ",") if language == "de" else text


def human_bytes(count: float, language: Language = "en") -> str:
    """Format a byte count with decimal units, as drives are sold: 1.2 GB."""
    whole = {"en": "bytes", "de": "Byte"}[language]
    if abs(count) < 1000:
        return f"{count:.0f} {whole}"
    for unit in ("KB", "MB", "GB"):
        count /= 1000
        if abs(count) < 999.95:
            return f"{decimal(count, language)} {unit}"
    return f"{decimal(count / 1000, language)} TB"
