"""Converts values to a Lua chunk that returns them. Pure.

The chunk works with Lua 5.1 to 5.4 and LuaJIT, read by `loadfile` or `dofile`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

_SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def chunk(value: Mapping[str, Any]) -> bytes:
    """Return `return { … }` in ASCII. Values of None are omitted, as nil would be in Lua."""
    return f"return {_table(value, '')}\n".encode("ascii")


def text(words: str) -> str:
    """Return a string literal.

    Every byte outside printable ASCII becomes a three-digit escape, so that a digit after it is not
    taken as part of it.
    """
    return '"' + "".join(_SHORT.get(character) or _bytes(character) for character in words) + '"'


def _bytes(character: str) -> str:
    if " " <= character <= "~":
        return character
    return "".join(f"\\{byte:03d}" for byte in character.encode("utf-8", "surrogatepass"))


def _table(value: Mapping[str, Any] | Sequence[Any], indent: str) -> str:
    inner = indent + "  "
    # Keys are in brackets, because `do` and `end` are keywords of Lua.
    if isinstance(value, Mapping):
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
        # Lua has no literal for NaN or infinity.
        case float():
            return repr(value) if math.isfinite(value) else "0"
        case str():
            return text(value)
        case _:
            return _table(value, indent)
