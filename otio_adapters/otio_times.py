"""Convert OTIO times to exact seconds. A refusal names the clip, gap or track of the time."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import opentimelineio as otio

from core.errors.refusal import Part
from core.timeline import timing
from otio_adapters.refuse import invalid

LONGEST_S = 10_000_000
"""Maximum length: 115 days.

The frame counts of longer films would not fit where they are stored; no timecode reaches this far.
"""
_FINEST_BITS = 4096
"""Maximum bits of a denominator; no editor's timeline comes near it.

Sums of times at many different rates have huge denominators.
"""

_seconds = lru_cache(maxsize=1024)(timing.seconds)


class Span(NamedTuple):
    """Start and length in exact seconds; the length is not negative."""

    start_s: Fraction
    length_s: Fraction


def exact(time: otio.opentime.RationalTime, where: Part) -> Fraction:
    """Return the seconds of a RationalTime.

    Raises TimelineRefused (`timeline-invalid`) for a rate of zero or a time that no film has.
    """
    if time.value == 0:
        # Kdenlive writes 0@0 for the start.
        return Fraction(0)
    try:
        # Nearly all times are whole frames; one exact frame length serves them all, ten times as
        # fast.
        whole = time.value.is_integer()
        found = (
            int(time.value) * _seconds(1.0, time.rate) if whole else _seconds(time.value, time.rate)
        )
    except (ValueError, ZeroDivisionError, OverflowError) as unusable:
        raise invalid(why="time-rate", where=where, rate=f"{time.rate:g}") from unusable
    if abs(found) > LONGEST_S:
        raise invalid(why="time-too-long", where=where, days=LONGEST_S // 86400)
    return found


def span(time_range: otio.opentime.TimeRange, where: Part) -> Span:
    """Return a TimeRange in seconds.

    Raises TimelineRefused (`timeline-invalid`) when its duration is negative.
    """
    length_s = exact(time_range.duration, where)
    if length_s < 0:
        raise invalid(why="negative-duration", where=where)
    return Span(exact(time_range.start_time, where), length_s)


def add(position_s: Fraction, length_s: Fraction, where: Part) -> Fraction:
    """Return the position after an item.

    Raises TimelineRefused (`timeline-invalid`) when the sum is beyond any film.
    """
    total = position_s + length_s
    if total > LONGEST_S or total.denominator.bit_length() > _FINEST_BITS:
        raise invalid(why="ends-too-late", where=where, days=LONGEST_S // 86400)
    return total
