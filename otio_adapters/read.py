"""Entry point: read an `.otio` file as a Timeline, or raise `TimelineRefused`.

No other exception leaves this package.
"""

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
    """Read an OpenTimelineIO file. Only this file is opened, no media.

    Raises TimelineRefused with one of the codes in `otio_adapters.refuse`. Exceptions of
    OpenTimelineIO, which has many kinds, are its cause.
    """
    return timeline_from(guard.bytes_of(path), path)


def timeline_from(raw: bytes, path: Path) -> Timeline:
    """Read a timeline from bytes.

    Relative media paths are resolved against the folder of `path`, which need not exist any more.
    Raises TimelineRefused.
    """
    data = guard.parse(raw)
    try:
        schemas.prepare(data)
        text = json.dumps(data)
        # Free it: the data is three times as large as the file, and the next reader needs as much.
        del data
        return timeline_of(_parsed(text), folder=path.absolute().parent, stem=path.stem)
    except TimelineRefused:
        raise
    except Exception as unexpected:
        raise invalid(why="not-understood", found=str(unexpected)) from unexpected


def _parsed(text: str) -> otio.schema.Timeline:
    # otio.adapters would run the hooks and plugins that happen to be installed on the machine.
    try:
        root = otio.core.deserialize_json_from_string(text)
    except Exception as unexpected:
        # KeyError puts its text in quotes; types are mangled C++ names; line numbers are those of
        # our own copy.
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
