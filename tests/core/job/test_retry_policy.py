"""Failure and history to one of six strategies. The numbers are worked by hand from this policy: four attempts, delays of
up to 0.2 x 2^attempt seconds and 5 at most, 25 seconds in all."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors.failure import ErrorType, Evidence, Failure, Recovery, Strategy
from core.job.classify import TABLE
from core.job.retry_policy import ALONE, FEWER_WORKERS, FREED, LADDERS, SMALLER, backoff_s, recover
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
    kind: ErrorType, attempt: int, *, code: str = "some-code", place: str = "source", since_s: float = 0.0, chance: float = 0.5,
    **more: object,
) -> Recovery:  # fmt: skip
    failure = Failure(type=kind, code=code, evidence=Evidence(operation="render", place=place))  # type: ignore[arg-type]
    return recover(
        failure,
        attempt=attempt,
        first_failed_at=NOW - since_s,
        now=NOW,
        chance=chance,
        policy=POLICY,
        **more,
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("attempt", "ceiling_s"),
    [(1, 0.4), (2, 0.8), (3, 1.6), (4, 3.2), (5, 5.0), (6, 5.0), (40, 5.0)],
)
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
        (SPACE, 1, TELL, None),
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
    assert decided.fatal is (kind is SPACE and wait_s is None), (
        "trouble with a source is no end of the job"
    )


@pytest.mark.parametrize("code", sorted(LADDERS))
def test_a_ladder_changes_something_at_every_step_and_ends(code):
    (kind,) = {row.type for row in TABLE if row.code == code} or {BUSY}
    tried: list[str] = []
    for attempt in range(1, 9):
        decided = after(kind, attempt, code=code, tried=tuple(tried))
        if decided.retry_at is None:
            break
        assert decided.change and decided.change not in tried
        tried.append(decided.change)
    assert tuple(tried) == LADDERS[code]
    assert decided.strategy in (SKIP, TELL)


def test_what_cured_a_fault_here_is_tried_first():
    usual = after(BUSY, 1, code="ffmpeg-crashed")
    assert usual.change == ALONE
    assert (
        after(BUSY, 1, code="ffmpeg-crashed", cures={("ffmpeg-crashed", SMALLER): 2}).change
        == SMALLER
    )
    assert (
        after(BUSY, 1, code="ffmpeg-crashed", cures={("ffmpeg-crashed", ALONE): -3}).change
        == SMALLER
    )
    assert (
        after(BUSY, 1, code="ffmpeg-crashed", cures={("worker-died", SMALLER): 9}).change == ALONE
    ), "another fault"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (BUSY, "source-volume-gone"),
        (NETWORK, "source-hung"),
        (BUSY, "scratch-gone"),
        (SPACE, "memory-low"),
    ],
)
def test_a_place_that_is_gone_is_waited_for_at_once(kind, code):
    assert after(kind, 1, code=code, gate="g") == Recovery(strategy=WAIT, retry_at=NOW, gate="g")
    assert after(kind, 1, code=code, gate="g", gated=POLICY.gate_times).gate == "", "not for ever"


def test_a_share_is_tried_again_with_backoff_and_then_waited_for():
    assert after(NETWORK, 1, code="network-lost", gate="g").strategy is BACKOFF
    assert after(NETWORK, 4, code="network-lost", gate="g") == Recovery(
        strategy=WAIT, retry_at=NOW, gate="g"
    )


def test_a_full_disk_is_cleaned_then_waited_for():
    first = after(SPACE, 1, code="scratch-full", place="scratch", gate="scratch")
    assert (first.strategy, first.change) == (CLEANUP, FREED)
    second = after(SPACE, 2, code="scratch-full", place="scratch", gate="scratch", tried=(FREED,))
    assert (second.strategy, second.gate) == (WAIT, "scratch")


@pytest.mark.parametrize("place", ["scratch", "output"])
@pytest.mark.parametrize(
    ("kind", "last", "strategy"),
    [
        (NETWORK, 4, SKIP),
        (BUSY, 4, SKIP),
        (CORRUPT, 1, SKIP),
        (INPUT, 1, TELL),
        (SPACE, 1, TELL),
        (HARDWARE, 2, TELL),
    ],
)
def test_trouble_that_is_no_shots_fault_ends_the_job_instead_of_making_slates(
    kind, last, strategy, place
):
    assert after(kind, last, place=place) == Recovery(strategy=strategy, fatal=True)
    for attempt in range(1, last):
        assert not after(kind, attempt, place=place).fatal


def test_a_full_disk_ends_the_job_wherever_it_was_noticed():
    assert after(SPACE, 1, place="source").fatal


def test_patience_is_a_budget_of_time_as_well():
    assert after(NETWORK, 2, since_s=25.0).retry_at is not None
    assert after(NETWORK, 2, since_s=25.1).retry_at is None
    assert after(BUSY, 1, since_s=25.1).retry_at is None
    assert after(SPACE, 1, code="out-of-memory").change == FEWER_WORKERS
    assert after(SPACE, 1, code="out-of-memory", since_s=25.1).retry_at is None


def test_a_damaged_checkpoint_is_made_again_at_once_and_not_for_ever():
    for attempt in (1, 2, 3):
        decided = after(CORRUPT, attempt, code="seal-damaged", place="scratch", since_s=3600)
        assert (decided.strategy, decided.retry_at, decided.fatal) == (CLEANUP, NOW, False)
    assert after(CORRUPT, 4, code="seal-damaged", place="scratch") == Recovery(
        strategy=SKIP, fatal=True
    )


kinds, places = (
    st.sampled_from(list(ErrorType)),
    st.sampled_from(["source", "scratch", "output", "program"]),
)
codes = st.sampled_from(sorted({row.code for row in TABLE} | {"unknown"}))


@given(
    kinds,
    codes,
    places,
    st.floats(0, 1, exclude_max=True),
    st.lists(st.floats(0, 30), min_size=8, max_size=8),
)
def test_no_failure_is_tried_for_ever(kind, code, place, chance, works_s):
    failure = Failure(type=kind, code=code, evidence=Evidence(operation="render", place=place))
    now = first = 1000.0
    for attempt, work_s in enumerate(works_s, start=1):
        now += work_s
        first = first if attempt > 1 else now
        decided = recover(
            failure, attempt=attempt, first_failed_at=first, now=now, chance=chance, policy=POLICY
        )
        if decided.retry_at is None:
            break
        assert not decided.fatal, "it cannot end the job and be tried again"
        assert now <= decided.retry_at <= now + POLICY.longest_delay_s
        now = decided.retry_at
    else:
        raise AssertionError("eight attempts and no end")
    assert attempt <= POLICY.attempts


@given(
    kinds, codes, places, st.integers(1, 6), st.floats(0, 100), st.floats(0, 1, exclude_max=True)
)
def test_the_same_past_gets_the_same_decision(kind, code, place, attempt, since_s, chance):
    one, two = (
        after(kind, attempt, code=code, place=place, since_s=since_s, chance=chance)
        for _ in range(2)
    )
    assert one == two


@given(
    kinds, codes, places, st.integers(1, 6), st.integers(0, 100), st.floats(0, 1, exclude_max=True),
    st.integers(-(10**9), 10**9),
)  # fmt: skip
def test_a_decision_knows_what_went_by_and_not_what_year_it_is(
    kind, code, place, attempt, since_s, chance, moved_s
):
    failure = Failure(type=kind, code=code, evidence=Evidence(operation="render", place=place))

    def decided(now: float) -> Recovery:
        made = recover(
            failure,
            attempt=attempt,
            first_failed_at=now - since_s,
            now=now,
            chance=chance,
            policy=POLICY,
        )
        return msgspec.structs.replace(
            made, retry_at=None if made.retry_at is None else round(made.retry_at - now, 3)
        )

    assert decided(2e9 + moved_s) == decided(2e9)
