"""A new film: which timeline, where the film shall stand, and how it is coded. What is asked of the companion is pure."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from bridge.protocol.requests import LARGEST_TIMELINE, Submit
from bridge.protocol.wire import digest

TIMELINES = (".otio",)
ENDING = ".mov"


class Wanted(NamedTuple):
    """What a person chose; an empty preset is chosen by the film's ending."""

    timeline: str
    film: str
    preset: str


def film_beside(timeline: str, endings: dict[str, str], preset: str = "") -> str:
    """Where a film of this timeline would stand: beside it, under its name. `endings` are those of the presets."""
    return str(Path(timeline).with_suffix(endings.get(preset, ENDING)))


def with_ending(film: str, ending: str) -> str:
    """The film's place with the ending of another preset."""
    return str(Path(film).with_suffix(ending)) if film and ending and Path(film).suffix else film


def submission(wanted: Wanted, timeline: bytes, name: str) -> Submit:
    """The request; `name` is the same for the same wish, so that asking twice makes one job."""
    return Submit(
        request=f"submit-{name}", submission=f"tray-{name}", output=wanted.film, sha256=digest(timeline), preset=wanted.preset,
        timeline_path=wanted.timeline,
    )  # fmt: skip


def is_timeline(path: str) -> bool:
    """Whether this may be dropped on the window."""
    return path.lower().endswith(TIMELINES)


def too_large(size: int) -> bool:
    """Whether no companion would take it."""
    return size > LARGEST_TIMELINE
