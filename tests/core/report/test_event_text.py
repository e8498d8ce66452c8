"""Every fact is a sentence."""

from __future__ import annotations

from typing import get_args

import pytest

from core.errors.failure import Recovery, Strategy
from core.job.events import (
    Answered,
    ClockJumped,
    Fact,
    FilmRemoved,
    FilmRolledBack,
    FolderRecorded,
    GateClosed,
    GateOpened,
    JobFinished,
    PreviousUsed,
    ProblemFound,
    ReplacementAllowed,
    Rewound,
    RunInterrupted,
    SealBroken,
    SegmentParted,
    ShotDegraded,
    ShotMended,
    ShotSlated,
    SoundSilenced,
    SourceMoved,
)
from core.report import event_text
from core.report.event_text import sentence
from core.system.folder import FolderIdentity
from tests.core.report.telling import (
    ACCEPTED,
    JOINED,
    PUBLISHED,
    RUN,
    failed,
    failure,
    planned,
    sealed,
)

TOLD: tuple[tuple[Fact, str], ...] = (
    (ACCEPTED, "Asked for /films/film.mov (prores-hq) from Reel, /cuts/reel.otio."),
    (
        FolderRecorded(
            role="film", folder=FolderIdentity(path="/films", mount="/Volumes/F"), by_person=True
        ),
        "The film's folder is /films, on /Volumes/F, accepted as it is now.",
    ),
    (RUN, "Work began (Hotsplice 1, ffmpeg 9, 2 at once)."),
    (planned(), "Planned 3 shots, 50 frames from 01:00:00:00 in 3 segments and"),
    (
        ProblemFound(code="source-missing", path="/m/a", shots=(1, 2)),
        "Shots 1, 2: media offline. /m/a is not there.",
    ),
    (sealed(1), "Checkpoint sealed: shot 1, 24 frames."),
    (sealed(1, reused=True), "Checkpoint verified again: shot 1, 24 frames."),
    (
        SealBroken(key="k", reason="its bytes have changed"),
        "A checkpoint is not believed (its bytes have changed)",
    ),
    (failed(1), "Shot 1: attempt 1 failed, network share lost (transient_network, network-lost):"),
    (ShotSlated(shot=3, failure=failure()), "Shot 3 is a slate: network share lost."),
    (
        ShotMended(shot=1, key="k", bad=((2, 3), (9, 1)), failure=failure(), source_frame=12),
        "Shot 1 is mended: 4 frames are slates, from frame 12 of its source",
    ),
    (
        SegmentParted(key="v1", at=24),
        "A piece failed though every frame of it can be had; it is made in two, the second from its frame 24",
    ),
    (
        ShotDegraded(shot=1, change="software decoding", failure=failure()),
        "Shot 1 was made in another way (software decoding)",
    ),
    (
        PreviousUsed(shot=1, seals=(sealed(1), sealed(2)), job="j1"),
        "Shot 1 shows its earlier good render, 44 frames of job j1.",
    ),
    (SoundSilenced(clip="c1", failure=failure()), "Silence for c1: network share lost."),
    (
        GateClosed(gate="source:/Volumes/A", path="/x", failure=failure()),
        "Waiting for the drive /Volumes/A: network share lost.",
    ),
    (GateOpened(gate="scratch", closed_s=3.25), "The scratch disk is well again after 3.2 s"),
    (
        GateOpened(gate="machine", closed_s=60.0, given_up=True),
        "Waited 60.0 s for the machine, long enough",
    ),
    (Answered(answer="relink", path="/a", to="/b"), "Answered for /a: use another file, /b."),
    (
        Answered(answer="skip", code="source-missing", remembered=True),
        "Answered for source-missing: leave it as a slate (as always).",
    ),
    (
        SourceMoved(path="/a", to="/b", how="mhl"),
        "/a was found at /b, by a hash in an MHL history.",
    ),
    (ClockJumped(by_s=60.0, slept=True), "The machine slept for 60 s."),
    (ClockJumped(by_s=-60.0), "The machine had its clock set by -60 s."),
    (JOINED, "Joined and checked whole: 50 frames"),
    (PUBLISHED, "Published as /films/film.mov."),
    (FilmRemoved(path="/f", film_hash="a"), "Removed /f: the complete film is newer."),
    (ReplacementAllowed(), "Allowed to replace a complete film"),
    (
        FilmRolledBack(output="/f", film_hash="a", kept_hash="b"),
        "Rolled back /f to the film before.",
    ),
    (
        JobFinished(outcome="failed", code="scratch-full", seconds=1.0),
        "Ended failed after 1.0 s: scratch disk full.",
    ),
    (RunInterrupted(reason="SIGTERM"), "Stopped on request (SIGTERM)."),
    (
        Rewound(checkpoint=4, keys=("a",)),
        "Taken back to checkpoint 4: 1 later ones are made again.",
    ),
)


@pytest.mark.parametrize(("fact", "words"), TOLD, ids=lambda value: type(value).__name__)
def test_a_fact_is_told(fact, words):
    assert sentence(fact).startswith(words)


def test_no_kind_of_fact_is_left_out():
    assert {type(fact) for fact, _ in TOLD} == set(get_args(Fact))


@pytest.mark.parametrize(
    ("recovery", "words"),
    [
        (Recovery(strategy=Strategy.WAIT_AND_RETRY, retry_at=1.0), "tried again"),
        (
            Recovery(strategy=Strategy.CLEANUP_AND_RETRY, retry_at=1.0, change="fewer workers"),
            "tried again, changed: fewer workers",
        ),
        (
            Recovery(strategy=Strategy.WAIT_AND_RETRY, gate="scratch"),
            "the scratch disk is waited for",
        ),
        (Recovery(strategy=Strategy.PROVIDE_USER_FEEDBACK, fatal=True), "the job stops"),
        (Recovery(strategy=Strategy.SKIP_AND_REPORT), "given up"),
    ],
)
def test_what_was_done(recovery, words):
    assert event_text.done(recovery) == words


def test_every_strategy_and_answer_has_words():
    for strategy in Strategy:
        assert "_" not in event_text.strategy(Recovery(strategy=strategy))
    for answer in ("retry", "relink", "skip", "previous", "stop"):
        assert sentence(Answered(answer=answer, shot=1)).startswith("Answered for shot 1: ")
