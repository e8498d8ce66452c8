"""Checkpoints, derived from the facts. The names are fixed: other programs and people's scripts read them."""

from __future__ import annotations

from typing import get_args

import msgspec

from core.errors.failure import ErrorType, Strategy
from core.job.checkpoint import Checkpoint, JobState, Step
from core.job.events import (
    GateClosed,
    GateOpened,
    ProblemFound,
    Rewound,
    RunInterrupted,
    SealBroken,
    SegmentParted,
    ShotSlated,
)
from core.report.checkpoints import checkpoints, timestamp
from tests.core.job.playbook import seal
from tests.core.report.telling import ACCEPTED, PLAN, RUN, failure, key, planned, sealed, story

BEGIN = (ACCEPTED, (0, RUN), planned())
SOUND = msgspec.structs.replace(seal("sound"), key="sound", kind="audio", shot=0)


def told(*facts, plan=PLAN):
    return checkpoints("abc", story(*facts), lambda cut: plan)


def test_the_names_are_fixed():
    assert Checkpoint.__struct_fields__ == (
        "id",
        "job_id",
        "current_step",
        "completed_shots",
        "timestamp",
        "state",
    )
    assert Step.__struct_fields__ == ("kind", "shot", "done", "of") and get_args(JobState) == (
        "working",
        "waiting",
    )
    assert [kind.value for kind in ErrorType] == [
        "transient_network", "transient_resource", "permanent_file_corruption", "user_input_invalid", "system_resource_exceeded",
        "hardware_failure",
    ]  # fmt: skip
    assert [strategy.value for strategy in Strategy] == [
        "retry_with_backoff", "wait_and_retry", "skip_and_report", "provide_user_feedback", "cleanup_and_retry",
        "graceful_degradation",
    ]  # fmt: skip


def test_every_seal_is_one_with_what_was_complete_then():
    points = told(*BEGIN, (2, sealed(1)), (3, SOUND), (4, sealed(3)), (5, sealed(2)))
    pieces = len(PLAN.segments) + len(PLAN.chunks)
    assert [point.current_step for point in points] == [
        Step(kind="shot", shot=1, done=1, of=pieces), Step(kind="sound", shot=0, done=2, of=pieces),
        Step(kind="shot", shot=3, done=3, of=pieces), Step(kind="shot", shot=2, done=4, of=pieces),
    ]  # fmt: skip
    assert [point.completed_shots for point in points] == [(1,), (1,), (1, 3), (1, 2, 3)]
    assert {point.job_id for point in points} == {"abc"} and len(
        {point.id for point in points}
    ) == 4
    assert all(point.id.startswith("abc-") for point in points)


def test_a_time_is_utc():
    assert (
        timestamp(0.0) == "1970-01-01T00:00:00.000Z"
        and timestamp(1.2345) == "1970-01-01T00:00:01.234Z"
    )
    assert timestamp(1_796_000_000.5) == "2026-11-30T00:53:20.500Z"


def test_the_state_is_the_jobs():
    closed = GateClosed(gate="output:/films", path="/films", failure=failure())
    points = told(
        *BEGIN,
        sealed(1),
        closed,
        sealed(2),
        GateOpened(gate="output:/films", closed_s=3.0),
        sealed(3),
    )
    assert [point.state for point in points] == ["working", "waiting", "working"]


def test_a_shot_is_complete_with_its_last_piece_and_never_as_a_slate():
    half = msgspec.structs.replace(sealed(1), key="left", frames=12)
    other = msgspec.structs.replace(half, key="right")
    points = told(*BEGIN, SegmentParted(key=key(1), at=12), half, sealed(2), other)
    assert [point.completed_shots for point in points] == [(), (2,), (1, 2)]
    slate = ShotSlated(shot=2, failure=failure())
    problem = ProblemFound(code="source-missing", path="/a.mov", shots=(2,))
    for bad in (slate, problem):
        assert told(*BEGIN, sealed(1), bad, sealed(2))[-1].completed_shots == (1,)


def test_what_does_not_hold_any_more_is_no_checkpoint():
    broken = told(*BEGIN, sealed(1), sealed(2), SealBroken(key=key(1), reason="x"))
    assert [point.current_step.shot for point in broken] == [2]
    points = told(*BEGIN, sealed(1), sealed(2))
    first = int(points[0].id.rpartition("-")[2])
    again = told(*BEGIN, sealed(1), sealed(2), Rewound(checkpoint=first, keys=(key(2),)))
    assert again == points[:1]


def test_a_new_run_begins_with_nothing_until_its_seals_were_verified():
    points = told(
        *BEGIN,
        sealed(1),
        sealed(2),
        RunInterrupted(reason="x"),
        RUN,
        planned(),
        sealed(1, reused=True),
    )
    assert [point.completed_shots for point in points] == [(1,), (1, 2), (1,)]


def test_without_a_kept_plan_a_shot_counts_with_its_first_piece():
    assert told(*BEGIN, sealed(1), sealed(2), plan=None)[-1].completed_shots == (1, 2)
