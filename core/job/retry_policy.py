"""Failure and history to one of six strategies, as a value. Pure: `now`, `chance` and what helped before are arguments.

The decision is stored in the fact it answers and never taken again on replay. Every loop is bounded by a number of
attempts and by a budget of time. It is a ladder: a further attempt is made in another way, later, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.errors.failure import ErrorType, Failure, Recovery, Strategy
from core.plan.policy import Policy

FEWER_WORKERS = "fewer workers"
"""Less is done at once, from now on."""
ALONE = "nothing else meanwhile"
"""While this is tried no other work is under way."""
SMALLER = "in smaller pieces"
"""The segment is made in two halves, each a checkpoint of its own."""
SOFTWARE = "software decoding"
"""Without the graphics device; the pictures are the same."""
FREED = "own files removed"
"""What is ours and can be made again is taken from the disk."""
AGAIN = "made again"
"""A checkpoint that is not what was sealed."""
LOOK_AGAIN = "the file as it is now"
"""Media that was replaced while the film is made: when everything else is made, the film is laid out anew."""

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
"""What else can be tried about a fault, the usual first step first."""

_WAITED_FOR = {
    "source-volume-gone", "source-hung", "scratch-gone", "output-gone", "scratch-hung", "output-hung", "memory-low",
}  # fmt: skip
"""Faults of a place that trying again cannot mend: the place is waited for at once."""

_JOB_WIDE = {"scratch", "output"}
"""Trouble here is no shot's fault: a slate would not help, so the job stops, resumable, with the old film untouched."""

Cures = Mapping[tuple[str, str], int]
"""(fault code, change) to how much more often it helped on this machine than it did not."""


def backoff_s(attempt: int, chance: float, policy: Policy) -> float:
    """Exponential with full jitter and a ceiling; `attempt` from 1, `chance` in [0, 1)."""
    return chance * min(policy.longest_delay_s, policy.first_delay_s * 2.0**attempt)


def next_rung(code: str, tried: Sequence[str], cures: Cures) -> str | None:
    """What to change next: what cured this fault here before comes first. None when everything was tried."""
    left = [change for change in LADDERS.get(code, ()) if change not in tried]
    return max(
        left, key=lambda change: cures.get((code, change), 0), default=None
    )  # max takes the first of equals


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
    """What to do after the `attempt`-th failure (from 1) of one piece of work. `gate` names what could be waited for,
    `gated` tells how often that was done already, `tried` what was changed so far."""
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
