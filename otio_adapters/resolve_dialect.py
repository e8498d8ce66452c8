"""What DaVinci Resolve writes in its own way, all of it in metadata under `Resolve_OTIO`.

Seen in exports of Resolve 18.5 to 21: seven video or eight audio effects on untouched clips,
offline media as a missing reference that still has its path, and titles as a missing reference
without one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import opentimelineio as otio

NAMESPACE = "Resolve_OTIO"
_EQUALISER = "Fairlight Clip Equaliser"
_EQUALISER_BAND = "Fairlight Equaliser Band"
_MOST_CHANNELS = 64


def wrote(item: Any) -> bool:
    """Return whether Resolve wrote this object."""
    return NAMESPACE in item.metadata


def _said(item: Any) -> dict[str, Any]:
    said = plain(item.metadata.get(NAMESPACE))
    return said if isinstance(said, dict) else {}


def plain(value: Any) -> Any:
    """Convert OTIO's own dictionaries and vectors to dict and list, which compare by content."""
    if isinstance(value, Mapping):
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(child) for child in value]
    return value


def media_url(reference: Any) -> str:
    """Return the path of media that was offline at export, or "" when there is none.

    The media may be online on this machine.
    """
    if not isinstance(reference, otio.schema.MissingReference):
        return ""
    url = _said(reference).get("Media Url")
    return url if isinstance(url, str) and url.strip() else ""


def channels(clip: otio.schema.Clip) -> tuple[tuple[int, int], ...]:
    """Return (audio stream, channel) pairs in the order of the clip's channels.

    Empty where Resolve does not state them.
    """
    listed = _said(clip).get("Channels")
    if not isinstance(listed, list) or len(listed) > _MOST_CHANNELS:
        return ()
    entries = [entry for entry in listed if isinstance(entry, dict)]
    pairs = [
        (_number(entry.get("Source Track ID")), _number(entry.get("Source Channel ID")))
        for entry in entries
    ]
    found = tuple(
        (track, channel) for track, channel in pairs if track is not None and channel is not None
    )
    return found if len(found) == len(listed) else ()


def _number(value: Any) -> int | None:
    whole = isinstance(value, (int, float)) and not isinstance(value, bool) and value == int(value)
    return int(value) if whole and 0 <= value < _MOST_CHANNELS else None


def effect_name(effect: otio.schema.Effect) -> str:
    """Return the name of an effect, or "" when Resolve did not write it.

    The name is `Transform`, for example, instead of the `Resolve Effect` in OTIO's own field.
    """
    said = _said(effect)
    name = said.get("Effect Name") or said.get("Name")
    return name if isinstance(name, str) else ""


def active_effects(effects: list[otio.schema.Effect]) -> list[otio.schema.Effect]:
    """Return those of Resolve's effects that change picture or sound."""
    equaliser_off = any(
        effect_name(e) == _EQUALISER and _said(e).get("Enabled") is False for e in effects
    )
    return [
        e
        for e in effects
        if not _inert(e) and not (equaliser_off and effect_name(e) == _EQUALISER_BAND)
    ]


def _inert(effect: otio.schema.Effect) -> bool:
    """Return whether an effect is switched off or has only parameters at their defaults.

    That includes an equaliser band, whose number is one of its parameters.
    """
    said = _said(effect)
    if said.get("Enabled") is False:
        return True
    parameters = said.get("Parameters")
    return isinstance(parameters, list) and all(_default(parameter) for parameter in parameters)


def _default(parameter: Any) -> bool:
    if not isinstance(parameter, dict) or "Default Parameter Value" not in parameter:
        return False
    default, found = parameter["Default Parameter Value"], parameter.get("Key Frames")
    keys = list(found.values()) if isinstance(found, dict) else []
    values = [key.get("Value") if isinstance(key, dict) else key for key in keys]
    # Where there are key frames, they decide; the parameter value is then only the one at the
    # playhead.
    return all(value == default for value in values or [parameter.get("Parameter Value")])
