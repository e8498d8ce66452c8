"""Damage named to the frame, in words and numbers."""

from __future__ import annotations

from fractions import Fraction

from core.errors.failure import ErrorType, Evidence, Failure
from core.job.events import ShotMended, ShotSlated, SoundSilenced
from core.job.state import JobState
from core.report.repair_text import repairs, words
from tests.core.props import BUILD, POLICY, PRORES, SLATES, clip, cut, picture, plan, source, voice

MEDIA = source("/media/a.mov", picture(), voice(), timecode_s=Fraction(3600))
SEEN = Evidence(operation="render", place="source", path="/media/a.mov")
FAILURE = Failure(type=ErrorType.PERMANENT_FILE_CORRUPTION, code="source-damaged", evidence=SEEN)


def state() -> JobState:
    made = plan(
        cut([clip(0, 24), clip(24, 40, source_in=2)], audio=([clip(0, 64, id="a1")],)), MEDIA
    )
    return JobState(
        plan=made, preset=PRORES, policy=POLICY, build=BUILD, slate_words=SLATES, claimed={}
    )


def test_a_run_of_frames_is_named_in_the_film_and_in_its_file():
    played = state()
    key = played.plan.segments[1].key
    assert repairs(played) == []
    played.fold(
        ShotMended(
            shot=2,
            key=key,
            bad=((11, 6), (30, 1)),
            failure=FAILURE,
            source_frame=59,
            last_good="/p.jpg",
        )
    )
    first, second = repairs(played)
    assert (first.shot, first.first, first.frames, first.begin, first.end) == (
        2,
        11,
        6,
        "01:00:01:11",
        "01:00:01:17",
    )
    assert (first.source_frame, first.source_timecode, first.last_good) == (
        59,
        "01:00:02:11",
        "/p.jpg",
    )
    assert (second.source_frame, second.frames, second.last_good) == (78, 1, "")
    said = words(first)
    assert said.message == (
        "Only some frames of /media/a.mov are bad, first at 01:00:02:11 of the file, 01:00:01:11 of the film: "
        "shot 2, frames 12 to 17 of 40, from source frame 59."
    )
    assert "Einstellung 2, Bild 31 von 40" in words(repairs(played, "de")[1], "de").message
    played.fold(ShotSlated(shot=2, failure=FAILURE))
    assert repairs(played) == [], "it was given up as a whole"


def test_a_stretch_of_silence_is_named_by_its_record_frames():
    played = state()
    played.fold(SoundSilenced(clip="a1", failure=FAILURE, first_sample=48000, samples=2001))
    (found,) = repairs(played)
    assert (found.shot, found.clip, found.first, found.frames) == (0, "a1", 24, 2)
    assert (
        words(found).code == "sound-mended" and "01:00:01:00 – 01:00:01:02" in words(found).message
    )
