"""What is on record about a job, put together: what reports, bundles, figures and the teller are made of."""

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
    """Everything on record about a job. `plan` is that of its last run, None when it was not kept."""

    job: str
    entries: list[Entry]
    plan: Plan | None
    told: JobView


def find_job(journal: Journal, name: str) -> str:
    """The job whose id begins with `name`. Refused when there is none or more than one."""
    fits = [job for job, _ in journal.jobs() if job.startswith(name.lower())]
    if not fits:
        raise Refused("job-unknown", name=name)
    if len(fits) > 1 and name not in fits:
        raise Refused("job-ambiguous", name=name, known=", ".join(fits))
    return name if name in fits else fits[0]


def newest_open(journal: Journal) -> str:
    """The newest job that can still be taken up. Refused(nothing-to-resume)."""
    for job, _ in reversed(journal.jobs()):
        if is_open(journal, job):
            return job
    raise Refused("nothing-to-resume")


def account(journal: Journal, job: str) -> Account:
    """The account of a job that is on record."""
    entries = journal.facts(job)
    plan = last_plan(journal, job)
    return Account(job, entries, plan, chronicle(job, entries, plan))


def checkpoints_of(journal: Journal, job: str) -> list[Checkpoint]:
    """The checkpoints of a job that still hold, oldest first."""
    memory = History(journal)
    return checkpoints(
        job, journal.facts(job), lru_cache(maxsize=8)(lambda cut: memory.plan(job, cut))
    )


def last_plan(journal: Journal, job: str) -> Plan | None:
    """The plan of a job's last run that came to one."""
    planned = journal.last(job, "FilmPlanned")
    return (
        History(journal).plan(job, planned.fact.cut)
        if planned and isinstance(planned.fact, FilmPlanned)
        else None
    )


MOST_EARLIER = 20
"""In so many plans for a film an earlier render is looked for."""


def earlier_renders(
    journal: Journal,
    output: str,
    plan: Plan,
    shots: Iterable[int],
    *,
    plan_of: Callable[[str, str], Plan | None] | None = None,
) -> set[int]:
    """Those of the shots of a plan of which an earlier good render could stand in. `plan_of` reads a kept plan by job and cut:
    for whoever has some at hand."""
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
    """Where the film of a job stands by what the journal says: beside its place as NAME.incomplete.EXT, or at `output`."""
    last = journal.last(job, "FilmPublished")
    if last is None or not isinstance(last.fact, FilmPublished):
        return output
    there = journal.film(last.fact.output)
    return (
        last.fact.output if there is not None and there.film_hash == last.fact.film_hash else output
    )


def exchange(film: Film | None, told: JobView) -> Literal["", "before", "this"]:
    """What `hotsplice rollback` would bring to the place of this job's film, by what the journal says of that place (`film`): the
    film `before` it, where this one stands there; `this` one, where it is the one that is kept; empty where it is neither, or
    where nothing is kept."""
    if film is None or told.published is None or not film.kept:
        return ""
    if film.film_hash == told.published.film_hash:
        return "before"
    return "this" if film.kept_hash == told.published.film_hash else ""


def standing_film(journal: Journal, told: JobView) -> Path | None:
    """The film of this job, at its place or kept beside it, by what the journal says; nobody has looked whether it is there."""
    film = journal.film(film_place(journal, told.job, told.accepted.output))
    if film is None or told.published is None:
        return None
    if film.film_hash == told.published.film_hash:
        return Path(film.path)
    return Path(film.kept) if film.kept and film.kept_hash == told.published.film_hash else None
