"""Figures over all jobs, with the sums written out."""

from __future__ import annotations

import pytest

from core.errors.failure import ErrorType
from core.job.events import (
    GateClosed,
    GateOpened,
    JobFinished,
    ProblemFound,
    RunInterrupted,
    ShotSlated,
)
from core.report.statistics import fell_short_by_user, percentile, statistics
from tests.core.report.telling import (
    ACCEPTED,
    DONE,
    RUN,
    chronicle_of,
    failed,
    failure,
    planned,
    sealed,
)

BEGIN = (ACCEPTED, (0, RUN), planned())
ALL = (sealed(1), sealed(2), sealed(3))
GOOD = chronicle_of(*BEGIN, *ALL, (10, DONE))
LOST = ProblemFound(code="source-missing", path="/m", shots=(1,))
WITHOUT_MEDIA = chronicle_of(
    ACCEPTED, RUN, LOST, planned(), *ALL, JobFinished(outcome="incomplete")
)
NETWORK = failure()
WITHOUT_NETWORK = chronicle_of(
    *BEGIN,
    failed(1, again=False),
    ShotSlated(shot=1, failure=NETWORK),
    *ALL,
    JobFinished(outcome="incomplete"),
)
FULL = failure("scratch-full", ErrorType.SYSTEM_RESOURCE_EXCEEDED, place="scratch")
WITHOUT_SPACE = chronicle_of(
    *BEGIN,
    failed(1, FULL, again=False, fatal=True),
    JobFinished(outcome="failed", code="scratch-full"),
)
STOPPED = chronicle_of(*BEGIN, RunInterrupted(reason="SIGINT"))
REPLACED = chronicle_of(*BEGIN, JobFinished(outcome="superseded"))


def test_no_jobs():
    told = statistics([])
    assert (
        told.jobs,
        told.success_rate,
        told.success_rate_without_users_faults,
        told.overhead,
    ) == (0, None, None, None)
    assert told.recovering.p50_s is None and told.by_fault == {}


def test_success_with_and_without_the_users_faults():
    told = statistics([GOOD, WITHOUT_MEDIA, WITHOUT_NETWORK, WITHOUT_SPACE, STOPPED, REPLACED])
    assert (told.jobs, told.ended, told.users_faults) == (6, 4, 1)
    assert (
        told.success_rate == 1 / 4
        and told.success_rate_without_users_faults == 1 / 3
        and told.film_rate == 3 / 4
    )
    assert told.outcomes == {
        "incomplete": 2,
        "complete": 1,
        "failed": 1,
        "interrupted": 1,
        "superseded": 1,
    }


def test_whose_fault_it_was():
    damaged = failure("source-damaged", ErrorType.PERMANENT_FILE_CORRUPTION)
    spoilt = failure("film-damaged", ErrorType.PERMANENT_FILE_CORRUPTION, place="output")
    asked = failure("output-no-permission", ErrorType.USER_INPUT_INVALID, place="output")
    end = JobFinished(outcome="incomplete")
    assert fell_short_by_user(chronicle_of(*BEGIN, ShotSlated(shot=1, failure=damaged), end))
    both = (ShotSlated(shot=1, failure=damaged), ShotSlated(shot=2, failure=NETWORK))
    assert not fell_short_by_user(chronicle_of(*BEGIN, *both, end))
    for fatal, users in ((spoilt, False), (asked, True), (FULL, False)):
        told = chronicle_of(
            *BEGIN,
            failed(1, fatal, again=False, fatal=True),
            JobFinished(outcome="failed", code=fatal.code),
        )
        assert fell_short_by_user(told) is users, fatal.code
    assert fell_short_by_user(
        chronicle_of(
            ACCEPTED, RUN, LOST, planned(), JobFinished(outcome="failed", code="nothing-to-show")
        )
    )
    assert not fell_short_by_user(GOOD)


def test_time_to_recover_overall_and_by_fault():
    closed = GateClosed(gate="scratch", path="/s", failure=FULL)
    one = chronicle_of(
        *BEGIN,
        (1, failed(1)),
        (3, sealed(1)),
        (4, failed(2)),
        (8, sealed(2)),
        (9, failed(3)),
        (10, RUN),
    )
    two = chronicle_of(*BEGIN, (1, closed), (31, GateOpened(gate="scratch", closed_s=30.0)))
    told = statistics([one, two])
    assert (told.recovering.episodes, told.recovering.cured) == (4, 3)
    assert (told.recovering.p50_s, told.recovering.p95_s, told.recovering.longest_s) == (
        4.0,
        30.0,
        30.0,
    )
    assert list(told.by_fault) == ["network-lost", "scratch-full"]
    lost = told.by_fault["network-lost"]
    assert (lost.episodes, lost.cured, lost.p50_s, lost.p95_s) == (3, 2, 2.0, 4.0)
    assert (told.failures, told.retries) == (3, 3)


def test_what_checkpoints_saved():
    again = chronicle_of(*BEGIN, sealed(1, seconds=5.0, reused=True), sealed(2), (10, DONE))
    told = statistics([again, GOOD])
    assert (told.frames_saved, told.seconds_saved, told.frames_made) == (24, 5.0, 20 + 50)
    assert told.overhead == pytest.approx(0.1) and told.worked_s == 20.0


def test_overhead_is_a_share_of_the_whole_run_and_of_the_work_after_start_up():
    end = JobFinished(
        outcome="complete",
        seconds=6.0,
        startup_s=4.0,
        held_s=0.5,
        startup_held_s=0.2,
        overhead_cpu_s=0.3,
        cpu_s=10.0,
    )
    one = chronicle_of(*BEGIN, *ALL, (10, end))
    took = one.figures
    assert (
        took.overhead,
        took.overhead_of_work,
        took.overhead_cpu,
        took.startup_s,
    ) == pytest.approx((0.05, 0.05, 0.03, 4.0))
    told = statistics([one, one])
    assert (told.overhead, told.overhead_of_work, told.startup_s) == pytest.approx(
        (0.05, 0.05, 8.0)
    )
    older = chronicle_of(
        *BEGIN, *ALL, (10, JobFinished(outcome="complete", seconds=5.0, held_s=0.5))
    ).figures
    assert (older.overhead, older.overhead_of_work, older.startup_s) == pytest.approx(
        (0.1, 0.1, 0.0)
    )


@pytest.mark.parametrize(
    ("values", "share", "wanted"),
    [
        ([], 0.5, None),
        ([3], 0.95, 3),
        ([4, 1, 3, 2], 0.5, 2),
        (list(range(1, 21)), 0.95, 19),
        (list(range(1, 101)), 0.95, 95),
    ],
)
def test_percentiles_are_figures_that_occurred(values, share, wanted):
    assert percentile(values, share) == wanted
