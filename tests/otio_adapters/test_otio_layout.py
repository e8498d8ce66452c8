"""Nested compositions to stretches of clips."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentimelineio import schema
from opentimelineio.opentime import RationalTime
from otio_building import clip, file, gap, message, span, stack, timeline, track

from otio_adapters.nesting import Piece, overlay


def laid(read, *items, kind="Video", **more):
    """(name, record in, frames, source in frames) of one track's clips."""
    made = read(timeline(track(*items, kind=kind, **more)))
    return [(c.name, c.record_in, c.frames, c.source_in * 24) for c in made.tracks[0].clips]


def codes(read, *items, kind="Video"):
    return [remark.code for remark in read(timeline(track(*items, kind=kind))).remarks]


def test_clips_and_gaps_follow_one_another(read):
    assert laid(read, clip("a", 10), gap(5), clip("b", 7, start=3)) == [
        ("a", 0, 10, 0),
        ("b", 15, 7, 3),
    ]


def test_a_tracks_own_range_is_a_window(read):
    found = laid(
        read, clip("a", 10), gap(5), clip("b", 10), clip("c", 10), source_range=span(4, 13)
    )
    assert found == [("a", 0, 6, 4), ("b", 11, 2, 0)]


def test_a_window_longer_than_its_content_is_padded(read):
    assert read(timeline(track(clip(frames=10), source_range=span(0, 40)))).frames == 40


def test_the_timelines_own_range_is_a_window_on_all_tracks(read):
    made = timeline(track(clip("a", 10)), track(clip("b", 20), kind="Audio"))
    made.tracks.source_range = span(5, 10)
    found = read(made)
    assert [(c.record_in, c.frames, c.source_in) for t in found.tracks for c in t.clips] == [
        (0, 5, Fraction(5, 24)),
        (0, 10, Fraction(5, 24)),
    ]
    assert found.frames == 10


def test_a_nested_track_becomes_clips_of_its_parent(read):
    inner = track(clip("x", 10), clip("y", 10), source_range=span(5, 10))
    found = laid(read, clip("a", 3), inner, clip("b", 4))
    assert found == [("a", 0, 3, 0), ("x", 3, 5, 5), ("y", 8, 5, 0), ("b", 13, 4, 0)]


def test_a_nested_stack_shows_its_topmost_enabled_pictures(read):
    nest = stack(
        track(clip("low", 20)),
        track(gap(5), clip("top", 5)),
        track(clip("off", 20, enabled=False)),
        track(clip("dark", 20), enabled=False),
    )
    assert laid(read, gap(2), nest) == [("low", 2, 5, 0), ("top", 7, 5, 0), ("low", 12, 10, 10)]


def test_nests_in_nests_are_trimmed_at_every_level(read):
    inner = stack(track(clip("x", 100)), source_range=span(10, 50))
    outer = track(gap(5), inner, source_range=span(20, 20))
    assert laid(read, outer) == [("x", 0, 20, 25)]


def test_a_disabled_nest_is_kept_and_not_shown(read):
    made = read(timeline(track(clip("a", 5), stack(track(clip("x", 5)), enabled=False))))
    assert [c.enabled for c in made.tracks[0].clips] == [True, False]


def test_a_title_inside_a_nest_covers_no_picture_and_is_said(read):
    title = clip("Title", 10, media=schema.GeneratorReference())
    nest = stack(track(clip("pic", 10)), track(gap(2), title, gap(3), clip("more", 2)))
    made = read(timeline(track(clip("lead", 4), nest)))
    assert [(c.name, c.record_in, c.frames) for c in made.tracks[0].clips] == [
        ("lead", 0, 4),
        ("pic", 4, 10),
        ("Title", 14, 2),
        ("more", 19, 2),
    ]
    assert [(r.code, r.text) for r in made.remarks] == [("title-not-rendered", "Title")]


def test_sound_nested_on_a_picture_track_is_said(read):
    nest = stack(track(clip("pic", 10)), track(clip("snd", 10), kind="Audio"))
    assert laid(read, nest.clone()) == [("pic", 0, 10, 0)]
    assert codes(read, nest) == ["nested-sound-skipped"]


def test_a_nest_on_a_sound_track_gives_its_sound(read):
    nest = stack(track(clip("pic", 10)), track(clip("snd", 10), kind="Audio"))
    assert laid(read, nest.clone(), kind="Audio") == [("snd", 0, 10, 0)]
    assert codes(read, nest, kind="Audio") == []


def test_overlapping_sounds_in_a_nest_are_a_loss(read):
    nest = stack(track(clip("one", 10), kind="Audio"), track(gap(5), clip("two", 10), kind="Audio"))
    assert codes(read, nest, kind="Audio") == ["nested-timeline-unsupported"]


@pytest.mark.parametrize(
    "nest",
    [stack(source_range=span(0, 10)), stack(track(clip("x", 10)), source_range=span(86400, 10))],
)
def test_a_nest_whose_content_is_not_there_stands_as_a_title(read, nest):
    """Premiere may write a nested sequence without its tracks."""
    made = read(timeline(track(clip("a", 5), nest.clone())))
    found = made.tracks[0].clips[1]
    assert (found.name, found.media.kind, found.record_in, found.frames) == (
        "nest",
        "generator",
        5,
        10,
    )
    assert [(r.code, r.severity, r.record_in) for r in made.remarks] == [
        ("nested-timeline-unsupported", "loss", 5)
    ]


def test_remarks_on_what_a_window_hides_are_dropped_and_on_what_it_cuts_are_kept(read):
    nest = stack(track(clip("x", 10)), effects=[schema.FreezeFrame()])
    assert codes(read, track(nest.clone(), clip("b", 10), source_range=span(5, 10))) == [
        "speed-change-unsupported"
    ]
    assert codes(read, track(nest, clip("b", 10), source_range=span(10, 10))) == []


def dissolve(before=5, after=5, name="Cross Dissolve"):
    return schema.Transition(
        name, "SMPTE_Dissolve", RationalTime(before, 24), RationalTime(after, 24)
    )


def test_a_transition_leaves_the_cut_and_is_a_loss(read):
    assert laid(read, clip("a", 10), dissolve(), clip("b", 10)) == [
        ("a", 0, 10, 0),
        ("b", 10, 10, 0),
    ]
    (remark,) = read(timeline(track(clip("a", 10), dissolve(), clip("b", 10)))).remarks
    assert (remark.code, remark.severity, remark.record_in) == ("transition-as-cut", "loss", 10)
    assert all(name in remark.text for name in ("Cross Dissolve", "“a”", "“b”"))


def test_fades_at_either_end_are_transitions_with_black(read):
    made = read(timeline(track(dissolve(0, 5), clip("a", 10), dissolve(5, 0), gap(5))))
    assert [(r.record_in, "black" in r.text) for r in made.remarks] == [(0, True), (10, True)]


def test_transitions_that_nobody_sees_are_not_mentioned(read):
    off = clip("off", 10, enabled=False)
    assert codes(read, gap(5), dissolve(), off, dissolve(), gap(5), dissolve(), gap(5)) == []
    assert codes(read, clip(), dissolve(0, 0), clip()) == []


def test_a_clip_without_a_source_range_is_all_of_its_media(read):
    whole = schema.Clip("whole", file(available=span(100, 48)))
    assert laid(read, whole) == [("whole", 0, 48, 0)]


def test_a_clip_without_any_range_is_named(refused):
    error = refused(timeline(track(clip(), schema.Clip("lost", file()))))
    assert (error.code, "lost" in message(error)) == ("timeline-invalid", True)


def test_a_film_of_many_layers_is_laid_out_at_once(read):
    layers = [track(gap(number), clip(str(number), 2)) for number in range(400)]
    found = laid(read, stack(*layers))
    assert [name for name, *_ in found] == [str(number) for number in range(400)]


spans = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 6), st.booleans()), max_size=4)


@settings(max_examples=100, deadline=None)
@given(st.lists(spans, max_size=4))
def test_the_sweep_shows_what_a_look_at_every_instant_shows(layers):
    made = []
    for number, pieces in enumerate(layers):
        row, end = [], 0
        for start, length, title in sorted(pieces):
            if start >= end:
                media = schema.GeneratorReference() if title else file()
                item = clip(f"{number}", length, media=media, metadata={"title": title})
                end = start + length
                row.append(Piece(item, Fraction(start), Fraction(end), Fraction(0), True))
        made.append(tuple(row))
    seen, _ = overlay(made)
    assert all(a.end_s <= b.start_s for a, b in pairwise(seen))
    for instant in range(20):
        here = [p for row in made for p in row if p.start_s <= instant < p.end_s]
        best = [p for p in here if not p.clip.metadata["title"]] or here
        want = best[-1] if best else None
        got = [p for p in seen if p.start_s <= instant < p.end_s]
        assert [p.clip for p in got] == ([want.clip] if want else [])
        assert [p.start_s - p.skipped_s for p in got] == ([want.start_s] if want else [])
