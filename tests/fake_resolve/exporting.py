"""A timeline as Resolve writes it: no name, floats, its start, and timeline markers on the stack without their customData."""

from __future__ import annotations

import copy
from typing import Any


def exported(otio: dict[str, Any], markers: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """OTIO as plain data. `otio` is the timeline as `tests.film.timelines` builds it."""
    made = copy.deepcopy(otio)
    made["name"] = ""
    rate = rate_of(made)
    made["tracks"]["markers"] = [
        _marker(frame, said, rate) for frame, said in sorted(markers.items())
    ]
    return made


def rate_of(otio: dict[str, Any]) -> float:
    """Frames per second."""
    return float(otio["global_start_time"]["rate"])


def frames_of(otio: dict[str, Any]) -> int:
    """The length: every track is padded to it."""
    lengths = [
        sum(int(_duration(item)) for item in track["children"])
        for track in otio["tracks"]["children"]
    ]
    return max(lengths, default=0)


def items_of(otio: dict[str, Any], kind: str) -> list[list[dict[str, Any]]]:
    """Clips by track: name, enabled, begin and length in frames from the timeline's start, path of the media."""
    tracks = []
    for track in otio["tracks"]["children"]:
        if track["kind"].lower() != kind:
            continue
        at, found = 0, []
        for item in track["children"]:
            frames = int(_duration(item))
            if item["OTIO_SCHEMA"].startswith("Clip."):
                media = item["media_references"][item["active_media_reference_key"]]
                place = media.get("target_url") or media["metadata"].get("Resolve_OTIO", {}).get(
                    "Media Url", ""
                )
                found.append(
                    {
                        "name": item["name"],
                        "enabled": item["enabled"],
                        "start": at,
                        "frames": frames,
                        "path": place,
                    }
                )
            at += frames
        tracks.append(found)
    return tracks


def _duration(item: dict[str, Any]) -> float:
    if item["OTIO_SCHEMA"].startswith("Transition."):
        return 0.0
    return float(item["source_range"]["duration"]["value"])


def _marker(frame: int, said: dict[str, Any], rate: float) -> dict[str, Any]:
    span = {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": float(frame)},
        "duration": {
            "OTIO_SCHEMA": "RationalTime.1",
            "rate": rate,
            "value": float(said["duration"]),
        },
    }
    return {
        "OTIO_SCHEMA": "Marker.2", "metadata": {"Resolve_OTIO": {"Keywords": [], "Note": said["note"]}}, "name": said["name"],
        "color": said["color"].upper(), "comment": "", "marked_range": span,
    }  # fmt: skip
