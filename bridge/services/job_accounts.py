"""Collects what is on record about a job, for reports, bundles, statistics and queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from core.errors.refusal import Refused
from core.graph.nodes import Plan
from core.job.checkpoint import Checkpoint
from core.job.events import FilmPlanned, FilmPublished
from core.job.fallback_render import earlier_render
from core.report.checkpoints import checkpoints
from core.report.job_view import chronicle
from core.report.view_model import JobView
from core.storage.history import History
from core.storage.jobs import is_open
from core.storage.journal import Entry, Film, Journal


@dataclass(frozen=True)
class Account:
    """Everything on record about a job.

    `plan` is the plan of its last run, None if it was not stored.
    """

    job: str
    entries: list[Entry]
    plan: Plan | None
    told: JobView


def find_job(journal: Journal, name: str) -> str:
    """Return the job whose id begins with `name`.

    Raises Refused(job-unknown) if there is none, and Refused(job-ambiguous) if there are several.
    """
    fits = [job for job, _ in journal.jobs() if job.startswith(name.lower())]
    if not fits:
        raise Refused("job-unknown", name=name)
    if len(fits) > 1 and name not in fits:
        raise Refused("job-ambiguous", name=name, known=", ".join(fits))
    return name if name in fits else fits[0]


def newest_open(journal: Journal) -> str:
    """Return the newest job that can still be resumed. Raises Refused(nothing-to-resume)."""
    for job, _ in reversed(journal.jobs()):
        if is_open(journal, job):
            return job
    raise Refused("nothing-to-resume")


def account(journal: Journal, job: str) -> Account:
    """Collect the account of a recorded job."""
    entries = journal.facts(job)
    plan = last_plan(journal, job)
    return Account(job, entries, plan, chronicle(job, entries, plan))


def checkpoints_of(journal: Journal, job: str) -> list[Checkpoint]:
    """Return the checkpoints of a job that are still valid, oldest first."""
    memory = History(journal)
    return checkpoints(
        job, journal.facts(job), lru_cache(maxsize=8)(lambda cut: memory.plan(job, cut))
    )


def last_plan(journal: Journal, job: str) -> Plan | None:
    """Return the plan of a job's last run that had one."""
    planned = journal.last(job, "FilmPlanned")
    return (
        History(journal).plan(job, planned.fact.cut)
        if planned and isinstance(planned.fact, FilmPlanned)
        else None
    )


MOST_EARLIER = 20
"""Maximum number of plans for a film that are searched for an earlier render."""


def earlier_renders(
    journal: Journal,
    output: str,
    plan: Plan,
    shots: Iterable[int],
    *,
    plan_of: Callable[[str, str], Plan | None] | None = None,
) -> set[int]:
    """Return those of a plan's shots for which an earlier good render is available.

    `plan_of` reads a stored plan by job and cut, for callers that have some at hand.
    """
    memory, asked = History(journal), list(shots)
    read, found = plan_of or memory.plan, set[int]()
    for job, cut in memory.planned_for(output)[:MOST_EARLIER] if asked else ():
        old = read(job, cut)
        left = [plan.shots[number - 1] for number in asked if number not in found]
        if old is None or not left:
            break
        sealed = journal.seals({segment.key for segment in old.segments})
        found |= {
            shot.number
            for shot in left
            if earlier_render(shot, plan, [(job, old)], sealed) is not None
        }
    return found


def film_place(journal: Journal, job: str, output: str) -> str:
    """Return where a job's film is, according to the journal.

    That is `output`, or next to it as NAME.incomplete.EXT.
    """
    last = journal.last(job, "FilmPublished")
    if last is None or not isinstance(last.fact, FilmPublished):
        return output
    there = journal.film(last.fact.output)
    return (
        last.fact.output if there is not None and there.film_hash == last.fact.film_hash else output
    )


def exchange(film: Film | None, told: JobView) -> Literal["", "before", "this"]:
    """Return what `hotsplice rollback` would restore to the place of this job's film.

    `film` is what the journal says about that place. The result is "before" for the film before
    this one, if this one is there; "this" for this one, if it is the kept one; and "" if it is
    neither, or nothing is kept.
    """
    if film is None or told.published is None or not film.kept:
        return ""
    if film.film_hash == told.published.film_hash:
        return "before"
    return "this" if film.kept_hash == told.published.film_hash else ""


def standing_film(journal: Journal, told: JobView) -> Path | None:
    """Return the path of the film that this job's last plan made, according to the journal.

    The film is in its place, or is kept next to it. The path is not checked on disk. Returns None
    if there is no such film: a job that continues after an answer may have a newer plan than film.
    """
    film = journal.film(film_place(journal, told.job, told.accepted.output))
    if film is None or told.published is None:
        return None
    if told.stood and told.outcome not in ("complete", "incomplete", "unchanged"):
        return None
    if film.film_hash == told.published.film_hash:
        return Path(film.path)
    return Path(film.kept) if film.kept and film.kept_hash == told.published.film_hash else None
