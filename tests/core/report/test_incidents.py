"""Trouble from its beginning to its end, in seconds of work."""

from __future__ import annotations

import pytest

from core.errors.failure import Recovery, Strategy
from core.job.events import (
    ClockJumped,
    GateClosed,
    GateOpened,
    PreviousUsed,
    RunInterrupted,
    ShotMended,
    ShotSlated,
)
from core.job.retry_policy import SMALLER
from core.report.incidents import episodes, runs, troubled_s
from tests.core.report.telling import ACCEPTED, JOINED, RUN, failed, failure, key, sealed, story

BEGIN = (ACCEPTED, (0, RUN))


def ends(*told: object) -> list[tuple[str, str, float, int]]:
    return [(e.code, e.ending, e.seconds, e.failures) for e in episodes(story(*BEGIN, *told))]


def test_from_the_first_failure_to_the_seal():
    assert ends((2, failed(1)), (3, failed(1, attempt=2)), (7, sealed(1))) == [
        ("network-lost", "cured", 5.0, 2)
    ]


def test_the_code_is_that_of_the_first_failure():
    told = (
        (2, failed(1, failure("disk-slow"))),
        (3, failed(1, failure("scratch-full"), attempt=2)),
        (4, sealed(1)),
    )
    assert ends(*told) == [("disk-slow", "cured", 2.0, 2)]


def test_another_shot_ends_nothing_and_what_is_not_over_lasts_until_the_last_fact():
    assert ends((2, failed(1)), (5, sealed(2))) == [("network-lost", "open", 3.0, 1)]


def test_trouble_after_the_cure_is_another_episode():
    told = ((1, failed(1)), (2, sealed(1)), (3, failed(1)), (6, sealed(1)))
    assert [row[1:3] for row in ends(*told)] == [("cured", 1.0), ("cured", 3.0)]


@pytest.mark.parametrize(
    "fact",
    [
        ShotSlated(shot=1, failure=failure()),
        ShotMended(shot=1, key=key(1), bad=((3, 2),), failure=failure()),
        PreviousUsed(shot=1, seals=(sealed(1),), job="x"),
    ],
    ids=lambda fact: type(fact).__name__,
)
def test_a_stand_in_is_no_cure(fact):
    assert ends((1, failed(1)), (2, failed(1, attempt=2, again=False)), (2, fact)) == [
        ("network-lost", "stand-in", 1.0, 2)
    ]


def test_what_was_given_up_and_made_by_a_later_run_is_cured_and_nights_are_not_work():
    told = (
        (1, failed(1, again=False, fatal=True)),
        (2, RunInterrupted(reason="SIGINT")),
        (50_000, RUN),
        (50_003, sealed(1)),
    )
    assert ends(*told) == [("network-lost", "cured", 4.0, 1)]


def test_given_up_for_good():
    assert ends((1, failed(1, again=False, fatal=True)), (9, sealed(2))) == [
        ("network-lost", "given up", 0.0, 1)
    ]


@pytest.mark.parametrize(("given_up", "ending"), [(False, "cured"), (True, "given up")])
def test_a_gate_from_its_closing_to_its_opening(given_up, ending):
    closed = GateClosed(gate="scratch", path="/scratch", failure=failure("scratch-full"))
    opened = GateOpened(gate="scratch", closed_s=4.0, given_up=given_up)
    assert ends((1, closed), (5, opened)) == [("scratch-full", ending, 4.0, 1)]


def test_a_join_that_failed_is_cured_by_the_film():
    join = failed(1).__class__(
        key="cut",
        shot=0,
        attempt=1,
        at=0.0,
        failure=failure("output-full"),
        recovery=failed(1).recovery,
    )
    assert ends((1, join), (4, JOINED)) == [("output-full", "cured", 3.0, 1)]


def test_sleep_is_not_work():
    told = ((1, failed(1)), (3602, ClockJumped(by_s=3600.0, slept=True)), (3604, sealed(1)))
    assert ends(*told) == [("network-lost", "cured", 3.0, 1)]
    (run,) = runs(story(*BEGIN, *told))
    assert run.seconds == 4.0


def test_a_clock_that_was_set_back_costs_no_time():
    told = ((1, failed(1)), (-3598, ClockJumped(by_s=-3600.0)), (-3596, sealed(1)))
    assert ends(*told) == [("network-lost", "cured", 3.0, 1)]


def test_runs_have_their_own_lengths():
    told = runs(story(*BEGIN, (4, sealed(1)), (100, RUN), (102, sealed(2))))
    assert [run.seconds for run in told] == [4.0, 2.0]
    assert runs(story(ACCEPTED)) == ()


def test_troubles_at_once_count_once():
    told = episodes(
        story(
            *BEGIN,
            (1, failed(1)),
            (2, failed(2)),
            (4, sealed(1)),
            (6, sealed(2)),
            (8, failed(1)),
            (9, sealed(1)),
        )
    )
    assert troubled_s(told) == 6.0
    assert troubled_s([]) == 0.0


def test_work_that_waits_at_a_gate_is_the_gates_trouble():
    import msgspec

    held = msgspec.structs.replace(
        failed(1), recovery=Recovery(strategy=Strategy.WAIT_AND_RETRY, gate="scratch")
    )
    closed = GateClosed(gate="scratch", path="/scratch", failure=failure("scratch-full"))
    told = ((1, held), closed, (5, GateOpened(gate="scratch", closed_s=4.0)), (6, sealed(1)))
    assert ends(*told) == [("scratch-full", "cured", 4.0, 1)]


def test_work_that_was_parted_is_cured_by_the_last_of_its_parts():
    import msgspec

    parted = msgspec.structs.replace(
        failed(1),
        recovery=Recovery(strategy=Strategy.CLEANUP_AND_RETRY, retry_at=1.0, change=SMALLER),
    )
    one, two = (
        msgspec.structs.replace(sealed(1), key=name, frames=12) for name in ("v-one", "v-two")
    )
    assert ends((1, parted), (3, one), (6, two)) == [("network-lost", "cured", 5.0, 1)]
