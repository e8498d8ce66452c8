"""A reply goes on with its film: also when the film is incomplete, and an answer has its job go on and make it right."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from bridge.protocol.requests import Answer
from tests.bridge.daemon.test_daemon_story import cut_of
from tests.film.media import Movie
from tests.film.timelines import timeline


def _with_one_missing(reel: Movie, saved: Path, folder: Path) -> Path:
    """A cut of two clips; the file of the second, which is not there."""
    late = folder / "late.mov"
    line = timeline(Fraction(24))
    video = line.video()
    for path in (reel.path, late):
        video.clip(path, 0, 10, media_frames=72)
    line.save(saved)
    return late


@pytest.mark.parametrize("how", ["by one keeper", "by the next keeper", "while another drop works"])
def test_the_reply_follows_its_job_after_an_answer(doors, reel, tmp_path, how):
    late = _with_one_missing(reel, doors.inbox / "late.otio", tmp_path)
    doors.keep(doors.ended("late.otio"))
    first = doors.reply("late.otio")
    assert first["state"] == "incomplete"
    shutil.copy(reel.path, late)
    answered = []
    if how == "while another drop works":
        cut_of(reel, doors.inbox / "other.otio", 12)

    def answer_once() -> bool:
        if not answered and (how != "while another drop works" or doors.reply("other.otio")):
            with doors.house.client() as client:
                answered.append(
                    client.ask(
                        Answer(request="a", job=str(first["job"]), about="all", answer="retry")
                    )
                )
        return bool(answered) and (
            how == "by the next keeper" or doors.reply("late.otio")["state"] == "complete"
        )

    doors.keep(answer_once)
    doors.keep(doors.ended("late.otio"))
    doors.keep(lambda: doors.reply("late.otio")["state"] == "complete")
    said = doors.reply("late.otio")
    assert (
        said["job"] == first["job"]
        and said["submission"] == first["submission"]
        and not said["findings"]
    )
    assert said["ended"] and said["shots_missing"] == 0


def test_a_reply_that_was_removed_is_not_written_again_when_the_film_is_made_right(
    doors, reel, tmp_path
):
    late = _with_one_missing(reel, doors.inbox / "read.otio", tmp_path)
    doors.keep(doors.ended("read.otio"))
    first = doors.reply("read.otio")
    for path in doors.inbox.glob("read.otio.reply.*"):
        path.unlink()
    shutil.copy(reel.path, late)
    with doors.house.client() as client:
        client.ask(Answer(request="a", job=str(first["job"]), about="all", answer="retry"))
    doors.keep(lambda: {line.state for line in doors.new()} == {"complete"})
    assert not doors.reply("read.otio")
