"""Converts Resolve's answers to Python values. Pure.

Resolve returns numbers as floats, ints or text, keys as floats, and nothing as None, False or "".
This was observed in Resolve 18.5 to 21; docs/resolve.md lists what has not been tested.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

MOST_FRAMES = 2**31


class Marker(NamedTuple):
    """A marker of a timeline.

    `frame` counts from the timeline's first frame, whatever its timecode.
    """

    frame: int
    color: str
    name: str
    note: str
    duration: int
    custom: str = ""


def number(said: Any) -> float | None:
    """Convert 23.976, "23.976" or "29.97 DF" to a number; return None for everything else."""
    if isinstance(said, bool) or not isinstance(said, (int, float, str)):
        return None
    try:
        found = float(said.split()[0]) if isinstance(said, str) else float(said)
    except (ValueError, IndexError):
        return None
    return found if math.isfinite(found) else None


def whole(said: Any) -> int | None:
    """Convert a number without a fraction to an int, or return None."""
    found = number(said)
    return (
        int(found)
        if found is not None and found == int(found) and abs(found) <= MOST_FRAMES
        else None
    )


def yes(said: Any) -> bool | None:
    """Convert "1", 1, True and their opposites to a bool; return None for no answer."""
    if isinstance(said, bool):
        return said
    found = number(said)
    return bool(found) if found is not None else None


def drops(start_timecode: str, rate: Any, said: Any) -> bool | None:
    """Return whether the timeline uses drop-frame timecode, or None when unknown.

    The start timecode and a rate such as "29.97 DF" take precedence over the setting. For rates
    without drop-frame timecode the setting means nothing, and does no harm.
    """
    if ";" in start_timecode or (isinstance(rate, str) and rate.upper().endswith("DF")):
        return True
    return yes(said)


def text(said: Any, most: int = 500) -> str:
    """Return printable text of at most `most` characters, or "" for anything but text."""
    return (
        "".join(c if c.isprintable() else " " for c in said).strip()[:most]
        if isinstance(said, str)
        else ""
    )


def settings(plural: Any, singular: Mapping[str, Any]) -> dict[str, Any]:
    """Merge settings: `GetSettings` (since 21.1), and `GetSetting` for each value that it lacks."""
    known = plural if isinstance(plural, Mapping) else {}
    return {
        name: said if (said := known.get(name)) not in (None, "") else value
        for name, value in singular.items()
    }


def markers(said: Any) -> tuple[Marker, ...] | None:
    """Return the markers in order of their frames, or None when Resolve did not answer.

    Resolve returns {96.0: {...}} or {"96.0": {...}}.
    """
    if not isinstance(said, Mapping):
        return None
    found = []
    for key, value in said.items():
        frame = number(key)
        if frame is not None and isinstance(value, Mapping):
            color, name, note, custom = (
                _words(value.get(field)) for field in ("color", "name", "note", "customData")
            )
            duration = max(1, round(number(value.get("duration")) or 1.0))
            found.append(Marker(math.floor(frame), color, name, note, duration, custom))
    return tuple(sorted(found))


def _words(said: Any) -> str:
    return said if isinstance(said, str) else ""
