"""Normalise an editor's own export before it is sent.

Our own markers are removed, and a start that the editor reported but did not export is filled in.
An untouched timeline then has the same bytes at every export, with or without our markers. No
marker can change a film.
"""

from __future__ import annotations

import json
from typing import Any

from otio_adapters import guard


def settled(raw: bytes, *, marks: str, start_frame: int | None, rate: float | None) -> bytes:
    """Return the timeline without markers whose name begins with `marks`.

    If the timeline has no start, it is filled in from `start_frame` and `rate`. Raises
    TimelineRefused.
    """
    root = guard.parse(raw)
    if isinstance(root, dict):
        _unmark(root, marks)
        if str(root.get("OTIO_SCHEMA", "")).startswith("Timeline.") and not root.get(
            "global_start_time"
        ):
            if start_frame is not None and rate is not None and rate > 0:
                root["global_start_time"] = {
                    "OTIO_SCHEMA": "RationalTime.1",
                    "rate": rate,
                    "value": float(start_frame),
                }
    return json.dumps(root).encode()


def _unmark(root: dict[str, Any], marks: str) -> None:
    rest: list[Any] = [root]
    while rest:
        node = rest.pop()
        if isinstance(node, dict):
            if isinstance(node.get("markers"), list):
                node["markers"] = [marker for marker in node["markers"] if not _ours(marker, marks)]
            rest += node.values()
        elif isinstance(node, list):
            rest += node


def _ours(marker: Any, marks: str) -> bool:
    if not isinstance(marker, dict) or not str(marker.get("OTIO_SCHEMA", "")).startswith("Marker."):
        return False
    return str(marker.get("name", "")).startswith(marks)
