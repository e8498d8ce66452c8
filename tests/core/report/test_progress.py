"""What a display sees of a job: counted from the state and from what is under way, never remembered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.report.progress import Snapshot, snapshot
from tests.core.job.playbook import (
    Playbook,
    broken,
    failed,
    finished,
    joined,
    made,
    play,
    published,
    slated,
)
from tests.core.props import clip, cut, picture, source, voice

MEDIA = source("/media/a.mov", picture(), voice())
FILM = cut(
    [clip(0, 24, name="A001"), clip(24, 20, source_in=10, name="B002")],
    audio=([clip(0, 24)],),
    frames=50,
)
"""Two shots and a gap of 6 frames."""


def look(
    book: Playbook, under_way: dict[str, int] | None = None, *, elapsed_s: float = 10.0
) -> Snapshot:
    flying = {
        f"{word.split()[0]}:{book.key(word)}": frames for word, frames in (under_way or {}).items()
    }
    return snapshot(book.state, flying, elapsed_s, book.now)


def test_at_the_beginning_there_is_everything_to_do():
    seen = look(play(FILM, MEDIA), elapsed_s=0.0)
    assert (
        seen.phase,
        seen.frames,
        seen.frames_done,
        seen.shots,
        seen.shots_done,
        seen.shots_missing,
    ) == ("assemble", 50, 0, 3, 0, 0)
    assert (seen.left_s, seen.frames_per_s, seen.working_on, seen.waiting_s) == (None, 0.0, (), 0.0)


def test_frames_under_way_count_and_the_speed_follows():
    book = play(FILM, MEDIA) >> made("render 2")
    seen = look(book, {"render 1": 10}, elapsed_s=5.0)
    assert (seen.frames_done, seen.shots_done) == (30, 1)
    assert seen.frames_per_s == pytest.approx(6.0)
    assert seen.left_s == pytest.approx(20 / 6.0)
    assert seen.working_on == ("shot 1 A001",)


def test_nothing_is_foretold_in_the_first_second():
    assert look(play(FILM, MEDIA), {"render 1": 10}, elapsed_s=0.9).left_s is None


def test_no_segment_counts_more_frames_than_it_has():
    assert look(play(FILM, MEDIA), {"render 1": 99}).frames_done == 24


def test_checkpoints_of_an_earlier_run_are_no_speed():
    book = play(FILM, MEDIA, claimed=("render 1",))
    seal = book.state.claimed[book.key("render 1")]
    book >> type(seal)(**{**{f: getattr(seal, f) for f in seal.__struct_fields__}, "reused": True})
    seen = look(book, {"render 2": 10}, elapsed_s=5.0)
    assert (seen.reused_frames, seen.frames_done) == (24, 34)
    assert seen.frames_per_s == pytest.approx(2.0)


def test_everything_under_way_is_named_once():
    book = play(FILM, MEDIA, claimed=("render 1",))
    seen = look(book, {"render 3": 0, "mix 1": 0, "validate render 1": 0, "render 2": 0})
    assert seen.working_on == ("shot 3 gap", "sound", "checkpoints", "shot 2 B002")
    assert seen.shots_now == (2, 3)


def test_no_field_has_the_name_of_what_stands_beside_it_in_a_line_of_json():
    """A line of --json is {"event": ..., "job": ..., "at": ..., **snapshot}: a field `at` once took the moment's place."""
    assert not {"event", "job", "at"} & set(look(play(FILM, MEDIA)).__struct_fields__)


def test_joining_is_the_last_phase_but_one():
    book = (
        play(FILM, MEDIA)
        >> made("mix 1")
        >> made("render 1")
        >> made("render 2")
        >> made("render 3")
    )
    assert (look(book).phase, look(book).frames_done, look(book).left_s) == ("assemble", 50, 0.0)
    seen = look(book, {"join": 17})
    assert (seen.phase, seen.working_on, seen.frames_done) == ("join", ("joining the film",), 50)
    assert look(book >> joined).phase == "publish"
    assert look(book >> published >> finished).phase == "done"


def test_waiting_is_told_when_nobody_works_and_counts_from_now():
    book = play(FILM, MEDIA) >> failed("render 1", again_in=2.0) >> failed("render 2", again_in=7.0)
    assert look(book).waiting_s == pytest.approx(2.0)
    assert look(book, {"render 3": 0}).waiting_s == 0.0
    assert look(book.after(3.0)).waiting_s == pytest.approx(4.0), (
        "the first need not wait any longer"
    )
    assert look(book.after(60.0)).waiting_s == 0.0


def test_a_slate_counts_as_missing_and_as_done_once_it_is_made():
    book = play(FILM, MEDIA) >> slated(2)
    assert (look(book).shots_missing, look(book).shots_done) == (1, 0)
    assert look(book >> made("render 2")).shots_done == 1


def test_a_checkpoint_that_broke_is_not_done():
    book = play(FILM, MEDIA) >> made("render 1") >> broken("render 1")
    assert (look(book).frames_done, look(book).shots_done) == (0, 0)


@given(
    st.lists(st.sampled_from(["render 1", "render 2", "render 3", "mix 1"]), unique=True),
    st.integers(0, 100),
    st.floats(0, 1e6),
)
def test_frames_done_are_never_more_than_there_are_and_never_less_than_none(
    ready, frames, elapsed_s
):
    book = play(FILM, MEDIA)
    for word in ready:
        book >> made(word)
    under_way = {word: frames for word in ("render 1", "render 2", "mix 1") if word not in ready}
    seen = look(book, under_way, elapsed_s=elapsed_s)
    assert 0 <= seen.frames_done <= seen.frames
    assert seen.left_s is None or seen.left_s >= 0
