"""Queries for jobs on record: which can be resumed, how they ended, and which belong to one film.

A job has *ended well* when it published a film or was superseded by a newer cut. A user's answer
reopens it until it ends again, because an answer continues the job to which it is given.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import NamedTuple

from core.job.events import JobFinished
from core.storage.journal import Journal

ENDED_WELL = (
    "kind = 'JobFinished' AND json_extract(body, '$.outcome') != 'failed' AND NOT EXISTS (SELECT 1 FROM facts AS later "
    "WHERE later.job = facts.job AND later.seq > facts.seq AND (later.kind = 'RunStarted' "
    "OR (later.kind = 'Answered' AND json_extract(later.body, '$.answer') != 'stop')))"
)
"""SQL condition for an event after which nothing is left to do for its job."""


def is_open(journal: Journal, job: str) -> bool:
    """Return whether a job can be resumed: it has not ended, has failed, or was answered since."""
    return not journal.read(f"SELECT 1 FROM facts WHERE job = ? AND {ENDED_WELL}", (job,))


def open_jobs(journal: Journal, output: str) -> list[tuple[str, str]]:
    """Return (id, digest) of the jobs for an output that can be resumed, newest first."""
    question = (
        "SELECT id, digest FROM jobs WHERE output = ? AND NOT EXISTS "
        f"(SELECT 1 FROM facts WHERE facts.job = jobs.id AND {ENDED_WELL}) ORDER BY accepted_at DESC"
    )
    return [(job, digest) for job, digest in journal.read(question, (output,))]


def ended(journal: Journal, job: str) -> JobFinished | None:
    """Return how the last run of a job ended.

    None if the job never ran, or if its last run was interrupted or is still in progress.
    """
    last = journal.last(job, "JobFinished", "RunStarted", "RunInterrupted")
    return last.fact if last and isinstance(last.fact, JobFinished) else None


def runs_of_film(journal: Journal, output: str) -> list[tuple[str, str]]:
    """Return (id, digest) of all jobs for an output, oldest first."""
    rows = journal.read(
        "SELECT id, digest FROM jobs WHERE output = ? ORDER BY accepted_at, rowid", (output,)
    )
    return [(job, digest) for job, digest in rows]


class Listed(NamedTuple):
    """A job in a list.

    `at` is the time of acceptance in Unix seconds, `output` the path of the film, `runs` the number
    of jobs that this line represents.
    """

    job: str
    at: float
    output: str
    runs: int = 1


def listed(journal: Journal) -> list[Listed]:
    """Return all jobs, oldest first."""
    return [
        Listed(*row)
        for row in journal.read(
            "SELECT id, accepted_at, output FROM jobs ORDER BY accepted_at, id", ()
        )
    ]


def films(jobs: list[Listed], busy: Collection[str]) -> list[Listed]:
    """Return one line for each film, plus one for each `busy` job.

    A film's line is its newest job and represents the older ones. Busy jobs get their own lines
    because each of them can be stopped individually.
    """
    of_film: dict[str, list[Listed]] = {}
    for one in jobs:
        of_film.setdefault(os.path.normpath(one.output), []).append(one)
    shown = {runs[-1].job: runs[-1]._replace(runs=len(runs)) for runs in of_film.values()}
    return [shown.get(one.job, one) for one in jobs if one.job in shown or one.job in busy]
