"""Measure what a run costs, and how much of that is due to recovery.

*Overhead* is what a run without recovery would not do: the journal, flushes, renames, hashes, and
every check of rendered or used files. It has two figures: the wall-clock time by which it held up
the run, and its processor time. *Start-up* is the time before the film is planned: loading the
program, reading the timeline, opening media, proving the encoder. Overhead during start-up counts
as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.executors.worker_pool import WorkerPool
from core.job.decisions import Accepted
from core.job.events import JobFinished, Outcomes
from core.system import machine


@dataclass
class RunMetrics:
    """The costs of one run, in seconds.

    `recording_s`: the engine's time on records, flushes and renames. `checking_s`: the workers'
    time on hashes, flushes and verification. `working_s`: time on tasks, summed over all workers.
    `held_s`: wall-clock time by which records and checks held up the run. Records count while a
    worker is idle or waits to be read; checks are divided by the number of workers.
    `startup_held_s` is the part of `held_s` that fell into `startup_s`. `*_cpu_s`: processor time.
    `started`: when the film was planned (monotonic clock).
    """

    begun: machine.Begun = field(default_factory=machine.begun)
    started: float = 0.0
    startup_s: float = 0.0
    startup_held_s: float = 0.0
    recording_s: float = 0.0
    checking_s: float = 0.0
    working_s: float = 0.0
    held_s: float = 0.0
    recording_cpu_s: float = 0.0
    checking_cpu_s: float = 0.0
    rendered_frames: int = 0
    _starting_since: float | None = None

    def __post_init__(self) -> None:
        self.started = self._starting_since = self.begun.at

    def work_begins(self) -> None:
        """End the start-up: the film is planned."""
        self.started = machine.monotonic()
        self.startup_s += self.started - (self._starting_since or self.started)
        self._starting_since = None

    def work_ends(self) -> None:
        """Begin another start-up: the film is to be planned again."""
        self._starting_since = machine.monotonic()

    @contextmanager
    def recording(self, crew: WorkerPool | None = None) -> Iterator[None]:
        """Count the time inside the block as recording. Without `crew`, everything waits for it."""
        started, cpu = machine.monotonic(), machine.thread_cpu()
        try:
            yield
        finally:
            took = machine.monotonic() - started
            self.recording_s += took
            self.recording_cpu_s += machine.thread_cpu() - cpu
            if crew is None or crew.waits:
                self._held(took)

    def checked(
        self, seconds: float, crew: WorkerPool, *, alone: bool = False, cpu_s: float = 0.0
    ) -> None:
        """Count a worker's check. `alone`: no other worker had anything to do meanwhile."""
        self.checking_s += seconds
        self.checking_cpu_s += cpu_s
        self._held(seconds / (1 if alone else max(1, crew.size)))

    def _held(self, seconds: float) -> None:
        self.held_s += seconds
        self.startup_held_s += seconds if self._starting_since is not None else 0.0

    def finished(
        self,
        outcome: Outcomes,
        crew: WorkerPool,
        *,
        code: str = "",
        detail: str = "",
        taken: Accepted | None = None,
    ) -> JobFinished:
        """Return the end of the job, with its costs so far and what the film lacks by decision."""
        left, used_s = taken or Accepted(), machine.process_cpu() - self.begun.cpu_s
        beside_s = max(
            0.0, used_s - (machine.thread_cpu() - self.begun.thread_cpu_s)
        )  # threads that flush and index
        return JobFinished(
            outcome=outcome,
            code=code,
            detail=detail,
            seconds=round(machine.monotonic() - self.begun.at - self.startup_s, 3),
            startup_s=round(self.startup_s, 3),
            startup_held_s=round(self.startup_held_s, 4),
            recording_s=round(self.recording_s, 4),
            checking_s=round(self.checking_s, 4),
            working_s=round(self.working_s, 3),
            held_s=round(self.held_s, 4),
            overhead_cpu_s=round(self.recording_cpu_s + beside_s + self.checking_cpu_s, 4),
            cpu_s=round(used_s + crew.cpu_s, 4),
            taken_shots=left.shots,
            taken_clips=left.clips,
            taken_remarks=left.remarks,
        )
