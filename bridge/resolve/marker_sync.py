"""Synchronises the markers of the open timeline with the findings.

It compares wanted and existing markers until both agree, and removes our markers of earlier runs.
It deletes markers only by their frame, and only our own.
"""

from __future__ import annotations

from typing import NamedTuple

from bridge.resolve import api_values, markers
from bridge.resolve.api_values import Marker
from bridge.resolve.markers import Mark
from bridge.resolve.pipe import Editor

ROUNDS = 3
"""Number of attempts.

A frame may become occupied between the comparison and the new marker; the next attempt treats it as
taken.
"""


class Pinned(NamedTuple):
    """Number of this job's markers, number of removed old ones, and marks without a free frame."""

    standing: int
    removed: int
    homeless: tuple[Mark, ...]


def length(editor: Editor, otherwise: int) -> int:
    """Return the current length of the open timeline in frames. Raises Gone or Failed."""
    start, end = (
        api_values.whole(editor.call("timeline", method))
        for method in ("GetStartFrame", "GetEndFrame")
    )
    return end - start if start is not None and end is not None and end > start else otherwise


def pin(editor: Editor, wanted: tuple[Mark, ...], *, job: str, frames: int) -> Pinned:
    """Update our markers. Raises Gone or Failed."""
    refused: set[int] = set()
    removed = 0
    for _ in range(ROUNDS):
        present = api_values.markers(editor.call("timeline", "GetMarkers")) or ()
        laid = markers.lay(
            wanted, {m.frame for m in present if not markers.ours(m)} | refused, frames, job
        )
        standing, old = (
            set(laid.markers) & set(present),
            [m for m in present if markers.ours(m) and m not in laid.markers],
        )
        for marker in old:
            removed += _gone(editor, marker)
        failed = {
            marker.frame
            for marker in laid.markers
            if marker not in standing and not _set(editor, marker)
        }
        refused |= failed
        if not failed:
            return Pinned(len(laid.markers), removed, laid.homeless)
    rest = [
        mark
        for marker, told in zip(laid.markers, laid.told, strict=True)
        if marker.frame in failed
        for mark in told
    ]
    return Pinned(len(laid.markers) - len(failed), removed, (*laid.homeless, *rest))


def _gone(editor: Editor, marker: Marker) -> bool:
    return editor.call("timeline", "DeleteMarkerAtFrame", marker.frame) is True


def _set(editor: Editor, marker: Marker) -> bool:
    return editor.call("timeline", "AddMarker", *marker) is True
