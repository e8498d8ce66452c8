"""What an editor says beside its timeline is written into it, so that the record holds one thing to make the film from."""

from __future__ import annotations

import json

import msgspec

from bridge.protocol.requests import Lacking
from otio_adapters import guard


def complete(timeline: bytes, lacking: Lacking) -> bytes:
    """The timeline with what it lacks in its `hotsplice` settings; what it says itself counts more. Untouched where nothing
    is lacking or it is no timeline. TimelineRefused."""
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
