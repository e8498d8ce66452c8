"""A timeline to a plan: every frame once, bounded pieces, edits that cost only what they changed, all problems at once."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.graph.nodes import Black, Copy, Piece, Plan, Problem, Segment, Slate, Still
from core.plan import planning
from core.plan.planning import COPY_FRAMES, cuts, segment_frames
from core.plan.policy import Policy
from core.timeline.source import Source
from core.timeline.timeline import Clip, Media, Remark, Timeline, Track
from core.timeline.timing import sample_at
from tests.core.props import (
    H264,
    HD,
    POLICY,
    PRESETS,
    PRORES,
    SIGNATURE,
    clip,
    cut,
    offline,
    picture,
    plan,
    source,
    voice,
)

MOVIE = source(video=picture())
SAME = source(video=picture(signature=SIGNATURE, intra_only=True, pixel_format="yuv422p10le"))
"""Already in the film's own format."""


def pictures(made: Plan) -> list[tuple[str, int, int]]:
    """What stands where: (kind of picture, record_in, frames)."""
    return [(type(s.picture).__name__, s.record_in, s.frames) for s in made.segments]


def keys(made: Plan) -> list[str]:
    return [segment.key for segment in made.segments]


# Cutting into pieces --------------------------------------------------------------------------------------------------


@given(st.integers(0, 5000), st.integers(1, 5000), st.integers(8, 600))
def test_pieces_cover_the_shot_and_none_is_too_long_or_too_short(first, frames, limit):
    pieces = cuts(first, frames, limit)
    assert pieces[0][0] == 0
    assert [at + length for at, length in pieces] == [at for at, _ in pieces[1:]] + [frames]
    for at, length in pieces:
        assert 0 < length <= limit * 3 / 2
        assert length >= limit // 4 or len(pieces) == 1
        assert at == 0 or (first + at) % limit == 0, (
            "cut elsewhere than at a multiple in the source"
        )
    assert len(pieces) == 1 or frames > limit, (
        "a short shot was cut: each piece starts a program and a group of pictures"
    )


@given(st.integers(0, 3000), st.integers(1, 3000), st.integers(8, 300), st.data())
def test_trimming_a_shot_leaves_all_its_pieces_but_the_first_and_the_last(
    first, frames, limit, data
):
    head = data.draw(st.integers(0, frames - 1))
    tail = data.draw(st.integers(0, frames - 1 - head))
    whole = {(first + at, length) for at, length in cuts(first, frames, limit)}
    trimmed = [
        (first + head + at, length)
        for at, length in cuts(first + head, frames - head - tail, limit)
    ]
    assert set(trimmed[1:-1]) <= whole


def test_a_piece_is_as_long_as_half_the_loss_a_kill_may_cost():
    # (115 + 8) ms per megapixel, 2.0736 megapixels: 0.255 s a frame
    assert segment_frames(HD, PRORES, POLICY) == 39
    tiny = msgspec.structs.replace(HD, width=64, height=36)
    assert segment_frames(tiny, PRORES, POLICY) == 35286
    assert (
        segment_frames(msgspec.structs.replace(HD, width=15360, height=8640), PRORES, Policy()) == 8
    ), "even 16K has a few frames"


# Shots ----------------------------------------------------------------------------------------------------------------


def test_a_film_is_its_clips_and_black_between():
    made = plan(cut([clip(12, 24, source_in=2)], frames=48), MOVIE)
    assert pictures(made) == [("Black", 0, 12), ("Piece", 12, 24), ("Black", 36, 12)]
    assert [(s.number, s.kind, s.record_in, s.frames, s.name) for s in made.shots] == [
        (1, "gap", 0, 12, ""),
        (2, "clip", 12, 24, "a.mov"),
        (3, "gap", 36, 12, ""),
    ]
    assert made.segments[1].picture.first_frame == 48
    assert (made.frames, made.samples, made.problems) == (48, 0, ())


@pytest.mark.parametrize("intra_only", [True, False])
def test_a_source_is_sought_a_little_before_what_is_shown(intra_only):
    made = plan(
        cut([clip(0, 10, source_in=2)]),
        source(video=picture(start_s=Fraction(1, 5), intra_only=intra_only)),
    )
    piece = made.segments[0].picture
    assert (piece.first_frame, piece.conform) == (48, False)
    assert piece.seek_s + piece.phase_s == Fraction(11, 5), "two seconds after a first frame at 0.2"
    assert piece.phase_s >= Fraction(1, 4) / 24, "rounding to microseconds can never miss the frame"
    assert piece.seek_s * 1_000_000 % 1 == 0
    assert bool(piece.run_up_s) is not intra_only, (
        "frames that stand alone need no others before them"
    )


def test_the_seek_before_the_first_frame_is_the_beginning():
    (segment,) = plan(cut([clip(0, 10)]), MOVIE).segments
    assert segment.picture.seek_s == 0


def test_another_rate_is_conformed_and_said():
    made = plan(cut([clip(0, 30, source_in=1)], rate=25), MOVIE)
    segment = made.segments[0]
    piece = segment.picture
    assert (piece.conform, piece.first_frame) == (True, 24)
    assert piece.seek_s + piece.phase_s == 1, (
        "the first record frame shows what the source shows at its in-point"
    )
    assert [(r.code, r.severity) for r in made.remarks] == [("rate-conformed", "note")]
    assert made.remarks[0].text == "a.mov: 24.000 to 25.000 frames per second"


def test_frames_on_no_grid_are_conformed_though_the_rates_agree():
    made = plan(cut([clip(0, 30, source_in=5)]), source(video=picture(constant_rate=False)))
    (segment,) = made.segments
    assert segment.picture.conform
    assert segment.picture.seek_s + segment.picture.phase_s == 5


def test_a_long_conformed_shot_goes_on_where_its_pieces_meet():
    made = plan(
        cut([clip(0, 250, source_in=Fraction(1, 3))], rate=25),
        MOVIE,
        policy=Policy(segment_cost_s=10),
    )
    assert len(made.segments) > 3
    for segment in made.segments:
        piece = segment.picture
        assert piece.seek_s + piece.phase_s == Fraction(1, 3) + Fraction(segment.record_in, 25)


def test_trimming_a_long_conformed_shot_leaves_its_other_pieces_as_they_are():
    whole, trimmed = (
        plan(cut([clip(0, n, source_in=s)], rate=25), MOVIE)
        for n, s in ((500, 2), (477, 2 + Fraction(23, 25)))
    )
    assert len(whole.segments) > 4
    assert keys(whole)[2:] == keys(trimmed)[1:], (
        "what is left of the first piece is taken with the second"
    )


def test_a_still_is_held_in_equal_pieces_that_are_made_once():
    still = source(
        "/media/card.png", picture(still=True, frames=1, pixel_format="rgba", alpha=True)
    )
    made = plan(cut([clip(0, 390, "/media/card.png")]), still)
    assert {type(s.picture) for s in made.segments} == {Still}
    assert made.segments[0].picture.alpha
    assert len(made.segments) == 10
    assert len(set(keys(made))) == 1


def test_the_films_own_format_is_copied():
    made = plan(cut([clip(0, 1000, source_in=10)]), SAME)
    assert pictures(made) == [("Copy", 0, 240), ("Copy", 240, 480), ("Copy", 720, 280)]
    assert [s.picture.first_frame for s in made.segments] == [240, 480, 960]
    assert all(s.picture.first_frame % COPY_FRAMES == 0 for s in made.segments[1:])


@pytest.mark.parametrize(
    "difference",
    [
        {"signature": "prores 2"},
        {"intra_only": False},
        {"rotation": 90},
        {"pixel_aspect": Fraction(4, 3)},
        {"rate": Fraction(25)},
        {"constant_rate": False},
        {"colour": (1, 13, 1)},
    ],
)
def test_whatever_differs_from_the_films_format_is_encoded(difference):
    also = source("/media/b.mov", msgspec.structs.replace(SAME.video, **difference))
    made = plan(
        cut([clip(0, 10), clip(10, 10, "/media/b.mov")]), {SAME.path: SAME, also.path: also}
    )
    assert [type(s.picture) for s in made.segments] == [Copy, Piece]


def test_a_preset_that_does_not_copy_encodes_everything():
    made = plan(cut([clip(0, 10)]), SAME, preset=H264)
    assert {type(s.picture) for s in made.segments} == {Piece}


def test_rgb_is_known_by_its_pixels():
    made = plan(
        cut([clip(0, 10)]), source(video=picture(pixel_format="gbrp10le", colour=(1, 13, 1)))
    )
    assert made.segments[0].picture.matrix == 0
    assert made.remarks == ()


def test_another_colour_space_is_said_to_be_lost():
    hdr = source("/media/b.mov", picture(colour=(9, 16, 9)))
    made = plan(
        cut([clip(0, 10), clip(10, 10, "/media/b.mov")]), {MOVIE.path: MOVIE, hdr.path: hdr}
    )
    assert [(r.code, r.severity, r.text) for r in made.remarks] == [
        ("colour-differs", "loss", "b.mov")
    ]
    unsaid = source("/media/b.mov", picture(colour=(2, 2, 2)))
    made = plan(
        cut([clip(0, 10), clip(10, 10, "/media/b.mov")]), {MOVIE.path: MOVIE, unsaid.path: unsaid}
    )
    assert made.remarks == ()


# Problems -------------------------------------------------------------------------------------------------------------


def test_all_that_is_wrong_is_said_at_once_and_each_file_once():
    film = cut(
        [
            clip(0, 10, "/m/lost.mov"),
            clip(10, 10, "/m/lost.mov"),
            clip(20, 10, "/m/voice.wav"),
            clip(30, 10, None, kind="none", name="?"),
            clip(40, 10, None, kind="generator", name="Title"),
            clip(50, 10, "/m/x.0001.exr", kind="sequence", name="x"),
            clip(60, 10),
        ]
    )
    made = plan(
        film,
        {
            "/m/lost.mov": offline("/m/lost.mov", detail="gone"),
            "/m/voice.wav": source("/m/voice.wav", None, voice()),
            MOVIE.path: MOVIE,
        },
    )
    assert made.problems == (
        Problem(code="source-missing", path="/m/lost.mov", shots=(1, 2), detail="gone"),
        Problem(
            code="source-no-picture",
            path="/m/voice.wav",
            shots=(3,),
            fingerprint="content of /m/voice.wav",
        ),
        Problem(code="source-unnamed", path="", shots=(4,), detail="?"),
        Problem(code="generator-not-rendered", path="", shots=(5,), detail="Title"),
        Problem(code="image-sequence-unsupported", path="/m/x.0001.exr", shots=(6,), detail="x"),
    )
    assert [type(s.picture) for s in made.segments] == [Slate] * 6 + [Piece]


def test_a_slate_says_which_shot_why_where_and_from_what():
    made = plan(
        cut([clip(24, 48, "/m/lost.mov", name="A001")], frames=72),
        {"/m/lost.mov": offline("/m/lost.mov")},
    )
    assert made.segments[1].picture == Slate(
        lines=("Shot 2: A001", "<source-missing>", "01:00:01:00 to 01:00:03:00", "/m/lost.mov")
    )


def test_a_source_that_ends_early_shows_what_it_has_and_then_a_slate():
    made = plan(cut([clip(0, 48, source_in=99)]), MOVIE)
    assert pictures(made) == [("Piece", 0, 24), ("Slate", 24, 24)]
    assert made.problems == (
        Problem(
            code="source-too-short",
            path=MOVIE.path,
            shots=(1,),
            detail="24 of 48 frames",
            fingerprint=MOVIE.fingerprint,
        ),
    )


def test_of_several_shots_of_a_source_that_ends_early_the_frames_are_counted_together():
    made = plan(cut([clip(0, 48, source_in=99), clip(48, 48, source_in=200), clip(96, 24)]), MOVIE)
    assert made.problems == (
        Problem(
            code="source-too-short",
            path=MOVIE.path,
            shots=(1, 2),
            detail="24 of 96 frames",
            fingerprint=MOVIE.fingerprint,
        ),
    )


def test_a_file_without_pictures_that_stands_in_for_another_is_the_one_that_is_named():
    made = plan(
        cut([clip(0, 24, "/m/gone.mov")]), {"/m/gone.mov": source("/m/voice.wav", None, voice())}
    )
    assert made.problems == (
        Problem(
            code="source-no-picture",
            path="/m/voice.wav",
            shots=(1,),
            fingerprint="content of /m/voice.wav",
        ),
    )


def test_a_cut_past_the_end_or_before_the_beginning_is_all_slate():
    for source_in in (100, 200, Fraction(-2)):
        made = plan(cut([clip(0, 48, source_in=source_in)]), MOVIE)
        assert {type(s.picture) for s in made.segments} == {Slate}
        assert made.problems[0].detail == "0 of 48 frames"


def test_of_a_shot_that_begins_before_its_media_only_that_is_a_slate():
    made = plan(cut([clip(0, 48, source_in=Fraction(-1))]), MOVIE)
    assert pictures(made) == [("Slate", 0, 24), ("Piece", 24, 24)]
    assert (made.segments[1].picture.first_frame, made.segments[1].picture.shown_s) == (0, 0)
    assert made.problems[0].detail == "24 of 48 frames"
    copied = plan(cut([clip(0, 48, source_in=Fraction(-1))]), SAME)
    assert (
        pictures(copied) == [("Slate", 0, 24), ("Copy", 24, 24)]
        and copied.segments[1].picture.first_frame == 0
    )
    conformed = plan(cut([clip(0, 50, source_in=Fraction(-1))], rate=25), MOVIE)
    assert pictures(conformed) == [("Slate", 0, 25), ("Piece", 25, 25)]
    both = plan(cut([clip(0, 72, source_in=Fraction(-1))]), source(video=picture(frames=24)))
    assert pictures(both) == [("Slate", 0, 24), ("Piece", 24, 24), ("Slate", 48, 24)]


def test_a_frame_stands_where_its_file_has_put_it():
    """An hour and more into a file whose rate was written short."""
    rate, grid = Fraction(24000, 1001), Fraction(2997, 125)
    film = cut([clip(0, 24, source_in=120000 / rate)], rate=rate)
    (piece,) = plan(film, source(video=picture(frames=180000, rate=rate, grid=grid))).segments
    assert (piece.picture.first_frame, piece.picture.shown_s) == (120000, 120000 / grid)
    (usual,) = plan(film, source(video=picture(frames=180000, rate=rate))).segments
    assert usual.picture.shown_s == 120000 / rate


def test_a_conformed_source_is_there_as_long_as_it_lasts():
    # 100 s of 24 frames; from 99 s there is one second: 25 record frames
    made = plan(cut([clip(0, 50, source_in=99)], rate=25), MOVIE)
    assert pictures(made) == [("Piece", 0, 25), ("Slate", 25, 25)]


def test_remarks_of_the_timeline_and_of_clips_are_said_once():
    said = Remark(code="effect-not-rendered", severity="loss", text="a blur", record_in=0)
    film = cut(
        [clip(0, 10, remarks=(said,))],
        audio=([clip(0, 10, remarks=(said,))],),
        remarks=(Remark(code="x", severity="note", text="y"),),
    )
    made = plan(film, source("/media/a.mov", picture(), voice()))
    assert made.remarks == (Remark(code="x", severity="note", text="y"), said)


# Edits ----------------------------------------------------------------------------------------------------------------


def test_an_edit_renders_only_what_it_changed():
    policy = Policy(segment_cost_s=2.0)  # 7 frames of HD are 8
    before = plan(cut([clip(0, 100), clip(100, 100, source_in=50)]), MOVIE, policy=policy)
    moved = plan(cut([clip(20, 100), clip(120, 100, source_in=50)]), MOVIE, policy=policy)
    assert set(keys(before)) <= set(keys(moved)), (
        "where a shot stands is no reason to make it again"
    )
    trimmed = plan(
        cut([clip(0, 90, source_in=Fraction(5, 24)), clip(90, 100, source_in=50)]),
        MOVIE,
        policy=policy,
    )
    assert len(set(keys(trimmed)) - set(keys(before))) <= 2
    swapped = plan(cut([clip(0, 100, source_in=50), clip(100, 100)]), MOVIE, policy=policy)
    assert sorted(keys(swapped)) == sorted(keys(before))


def test_a_source_found_elsewhere_is_known_again():
    before = plan(cut([clip(0, 100)]), MOVIE)
    there = msgspec.structs.replace(MOVIE, path="/volumes/raid/a.mov", inode=(9, 9))
    after = plan(cut([clip(0, 100, "/volumes/raid/a.mov")]), there)
    assert keys(after) == keys(before)


# Law: no hole, no overlap ---------------------------------------------------------------------------------------------

rates = st.sampled_from(
    [Fraction(24), Fraction(25), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60)]
)


@st.composite
def media(draw: st.DrawFn, path: str) -> object:
    """Any source: a movie, a still, sound only, or none at all."""
    kind = draw(st.sampled_from(["movie", "movie", "movie", "still", "sound", "gone"]))
    if kind == "gone":
        return offline(path)
    sounds = [
        voice(stream=n + 1, samples=draw(st.integers(0, 10**6)), channels=draw(st.integers(1, 6)))
        for n in range(draw(st.integers(0, 2)))
    ]
    if kind == "sound":
        return source(path, None, *sounds)
    rate = draw(rates)
    video = picture(
        frames=1 if kind == "still" else draw(st.integers(1, 3000)),
        rate=rate,
        still=kind == "still",
        constant_rate=draw(st.booleans()),
        intra_only=draw(st.booleans()),
        signature=draw(st.sampled_from([SIGNATURE, "h264"])),
        start_s=draw(st.sampled_from([Fraction(0), Fraction(1, 3)])),
        size=draw(st.sampled_from([(1920, 1080), (720, 576)])),
    )
    timecode_s = draw(st.sampled_from([None, Fraction(3600)]))
    return source(path, video, *sounds, timecode_s=timecode_s)


@st.composite
def films(draw: st.DrawFn) -> tuple[Timeline, dict[str, object]]:
    """Any timeline over any sources."""
    paths = [f"/media/{n}.mov" for n in range(3)]
    rows = []
    for number in range(draw(st.integers(1, 4))):
        at, clips = 0, []
        for place in range(draw(st.integers(0, 4))):
            at += draw(st.sampled_from([0, 0, 1, 30]))
            frames = draw(st.integers(1, 400))
            kind = draw(st.sampled_from(["file", "file", "file", "generator", "none"]))
            clips.append(
                Clip(
                    id=f"{number}.{place}",
                    name="x",
                    record_in=at,
                    frames=frames,
                    source_in=draw(st.fractions(-2, 120, max_denominator=1001)),
                    media=Media(
                        name="m",
                        kind=kind,
                        path=draw(st.sampled_from(paths)) if kind == "file" else None,
                    ),
                    source_is_timecode=draw(st.booleans()),
                )
            )
            at += frames
        rows.append(
            Track(
                kind=draw(st.sampled_from(["video", "video", "audio"])),
                name=str(number),
                clips=tuple(clips),
            )
        )
    length = max((c.record_out for t in rows for c in t.clips), default=1) + draw(st.integers(0, 5))
    film = Timeline(name="any", rate=draw(rates), start_frame=0, frames=length, tracks=tuple(rows))
    return film, {path: draw(media(path)) for path in paths}


@settings(max_examples=200)
@given(films(), st.sampled_from(sorted(PRESETS)), st.sampled_from([0.5, 3.0, 10.0]))
def test_any_film_is_planned_without_a_hole_an_overlap_or_an_endless_piece(
    any_film, preset, cost_s
):
    film, sources = any_film
    policy = Policy(segment_cost_s=cost_s)
    made = plan(film, sources, preset=PRESETS[preset], policy=policy)
    shown = [segment for segment in made.segments for _ in range(segment.frames)]
    assert len(shown) == film.frames
    assert all(
        segment.record_in + place == frame for frame, (segment, place) in enumerate(placed(made))
    )
    assert [shot.number for shot in made.shots] == list(range(1, len(made.shots) + 1))
    shots = {shot.number: shot for shot in made.shots}
    for segment in made.segments:
        shot = shots[segment.shot]
        assert (
            shot.record_in <= segment.record_in
            and segment.record_in + segment.frames <= shot.record_in + shot.frames
        )
        limit = (
            COPY_FRAMES
            if isinstance(segment.picture, Copy)
            else segment_frames(made.format, PRESETS[preset], policy)
        )
        assert segment.frames <= limit * 3 / 2
        if isinstance(segment.picture, Copy) or (
            isinstance(segment.picture, Piece) and not segment.picture.conform
        ):
            found = sources[segment.picture.path]
            assert isinstance(found, Source) and segment.picture.first_frame >= 0
            assert segment.picture.first_frame + segment.frames <= found.video.frames
        elif isinstance(segment.picture, Piece):
            assert segment.picture.phase_s >= 0 and segment.picture.seek_s >= 0
    slates = {s.shot for s in made.segments if isinstance(s.picture, Slate)}
    assert slates == {number for problem in made.problems for number in problem.shots}, (
        "a slate without a word, or a word without a slate"
    )
    assert {s.shot for s in made.segments if isinstance(s.picture, Black)} == {
        s.number for s in made.shots if s.kind == "gap"
    }
    assert made.samples == (
        sample_at(film.frames, film.rate, made.format.sample_rate) if made.chunks else 0
    )


def placed(made: Plan) -> list[tuple[Segment, int]]:
    return [(segment, place) for segment in made.segments for place in range(segment.frames)]


def test_a_plan_with_a_hole_is_never_rendered():
    made = plan(
        cut([clip(0, 100)], audio=([clip(0, 100)],)), source("/media/a.mov", picture(), voice())
    )
    for broken in (
        {"segments": made.segments[:-1]},
        {"segments": made.segments[1:]},
        {"segments": (*made.segments, made.segments[-1])},
        {"chunks": made.chunks + made.chunks},
        {"samples": made.samples + 1},
        {"frames": made.frames + 1},
    ):
        with pytest.raises(AssertionError):
            planning.check(msgspec.structs.replace(made, **broken))
