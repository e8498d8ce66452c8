"""Timeouts: how long a task should take, and after how long without output it counts as hung.

The estimate is based on similar work in the same run.
"""

from __future__ import annotations

from statistics import median

from core.job.pending_tasks import PendingTask
from core.job.state import JobState

_LIKE = 15


def expected_s(need: PendingTask, state: JobState) -> float:
    """Return the estimated seconds of work on one thread; 0 for tasks without a segment.

    The basis is the frames rendered in this run, or else the estimate of the preset.
    """
    if need.segment is None:
        return 0.0
    made = [
        s.seconds / s.frames
        for s in state.believed.values()
        if s.kind == "video" and not s.reused and s.frames
    ]
    form = state.plan.format
    each = (
        median(made[-_LIKE:])
        if made
        else state.preset.video.cost_ms_per_megapixel * form.width * form.height / 1e9
    )
    return need.segment.frames * each


def patience_s(need: PendingTask, state: JobState) -> float:
    """Return after how many seconds without a new frame a task counts as hung.

    Joining and checking have timeouts of their own.
    """
    policy = state.policy
    if need.kind != "render":
        return policy.stall_s
    return min(
        policy.stall_s, max(policy.stall_least_s, policy.stall_factor * expected_s(need, state))
    )
