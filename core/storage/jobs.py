"""Jobs by what is on record of them: which can be taken up, how they ended, and which are runs of one film.

A job has *ended well* when it came to a film or gave way to a newer cut. After an answer it is open again, until it has ended
anew: an answer continues the job that it is given to.
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
"""A fact after which nothing is left to do for its job."""


def is_open(journal: Journal, job: str) -> bool:
    """Whether a job can be taken up: it has not ended, or failed, or was answered since."""
    return not journal.read(f"SELECT 1 FROM facts WHERE job = ? AND {ENDED_WELL}", (job,))


def open_jobs(journal: Journal, output: str) -> list[tuple[str, str]]:
    """(id, digest) of the jobs for an output that can be taken up, newest first."""
    question = (
        "SELECT id, digest FROM jobs WHERE output = ? AND NOT EXISTS "
        f"(SELECT 1 FROM facts WHERE facts.job = jobs.id AND {ENDED_WELL}) ORDER BY accepted_at DESC"
    )
    return [(job, digest) for job, digest in journal.read(question, (output,))]


def ended(journal: Journal, job: str) -> JobFinished | None:
    """How the last run of a job ended; None where there was none, or it was interrupted, or is under way."""
    last = journal.last(job, "JobFinished", "RunStarted", "RunInterrupted")
    return last.fact if last and isinstance(last.fact, JobFinished) else None


def runs_of_film(journal: Journal, output: str) -> list[tuple[str, str]]:
    """(id, digest) of all jobs for an output, oldest first."""
    rows = journal.read(
        "SELECT id, digest FROM jobs WHERE output = ? ORDER BY accepted_at, rowid", (output,)
    )
    return [(job, digest) for job, digest in rows]


class Listed(NamedTuple):
    """A job in a list: its id, when it was accepted (unix seconds), where its film shall stand, and how many jobs the line stands
    for."""

    job: str
    at: float
    output: str
    runs: int = 1


def listed(journal: Journal) -> list[Listed]:
    """All jobs, oldest first."""
    return [
        Listed(*row)
        for row in journal.read(
            "SELECT id, accepted_at, output FROM jobs ORDER BY accepted_at, id", ()
        )
    ]


def films(jobs: list[Listed], busy: Collection[str]) -> list[Listed]:
    """One line for each film: its newest job, which stands for the older ones; and those that are `busy`, since each of them can
    be stopped by itself."""
    of_film: dict[str, list[Listed]] = {}
    for one in jobs:
        of_film.setdefault(os.path.normpath(one.output), []).append(one)
    shown = {runs[-1].job: runs[-1]._replace(runs=len(runs)) for runs in of_film.values()}
    return [shown.get(one.job, one) for one in jobs if one.job in shown or one.job in busy]
