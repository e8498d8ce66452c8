"""Convert PyAV's rational numbers to Fractions; no other module reads them.

PyAV 18 returns `fractions.Fraction`; PyAV 19 returns its own `AVRational`, which cannot be floored,
rounded or encoded. `tests/laws/test_rationals.py` keeps every other module from reading these
attributes.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

import av


class _Rational(Protocol):
    @property
    def numerator(self) -> int: ...

    @property
    def denominator(self) -> int: ...


def exact(value: _Rational | None) -> Fraction | None:
    """Return the value as a Fraction; None for None and for a denominator of 0."""
    return (
        Fraction(value.numerator, value.denominator)
        if value is not None and value.denominator
        else None
    )


def time_base(of: av.stream.Stream | av.frame.Frame, default: Fraction = Fraction(1)) -> Fraction:
    """Return the seconds per tick of a stream's or a frame's time stamps.

    Returns `default` if neither the file nor the demuxer declares it.
    """
    return exact(of.time_base) or default


def base_rate(stream: av.VideoStream) -> Fraction | None:
    """Return the lowest rate, in frames per second, that all time stamps at the beginning fit."""
    return exact(stream.base_rate)


def average_rate(stream: av.VideoStream) -> Fraction | None:
    """Return the number of frames divided by the duration, in frames per second."""
    return exact(stream.average_rate)


def coded_rate(stream: av.VideoStream) -> Fraction | None:
    """Return the rate that the coded pictures themselves declare, in frames per second."""
    return exact(stream.codec_context.framerate)


def pixel_aspect(stream: av.VideoStream) -> Fraction:
    """Return the width of a pixel divided by its height; 1 if the file does not declare it."""
    return exact(stream.sample_aspect_ratio) or Fraction(1)
