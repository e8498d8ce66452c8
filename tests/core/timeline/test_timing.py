"""Exact time: rates mean what was written, timecode and frames are two names for one thing, rounding never adds up."""

from __future__ import annotations

import struct
from fractions import Fraction

import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.timeline.timing import (
    exact_rate,
    frames_of_timecode,
    nearest_frame,
    sample_at,
    seconds,
    showing_frame,
    timecode,
)

NTSC_24, NTSC_30, NTSC_60 = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)
WHOLE = [1, 5, 6, 8, 10, 12, 15, 16, 18, 24, 25, 30, 48, 50, 60, 72, 90, 96, 100, 120, 144, 240]
THOUSAND_AND_FIRSTS = [12, 15, 24, 30, 48, 60, 96, 120, 240]
RATES = [Fraction(n) for n in WHOLE] + [Fraction(n * 1000, 1001) for n in THOUSAND_AND_FIRSTS]
TIMECODE_RATES = [rate for rate in RATES if rate >= 6]
DAY = 24 * 3600

rates = st.sampled_from(RATES)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (23.976023976023978, NTSC_24),  # Resolve
        (23.976024627685547, NTSC_24),  # Hiero, through single precision
        (23.976, NTSC_24),
        (Fraction(23976, 1000), NTSC_24),
        (29.97, NTSC_30),
        (29.970029970029969, NTSC_30),
        (29.970029830932617, NTSC_30),
        (59.94, NTSC_60),
        (59.94005994005994, NTSC_60),
        (47.952, Fraction(48000, 1001)),
        (119.88, Fraction(120000, 1001)),
        (14.985, Fraction(15000, 1001)),
        (24, Fraction(24)),
        (24.0, Fraction(24)),
        (25.000001, Fraction(25)),
        (12.5, Fraction(25, 2)),
        (
            Fraction(359, 15),
            Fraction(359, 15),
        ),  # a phone's average is nobody's standard and stays itself
    ],
)
def test_a_written_rate_becomes_the_rate_it_means(written, meant):
    assert exact_rate(written) == meant


@given(rates)
def test_every_standard_rate_survives_being_written_as_a_float(rate):
    (as_single,) = struct.unpack("f", struct.pack("f", rate))
    for written in (float(rate), as_single, round(float(rate), 3)):
        assert exact_rate(written) == rate


@given(st.floats(min_value=1e-12, max_value=1e6))
def test_any_positive_number_is_a_positive_rate_near_it_or_refused(written):
    try:
        rate = exact_rate(written)
    except ValueError:
        assert written < 0.001
        return
    assert rate > 0
    assert abs(rate - Fraction(written)) <= Fraction(1, 999)


@pytest.mark.parametrize(
    "written", [0, -24.0, float("nan"), float("inf"), float("-inf"), 1e-9, 0.0004]
)
def test_what_is_no_rate_is_refused(written):
    with pytest.raises(ValueError, match="not a frame rate"):
        exact_rate(written)


def test_times_of_editors_become_exact_seconds():
    assert seconds(48, 24) == 2
    assert seconds(20.000000000000004, 25) == Fraction(20, 25)  # Resolve
    assert (
        seconds(91046.625, 25) == Fraction(728373, 8) / 25
    )  # a frame of 24 written at 25 stays between the frames
    assert seconds(24000, 23.976) == 1001
    assert seconds(-12, 24) == Fraction(-1, 2)


@given(st.integers(-(10**7), 10**7), rates)
def test_a_whole_frame_is_the_same_time_however_its_float_trembles(frame, rate):
    assert seconds(frame + 1e-9, float(rate)) == frame / rate


@given(st.integers(0, 10**7), rates)
def test_a_frame_boundary_is_its_own_nearest_frame(frame, rate):
    assert nearest_frame(frame / rate, rate) == frame
    assert showing_frame(frame / rate, rate) == frame


def test_halves_go_up():
    assert nearest_frame(Fraction(1, 2) / 24, Fraction(24)) == 1
    assert nearest_frame(Fraction(-1, 2) / 24, Fraction(24)) == 0


def test_a_rounded_time_stamp_shows_the_frame_it_was_rounded_from():
    for rate in (Fraction(24), NTSC_24, NTSC_30, Fraction(25), NTSC_60):
        for frame in range(200):
            milliseconds = Fraction(round(frame / rate * 1000), 1000)  # Matroska
            assert showing_frame(milliseconds, rate) == frame
    assert showing_frame(Fraction(89, 100) / 24, Fraction(24)) == 0


@given(st.integers(0, 10**7), rates, st.sampled_from([8000, 22050, 44100, 48000, 96000, 192000]))
def test_a_sample_boundary_is_never_half_a_sample_from_its_frame(frame, rate, sample_rate):
    assert abs(sample_at(frame, rate, sample_rate) - frame * sample_rate / rate) <= Fraction(1, 2)


@given(st.lists(st.integers(1, 500), min_size=1, max_size=60), rates)
def test_shots_laid_end_to_end_have_as_many_samples_as_the_whole(lengths, rate):
    at = total = 0
    for frames in lengths:
        total += sample_at(at + frames, rate, 48000) - sample_at(at, rate, 48000)
        at += frames
    assert total == sample_at(at, rate, 48000)


def test_an_hour_of_29_97_has_its_samples_to_the_sample():
    assert sample_at(5, NTSC_30, 48000) == 8008
    assert [sample_at(n, NTSC_30, 48000) for n in range(6)] == [0, 1602, 3203, 4805, 6406, 8008]
    assert sample_at(107892, NTSC_30, 48000) == 172_799_827  # 3599.9964 s


@pytest.mark.parametrize(
    ("frame", "rate", "drop", "text"),
    [
        (0, Fraction(24), False, "00:00:00:00"),
        (86400, Fraction(24), False, "01:00:00:00"),
        (86400, NTSC_24, True, "01:00:00:00"),  # 23.976 has no drop-frame
        (1799, NTSC_30, True, "00:00:59;29"),
        (1800, NTSC_30, True, "00:01:00;02"),
        (17981, NTSC_30, True, "00:09:59;29"),
        (17982, NTSC_30, True, "00:10:00;00"),
        (107892, NTSC_30, True, "01:00:00;00"),
        (107892, NTSC_30, False, "00:59:56:12"),
        (3600, NTSC_60, True, "00:01:00;04"),
        (215784, NTSC_60, True, "01:00:00;00"),
        (25 * DAY, Fraction(25), False, "00:00:00:00"),  # a day later the clock begins again
        (-25, Fraction(25), False, "-00:00:01:00"),
    ],
)
def test_timecode_is_that_of_the_standard(frame, rate, drop, text):
    assert timecode(frame, rate, drop_frame=drop) == text


@given(st.integers(0, 10**9), st.sampled_from(TIMECODE_RATES))
def test_timecode_goes_there_and_back(number, rate):
    frame = number % (DAY * round(rate))
    assert frames_of_timecode(timecode(frame, rate), rate) == frame


@given(st.integers(0, 10**9), st.sampled_from([NTSC_30, NTSC_60]))
def test_drop_frame_timecode_goes_there_and_back(number, rate):
    per_day = 24 * 6 * (round(rate) * 600 - round(rate) // 15 * 9)
    frame = number % per_day
    text = timecode(frame, rate, drop_frame=True)
    assert ";" in text
    assert frames_of_timecode(text, rate) == frame
    minutes, secs, frames = int(text[3:5]), int(text[6:8]), int(text[9:11])
    assert minutes % 10 == 0 or secs or frames >= round(rate) // 15, "this number is dropped"


@given(
    st.integers(0, 10**7),
    st.sampled_from([Fraction(24), Fraction(25), NTSC_24, NTSC_30, Fraction(50), NTSC_60]),
    st.booleans(),
)
def test_opentimelineio_counts_the_same(frame, rate, drop):
    drop = drop and rate in (NTSC_30, NTSC_60)
    frame %= 24 * 3600 * round(rate) - 24 * 6 * 9 * (round(rate) // 15)
    theirs = otio.opentime.to_timecode(
        otio.opentime.RationalTime(frame, float(rate)), float(rate), drop
    )
    assert timecode(frame, rate, drop_frame=drop) == theirs


def test_a_semicolon_drops_nothing_where_nothing_is_dropped():
    assert frames_of_timecode("01:00:00;00", Fraction(25)) == 90000
    assert frames_of_timecode("01:00:00;00", NTSC_24) == 86400


@pytest.mark.parametrize(
    "text", ["", "01:00:00", "1:2:3:4:5", "aa:bb:cc:dd", "-1:00:00:00", "01:00:00.00", "01:00:00:"]
)
def test_what_is_no_timecode_is_refused(text):
    with pytest.raises(ValueError, match="not a timecode"):
        frames_of_timecode(text, Fraction(24))
