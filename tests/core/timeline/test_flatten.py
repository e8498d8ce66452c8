"""Many tracks to one row: the topmost picture is seen, gaps are black, titles never hide a picture."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from core.timeline.flatten import heard, source_offset, visible, wanted_paths
from core.timeline.timeline import Clip, Media, Timeline, Track
from tests.core.props import clip, cut, source


def row_of(timeline: Timeline) -> list[tuple[int, int, str | None]]:
    return [(v.record_in, v.frames, v.clip and v.clip.name) for v in visible(timeline)[0]]


def test_a_clip_above_covers_what_is_below_and_what_is_below_goes_on_after_it():
    film = cut([clip(0, 100, name="below")], [clip(40, 20, name="above")])
    assert row_of(film) == [(0, 40, "below"), (40, 20, "above"), (60, 40, "below")]


def test_holes_are_gaps_to_the_very_end():
    film = cut([clip(10, 10, name="one")], frames=50)
    assert row_of(film) == [(0, 10, None), (10, 10, "one"), (20, 30, None)]


def test_the_same_clip_is_one_stretch_though_another_track_is_cut_beneath_it():
    film = cut([clip(0, 5), clip(5, 5), clip(10, 90)], [clip(0, 100, name="above")])
    assert row_of(film) == [(0, 100, "above")]


def test_two_equal_clips_side_by_side_stay_two():
    film = cut([clip(0, 10, id="1", name="x"), clip(10, 10, id="2", name="x")])
    assert row_of(film) == [(0, 10, "x"), (10, 10, "x")]


def test_what_is_switched_off_is_not_there():
    film = cut([clip(0, 10, name="below")], [clip(0, 10, name="off", enabled=False)])
    assert row_of(film) == [(0, 10, "below")]
    off = msgspec.structs.replace(film.tracks[0], enabled=False)
    assert row_of(msgspec.structs.replace(film, tracks=(off, film.tracks[1]))) == [(0, 10, None)]


def test_a_title_over_a_picture_is_lost_and_said_so():
    film = cut([clip(0, 30, name="picture")], [clip(5, 10, None, kind="generator", name="Title")])
    row, remarks = visible(film)
    assert [(v.record_in, v.frames, v.clip.name) for v in row if v.clip] == [(0, 30, "picture")]
    assert [(r.code, r.severity, r.text, r.record_in) for r in remarks] == [
        ("title-not-rendered", "loss", "Title", 5)
    ]


def test_a_title_over_nothing_is_a_shot_of_its_own():
    film = cut([], [clip(0, 10, None, kind="generator", name="Title")])
    row, remarks = visible(film)
    assert [v.clip and v.clip.name for v in row] == ["Title"]
    assert remarks == []


def test_a_title_beneath_a_picture_costs_nothing():
    film = cut([clip(0, 10, None, kind="generator", name="Title")], [clip(0, 10, name="picture")])
    row, remarks = visible(film)
    assert [v.clip and v.clip.name for v in row] == ["picture"]
    assert remarks == []


def test_each_media_file_is_wanted_once_in_the_order_of_first_use():
    film = cut(
        [clip(0, 10, "/m/b.mov"), clip(10, 10, "/m/a.mov"), clip(20, 10, "/m/b.mov")],
        [
            clip(0, 5, "/m/hidden.mov", enabled=False),
            clip(10, 2, None, kind="none"),
            clip(14, 2, "/m/s.0001.exr", kind="sequence"),
        ],
        audio=([clip(0, 10, "/m/c.wav"), clip(10, 10, "/m/a.mov")],),
    )
    assert wanted_paths(film) == ["/m/b.mov", "/m/a.mov", "/m/c.wav"]


def test_media_that_is_never_seen_is_never_opened():
    film = cut([clip(0, 10, "/m/covered.mov")], [clip(0, 10, "/m/top.mov")])
    assert wanted_paths(film) == ["/m/top.mov"]


def test_sound_is_heard_from_all_tracks_in_record_order():
    film = cut(
        [clip(0, 1)],
        audio=(
            [clip(5, 10, id="b"), clip(20, 5, id="d", enabled=False)],
            [clip(0, 10, id="a"), clip(12, 5, id="c")],
        ),
    )
    assert [c.id for c in heard(film)] == ["a", "b", "c"]
    silent = msgspec.structs.replace(
        film, tracks=(*film.tracks[:2], msgspec.structs.replace(film.tracks[2], enabled=False))
    )
    assert [c.id for c in heard(silent)] == ["b"]


def test_source_time_counts_from_the_files_own_timecode_where_only_that_is_known():
    hour = source(timecode_s=Fraction(3600))
    at = Fraction(3601)
    assert source_offset(clip(0, 1, source_in=at), hour) == at, (
        "it counts from the first frame already"
    )
    assert source_offset(clip(0, 1, source_in=at, source_is_timecode=True), hour) == 1
    assert (
        source_offset(
            clip(0, 1, source_in=Fraction(3600) - Fraction(1, 25), source_is_timecode=True), hour
        )
        == 0
    )
    assert source_offset(clip(0, 1, source_in=Fraction(7), source_is_timecode=True), hour) == 7, (
        "before the file's timecode: from its start"
    )
    assert source_offset(clip(0, 1, source_in=at, source_is_timecode=True), source()) == at


@st.composite
def tracks(draw: st.DrawFn) -> Timeline:
    """Any tracks of any clips."""
    rows = []
    for number in range(draw(st.integers(1, 4))):
        at, clips = 0, []
        for place in range(draw(st.integers(0, 6))):
            at += draw(st.integers(0, 9))
            frames = draw(st.integers(1, 20))
            kind = draw(st.sampled_from(["file", "file", "generator", "none"]))
            clips.append(
                Clip(
                    id=f"{number}.{place}",
                    name=f"{number}.{place}",
                    media=Media(name="m", kind=kind, path="/m/a.mov"),
                    record_in=at,
                    frames=frames,
                    source_in=Fraction(0),
                    enabled=draw(st.integers(0, 5)) > 0,
                )
            )
            at += frames
        rows.append(
            Track(
                kind="video",
                name=str(number),
                clips=tuple(clips),
                enabled=draw(st.integers(0, 5)) > 0,
            )
        )
    length = max((c.record_out for t in rows for c in t.clips), default=1) + draw(st.integers(0, 5))
    return Timeline(name="any", rate=Fraction(24), start_frame=0, frames=length, tracks=tuple(rows))


@given(tracks())
def test_every_frame_shows_what_a_look_straight_down_sees(timeline):
    row, remarks = visible(timeline)
    shown = [v.clip for v in row for _ in range(v.frames)]
    assert [v.record_in for v in row] == [sum(v.frames for v in row[:n]) for n in range(len(row))]
    assert len(shown) == timeline.frames
    lost = set()
    for frame in range(timeline.frames):
        here = [
            c
            for t in timeline.tracks
            if t.enabled
            for c in t.clips
            if c.enabled and c.record_in <= frame < c.record_out
        ]
        pictures = [c for c in here if c.media.kind != "generator"]
        expected = (pictures or here or [None])[-1]
        assert shown[frame] is expected
        if pictures:
            lost |= {c.id for c in here[here.index(expected) + 1 :]}
    # Titles above titles with no picture below are lost to nobody: the topmost of them is the shot.
    assert {remark.text for remark in remarks} == lost
    for before, after in pairwise(row):
        assert before.clip is not after.clip
