"""A timeline file's bytes to plain JSON data, within limits, before OpenTimelineIO sees any of it.

OpenTimelineIO's parser crashes the whole process on deeply nested input (50,000 levels in 300 kB), takes seconds for
5,000 levels, and accepts NaN and duplicate keys. So every file is first parsed by Python and measured.
"""

from __future__ import annotations

import json
import math
import stat
from pathlib import Path
from typing import Any

from otio_adapters.refused import TimelineRefused, invalid, named

LARGEST_BYTES = 64 * 1024 * 1024
"""A 1,000-clip export of DaVinci Resolve with its effects is about 15 MB."""
DEEPEST = 128
MOST_NODES = 2_000_000

_EXPORT_AGAIN = "Export the timeline from the editor again, as OpenTimelineIO (.otio)."
_SPLIT = "Export a shorter part of the timeline, or check that this is the file you meant."


def bytes_of(path: Path) -> bytes:
    """The file as it is; TimelineRefused when it is none, cannot be read or is too large."""
    shown = named(path.name)
    try:
        # A pipe or device would block or never end; only regular files are opened.
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise _unreadable(f"{shown} is a folder, not a timeline file.", "Choose the .otio file itself.")
        if not stat.S_ISREG(mode):
            raise _unreadable(f"{shown} is not an ordinary file.", "Choose an .otio file on disk.")
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as gone:
        raise TimelineRefused(
            "timeline-missing",
            f"There is no timeline file {shown} at {named(path.parent)}.",
            "Check that the file was not moved or renamed, or export the timeline again.",
        ) from gone
    except PermissionError as forbidden:
        raise _unreadable(
            f"You are not allowed to read {shown}.", "Give yourself permission to read it, or save it somewhere else."
        ) from forbidden
    except (OSError, ValueError) as broken:  # ValueError: a NUL in the path
        reason = (isinstance(broken, OSError) and broken.strerror) or "no file can have this name"
        raise _unreadable(
            f"{shown} could not be read: {reason}.", "Check the disk or the connection to the server, then try again."
        ) from broken
    if len(data) > LARGEST_BYTES:
        raise TimelineRefused("timeline-too-large", f"{shown} is larger than {LARGEST_BYTES // 2**20} MiB.", _SPLIT)
    return data


def _unreadable(message: str, action: str) -> TimelineRefused:
    return TimelineRefused("timeline-unreadable", message, action)


def parse(data: bytes) -> Any:
    """JSON text (UTF-8, UTF-16 or UTF-32) to plain data."""
    # Every node but the first follows a bracket, a brace or a comma, so this bounds the memory that parsing takes.
    # Commas in names count too, hence the doubled limit here and the exact one in `_measure`.
    if data.count(b",") + data.count(b"[") + data.count(b"{") > 2 * MOST_NODES:
        raise _too_many()
    try:
        parsed = json.loads(data, object_pairs_hook=_object, parse_constant=_constant, parse_float=_finite, parse_int=_whole)
    except RecursionError as deep:
        raise _too_deep() from deep
    except MemoryError as full:
        raise _too_many() from full
    except ValueError as wrong:
        where = f" (line {wrong.lineno})" if isinstance(wrong, json.JSONDecodeError) else ""
        raise TimelineRefused(
            "timeline-not-json", f"This is not a timeline in the OpenTimelineIO format{where}.", _EXPORT_AGAIN
        ) from wrong
    _measure(parsed)
    return parsed


def _measure(parsed: Any) -> None:
    """Counts level by level, so that depth costs no recursion."""
    level, depth, nodes = [parsed], 0, 0
    while level:
        depth += 1
        nodes += len(level)
        if depth > DEEPEST:
            raise _too_deep()
        if nodes > MOST_NODES:
            raise _too_many()
        level = [
            child
            for node in level
            if isinstance(node, (dict, list))
            for child in (node.values() if isinstance(node, dict) else node)
        ]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                # Readers disagree on which of the two counts, so the film would depend on the reader.
                raise invalid(f"The timeline says {named(key)} twice in one place.")
            seen.add(key)
    return made


def _constant(text: str) -> Any:
    raise TimelineRefused("timeline-not-json", f"The timeline contains {text} where a number must be.", _EXPORT_AGAIN)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise invalid("The timeline contains a number too large for any film.")
    return number


def _whole(text: str) -> int | float:
    # Python refuses to convert thousands of digits, and OpenTimelineIO reads what exceeds 64 bits as a float.
    return int(text) if len(text) < 19 else _finite(text)


def _too_deep() -> TimelineRefused:
    return TimelineRefused("timeline-too-large", f"The timeline is nested more than {DEEPEST} levels deep.", _SPLIT)


def _too_many() -> TimelineRefused:
    return TimelineRefused("timeline-too-large", f"The timeline has more than {MOST_NODES:,} entries.", _SPLIT)
