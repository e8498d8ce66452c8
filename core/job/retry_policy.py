"""Retry policy: map a failure and its history to one of six strategies. Pure.

`now`, `chance` and what helped before are arguments. The decision is stored in the event it answers
and never made again on replay. Every loop is bounded by a number of attempts and by a time budget.
Each further attempt is made in another way, later, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.errors.failure import ErrorType, Failure, Recovery, Strategy
from core.plan.policy import Policy

FEWER_WORKERS = "fewer workers"
"""Run fewer tasks in parallel from now on."""
ALONE = "nothing else meanwhile"
"""Run no other task during the attempt."""
SMALLER = "in smaller pieces"
"""Render the segment in two halves, each with its own checkpoint."""
SOFTWARE = "software decoding"
"""Decode without the graphics device; the pictures are the same."""
FREED = "own files removed"
"""Free disk space by removing our own files that can be recreated."""
AGAIN = "made again"
"""Recreate a checkpoint that does not match its record."""
LOOK_AGAIN = "the file as it is now"
"""Replan the film, after all other work, for media that was replaced during rendering."""

LADDERS: Mapping[str, tuple[str, ...]] = {
    "ffmpeg-crashed": (ALONE, SMALLER),
    "worker-died": (ALONE, SMALLER),
    "program-hung": (ALONE, SMALLER),
    "ffmpeg-killed": (FEWER_WORKERS, SMALLER),
    "out-of-memory": (FEWER_WORKERS, SMALLER),
    "worker-bloated": (FEWER_WORKERS, SMALLER),
    "too-many-files": (FEWER_WORKERS,),
    "too-many-processes": (FEWER_WORKERS,),
    "file-too-large": (SMALLER,),
    "scratch-full": (FREED,),
    "scratch-quota": (FREED,),
    "output-full": (FREED,),
    "output-quota": (FREED,),
    "decoder-device-gone": (SOFTWARE,),
    "render-unlike": (ALONE,),
    "render-too-fast": (ALONE,),
    "unknown": (ALONE,),
    "program-fault": (ALONE,),
    "source-not-handled": (),
}
"""The changes to try for each fault, in their usual order."""

_WAITED_FOR = {
    "source-volume-gone", "source-hung", "scratch-gone", "output-gone", "scratch-hung", "output-hung", "memory-low",
}  # fmt: skip
"""Faults of a place that a retry cannot fix: wait for the place at once."""

_JOB_WIDE = {"scratch", "output"}
"""Places whose faults are not caused by a shot.

A slate would not help, so the job stops; it can be resumed, and the old film stays untouched.
"""

Cures = Mapping[tuple[str, str], int]
"""(fault code, change) mapped to how many more times the change helped here than it did not.

The counts are those of this machine.
"""


def backoff_s(attempt: int, chance: float, policy: Policy) -> float:
    """Return the delay in seconds: exponential with full jitter and a ceiling.

    `attempt` counts from 1; `chance` is in [0, 1).
    """
    return chance * min(policy.longest_delay_s, policy.first_delay_s * 2.0**attempt)


def next_rung(code: str, tried: Sequence[str], cures: Cures) -> str | None:
    """Return the next change to try, or None when all were tried.

    The change that has fixed this fault on this machine before comes first.
    """
    left = [change for change in LADDERS.get(code, ()) if change not in tried]
    return max(
        left, key=lambda change: cures.get((code, change), 0), default=None
    )  # max returns the first of equals


def recover(
    failure: Failure,
    *,
    attempt: int,
    first_failed_at: float,
    now: float,
    chance: float,
    policy: Policy,
    gate: str = "",
    gated: int = 0,
    tried: Sequence[str] = (),
    cures: Cures | None = None,
) -> Recovery:
    """Return what to do after the `attempt`-th failure (from 1) of a task.

    `gate` names the circuit breaker that could be waited for, `gated` counts how often that was
    done already, and `tried` lists the changes so far.
    """
    code = failure.code
    tired = attempt >= policy.attempts or now - first_failed_at > policy.retry_budget_s
    job_wide = failure.evidence.place in _JOB_WIDE
    later = now + backoff_s(attempt, chance, policy)
    wait = (
        Recovery(strategy=Strategy.WAIT_AND_RETRY, retry_at=now, gate=gate)
        if gate and gated < policy.gate_times
        else None
    )
    rung = next_rung(code, tried, cures or {})
    climb = code in LADDERS and not tired and rung is not None
    if wait and code in _WAITED_FOR:
        return wait
    match failure.type:
        case ErrorType.TRANSIENT_NETWORK:
            if not tired:
                return Recovery(strategy=Strategy.RETRY_WITH_BACKOFF, retry_at=later)
            return wait or Recovery(strategy=Strategy.SKIP_AND_REPORT, fatal=job_wide)
        case ErrorType.TRANSIENT_RESOURCE:
            if climb:
                return Recovery(strategy=Strategy.WAIT_AND_RETRY, retry_at=later, change=rung or "")
            if code not in LADDERS and not tired:
                return Recovery(strategy=Strategy.WAIT_AND_RETRY, retry_at=later)
            return wait or Recovery(strategy=Strategy.SKIP_AND_REPORT, fatal=job_wide)
        case ErrorType.PERMANENT_FILE_CORRUPTION:
            if code == "seal-damaged" and attempt < policy.attempts:
                return Recovery(strategy=Strategy.CLEANUP_AND_RETRY, retry_at=now, change=AGAIN)
            return Recovery(strategy=Strategy.SKIP_AND_REPORT, fatal=job_wide)
        case ErrorType.USER_INPUT_INVALID:
            return Recovery(strategy=Strategy.PROVIDE_USER_FEEDBACK, fatal=job_wide)
        case ErrorType.SYSTEM_RESOURCE_EXCEEDED:
            if climb:
                return Recovery(
                    strategy=Strategy.CLEANUP_AND_RETRY, retry_at=later, change=rung or ""
                )
            return wait or Recovery(strategy=Strategy.PROVIDE_USER_FEEDBACK, fatal=True)
        case ErrorType.HARDWARE_FAILURE:
            if climb or (code not in LADDERS and attempt < 2):
                return Recovery(
                    strategy=Strategy.GRACEFUL_DEGRADATION, retry_at=later, change=rung or ""
                )
            return Recovery(strategy=Strategy.PROVIDE_USER_FEEDBACK, fatal=job_wide)
