"""Record small results together: one transaction and one disk flush instead of one for each.

A result waits no longer than a quarter of a second for others, and only while every worker is
busy, so that nothing waits for it. A result that is not recorded yet has not been acknowledged: a
kill costs it, like a task in flight.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.job.events import ShotDegraded
from core.job.pending_tasks import PendingTask
from core.job.retry_policy import SOFTWARE
from core.job.state import JobState
from core.media.content import Marks
from core.storage.history import History
from core.tasks.spec import Made, Outcome

LONGEST_S = 0.25
MOST = 16
SMALL_S = 2.0
"""Seconds. A longer task is recorded at once with all that waits, so that a kill costs little."""


class BatchedHistory(History):
    """A history that holds packet hashes back until the results that use them are recorded.

    It reads for all results before it writes for any, because a read that follows a write costs a
    flush of its own.
    """

    _taken: tuple[tuple[str, Marks], ...] = ()

    def keep_marks(self, taken: Iterable[tuple[str, Marks]]) -> None:
        """Hold these packet hashes back for the next record; `write_marks` hands them over."""
        self._taken += tuple(taken)

    def learned(self, state: JobState, need: PendingTask, *, cured: bool) -> ShotDegraded | None:
        """Remember on this machine whether the change after the last failure helped.

        Return the event for a shot that was rendered in another way, else None.
        """
        tries = state.failed.get(need.key)
        if not tries or not tries[-1].recovery.change:
            return None
        change, failure = tries[-1].recovery.change, tries[-1].failure
        self.note_cure(failure.code, change, cured=cured)
        if cured and change == SOFTWARE and need.segment is not None:
            return ShotDegraded(shot=need.segment.shot, change=change, failure=failure)
        return None

    def write_marks(self) -> None:
        """Add the held packet hashes to the journal's next transaction."""
        taken, self._taken = self._taken, ()
        super().keep_marks(taken)


def may_wait(back: Sequence[tuple[float, float, Outcome]], *, idle: int, now: float) -> bool:
    """Whether results may wait for more before they are recorded.

    `back` lists the results as (begun, ended, outcome), oldest first, in seconds of the monotonic
    clock, like `now`. `idle` is the number of workers that could take a task.
    """
    if not back or idle or len(back) >= MOST or now - back[0][1] >= LONGEST_S:
        return False
    return all(
        isinstance(outcome, Made) and ended - begun < SMALL_S for begun, ended, outcome in back
    )
