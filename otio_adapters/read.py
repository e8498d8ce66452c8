"""The door: an `.otio` file to a Timeline, or `TimelineRefused`. No other exception leaves this room."""

from __future__ import annotations

import json
import re
from pathlib import Path

import opentimelineio as otio

from core.timeline.timeline import Timeline
from otio_adapters import guard, schemas
from otio_adapters.refuse import TimelineRefused, invalid
from otio_adapters.timeline import timeline_of


def read_timeline(path: Path) -> Timeline:
    """Read an OpenTimelineIO file. Only this file is touched, no media.

    Raises TimelineRefused with one of the codes in `otio_adapters.refuse`. Exceptions out of OpenTimelineIO, which has
    many kinds, are its cause.
    """
    return timeline_from(guard.bytes_of(path), path)


def timeline_from(raw: bytes, path: Path) -> Timeline:
    """The same from bytes that were read before; relative media paths count from the folder of `path`, which need not
    exist any more. TimelineRefused."""
    data = guard.parse(raw)
    try:
        schemas.prepare(data)
        text = json.dumps(data)
        del data  # thrice as large as the file; the next reader needs as much
        return timeline_of(_parsed(text), folder=path.absolute().parent, stem=path.stem)
    except TimelineRefused:
        raise
    except Exception as unexpected:
        raise invalid(why="not-understood", found=str(unexpected)) from unexpected


def _parsed(text: str) -> otio.schema.Timeline:
    # Not through otio.adapters: that would run the hooks and plugins that happen to be installed on the machine.
    try:
        root = otio.core.deserialize_json_from_string(text)
    except Exception as unexpected:
        # KeyError puts its text in quotes; types are mangled C++ names; lines are those of our own copy.
        said = str(unexpected.args[0] if unexpected.args else unexpected)
        text = re.sub(r" ?\(of type '[^']*'\)|:? ?\(?near line \d+\)?", "", said)
        raise invalid(why="damaged", found=text) from unexpected
    if isinstance(root, otio.schema.SerializableCollection):
        timelines = [child for child in root if isinstance(child, otio.schema.Timeline)]
        if len(timelines) != 1:
            raise TimelineRefused("timeline-not-otio", why="not-one-timeline", count=len(timelines))
        root = timelines[0]
    if not isinstance(root, otio.schema.Timeline):
        raise schemas.not_a_timeline(type(root).__name__)
    return root
