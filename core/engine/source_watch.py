"""Check, when everything is rendered and before the film is joined, whether its sources changed.

A newer version of a file may arrive after all shots of the older one are rendered. The right file,
even the very file that was missing, may arrive after its shots have become slates. Only a usable
file counts: a file that is broken, still being written or gone costs nothing that was rendered.

Workers do the checks, because a process that touches a dead share may never return. If one of them
does not return, no further files are checked.
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
    """Checks the sources of one job, once for each cut.

    The names of its tasks begin with `prefix`. `looked` receives the seconds that the check took.
    """

    def __init__(
        self, crew: WorkerPool, prefix: str, looked: Callable[[float], None] = lambda took_s: None
    ) -> None:
        self._crew, self._prefix, self._looked = crew, prefix, looked
        self._since = 0.0
        self._cut = ""
        self._left: list[tuple[str, str]] = []
        self._out: set[str] = set()

    def looks(self, state: JobState) -> bool:
        """Send checks to all idle workers; return whether the film has to wait to be joined.

        Skipped when no replans remain.
        """
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
        """Return the events that follow from the result of a check."""
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
    """Return the missing files for which a placeholder is in the film."""
    failures = [*state.slated.values(), *state.silenced.values()]
    return {failure.evidence.path for failure in failures if failure.code in _AWAY}
