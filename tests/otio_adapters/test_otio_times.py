"""OTIO times to exact seconds."""

from __future__ import annotations

from fractions import Fraction

import pytest
from opentimelineio.opentime import RationalTime
from otio_building import span

from core.errors.refusal import Part
from otio_adapters import otio_times
from otio_adapters.refuse import TimelineRefused

CLIP = Part(kind="clip", name="part 7")


@pytest.mark.parametrize(
    "rate", [23.976, 23.976023976023978, 23.976024627685547, 23.976023976, 24000 / 1001]
)
def test_every_spelling_of_a_rate_is_one_rate(rate):
    assert otio_times.exact(RationalTime(24000, rate), CLIP) == 1001


def test_a_frame_that_is_almost_whole_is_whole():
    assert otio_times.exact(RationalTime(20.000000000000004, 24), CLIP) == Fraction(20, 24)


def test_zero_is_the_beginning_at_any_rate():
    assert otio_times.exact(RationalTime(0, 0), CLIP) == 0


@pytest.mark.parametrize(
    ("value", "rate"), [(1, 0), (1, -24), (1, 0.0004), (1e300, 24), (-1e300, 24), (1e9, 24)]
)
def test_times_of_no_film_are_refused_with_the_place(value, rate):
    with pytest.raises(TimelineRefused, match="part 7"):
        otio_times.exact(RationalTime(value, rate), CLIP)


def test_a_negative_duration_is_refused():
    with pytest.raises(TimelineRefused, match="part 7"):
        otio_times.span(span(0, -1), CLIP)


def test_sums_stay_within_a_film_and_within_memory():
    assert otio_times.add(Fraction(1, 3), Fraction(1, 6), CLIP) == Fraction(1, 2)
    with pytest.raises(TimelineRefused):
        otio_times.add(Fraction(otio_times.LONGEST_S), Fraction(1), CLIP)
    with pytest.raises(TimelineRefused):
        otio_times.add(Fraction(1, 2**5000), Fraction(1), CLIP)
