"""Exact time: rates and seconds are fractions, frames and samples are integers.

No edit is ever held in float seconds. Editors write rates as rounded floats (Resolve
`23.976023976023978`, Hiero `23.976024627685547`, others plain `23.976`), so a rate is snapped to
the n/1001 or integer rate that it means before it is used.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import floor

_WHOLE = tuple(
    Fraction(n)
    for n in (
        1,
        5,
        6,
        8,
        10,
        12,
        15,
        16,
        18,
        24,
        25,
        30,
        48,
        50,
        60,
        72,
        90,
        96,
        100,
        120,
        144,
        240,
    )
)
_NTSC = tuple(Fraction(n * 1000, 1001) for n in (12, 15, 24, 30, 48, 60, 96, 120, 240))
_KNOWN_RATES = _WHOLE + _NTSC
_DROPPING = (Fraction(30000, 1001), Fraction(60000, 1001))
_SNAP = Fraction(1, 1000)
"""How far a written rate may be from the rate it means (23.976 against 24000/1001 is 2.4e-5)."""
_TREMBLE = Fraction(1, 100_000)
"""How far a written time may be from the whole frame that it means, in frames.

Less than a tenth of an audio sample.
"""


@lru_cache(maxsize=256)
def exact_rate(value: float | Fraction | int) -> Fraction:
    """Return the exact rate that `value`, in frames per second, means.

    Raises ValueError unless the rate is finite and positive.
    """
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        raise ValueError(f"{value} is not a frame rate")
    rate = Fraction(value).limit_denominator(1_000_000)
    if rate <= 0:
        raise ValueError(f"{value} is not a frame rate")
    nearest = min(_KNOWN_RATES, key=lambda known: abs(known - rate))
    if abs(nearest - rate) <= _SNAP:
        return nearest
    if rate < Fraction(1, 1001):  # would be rounded to 0
        raise ValueError(f"{value} is not a frame rate")
    return rate.limit_denominator(1001)


def seconds(value: float, rate: float) -> Fraction:
    """Return OTIO's `RationalTime(value, rate)` in exact seconds.

    Values are floats in the file. A value that differs from a whole frame only by float noise is
    that frame (Resolve writes `20.000000000000004`).
    """
    exact = Fraction(value)
    whole = round(exact)
    if abs(exact - whole) < _TREMBLE:
        exact = Fraction(whole)
    return exact / exact_rate(rate)


def nearest_frame(time_s: Fraction, rate: Fraction) -> int:
    """Return the frame boundary nearest to a time; halves round up."""
    return floor(time_s * rate + Fraction(1, 2))


def showing_frame(time_s: Fraction, rate: Fraction) -> int:
    """Return the frame on screen at a time.

    A time within a tenth of a frame before a frame counts as that frame, because time stamps in
    files are rounded (Matroska to a millisecond).
    """
    return floor(time_s * rate + Fraction(1, 10))


def sample_at(frame: int, rate: Fraction, sample_rate: int) -> int:
    """Return the audio sample at which a frame begins.

    Each boundary is rounded separately, so rounding never accumulates.
    """
    return floor(Fraction(frame * sample_rate) / rate + Fraction(1, 2))


def timecode(frame: int, rate: Fraction, *, drop_frame: bool = False) -> str:
    """Return the SMPTE timecode of a frame, counted from 00:00:00:00.

    Drop-frame timecode (`;`) only applies to rates that have it.
    """
    base = max(1, round(rate))
    sign = "-" if frame < 0 else ""
    frame = abs(frame)
    dropped = drop_frame and rate in _DROPPING
    if dropped:
        drop = base // 15
        per_ten_minutes = base * 600 - drop * 9
        per_minute = base * 60 - drop
        tens, rest = divmod(frame, per_ten_minutes)
        minutes = max(0, (rest - drop) // per_minute)
        frame += drop * (9 * tens + minutes)
    total_s, frames = divmod(frame, base)
    hours, minutes, secs = total_s // 3600 % 24, total_s // 60 % 60, total_s % 60
    return f"{sign}{hours:02}:{minutes:02}:{secs:02}{';' if dropped else ':'}{frames:02}"


def frames_of_timecode(text: str, rate: Fraction) -> int:
    """Return the frame of a timecode: the inverse of `timecode`.

    Raises ValueError if the text is not a timecode.
    """
    dropped = ";" in text and rate in _DROPPING
    parts = text.replace(";", ":").split(":")
    if len(parts) != 4 or not all(part.isdigit() for part in parts):
        raise ValueError(f"{text!r} is not a timecode")
    hours, minutes, secs, frames = map(int, parts)
    base = max(1, round(rate))
    count = ((hours * 60 + minutes) * 60 + secs) * base + frames
    if dropped:
        total_minutes = hours * 60 + minutes
        count -= base // 15 * (total_minutes - total_minutes // 10)
    return count
