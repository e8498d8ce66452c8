"""When everything is made, and before it is joined: whether the files it was made of are those still.

A newer version may come when all shots of the older one are made, or the right one when they are slates, be it the very file
that was away. Only a file that can be used is news: what is broken, still being written or gone costs nothing that was made.
Workers look, because whoever touches a dead share may never come back; one that does not is reason enough to look no further.
"""

from __future__ import annotations

from collections.abc import Callable

from core.errors.failure import Evidence
from core.executors.worker_pool import WorkerPool
from core.job import outcomes
from core.job.events import Fact
from core.job.pending_tasks import PendingTask
from core.job.state import JobState
from core.system import machine
from core.tasks.spec import Assignment, Outcome, ProbePlace, Progress, Refuted, Validated

_AWAY = {"source-missing", "source-volume-gone", "source-hung", "network-lost"}


class SourceWatch:
    """Looks for one job, once for each cut. Its orders have names that begin with `prefix`; `looked` hears how many seconds it
    took."""

    def __init__(
        self, crew: WorkerPool, prefix: str, looked: Callable[[float], None] = lambda took_s: None
    ) -> None:
        self._crew, self._prefix, self._looked = crew, prefix, looked
        self._since = 0.0
        self._cut = ""
        self._left: list[tuple[str, str]] = []
        self._out: set[str] = set()

    def looks(self, state: JobState) -> bool:
        """Whether the film has to wait to be joined: sends workers to look, as many as there are. Who may not lay the film out
        anew does not ask."""
        if state.looks and state.cut != self._cut:
            self._cut, self._left = state.cut, list(state.plan.made_of().items())
            self._since = machine.monotonic()
        while self._left and self._crew.idle:
            path, fingerprint = self._left.pop()
            order = ProbePlace(path=path, fingerprint=fingerprint)
            self._crew.give(
                self._prefix + path, Assignment(order=order, stall_s=state.policy.probe_stall_s)
            )
            self._out.add(self._prefix + path)
        return bool(self._left or self._out)

    def heard(
        self, name: str, reply: Progress | Outcome, state: JobState, now: float
    ) -> list[Fact]:
        """What follows from what was seen."""
        if isinstance(reply, Progress) or name not in self._out:
            return []
        self._out.remove(name)
        if isinstance(reply, Evidence) and reply.note == "hung":
            self._left.clear()
        if not self._left and not self._out:
            self._looked(machine.monotonic() - self._since)
        path = name.removeprefix(self._prefix)
        if not isinstance(reply, Refuted) and not (
            isinstance(reply, Validated) and path in _missed(state)
        ):
            return []
        mount = machine.listed_mount(path)[0]
        why = reply.reason if isinstance(reply, Refuted) else f"{path} is there again"
        seen = Evidence(
            operation="join",
            place="source",
            path=path,
            note="source-changed",
            detail=why,
            volume=mount,
        )
        return outcomes.failed(state, PendingTask("join", state.cut), seen, now=now, chance=0.0)


def _missed(state: JobState) -> set[str]:
    """Files for which something stands in because they were not there."""
    failures = [*state.slated.values(), *state.silenced.values()]
    return {failure.evidence.path for failure in failures if failure.code in _AWAY}
