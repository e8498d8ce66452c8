"""Failure and history to one of six strategies, as a value. Pure: `now` and `chance` are arguments.

The decision is stored in the fact it answers and never taken again on replay. Every loop is bounded by a number of
attempts and by a budget of time.
"""

from __future__ import annotations

from core.model.failure import ErrorType, Failure, Recovery, Strategy
from core.model.policy import Policy

FEWER_WORKERS = "fewer workers"
"""A change the engine makes before the next attempt."""

_JOB_WIDE = {"scratch", "output"}
"""Trouble here is no shot's fault: a slate would not help, so the job stops, resumable, with the old film untouched."""


def backoff_s(attempt: int, chance: float, policy: Policy) -> float:
    """Exponential with full jitter and a ceiling; `attempt` from 1, `chance` in [0, 1)."""
    return chance * min(policy.longest_delay_s, policy.first_delay_s * 2.0**attempt)


def recover(failure: Failure, *, attempt: int, first_failed_at: float, now: float, chance: float, policy: Policy) -> Recovery:
    """What to do after the `attempt`-th failure (from 1) of one piece of work."""
    tired = attempt >= policy.attempts or now - first_failed_at > policy.retry_budget_s
    job_wide = failure.evidence.place in _JOB_WIDE
    later = now + backoff_s(attempt, chance, policy)
    match failure.type:
        case ErrorType.TRANSIENT_NETWORK:
            if not tired:
                return Recovery(strategy=Strategy.RETRY_WITH_BACKOFF, retry_at=later)
            return Recovery(strategy=Strategy.SKIP_AND_REPORT, fatal=job_wide)
        case ErrorType.TRANSIENT_RESOURCE:
            limit = (
                2
                if failure.code in ("unknown", "ffmpeg-crashed", "worker-died", "render-unlike", "source-hung")
                else policy.attempts
            )
            if attempt < limit and not tired:
                return Recovery(strategy=Strategy.WAIT_AND_RETRY, retry_at=later)
            return Recovery(strategy=Strategy.SKIP_AND_REPORT, fatal=job_wide)
        case ErrorType.PERMANENT_FILE_CORRUPTION:
            if failure.code == "seal-damaged" and attempt < policy.attempts:
                return Recovery(strategy=Strategy.CLEANUP_AND_RETRY, retry_at=now, fatal=False, change="rendered again")
            return Recovery(strategy=Strategy.SKIP_AND_REPORT, fatal=job_wide)
        case ErrorType.USER_INPUT_INVALID:
            return Recovery(strategy=Strategy.PROVIDE_USER_FEEDBACK, fatal=job_wide)
        case ErrorType.SYSTEM_RESOURCE_EXCEEDED:
            if attempt < 3 and not tired:
                return Recovery(strategy=Strategy.CLEANUP_AND_RETRY, retry_at=later, change=FEWER_WORKERS)
            return Recovery(strategy=Strategy.PROVIDE_USER_FEEDBACK, fatal=True)
        case ErrorType.HARDWARE_FAILURE:
            if attempt < 2:
                return Recovery(strategy=Strategy.GRACEFUL_DEGRADATION, retry_at=later)
            return Recovery(strategy=Strategy.PROVIDE_USER_FEEDBACK, fatal=job_wide)
