"""Free space on the scratch disk without loss: remove only what can be had from elsewhere.

A segment is removed if the film made from it is verified now, byte for byte. A file in the store
is removed if no record mentions it and no other data folder keeps segments there. Part files are
removed when their job has ended. Segments of replaced cuts exist nowhere else; they are removed
when the user asks for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from core.engine import run_tasks
from core.engine.reconcile import catch_up_alone
from core.errors.refusal import Refused
from core.executors.worker_pool import WorkerPool
from core.job.events import SegmentSealed
from core.plan.policy import Policy
from core.storage import film_lock, folder_mark, locks, scratch_leases
from core.storage.history import History
from core.storage.jobs import ended, is_open
from core.storage.journal import Film, Journal
from core.storage.segment_index import SegmentIndex
from core.storage.workspace import BESIDE, Workspace
from core.system import machine
from core.tasks.spec import Assignment, CheckFilm, Made

_CHECK_STALL_S = 600.0
_YOUNG_S = 3600.0
"""Seconds. A younger file without a record may be about to be recorded."""


@dataclass(frozen=True)
class Removable:
    """What can be removed.

    `seals`: checkpoints with their files. `strays`: files in the store that no checkpoint
    mentions. `ended`: ended jobs that have part files. `others`: the data folders that also keep
    segments in the scratch folder; files unknown to us may be theirs. `superseded`: checkpoints of
    replaced cuts that are in no current or kept film; a return to such a cut renders them again
    from its media.
    """

    seals: tuple[SegmentSealed, ...]
    strays: tuple[str, ...]
    ended: tuple[str, ...]
    others: tuple[str, ...] = ()
    superseded: tuple[SegmentSealed, ...] = ()

    def with_superseded(self) -> Removable:
        """Include superseded segments."""
        return replace(self, seals=self.seals + self.superseded, superseded=())


def removable(
    journal: Journal, workspace: Workspace, *, keep: Collection[str] = (), workers: int = 1
) -> Removable:
    """Find what can be removed. Workers read films again to verify them.

    `keep` are content keys that are needed now.
    """
    seals = journal.all_seals()
    keep = {*keep, *needed_by_open_jobs(journal)}
    shown = _in_films(journal)
    verified = _verified_jobs(
        journal, {job for seal, job in seals if seal.file and seal.key not in keep}, workers
    )
    known = {seal.file for seal, _ in seals if seal.file}
    indexed = SegmentIndex(workspace.scratch, workspace.home).keys(journal)
    others = tuple(scratch_leases.others(workspace.scratch, workspace.home))
    return Removable(
        seals=tuple(
            seal for seal, job in seals if seal.file and job in verified and seal.key not in keep
        ),
        strays=()
        if others
        else tuple(
            file
            for file in workspace.unrecorded(known, before=machine.now() - _YOUNG_S)
            if Path(file).stem not in indexed
        ),
        ended=tuple(job for job in workspace.work_folders() if _ended(journal, job)),
        others=others,
        superseded=tuple(
            seal
            for seal, job in seals
            if seal.file
            and job not in verified
            and seal.key not in keep | shown
            and (not job or _replaced(journal, job))
        ),
    )


def remove(found: Removable, journal: Journal, workspace: Workspace) -> int:
    """Remove everything in `found`: first the record, then the file.

    Return the bytes freed in the store.
    """
    index, living = (
        SegmentIndex(workspace.scratch, workspace.home),
        scratch_leases.living(workspace.scratch, workspace.home),
    )
    with index.removing(journal):
        journal.forget_seals([seal.key for seal in found.seals])
        for seal in found.seals:
            index.forget(seal.key)
        freed = sum(
            workspace.remove_stored(seal.file)
            for seal in found.seals
            if not index.shared(seal.key, living)
        )
    recorded = {
        seal.file for seal, _ in journal.all_seals()
    }  # a clock set ahead makes a young file look old
    for stray in found.strays:
        if stray not in recorded:
            freed += workspace.remove_stored(stray)
            index.drop(Path(stray).stem)
    if index.was_read(journal):
        index.sweep({seal.key for seal, _ in journal.all_seals()}, before=machine.now() - _YOUNG_S)
    for film in journal.films():
        _sweep_beside(Path(film.path), journal, workspace)
    for job in found.ended:
        accepted = journal.accepted(job)
        workspace.close_job(job, Path(accepted.output))
    return freed


def _sweep_beside(output: Path, journal: Journal, workspace: Workspace) -> None:
    """Remove the lock and mark that a power cut left beside a film, and trials of the encoder."""
    mark = output.parent / folder_mark.name(workspace.home, output)
    if mark.exists() or film_lock.file(str(output), BESIDE).exists():
        catch_up_alone(output, journal, workspace)
    if trials := workspace.trials(output):
        with contextlib.suppress(Refused), locks.film(workspace.home, str(output), beside=""):
            for trial in trials:
                workspace.discard(trial)


def open_jobs(journal: Journal) -> list[str]:
    """Return the jobs that can be resumed."""
    return [job for job, _ in journal.jobs() if not _ended(journal, job)]


def needed_by_open_jobs(journal: Journal) -> set[str]:
    """Return the content keys of checkpoints of resumable jobs, and of what their plans reuse.

    Another job may have used a reused checkpoint last, and the checkpoint is then recorded under
    that job.
    """
    jobs, memory = open_jobs(journal), History(journal)
    made = {
        entry.fact.key
        for job in jobs
        for entry in journal.facts(job)
        if isinstance(entry.fact, SegmentSealed)
    }
    plans = [plan for job in jobs for plan in memory.plans_of(job)]
    planned = {one.key for plan in plans for one in plan.segments} | {
        one.key for plan in plans for one in plan.chunks
    }
    return made | planned


def _in_films(journal: Journal) -> set[str]:
    """Return the content keys of checkpoints in the current films and in the kept ones."""
    hashes = {found for film in journal.films() for found in (film.film_hash, film.kept_hash)}
    jobs = {published[0] for found in hashes if (published := journal.published(found))} | {
        film.job for film in journal.films()
    }
    return {
        entry.fact.key
        for job in jobs
        for entry in journal.facts(job)
        if isinstance(entry.fact, SegmentSealed)
    }


def _replaced(journal: Journal, job: str) -> bool:
    """Whether another job made the film that is now at this job's output path."""
    film = journal.film(journal.accepted(job).output)
    return film is not None and film.job != job


def _ended(journal: Journal, job: str) -> bool:
    last = ended(journal, job)
    return last is not None and last.outcome != "failed" and not is_open(journal, job)


def _verified_jobs(journal: Journal, jobs: Collection[str], workers: int) -> set[str]:
    """Return the jobs whose film is still where it was published, byte for byte."""
    films = {
        film.job: film
        for film in journal.films()
        if film.job in jobs and _made(journal, film) and Path(film.path).exists()
    }
    if not films:
        return set()
    crew = WorkerPool(min(len(films), workers), stall_s=_CHECK_STALL_S)
    try:
        orders = {
            job: Assignment(
                order=CheckFilm(
                    path=film.path,
                    film_hash=film.film_hash,
                    frames=film.frames,
                    samples=film.samples,
                    deep=False,
                )
            )
            for job, film in films.items()
        }
        results = run_tasks.run_all(crew, orders, policy=Policy(attempts=2), stopped=lambda: False)
    finally:
        crew.dismiss()
    return {job for job, result in results.items() if isinstance(result, Made)}


def _made(journal: Journal, film: Film) -> bool:
    """Whether the current film is the one that its job published.

    After a rollback it is an older film.
    """
    published = journal.published(film.film_hash)
    return published is not None and published[0] == film.job
