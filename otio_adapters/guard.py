"""Parse a timeline file to plain JSON data, within limits, before OpenTimelineIO sees it.

OpenTimelineIO's parser crashes the whole process on deeply nested input (50,000 levels in 300 kB),
takes seconds for 5,000 levels, and accepts NaN and duplicate keys. So Python parses and measures
every file first.
"""

from __future__ import annotations

import errno
import json
import math
import stat
from pathlib import Path
from typing import Any

from otio_adapters.refuse import TimelineRefused, invalid

LARGEST_BYTES = 64 * 1024 * 1024
"""A 1,000-clip export of DaVinci Resolve with its effects is about 15 MB."""
DEEPEST = 128
MOST_NODES = 2_000_000


def bytes_of(path: Path) -> bytes:
    """Read a file.

    Raises TimelineRefused when it is not a regular file, cannot be read, or is too large.
    """
    name = path.name or str(path)
    try:
        # A pipe or device would block or never end; only regular files are opened.
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise TimelineRefused("timeline-no-file", why="folder", name=name)
        if not stat.S_ISREG(mode):
            raise TimelineRefused("timeline-no-file", why="no-ordinary-file", name=name)
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as gone:
        raise TimelineRefused(
            "timeline-missing", why="no-timeline", name=name, folder=str(path.parent)
        ) from gone
    except PermissionError as forbidden:
        raise TimelineRefused("timeline-no-permission", why="not-allowed", name=name) from forbidden
    except ValueError as impossible:  # a NUL in the path
        raise TimelineRefused("timeline-no-file", why="impossible-name", name=name) from impossible
    except OSError as broken:
        if broken.errno == errno.ENAMETOOLONG:
            raise TimelineRefused("timeline-no-file", why="impossible-name", name=name) from broken
        raise TimelineRefused(
            "timeline-unreadable", why="not-read", name=name, reason=broken.strerror or ""
        ) from broken
    if len(data) > LARGEST_BYTES:
        raise TimelineRefused(
            "timeline-too-large", why="large-file", name=name, most=LARGEST_BYTES // 2**20
        )
    return data


def parse(data: bytes) -> Any:
    """Parse JSON text (UTF-8, UTF-16 or UTF-32) to plain data.

    Raises TimelineRefused when it is not JSON, exceeds the limits, or has a duplicate key.
    """
    # Every node but the first follows a bracket, a brace or a comma, so this bounds the memory for
    # parsing. Commas in names count too, hence the doubled limit here and the exact one in
    # `_measure`.
    if data.count(b",") + data.count(b"[") + data.count(b"{") > 2 * MOST_NODES:
        raise _too_many()
    try:
        parsed = json.loads(
            data,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
    except RecursionError as deep:
        raise _too_deep() from deep
    except MemoryError as full:
        raise _too_many() from full
    except ValueError as wrong:
        line = wrong.lineno if isinstance(wrong, json.JSONDecodeError) else None
        raise TimelineRefused("timeline-not-json", why="not-json", line=line) from wrong
    _measure(parsed)
    return parsed


def _measure(parsed: Any) -> None:
    """Check depth and number of nodes, level by level, so that depth costs no recursion."""
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
                # Readers disagree on which of the two counts, so the film would depend on the
                # reader.
                raise invalid(why="said-twice", key=key)
            seen.add(key)
    return made


def _constant(text: str) -> Any:
    raise TimelineRefused("timeline-not-json", why="no-number", found=text)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise invalid(why="number-too-large")
    return number


def _whole(text: str) -> int | float:
    # Python refuses to convert thousands of digits, and OpenTimelineIO reads numbers beyond 64 bits
    # as floats.
    return int(text) if len(text) < 19 else _finite(text)


def _too_deep() -> TimelineRefused:
    return TimelineRefused("timeline-too-large", why="deep-file", most=DEEPEST)


def _too_many() -> TimelineRefused:
    return TimelineRefused(
        "timeline-too-large", why="many-entries", millions=f"{MOST_NODES / 1e6:g}"
    )
