"""Stretches in seconds to clips in frames."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from opentimelineio import schema
from otio_building import as_json, clip, file, gap, message, span, timeline, track

NTSC_24 = Fraction(24000, 1001)


def first(read, item):
    return read(timeline(track(item))).tracks[0].clips[0]


def test_tracks_keep_order_kind_name_and_enabled(read):
    made = read(
        timeline(
            track(clip("a"), name="Video 1"),
            track(clip("b", enabled=False), name="Video 2", enabled=False),
            track(clip("c"), name="Dialogue", kind="Audio"),
        )
    )
    assert [(t.kind, t.name, t.enabled) for t in made.tracks] == [
        ("video", "Video 1", True),
        ("video", "Video 2", False),
        ("audio", "Dialogue", True),
    ]
    assert [c.enabled for t in made.tracks for c in t.clips] == [True, False, True]


def test_ids_count_the_clips_of_each_track_of_each_kind(read):
    made = read(
        timeline(
            track(gap(5), clip(), gap(5), clip()),
            track(),
            track(clip()),
            track(clip(), kind="Audio"),
            track(clip(), clip(), kind="Audio"),
        )
    )
    ids = [c.id for t in made.tracks for c in t.clips]
    assert ids == ["v1c1", "v1c2", "v3c1", "a1c1", "a2c1", "a2c2"]
    assert len(set(ids)) == len(ids)


def test_trailing_gaps_count_into_the_length(read):
    assert (
        read(
            timeline(track(clip(frames=10)), track(gap(40)), track(clip(frames=20), kind="Audio"))
        ).frames
        == 40
    )


def test_a_timeline_of_black_is_a_film(read):
    made = read(timeline(track(gap(48))))
    assert (made.frames, made.tracks[0].clips) == (48, ())


@pytest.mark.parametrize(
    "made",
    [
        timeline(),
        timeline(track()),
        timeline(track(gap(0))),
        timeline(track(clip(frames=0))),
        timeline(track(clip(frames=0.3))),
    ],
)
def test_a_timeline_without_length_is_empty(refused, made):
    assert refused(made).code == "timeline-empty"


def test_tracks_of_other_kinds_are_said(read):
    made = read(
        timeline(track(clip()), track(clip(), kind="Subtitle", name="ST"), track(kind="Data"))
    )
    assert len(made.tracks) == 1
    assert [(r.code, r.severity, "ST" in r.text) for r in made.remarks] == [
        ("track-kind-unsupported", "loss", True)
    ]


def test_a_clip_without_a_track_is_a_track(read):
    made = read(timeline(clip("alone"), track(clip("b"))))
    assert [(t.kind, len(t.clips)) for t in made.tracks] == [("video", 1), ("video", 1)]


def test_ten_thousand_cuts_do_not_drift(read):
    made = read(timeline(track(*[clip(str(n), 7, rate=23.976) for n in range(10_000)])))
    assert made.rate == NTSC_24
    assert made.frames == 70_000
    assert all(c.record_in == 7 * n and c.frames == 7 for n, c in enumerate(made.tracks[0].clips))


def test_mixed_rates_do_not_add_up_rounding(read):
    """Every second clip is one frame of 30 long, which is 0.8 frames of 24."""
    items = [
        item
        for n in range(1000)
        for item in (clip(str(2 * n), 1, rate=30), clip(str(2 * n + 1), 4, rate=24))
    ]
    clips = read(timeline(track(*items))).tracks[0].clips
    assert clips[-1].record_out == round(1000 * (Fraction(1, 30) + Fraction(4, 24)) * 24)
    assert all(a.record_out == b.record_in for a, b in pairwise(clips))
    for found in clips:
        pairs, odd = divmod(int(found.name), 2)
        true = pairs * (Fraction(24, 30) + 4) + odd * Fraction(24, 30)
        assert abs(found.record_in - true) <= Fraction(1, 2)


def test_a_clip_shorter_than_a_frame_is_left_out_and_noted(read):
    made = read(timeline(track(clip("a", 10), clip("blink", 0.25), clip("none", 0), clip("b", 10))))
    assert [c.name for c in made.tracks[0].clips] == ["a", "b"]
    assert [(r.code, r.severity, "blink" in r.text) for r in made.remarks] == [
        ("clip-too-short", "note", True)
    ]


@pytest.mark.parametrize(
    ("source", "available", "seconds"),
    [
        (
            span(90032, 44, 25),
            span(86400, 100, 24),
            Fraction(32, 25),
        ),  # a movie from 01:00:00:00 at 24 in a timeline at 25
        (
            span(91046.625, 74, 25),
            span(87399, 101, 24),
            Fraction(91046625, 25000) - Fraction(87399, 24),
        ),
        (span(20.000000000000004, 5, 24), span(0, 100, 24), Fraction(20, 24)),
        (span(132300, 44100, 44100), span(0, 10**6, 44100), Fraction(3)),
        (span(5, 10), span(0, 120, 0), Fraction(5, 24)),  # Kdenlive's stills
        (span(87398.6, 10), span(87399, 84), Fraction(0)),  # rounded to before the beginning
        (span(0, 10), span(24, 100), Fraction(-1)),
    ],
)
def test_source_time_counts_from_the_medias_first_frame(read, source, available, seconds):
    item = schema.Clip("a", file(available=available), source)
    found = read(timeline(track(item), start=(0, 24))).tracks[0].clips[0]
    if seconds == 0 or seconds.denominator < 100:
        assert found.source_in == seconds
    assert abs(found.source_in - seconds) < Fraction(1, 10**9)
    assert not found.source_is_timecode


def test_a_source_range_before_the_media_is_a_loss(read):
    remarks = first(read, schema.Clip("early", file(available=span(24, 100)), span(0, 10))).remarks
    assert [(r.code, r.severity, "1.000" in r.text) for r in remarks] == [
        ("source-before-media", "loss", True)
    ]


def test_sound_before_its_media_is_left_to_whoever_counts_its_samples(read):
    early = schema.Clip("early", file(available=span(24, 100)), span(0, 10))
    (heard,) = read(timeline(track(early, kind="Audio"))).tracks[0].clips
    assert (heard.source_in, heard.remarks) == (-1, ())


def test_without_an_available_range_a_start_other_than_zero_is_a_timecode(read):
    assert (
        first(read, clip(start=0)).source_in,
        first(read, clip(start=0)).source_is_timecode,
    ) == (0, False)
    found = first(read, clip(start=86400))
    assert (found.source_in, found.source_is_timecode) == (3600, True)


def test_a_trimmed_clip_keeps_its_meaning_of_source_time(read):
    made = timeline(track(clip("a", 48), source_range=span(24, 24)))
    found = read(made).tracks[0].clips[0]
    assert (found.source_in, found.source_is_timecode) == (1, False)


def test_a_still_may_be_longer_than_its_media(read):
    assert first(read, schema.Clip("still", file("/a.png", span(0, 1)), span(0, 444))).frames == 444


def test_a_clip_without_a_name_has_that_of_its_media(read):
    assert first(read, clip("", media=file("/m/b.mov"))).name == "b.mov"


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (clip("bad", rate=0), "bad"),
        (clip("bad", frames=-5), "bad"),
        (clip("bad", frames=1e300), "bad"),
        (clip("bad", rate=-24), "bad"),
        (gap(-1), "Gap"),
        (schema.Clip("bad", file(available=span(9, 9, 0)), span(0, 5)), "bad"),
    ],
)
def test_what_contradicts_itself_is_refused_and_named(refused, item, said):
    error = refused(timeline(track(clip("good")), track(item)))
    assert (error.code, said in message(error)) == ("timeline-invalid", True)


def test_missing_tracks_are_refused(refused):
    made = as_json(timeline(track(clip())))
    for tracks in (None, 5, [], as_json(track(clip()))):
        assert refused({**made, "tracks": tracks}).code == "timeline-invalid"
    del made["tracks"]
    assert refused(made).code == "timeline-invalid"
