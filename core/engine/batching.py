"""Small pieces of work are recorded together: one transaction and one wait for the disk instead of one for each.

A piece waits for others no longer than a quarter of a second, and only while every worker is busy, so that nothing waits for it.
What was not recorded yet was not acknowledged: a kill costs it like work in flight.
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
"""A piece that took longer is recorded at once, with all that waits: what a kill may cost stays small."""


class BatchedHistory(History):
    """A memory that keeps what sources were like until the pieces made of them are recorded: it reads for all of them before it
    writes for any, since a read that follows a write costs a flush of its own."""

    _taken: tuple[tuple[str, Marks], ...] = ()

    def keep_marks(self, taken: Iterable[tuple[str, Marks]]) -> None:
        """Remember these with what is recorded next, when `write_marks` was called."""
        self._taken += tuple(taken)

    def learned(self, state: JobState, need: PendingTask, *, cured: bool) -> ShotDegraded | None:
        """Remember on this machine whether what was changed after the last failure helped; what is said of a shot that was made
        in another way."""
        tries = state.failed.get(need.key)
        if not tries or not tries[-1].recovery.change:
            return None
        change, failure = tries[-1].recovery.change, tries[-1].failure
        self.note_cure(failure.code, change, cured=cured)
        if cured and change == SOFTWARE and need.segment is not None:
            return ShotDegraded(shot=need.segment.shot, change=change, failure=failure)
        return None

    def write_marks(self) -> None:
        """Hand over what was taken to the journal's next transaction."""
        taken, self._taken = self._taken, ()
        super().keep_marks(taken)


def may_wait(back: Sequence[tuple[float, float, Outcome]], *, idle: int, now: float) -> bool:
    """Whether the pieces that came back, as (begun, ended, outcome) on the monotonic clock, oldest first, may wait for more."""
    if not back or idle or len(back) >= MOST or now - back[0][1] >= LONGEST_S:
        return False
    return all(
        isinstance(outcome, Made) and ended - begun < SMALL_S for begun, ended, outcome in back
    )
