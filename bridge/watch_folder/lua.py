"""Values as a Lua chunk that returns them: for Lua 5.1 to 5.4 and LuaJIT, read by `loadfile` or `dofile`. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

_SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def chunk(value: Mapping[str, Any]) -> bytes:
    """`return { … }`, in ASCII. What is None is left out, as nil is in Lua."""
    return f"return {_table(value, '')}\n".encode("ascii")


def text(words: str) -> str:
    """A string literal. Every byte beyond plain ASCII as its number in three digits, so that no digit that follows joins it."""
    return '"' + "".join(_SHORT.get(character) or _bytes(character) for character in words) + '"'


def _bytes(character: str) -> str:
    if " " <= character <= "~":
        return character
    return "".join(f"\\{byte:03d}" for byte in character.encode("utf-8", "surrogatepass"))


def _table(value: Mapping[str, Any] | Sequence[Any], indent: str) -> str:
    inner = indent + "  "
    if isinstance(value, Mapping):  # keys in brackets: `do` and `end` are words of the language
        rows = [
            f"[{text(str(key))}] = {_value(one, inner)}"
            for key, one in value.items()
            if one is not None
        ]
    else:
        rows = [_value(one, inner) for one in value if one is not None]
    return "{\n" + "".join(f"{inner}{row},\n" for row in rows) + indent + "}" if rows else "{}"


def _value(value: Any, indent: str) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():  # Lua has no word for what is no number
            return repr(value) if math.isfinite(value) else "0"
        case str():
            return text(value)
        case _:
            return _table(value, indent)
