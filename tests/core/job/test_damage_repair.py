"""What is good of a damaged segment becomes pieces that read nothing of the damage, and the rest slates that say what it was."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors.failure import ErrorType, Evidence, Failure
from core.graph.nodes import Copy, Piece, Plan, Segment, Slate
from core.job import damage_repair
from core.job.events import SegmentParted, ShotMended, SoundSilenced
from core.plan import planning
from tests.core.props import (
    BUILD,
    PRORES,
    SIGNATURE,
    SLATES,
    clip,
    cut,
    picture,
    plan,
    source,
    voice,
)

MEDIA = source("/media/a.mov", picture(), voice(), timecode_s=Fraction(3600))
AT = Fraction(45, 24)
"""Where a segment begins, so that so short a shot is in one piece."""
SAME = source("/media/same.mov", picture(signature=SIGNATURE, intra_only=True))
FAILURE = Failure(
    type=ErrorType.PERMANENT_FILE_CORRUPTION,
    code="source-damaged",
    evidence=Evidence(operation="render", place="source"),
)


def mended(made: Plan, bad: tuple[tuple[int, int], ...], key: str = "") -> Plan:
    key = key or made.segments[0].key
    mend = ShotMended(shot=1, key=key, bad=bad, failure=FAILURE)
    return damage_repair.mended(
        made, {key: mend}, {}, preset=PRORES, build=BUILD, slate_words=SLATES
    )


def piece(segment: Segment) -> Piece:
    assert isinstance(segment.picture, Piece)
    return segment.picture


@given(st.integers(1, 40), st.sets(st.integers(0, 39)))
def test_good_and_bad_runs_are_all_of_it(frames, flags):
    bad: list[tuple[int, int]] = []
    for place in sorted(flag for flag in flags if flag < frames):
        if bad and sum(bad[-1]) == place:
            bad[-1] = (bad[-1][0], bad[-1][1] + 1)
        else:
            bad.append((place, 1))
    good = damage_repair.good_runs(bad, frames)
    covered = sorted(
        place for first, length in [*good, *bad] for place in range(first, first + length)
    )
    assert covered == list(range(frames)) and all(length > 0 for _, length in good)


def test_pieces_read_nothing_of_what_stands_beside_them():
    made = plan(cut([clip(0, 40, source_in=AT)]), MEDIA)
    before, slate, after = mended(made, ((10, 5),)).segments
    assert [(s.record_in, s.frames) for s in (before, slate, after)] == [(0, 10), (10, 5), (15, 25)]
    first, last = piece(before), piece(after)
    half_s = Fraction(1, 48)
    assert (first.from_s, first.until_s) == (None, AT + Fraction(10, 24) - half_s)
    assert (last.from_s, last.until_s) == (AT + Fraction(15, 24) - half_s, None)
    assert (first.first_frame, last.first_frame) == (45, 60)
    assert (first.shown_s, last.shown_s) == (
        AT,
        AT + Fraction(15, 24),
    ) and last.seek_s < last.shown_s
    assert first.run_up_s > 0 and last.run_up_s == 0, "what stands before it is what is damaged"


def test_the_slate_says_which_frames_it_stands_for():
    made = plan(cut([clip(0, 40, source_in=AT)]), MEDIA)
    _, slate, _ = mended(made, ((10, 5),)).segments
    assert isinstance(slate.picture, Slate)
    assert slate.picture.lines == (
        "Shot 1: a.mov", "<source-damaged>", "01:00:00:10 to 01:00:00:15", "source frame 55, 01:00:02:07", "/media/a.mov",
    )  # fmt: skip


def test_copies_are_narrowed_by_their_packets():
    made = plan(cut([clip(0, 40, "/media/same.mov", source_in=2)]), SAME)
    slate, after = mended(made, ((0, 1),)).segments
    assert isinstance(slate.picture, Slate) and isinstance(after.picture, Copy)
    assert (after.picture.first_frame, after.frames) == (49, 39)


def test_a_mended_piece_can_be_mended_and_parted_again():
    made = plan(cut([clip(0, 40)]), MEDIA)
    damage = damage_repair.Damage()
    damage.fold(ShotMended(shot=1, key=made.segments[0].key, bad=((10, 5),), failure=FAILURE))
    first = damage.applied(made, preset=PRORES, build=BUILD, slate_words=SLATES)
    damage.fold(SegmentParted(key=first.segments[2].key, at=12))
    second = damage.applied(made, preset=PRORES, build=BUILD, slate_words=SLATES)
    damage.fold(ShotMended(shot=1, key=second.segments[3].key, bad=((12, 1),), failure=FAILURE))
    third = damage.applied(made, preset=PRORES, build=BUILD, slate_words=SLATES)
    planning.check(third)
    rows = [(s.frames, isinstance(s.picture, Slate)) for s in third.segments]
    assert rows == [(10, False), (5, True), (12, False), (12, False), (1, True)]
    damage.forget(1)
    assert [
        s.frames
        for s in damage.applied(made, preset=PRORES, build=BUILD, slate_words=SLATES).segments
    ] == [40]


@pytest.mark.parametrize("begun_anew", [1, 2])
def test_equal_shots_are_mended_and_begun_anew_together(begun_anew):
    made = plan(cut([clip(0, 40), clip(40, 40)]), MEDIA)
    key = made.segments[0].key
    damage = damage_repair.Damage()
    for shot in (1, 2):
        damage.fold(ShotMended(shot=shot, key=key, bad=((4, 6),), failure=FAILURE))
    assert set(damage.shots) == {1, 2}
    damage.forget(begun_anew)
    assert damage.shots == {}
    assert (
        damage.applied(made, preset=PRORES, build=BUILD, slate_words=SLATES).segments
        == made.segments
    )


@pytest.mark.parametrize(
    ("bad", "enough"),
    [(((0, 35),), False), (((0, 34),), True), (((5, 5), (15, 5), (25, 15)), False)],
)
def test_a_quarter_of_a_second_in_one_run_is_worth_keeping(bad, enough):
    made = plan(cut([clip(0, 40)]), MEDIA)
    assert damage_repair.keeps_enough(mended(made, bad), 1) is enough


def test_silence_cuts_a_sound_in_two_that_stay_in_time():
    made = plan(
        cut([clip(0, 1)], audio=([clip(0, 48, id="a", source_in=1)], [clip(0, 48, id="b")])), MEDIA
    )
    silence = SoundSilenced(clip="a", failure=FAILURE, first_sample=1000, samples=500)
    (chunk,) = damage_repair.hushed(made, [silence], preset=PRORES).chunks
    assert [(s.clip, s.at, s.samples, s.source_in_s) for s in chunk.sounds] == [
        ("a", 0, 1000, 1), ("a", 1500, 94500, 1 + Fraction(1500, 48000)), ("b", 0, 96000, 0),
    ]  # fmt: skip
    assert chunk.key != made.chunks[0].key
    whole = SoundSilenced(clip="a", failure=FAILURE, first_sample=0, samples=96000)
    (chunk,) = damage_repair.hushed(made, [silence, whole], preset=PRORES).chunks
    assert [s.clip for s in chunk.sounds] == ["b"]


def test_what_is_given_up_of_a_chunk_is_what_the_evidence_names():
    made = plan(cut([clip(0, 1)], audio=([clip(0, 24, id="a")], [clip(0, 48, id="b")])), MEDIA)
    (chunk,) = made.chunks

    def given_up(**seen: object) -> list[tuple[str, int, int]]:
        evidence = msgspec.structs.replace(FAILURE.evidence, **seen)
        failure = msgspec.structs.replace(FAILURE, evidence=evidence)
        return [(s.clip, s.first_sample, s.samples) for s in damage_repair.silences(chunk, failure)]

    assert given_up(clip="a") == [("a", 0, 48000)]
    assert given_up(clip="b", bad=((40, 60), (95000, 9000))) == [("b", 40, 60), ("b", 95000, 1000)]
    assert given_up() == [("a", 0, 48000), ("b", 0, 96000)]
    assert given_up(clip="a", bad=((90000, 10),)) == [("a", 0, 48000)], (
        "something is always given up"
    )
