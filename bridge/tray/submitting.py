"""Submission of a new film: its timeline, its path and its preset. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from bridge.protocol.requests import LARGEST_TIMELINE, Submit
from bridge.protocol.wire import digest

TIMELINES = (".otio",)
ENDING = ".mov"


class Wanted(NamedTuple):
    """The user's choice. An empty preset means that the film's extension decides."""

    timeline: str
    film: str
    preset: str


def film_beside(timeline: str, endings: dict[str, str], preset: str = "") -> str:
    """Return the default path of a timeline's film: the same folder and name.

    `endings` maps presets to the file extensions of their films.
    """
    return str(Path(timeline).with_suffix(endings.get(preset, ENDING)))


def with_ending(film: str, ending: str) -> str:
    """Return the film's path with the extension of another preset."""
    return str(Path(film).with_suffix(ending)) if film and ending and Path(film).suffix else film


def submission(wanted: Wanted, timeline: bytes, name: str) -> Submit:
    """Build the request.

    `name` is the same for the same submission, so that sending it twice creates one job.
    """
    return Submit(
        request=f"submit-{name}", submission=f"tray-{name}", output=wanted.film, sha256=digest(timeline), preset=wanted.preset,
        timeline_path=wanted.timeline,
    )  # fmt: skip


def is_timeline(path: str) -> bool:
    """Return whether the window accepts this file as a dropped timeline."""
    return path.lower().endswith(TIMELINES)


def too_large(size: int) -> bool:
    """Return whether every daemon would refuse a timeline of this size."""
    return size > LARGEST_TIMELINE
