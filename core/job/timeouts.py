"""How long a piece of work should take, from what like work took in this run; and when its silence is a hang."""

from __future__ import annotations

from statistics import median

from core.job.pending_tasks import PendingTask
from core.job.state import JobState

_LIKE = 15


def expected_s(need: PendingTask, state: JobState) -> float:
    """Seconds of work on one thread: by the frames that were made in this run, else by the preset's estimate."""
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
    """After how many seconds without a new frame this work hangs. Joining and checking have times of their own."""
    policy = state.policy
    if need.kind != "render":
        return policy.stall_s
    return min(
        policy.stall_s, max(policy.stall_least_s, policy.stall_factor * expected_s(need, state))
    )
