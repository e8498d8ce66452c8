"""What a run took."""

from __future__ import annotations

from dataclasses import dataclass

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

    def finished(self, outcome: Outcomes, now: float, *, code: str = "", detail: str = "") -> JobFinished:
        """The end of the job, with what it took until `now`."""
        return JobFinished(
            outcome=outcome,
            code=code,
            detail=detail,
            seconds=round(now - self.started, 3),
            recording_s=round(self.recording_s, 4),
            checking_s=round(self.checking_s, 4),
            working_s=round(self.working_s, 3),
        )
