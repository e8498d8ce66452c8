"""A checkpoint as it is told: to people, to programs, and to whoever resumes from it. The names of its fields are fixed."""

from __future__ import annotations

from typing import Literal

from core.system.codec import Value

StepKind = Literal["shot", "sound"]
JobState = Literal["working", "waiting"]


class Step(Value, frozen=True):
    """What was under way, and how far: the `kind` of work that this checkpoint completed, the shot it belongs to (0 for sound),
    and how many of the film's pieces were sealed then."""

    kind: StepKind
    shot: int
    done: int
    of: int


class Checkpoint(Value, frozen=True):
    """A moment from which a job can go on.

    `id` is JOB-NUMBER, the number being the journal's. `completed_shots` are the shots whose pictures were all sealed then, in
    order; one that a slate stands for is not among them. `timestamp` is ISO 8601 in UTC. `state` is the job's at that moment:
    `working`, or `waiting` while a drive or the machine was waited for.
    """

    id: str
    job_id: str
    current_step: Step
    completed_shots: tuple[int, ...]
    timestamp: str
    state: JobState
