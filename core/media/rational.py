"""PyAV's rational numbers as Fractions: the only place that reads them.

PyAV 18 returns `fractions.Fraction`, PyAV 19 an `AVRational` of its own, which cannot be floored, rounded or encoded.
`tests/laws/test_rationals.py` keeps every other module from reading these attributes.
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
    """The same number; None for none, and for one whose denominator is 0."""
    return (
        Fraction(value.numerator, value.denominator)
        if value is not None and value.denominator
        else None
    )


def time_base(of: av.stream.Stream | av.frame.Frame, default: Fraction = Fraction(1)) -> Fraction:
    """Seconds per tick of a stream's or a frame's time stamps; `default` where neither the file nor the demuxer says."""
    return exact(of.time_base) or default


def base_rate(stream: av.VideoStream) -> Fraction | None:
    """The lowest rate, in frames per second, that all time stamps of the stream's beginning fit."""
    return exact(stream.base_rate)


def average_rate(stream: av.VideoStream) -> Fraction | None:
    """Frames per second by the number of frames and the duration."""
    return exact(stream.average_rate)


def coded_rate(stream: av.VideoStream) -> Fraction | None:
    """Frames per second as the coded pictures themselves say."""
    return exact(stream.codec_context.framerate)


def pixel_aspect(stream: av.VideoStream) -> Fraction:
    """Width of a pixel through its height; 1 where the file does not say."""
    return exact(stream.sample_aspect_ratio) or Fraction(1)
