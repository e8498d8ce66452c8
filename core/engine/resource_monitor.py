"""What is watched beside the work: room on the volumes, memory, closed gates, the clock.

A gate is probed by a worker, because whoever touches a dead share may never come back. As long as an earlier probe is
stuck in the system, no other is sent: its end is the sign that the place answers again.
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
"""How often the scratch folder is compared with the record; what is written there fails by itself when it is gone."""
_JUMP_S = 5.0
"""Clocks are corrected by less than this all the time."""


class ResourceMonitor:
    """Watches for one job. `output` is where its film shall stand."""

    def __init__(self, *, crew: WorkerPool, workspace: Workspace, output: Path) -> None:
        self._crew, self._workspace, self._output = crew, workspace, output
        self._closed: dict[str, float] = {}
        self._probed: dict[str, float] = {}
        self._scratch_seen = 0.0
        self._clock = (machine.now(), machine.monotonic(), machine.since_boot())

    # Before a piece of work ---------------------------------------------------------------------------------------

    def shortage(self, need: PendingTask, state: JobState) -> Evidence | None:
        """Whether the folder for this is not the one on record, or there is too little room or memory to begin; asked before
        each piece of work."""
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
        """The folder of the film or of the segments is not there, or something else is in its place. A mark that was deleted in
        the right folder is written again."""
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
            with contextlib.suppress(OSError):  # full, or read-only: volume and inode tell
                folder_mark.write(self._output, known.mark, known.token)
        return None

    # Gates --------------------------------------------------------------------------------------------------------

    def tend(self, state: JobState, *, idle: bool) -> list[str]:
        """Send out probes that are due. The gates that were waited for long enough, counted only while there is nothing
        else to do (`idle`)."""
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
        """What a probe says; of all answers only a good one is news."""
        gate = name.removeprefix(PROBE)
        if isinstance(reply, Validated) and gate in self._closed:
            yield self.opened(gate)

    def opened(self, gate: str, *, given_up: bool = False) -> GateOpened:
        """The fact that a gate is not closed any more."""
        return GateOpened(
            gate=gate,
            closed_s=round(machine.monotonic() - self._closed.pop(gate), 3),
            given_up=given_up,
        )

    # The clock ----------------------------------------------------------------------------------------------------

    def clock(self) -> ClockJumped | None:
        """Whether the machine slept or its clock was set since this was last asked."""
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
