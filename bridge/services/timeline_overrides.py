"""Writes an editor's additional data into its timeline.

The journal then holds a single document to render the film from.
"""

from __future__ import annotations

import json

import msgspec

from bridge.protocol.requests import Lacking
from otio_adapters import guard


def complete(timeline: bytes, lacking: Lacking) -> bytes:
    """Add the properties in `lacking` to a timeline's `hotsplice` settings; return the timeline.

    The timeline's own settings take precedence. The bytes are returned unchanged if there is
    nothing to add, or if they are not a timeline. Raises TimelineRefused.
    """
    wanted = {
        key: value
        for key, value in msgspec.structs.asdict(lacking).items()
        if value not in (None, "")
    }
    if not wanted:
        return timeline
    root = guard.parse(timeline)
    if not isinstance(root, dict) or not str(root.get("OTIO_SCHEMA", "")).startswith("Timeline."):
        return timeline
    metadata = root.setdefault("metadata", {})
    said = metadata.setdefault("hotsplice", {}) if isinstance(metadata, dict) else None
    if not isinstance(said, dict):
        return timeline
    root["metadata"]["hotsplice"] = wanted | {
        key: value for key, value in said.items() if value is not None
    }
    return json.dumps(root).encode()
