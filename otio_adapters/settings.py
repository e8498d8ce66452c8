"""Settings of the whole timeline: frame rate, start, and those that OTIO cannot express.

OTIO has no field for the picture size, drop-frame or the sample rate, and DaVinci Resolve leaves
the name empty. A timeline may carry them in its metadata:

    {"hotsplice": {"name": "Reel 1", "width": 1920, "height": 1080, "drop_frame": false,
                   "sample_rate": 48000, "channels": 2}}
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import opentimelineio as otio

from core.timeline.timeline import Remark
from core.timeline.timing import exact_rate
from otio_adapters import otio_times
from otio_adapters.refuse import called, invalid
from otio_adapters.resolve_dialect import plain

FASTEST = 300
"""Maximum frames per second.

Above it are the ticks of sample rates (44100) and time scales (24000), which are no frame rates.
"""

_LIMITS = {
    "width": (1, 32768),
    "height": (1, 32768),
    "sample_rate": (8000, 768_000),
    "channels": (1, 64),
}


class Settings(NamedTuple):
    """Settings in pixels and samples per second; None where the timeline does not state them."""

    name: str | None = None
    width: int | None = None
    height: int | None = None
    drop_frame: bool = False
    sample_rate: int | None = None
    channels: int | None = None


def settings_of(timeline: otio.schema.Timeline) -> Settings:
    """Return the timeline's own settings.

    Raises TimelineRefused (`timeline-invalid`) with the name of a setting that makes no sense,
    since the film would be wrong.
    """
    said = plain(timeline.metadata.get("hotsplice"))
    if said is None:
        return Settings()
    if not isinstance(said, dict):
        raise invalid(why="no-settings")
    found: dict[str, Any] = {}
    for key, value in said.items():
        if value is None or key not in Settings._fields:
            continue
        if key in _LIMITS:
            found[key] = _whole(key, value)
        elif not isinstance(value, bool if key == "drop_frame" else str):
            raise _odd(key, value)
        else:
            found[key] = value
    return Settings(**found)


def _whole(key: str, value: Any) -> int:
    least, most = _LIMITS[key]
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or value != int(value) or not least <= value <= most:
        raise _odd(key, value)
    return int(value)


def _odd(key: str, value: Any) -> Exception:
    return invalid(why="odd-setting", key=key, value=str(value))


def frame_rate(timeline: otio.schema.Timeline) -> tuple[Fraction, tuple[Remark, ...]]:
    """Return the frame rate of the timeline, by the rate used for most of the picture's length.

    Where no picture has a rate, sound decides if its rate is a frame rate, then the start timecode,
    which also decides a tie.
    """
    start = timeline.global_start_time
    start_rate = _plausible(start.rate) if start is not None else None
    for kind in ("video", "audio"):
        lengths: dict[Fraction, Fraction] = {}
        for child in timeline.tracks:
            if getattr(child, "kind", "video").lower() == kind:
                # The range of a track may be in other units, so its items count; the range counts
                # only for an empty track.
                items = list(child) or [child] if isinstance(child, otio.schema.Track) else [child]
                for rate, length_s in (found for item in items for found in _lengths(item)):
                    lengths[rate] = otio_times.add(
                        lengths.get(rate, Fraction(0)), length_s, called(child)
                    )
        if lengths:
            best = max(lengths.values())
            rates = [rate for rate, length_s in lengths.items() if length_s == best]
            rate = start_rate if start_rate in rates else rates[0]
            return rate, _mixed(rate, lengths)
    if start_rate is None:
        raise invalid(why="no-rate")
    return start_rate, ()


def _lengths(item: Any) -> Iterator[tuple[Fraction, Fraction]]:
    """Yield (rate, seconds) of an item on a track, or of its content if it has no range."""
    written = getattr(item, "source_range", None)
    if written is None and isinstance(item, otio.schema.Clip) and item.media_reference is not None:
        written = item.media_reference.available_range
    if written is not None:
        rate = _plausible(written.duration.rate)
        length_s = otio_times.span(written, called(item)).length_s
        if rate is not None and length_s > 0:
            yield rate, length_s
    elif isinstance(item, otio.core.Composition):
        for child in item:
            yield from _lengths(child)


@lru_cache(maxsize=1024)
def _plausible(written: float) -> Fraction | None:
    try:
        rate = exact_rate(written)
    except (ValueError, OverflowError):
        return None
    return rate if 0 < rate <= FASTEST else None


def _mixed(rate: Fraction, lengths: dict[Fraction, Fraction]) -> tuple[Remark, ...]:
    if len(lengths) < 2:
        return ()
    others = ", ".join([f"{float(other):.6g}" for other in sorted(lengths) if other != rate][:8])
    text = f"The film is made at {float(rate):.6g} frames per second; parts of the timeline count in {others}."
    return (Remark(code="timeline-rate-mixed", severity="note", text=text),)
