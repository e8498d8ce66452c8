"""What a run took."""

from __future__ import annotations

from dataclasses import dataclass

from core.decide.decisions import Taken
from core.model.facts import JobFinished, Outcomes


@dataclass
class Tally:
    """Seconds of this run: spent by the engine on records and renames, by workers on checking, and waiting for work. `started` is
    on the monotonic clock."""

    started: float = 0.0
    recording_s: float = 0.0
    checking_s: float = 0.0
    working_s: float = 0.0
    rendered_frames: int = 0

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
            taken_shots=left.shots,
            taken_clips=left.clips,
            taken_remarks=left.remarks,
        )
