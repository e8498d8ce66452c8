"""Frame rate and settings of the whole timeline."""

from __future__ import annotations

from fractions import Fraction

import pytest
from opentimelineio import schema
from otio_building import clip, file, gap, message, span, stack, timeline, track

NTSC_24 = Fraction(24000, 1001)


def test_the_rate_is_that_of_the_pictures_snapped(read):
    assert read(timeline(track(clip(rate=23.976023976023978)), start=(86400, 24))).rate == NTSC_24


def test_gaps_count_as_pictures(read):
    assert read(timeline(track(gap(10, 25)))).rate == 25


def test_the_rate_of_most_of_the_length_wins_and_the_mixture_is_noted(read):
    made = read(
        timeline(
            track(clip(frames=30, rate=30), clip(frames=48, rate=24)),
            track(clip(frames=10, rate=30)),
        )
    )
    assert made.rate == 24
    assert [(r.code, r.severity) for r in made.remarks] == [("timeline-rate-mixed", "note")]


def test_spellings_of_one_rate_are_no_mixture(read):
    made = read(timeline(track(clip(rate=23.976), clip(rate=23.976024627685547))))
    assert (made.rate, made.remarks) == (NTSC_24, ())


def test_the_start_timecode_settles_a_tie(read):
    assert (
        read(
            timeline(
                track(clip(frames=25, rate=25)), track(clip(frames=30, rate=30)), start=(0, 30)
            )
        ).rate
        == 30
    )
    assert (
        read(
            timeline(
                track(clip(frames=25, rate=25)), track(clip(frames=30, rate=30)), start=(0, 24)
            )
        ).rate
        == 25
    )


def test_sound_decides_only_without_pictures_and_only_with_a_frame_rate(read, refused):
    sound = track(clip(frames=44100, rate=44100), kind="Audio")
    assert read(timeline(track(clip(rate=25)), sound.clone())).rate == 25
    assert read(timeline(track(clip(rate=25), kind="Audio"))).rate == 25
    assert read(timeline(sound.clone(), start=(0, 30))).rate == 30
    assert "how many frames" in message(refused(timeline(sound.clone())))


def test_media_without_a_source_range_and_nests_tell_their_rate(read):
    whole = schema.Clip("whole", file(available=span(0, 50, 25)))
    assert read(timeline(track(whole))).rate == 25
    assert read(timeline(track(stack(track(clip(rate=30)))))).rate == 30
    assert read(timeline(track(source_range=span(0, 30, 30)))).frames == 30


def test_the_start_is_in_frames_of_the_timeline(read):
    assert read(timeline(track(clip()))).start_frame == 0
    assert read(timeline(track(clip()), start=(86400, 24))).start_frame == 86400
    assert read(timeline(track(clip(rate=25)), start=(3600 * 24, 24))).start_frame == 3600 * 25
    assert read(timeline(track(clip(rate=23.976)), start=(86400, 23.976))).start_frame == 86400


def settings_in(made):
    return made.width, made.height, made.drop_frame, made.sample_rate, made.channels


def test_a_timeline_may_carry_what_otio_cannot(read):
    said = {
        "width": 3840,
        "height": 2160.0,
        "drop_frame": True,
        "sample_rate": 48000,
        "channels": 2,
        "other": [],
    }
    made = read(timeline(track(clip(rate=29.97)), hotsplice=said))
    assert settings_in(made) == (3840, 2160, True, 48000, 2)


def test_without_settings_the_film_decides_later(read):
    made = read(timeline(track(clip()), hotsplice={"width": None}))
    assert settings_in(made) == (None, None, False, None, None)


@pytest.mark.parametrize(
    ("name", "said", "want"),
    [
        ("Film", {"name": "Reel"}, "Film"),
        (" ", {"name": "Reel"}, "Reel"),
        ("", {"name": " "}, "reel"),
        ("", {}, "reel"),
    ],
)
def test_the_name_comes_from_the_timeline_then_the_settings_then_the_file(read, name, said, want):
    assert read(timeline(track(clip()), name=name, hotsplice=said)).name == want


@pytest.mark.parametrize(
    "said",
    [
        {"width": 0},
        {"width": -1},
        {"width": 1920.5},
        {"width": "1920"},
        {"width": True},
        {"height": 10**9},
        {"sample_rate": 1},
        {"channels": 0},
        {"channels": 65},
        {"drop_frame": 1},
        {"name": 5},
        [],
        "x",
        3,
    ],
)
def test_settings_that_make_no_sense_are_refused(refused, said):
    assert refused(timeline(track(clip()), hotsplice=said)).code == "timeline-invalid"
