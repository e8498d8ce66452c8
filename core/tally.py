"""What a run took, and which part of it recovery cost.

*Overhead* is what a run without recovery would not do: the journal, flushes, renames, hashes, and every look at what was made or
used to see whether it is right. Two figures: the wall-clock time by which that held up the run, and its processor time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.decide.decisions import Taken
from core.model.facts import JobFinished, Outcomes
from core.perform import machine
from core.perform.crew import Crew


@dataclass
class Tally:
    """Seconds of this run. `recording_s`: the engine's, on records, flushes and renames. `checking_s`: the workers', on hashes,
    flushes and verification. `working_s`: on orders, all workers added up. `held_s`: wall-clock time by which records and checks
    held up the run: records while a worker had nothing to do or waited to be heard, checks divided by the workers. `*_cpu_s` are
    processor time; `cpu_s` is that of all processes. `started` is on the monotonic clock."""

    started: float = 0.0
    recording_s: float = 0.0
    checking_s: float = 0.0
    working_s: float = 0.0
    held_s: float = 0.0
    recording_cpu_s: float = 0.0
    checking_cpu_s: float = 0.0
    cpu_s: float = 0.0
    rendered_frames: int = 0
    own_cpu_s: float = field(default_factory=machine.process_cpu)

    @contextmanager
    def recording(self, crew: Crew) -> Iterator[None]:
        """Count what is done in it as recording."""
        started, cpu = machine.monotonic(), machine.thread_cpu()
        try:
            yield
        finally:
            took = machine.monotonic() - started
            self.recording_s += took
            self.recording_cpu_s += machine.thread_cpu() - cpu
            self.held_s += took if crew.waits else 0.0

    def checked(self, seconds: float, crew: Crew, *, alone: bool = False, cpu: tuple[float, float] = (0.0, 0.0)) -> None:
        """Count a worker's check; `alone`: no other worker had anything to do meanwhile. `cpu` as in `Made`."""
        self.checking_s += seconds
        self.cpu_s += cpu[0]
        self.checking_cpu_s += cpu[1]
        self.held_s += seconds / (1 if alone else max(1, crew.size))

    def finished(
        self, outcome: Outcomes, now: float, *, code: str = "", detail: str = "", taken: Taken | None = None
    ) -> JobFinished:
        """The end of the job, with what it took until `now`, and what the film lacks by decision."""
        left = taken or Taken()
        return JobFinished(
            outcome=outcome,
            code=code,
            detail=detail,
            seconds=round(now - self.started, 3),
            recording_s=round(self.recording_s, 4),
            checking_s=round(self.checking_s, 4),
            working_s=round(self.working_s, 3),
            held_s=round(self.held_s, 4),
            overhead_cpu_s=round(self.recording_cpu_s + self.checking_cpu_s, 4),
            cpu_s=round(self.cpu_s + machine.process_cpu() - self.own_cpu_s, 4),
            taken_shots=left.shots,
            taken_clips=left.clips,
            taken_remarks=left.remarks,
        )
