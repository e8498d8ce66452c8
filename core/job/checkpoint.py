"""Checkpoints as shown to people and programs, and as used to resume a job.

The field names are fixed.
"""

from __future__ import annotations

from typing import Literal

from core.system.codec import Value

StepKind = Literal["shot", "sound"]
JobState = Literal["working", "waiting"]


class Step(Value, frozen=True):
    """The work in progress at a checkpoint.

    `kind` is the kind of work that the checkpoint completed and `shot` its shot (0 for sound).
    `done` counts the pieces of the film that had a checkpoint by then, out of `of`.
    """

    kind: StepKind
    shot: int
    done: int
    of: int


class Checkpoint(Value, frozen=True):
    """A point from which a job can resume.

    `id` is JOB-NUMBER, with the number from the journal. `completed_shots` are the shots whose
    pictures all had checkpoints at that time, in order; shots replaced by a slate are not included.
    `timestamp` is ISO 8601 in UTC. `state` is the state of the job at that time: `working`, or
    `waiting` for a drive or the machine.
    """

    id: str
    job_id: str
    current_step: Step
    completed_shots: tuple[int, ...]
    timestamp: str
    state: JobState
