"""Watch what the tasks depend on: volume space, memory, tripped circuit breakers, the clock.

A worker probes whether a tripped circuit breaker can be reset, because a process that touches a
dead share may never return. While an earlier probe is stuck in the kernel, no other is sent: its
end is the sign that the place answers again.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterable
from pathlib import Path

from core.errors.failure import Evidence, Place
from core.executors.worker_pool import WorkerPool
from core.job import disk_space
from core.job.circuit_breaker import MACHINE, OUTPUT, SCRATCH
from core.job.events import ClockJumped, GateOpened
from core.job.pending_tasks import PendingTask
from core.job.state import JobState
from core.storage import folder_mark
from core.storage.workspace import Workspace
from core.system import machine
from core.tasks import volume_probe
from core.tasks.spec import Assignment, Outcome, ProbePlace, Progress, Validated

PROBE = "probe:"
_SCRATCH_EVERY_S = 1.0
"""Seconds between two comparisons of the scratch folder with its record.

If the folder is gone, a write to it fails by itself.
"""
_JUMP_S = 5.0
"""Seconds. Clocks are corrected by less than this all the time."""


class ResourceMonitor:
    """Watches the resources of one job. `output` is the path of its film."""

    def __init__(self, *, crew: WorkerPool, workspace: Workspace, output: Path) -> None:
        self._crew, self._workspace, self._output = crew, workspace, output
        self._closed: dict[str, float] = {}
        self._probed: dict[str, float] = {}
        self._scratch_seen = 0.0
        self._clock = (machine.now(), machine.monotonic(), machine.since_boot())

    # Before a task --------------------------------------------------------------------------------

    def shortage(self, need: PendingTask, state: JobState) -> Evidence | None:
        """Return evidence if a pending task cannot be started, else None; called before each task.

        The reason is that its folder is not the one on record, or that space or memory is short.
        """
        gone = self._absence(need, state)
        if gone is not None or need.kind in ("validate", "copy", "locate", "publish"):
            return gone
        joining = need.kind == "join"
        place = self._output.parent if joining else self._workspace.scratch
        wanted = state.policy.free_margin_bytes // 4
        if joining:
            wanted += disk_space.film_bytes(state)
        elif need.segment is not None:
            wanted += disk_space.picture_bytes(state.plan.format, state.preset, need.segment.frames)
        free = machine.free_bytes(place)
        if free is not None and free < wanted:
            return Evidence(
                operation=need.kind, place="output" if joining else "scratch", path=str(place), note="space-low", free_bytes=free,
                detail=f"{wanted} bytes wanted, {free} free",
            )  # fmt: skip
        memory = machine.free_memory()
        if memory is not None and memory < state.policy.free_memory_bytes:
            return Evidence(
                operation=need.kind,
                place="program",
                path=str(place),
                note="memory-low",
                free_memory_bytes=memory,
            )
        return None

    def _absence(self, need: PendingTask, state: JobState) -> Evidence | None:
        """Return evidence if the folder of the film or of the segments is missing or replaced.

        A mark that was deleted from the right folder is written again.
        """
        place: Place = "output" if need.kind in ("join", "publish") else "scratch"
        known = state.folders.get("film" if place == "output" else "scratch")
        now = machine.monotonic()
        if known is None or (place == "scratch" and now - self._scratch_seen < _SCRATCH_EVERY_S):
            return None
        try:
            gone, number, detail = volume_probe.changed(known), errno.ENOENT, ""
        except OSError as error:
            gone, number, detail = "", error.errno or errno.EIO, str(error)
        if gone or detail:
            return Evidence(
                operation=need.kind,
                place=place,
                path=known.path,
                errno=number,
                note=gone,
                volume=known.mount,
                detail=detail,
            )
        if place == "scratch":
            self._scratch_seen = now
        elif known.token and not volume_probe.marked(known):
            with contextlib.suppress(OSError):  # full or read-only: volume and inode identify it
                folder_mark.write(self._output, known.mark, known.token)
        return None

    # Circuit breakers -----------------------------------------------------------------------------

    def tend(self, state: JobState, *, idle: bool) -> list[str]:
        """Send out the probes that are due; return the circuit breakers to give up on.

        A circuit breaker is given up once it has been tripped for longer than
        `policy.gate_patience_s`, but only while there is nothing else to do (`idle`).
        """
        now = machine.monotonic()
        self._closed = {gate: self._closed.get(gate, now) for gate in state.gates}
        tired = [
            gate
            for gate, since in self._closed.items()
            if now - since > state.policy.gate_patience_s
        ]
        if idle and tired:
            return tired
        for gate, closed in state.gates.items():
            name = PROBE + gate
            due = now - self._probed.get(gate, 0.0) >= state.policy.probe_every_s
            if (
                due
                and self._crew.idle
                and name not in self._crew.busy
                and not self._crew.stuck(name)
            ):
                self._probed[gate] = now
                order = self._probe(gate, closed.path, state)
                self._crew.give(name, Assignment(order=order, stall_s=state.policy.probe_stall_s))
        return []

    def _probe(self, gate: str, path: str, state: JobState) -> ProbePlace:
        if gate == SCRATCH:
            wanted = (
                min(disk_space.scratch_bytes(state), state.policy.free_margin_bytes)
                + state.policy.free_margin_bytes // 4
            )
            known = state.folders.get("scratch")
            return ProbePlace(
                path=str(self._workspace.scratch), write=True, free_bytes=wanted, known=known
            )
        if gate == OUTPUT:
            wanted = disk_space.film_bytes(state) + state.policy.free_margin_bytes // 4
            known = state.folders.get("film")
            return ProbePlace(
                path=str(self._output.parent), write=True, free_bytes=wanted, known=known
            )
        if gate == MACHINE:
            return ProbePlace(path="", free_memory_bytes=state.policy.free_memory_bytes * 5 // 4)
        return ProbePlace(path=path, volume=gate.partition(":")[2])

    def heard(self, name: str, reply: Progress | Outcome) -> Iterable[GateOpened]:
        """Yield the reset of a circuit breaker whose probe succeeded; a failed probe is no news."""
        gate = name.removeprefix(PROBE)
        if isinstance(reply, Validated) and gate in self._closed:
            yield self.opened(gate)

    def opened(self, gate: str, *, given_up: bool = False) -> GateOpened:
        """Return the event that resets a circuit breaker. `given_up`: the wait was too long."""
        return GateOpened(
            gate=gate,
            closed_s=round(machine.monotonic() - self._closed.pop(gate), 3),
            given_up=given_up,
        )

    # The clock ------------------------------------------------------------------------------------

    def clock(self) -> ClockJumped | None:
        """Return an event if the machine slept or its clock was set since the last call."""
        before, self._clock = (
            self._clock,
            (machine.now(), machine.monotonic(), machine.since_boot()),
        )
        walked, awake, lived = (now - then for now, then in zip(self._clock, before, strict=True))
        if lived - awake > _JUMP_S:
            return ClockJumped(by_s=round(lived - awake, 3), slept=True)
        if abs(walked - lived) > _JUMP_S:
            return ClockJumped(by_s=round(walked - lived, 3))
        return None
