"""Failure and history to one of six strategies. The numbers are worked by hand from this policy: four attempts, delays of
up to 0.2 x 2^attempt seconds and 5 at most, 25 seconds in all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decide.diagnosis import TABLE
from core.decide.recovery import backoff_s, recover
from core.model.failure import ErrorType, Evidence, Failure, Recovery, Strategy
from tests.core.props import POLICY

NOW = 1000.0
NETWORK, BUSY, CORRUPT, INPUT, SPACE, HARDWARE = (
    ErrorType.TRANSIENT_NETWORK, ErrorType.TRANSIENT_RESOURCE, ErrorType.PERMANENT_FILE_CORRUPTION, ErrorType.USER_INPUT_INVALID,
    ErrorType.SYSTEM_RESOURCE_EXCEEDED, ErrorType.HARDWARE_FAILURE,
)  # fmt: skip
BACKOFF, WAIT, SKIP, TELL, CLEANUP, DEGRADE = (
    Strategy.RETRY_WITH_BACKOFF, Strategy.WAIT_AND_RETRY, Strategy.SKIP_AND_REPORT, Strategy.PROVIDE_USER_FEEDBACK,
    Strategy.CLEANUP_AND_RETRY, Strategy.GRACEFUL_DEGRADATION,
)  # fmt: skip


def after(
    kind: ErrorType, attempt: int, *, code: str = "some-code", place: str = "source", since_s: float = 0.0, chance: float = 0.5
) -> Recovery:
    failure = Failure(type=kind, code=code, evidence=Evidence(operation="render", place=place))  # type: ignore[arg-type]
    return recover(failure, attempt=attempt, first_failed_at=NOW - since_s, now=NOW, chance=chance, policy=POLICY)


@pytest.mark.parametrize(("attempt", "ceiling_s"), [(1, 0.4), (2, 0.8), (3, 1.6), (4, 3.2), (5, 5.0), (6, 5.0), (40, 5.0)])
def test_delays_double_up_to_a_ceiling_and_chance_takes_a_part(attempt, ceiling_s):
    assert backoff_s(attempt, 1.0, POLICY) == pytest.approx(ceiling_s)
    assert backoff_s(attempt, 0.25, POLICY) == pytest.approx(ceiling_s / 4)
    assert backoff_s(attempt, 0.0, POLICY) == 0


@given(st.integers(1, 200), st.floats(0, 1, exclude_max=True))
def test_no_delay_is_below_zero_or_above_the_ceiling(attempt, chance):
    assert 0 <= backoff_s(attempt, chance, POLICY) <= min(5.0, 0.2 * 2**attempt)


@pytest.mark.parametrize(
    ("kind", "attempt", "strategy", "wait_s"),
    [
        (NETWORK, 1, BACKOFF, 0.2), (NETWORK, 2, BACKOFF, 0.4), (NETWORK, 3, BACKOFF, 0.8), (NETWORK, 4, SKIP, None),
        (BUSY, 1, WAIT, 0.2), (BUSY, 2, WAIT, 0.4), (BUSY, 3, WAIT, 0.8), (BUSY, 4, SKIP, None),
        (CORRUPT, 1, SKIP, None),
        (INPUT, 1, TELL, None),
        (SPACE, 1, CLEANUP, 0.2), (SPACE, 2, CLEANUP, 0.4), (SPACE, 3, TELL, None),
        (HARDWARE, 1, DEGRADE, 0.2), (HARDWARE, 2, TELL, None),
    ],
)  # fmt: skip
def test_each_class_has_its_strategy(kind, attempt, strategy, wait_s):
    decided = after(kind, attempt)
    assert decided.strategy is strategy
    if wait_s is None:
        assert decided.retry_at is None
    else:
        assert decided.retry_at == pytest.approx(NOW + wait_s)
    assert decided.fatal is (kind is SPACE and wait_s is None), "trouble with a source is no end of the job"


@pytest.mark.parametrize("code", ["unknown", "ffmpeg-crashed", "worker-died", "render-unlike", "source-hung"])
def test_what_may_well_happen_again_is_tried_only_twice(code):
    assert after(BUSY, 1, code=code).retry_at is not None
    assert after(BUSY, 2, code=code) == Recovery(strategy=SKIP)


@pytest.mark.parametrize("place", ["scratch", "output"])
@pytest.mark.parametrize(
    ("kind", "last", "strategy"),
    [(NETWORK, 4, SKIP), (BUSY, 4, SKIP), (CORRUPT, 1, SKIP), (INPUT, 1, TELL), (SPACE, 3, TELL), (HARDWARE, 2, TELL)],
)
def test_trouble_that_is_no_shots_fault_ends_the_job_instead_of_making_slates(kind, last, strategy, place):
    assert after(kind, last, place=place) == Recovery(strategy=strategy, fatal=True)
    for attempt in range(1, last):
        assert not after(kind, attempt, place=place).fatal


def test_a_full_disk_ends_the_job_wherever_it_was_noticed():
    assert after(SPACE, 3, place="source").fatal


def test_patience_is_a_budget_of_time_as_well():
    assert after(NETWORK, 2, since_s=25.0).retry_at is not None
    assert after(NETWORK, 2, since_s=25.1).retry_at is None
    assert after(BUSY, 1, since_s=25.1).retry_at is None
    assert after(SPACE, 1, since_s=25.1).retry_at is None


def test_fewer_workers_are_tried_where_there_was_too_little_of_something():
    assert after(SPACE, 1).change == "fewer workers"
    assert after(BUSY, 1).change == ""


def test_a_damaged_checkpoint_is_made_again_at_once_and_not_for_ever():
    for attempt in (1, 2, 3):
        decided = after(CORRUPT, attempt, code="seal-damaged", place="scratch", since_s=3600)
        assert (decided.strategy, decided.retry_at, decided.fatal) == (CLEANUP, NOW, False)
    assert after(CORRUPT, 4, code="seal-damaged", place="scratch") == Recovery(strategy=SKIP, fatal=True)


kinds, places = st.sampled_from(list(ErrorType)), st.sampled_from(["source", "scratch", "output", "program"])
codes = st.sampled_from(sorted({row.code for row in TABLE} | {"unknown"}))


@given(kinds, codes, places, st.floats(0, 1, exclude_max=True), st.lists(st.floats(0, 30), min_size=8, max_size=8))
def test_no_failure_is_tried_for_ever(kind, code, place, chance, works_s):
    failure = Failure(type=kind, code=code, evidence=Evidence(operation="render", place=place))
    now = first = 1000.0
    for attempt, work_s in enumerate(works_s, start=1):
        now += work_s
        first = first if attempt > 1 else now
        decided = recover(failure, attempt=attempt, first_failed_at=first, now=now, chance=chance, policy=POLICY)
        if decided.retry_at is None:
            break
        assert not decided.fatal, "it cannot end the job and be tried again"
        assert now <= decided.retry_at <= now + POLICY.longest_delay_s
        now = decided.retry_at
    else:
        raise AssertionError("eight attempts and no end")
    assert attempt <= POLICY.attempts


@given(kinds, codes, places, st.integers(1, 6), st.floats(0, 100), st.floats(0, 1, exclude_max=True))
def test_the_same_past_gets_the_same_decision(kind, code, place, attempt, since_s, chance):
    one, two = (after(kind, attempt, code=code, place=place, since_s=since_s, chance=chance) for _ in range(2))
    assert one == two
