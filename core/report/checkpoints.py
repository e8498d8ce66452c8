"""Derive checkpoints from events; nothing else does. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from core.graph.nodes import Plan
from core.job.checkpoint import Checkpoint, Step
from core.job.events import (
    FilmPlanned,
    GateClosed,
    GateOpened,
    PreviousUsed,
    ProblemFound,
    Rewound,
    RunStarted,
    SealBroken,
    SegmentSealed,
    ShotSlated,
)
from core.report.incidents import Entry


def checkpoints(
    job: str, entries: Iterable[Entry], plan_of: Callable[[str], Plan | None]
) -> list[Checkpoint]:
    """Return all checkpoints of a job that still hold, oldest first.

    `plan_of` returns the plan stored for a cut. Without one (an old journal), a shot counts as
    completed with its first segment.
    """
    so_far, found = _SoFar(), list[tuple[str, Checkpoint]]()
    for entry in entries:
        fact = entry.fact
        so_far.hear(fact, plan_of)
        match fact:
            case SegmentSealed():
                found.append((fact.key, so_far.checkpoint(job, entry.seq, entry.at, fact)))
            case SealBroken():
                found = [(key, made) for key, made in found if key != fact.key]
            case Rewound():
                found = [
                    (key, made)
                    for key, made in found
                    if int(made.id.rpartition("-")[2]) <= fact.checkpoint
                ]
            case _:
                pass
    return [made for _, made in found]


def timestamp(at: float) -> str:
    """Format Unix seconds as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _SoFar:
    """What has a checkpoint in the current run."""

    def __init__(self) -> None:
        self.seals: dict[str, SegmentSealed] = {}
        self.slates: set[int] = set()
        self.gates: set[str] = set()
        self.plan: Plan | None = None
        self.pieces = 0

    def hear(self, fact: object, plan_of: Callable[[str], Plan | None]) -> None:
        match fact:
            case RunStarted():
                self.seals, self.slates, self.gates, self.plan, self.pieces = (
                    {},
                    set(),
                    set(),
                    None,
                    0,
                )
            case FilmPlanned():
                self.plan, self.pieces = plan_of(fact.cut), fact.segments + fact.chunks
            case SegmentSealed():
                self.seals[fact.key] = fact
            case SealBroken():
                self.seals.pop(fact.key, None)
            case ProblemFound():
                self.slates.update(fact.shots)
            case ShotSlated():
                self.slates.add(fact.shot)
            case PreviousUsed():
                self.slates.discard(fact.shot)
            case GateClosed():
                self.gates.add(fact.gate)
            case GateOpened():
                self.gates.discard(fact.gate)
            case _:
                pass

    def checkpoint(self, job: str, seq: int, at: float, fact: SegmentSealed) -> Checkpoint:
        sound = fact.kind in ("audio", "track")
        return Checkpoint(
            id=f"{job}-{seq}",
            job_id=job,
            current_step=Step(
                kind="sound" if sound else "shot",
                shot=0 if sound else fact.shot,
                done=len(self.seals),
                of=max(self.pieces, len(self.seals)),
            ),
            completed_shots=tuple(sorted(self._completed() - self.slates)),
            timestamp=timestamp(at),
            state="waiting" if self.gates else "working",
        )

    def _completed(self) -> set[int]:
        """Return the shots that are covered by segments with checkpoints.

        Either the planned segments all have one, or other segments of the shot fill it: a repaired
        shot has other segments than planned.
        """
        if self.plan is None:
            return {seal.shot for seal in self.seals.values() if seal.shot}
        covered: dict[int, int] = {}
        planned = set[str]()
        for segment in self.plan.segments:
            planned.add(segment.key)
            if segment.key in self.seals:
                covered[segment.shot] = covered.get(segment.shot, 0) + segment.frames
        for key, seal in self.seals.items():
            if seal.shot and key not in planned:
                covered[seal.shot] = covered.get(seal.shot, 0) + seal.frames
        return {
            shot.number
            for shot in self.plan.shots
            if covered.get(shot.number, 0) >= shot.frames > 0
        }
