"""Small timelines, built with OpenTimelineIO as an editor would write them."""

from __future__ import annotations

import json
from typing import Any

import opentimelineio as otio
from opentimelineio import schema

from core.messages.refusal_text import refusal
from core.messages.template import Language
from otio_adapters.refuse import TimelineRefused


def span(start: float, frames: float, rate: float = 24) -> otio.opentime.TimeRange:
    return otio.opentime.TimeRange(
        otio.opentime.RationalTime(start, rate), otio.opentime.RationalTime(frames, rate)
    )


def having(item: Any, **fields: Any) -> Any:
    """The item, with fields that its constructor does not take."""
    for name, value in fields.items():
        if isinstance(value, list):
            getattr(item, name).extend(value)
        else:
            setattr(item, name, value)
    return item


def file(url: str = "/media/a.mov", available: Any = None, **more: Any) -> schema.ExternalReference:
    return having(schema.ExternalReference(target_url=url, available_range=available), **more)


def clip(
    name: str = "a",
    frames: float = 24,
    *,
    start: float = 0,
    rate: float = 24,
    media: Any = None,
    metadata: Any = None,
    **more: Any,
) -> schema.Clip:
    media = file() if media is None else media
    return having(schema.Clip(name, media, span(start, frames, rate), metadata), **more)


def gap(frames: float, rate: float = 24) -> schema.Gap:
    return schema.Gap(source_range=span(0, frames, rate))


def track(*items: Any, kind: str = "Video", name: str = "V", **more: Any) -> schema.Track:
    return having(schema.Track(name, list(items), kind=kind), **more)


def stack(*items: Any, name: str = "nest", **more: Any) -> schema.Stack:
    return having(schema.Stack(name, list(items)), **more)


def timeline(
    *tracks: Any, name: str = "film", start: tuple[float, float] | None = None, **metadata: Any
) -> schema.Timeline:
    made = schema.Timeline(name, metadata=metadata)
    if start:
        made.global_start_time = otio.opentime.RationalTime(*start)
    made.tracks.extend(list(tracks))
    return made


def resolve_effect(name: str, *parameters: dict[str, Any], enabled: bool = True) -> schema.Effect:
    said = {
        "Effect Name": name,
        "Enabled": enabled,
        "Name": name,
        "Parameters": list(parameters),
        "Type": 2,
    }
    return schema.Effect("", "Resolve Effect", {"Resolve_OTIO": said})


def parameter(value: Any, default: Any, keys: dict[str, Any] | None = None) -> dict[str, Any]:
    made = {"Default Parameter Value": default, "Parameter ID": "p", "Parameter Value": value}
    return (
        made
        if keys is None
        else {**made, "Key Frames": {at: {"Value": v} for at, v in keys.items()}}
    )


def as_json(item: Any) -> Any:
    return json.loads(item.to_json_string())


def message(error: TimelineRefused, language: Language = "en") -> str:
    """What a person reads."""
    return refusal(error, language).message
