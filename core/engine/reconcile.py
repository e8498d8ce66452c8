"""Bring the record up to date with the disk after an interruption, before any other work on a film.

Publish and rollback rename first and record afterwards. An interruption between the two leaves a
film that the record does not know; its hash tells which film it is. Without this step, the next
publish would keep it under the hash of another film.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from core.engine.folder_checks import may_be_away
from core.engine.publish import beside, restore
from core.errors.refusal import Refused
from core.job.events import FilmJoined, FilmPublished, FilmRolledBack
from core.media import hashes
from core.storage import folder_mark, locks
from core.storage.jobs import open_jobs
from core.storage.journal import Journal
from core.storage.kept_films import retire
from core.storage.workspace import Workspace
from core.system import machine


def catch_up(output: Path, journal: Journal, workspace: Workspace) -> bool:
    """Reconcile the record with the disk. The caller holds the film's lock.

    Return whether a rollback that was interrupted before its record is now finished and recorded.
    """
    unmark(output, journal, workspace)
    for job, _ in open_jobs(journal, str(output)):
        _cut_publish(job, output, journal, workspace)
    restore(output, journal)
    if not workspace.exchanged(output, same=hashes.same):
        if (
            third := workspace.swap(output)
        ).exists():  # someone put a file in the film's place meanwhile: keep both
            retire(third, output, hashes.tree_hash(third))
        return False
    film = journal.film(str(output))
    unrecorded = film is not None and hashes.tree_hash(output) != film.film_hash
    if unrecorded:
        record_roll_back(output, journal)
    workspace.forget_exchange(output)
    return unrecorded


def unmark(output: Path, journal: Journal, workspace: Workspace) -> None:
    """Remove the mark in the film's folder if no resumable job needs it.

    What cannot be removed is left for the next call.
    """
    if not open_jobs(journal, str(output)):
        with contextlib.suppress(OSError):
            folder_mark.remove(output, folder_mark.name(workspace.home, output))


def catch_up_alone(output: Path, journal: Journal, workspace: Workspace) -> None:
    """Reconcile on behalf of a command that does not work on the film itself.

    A film that another process works on, or whose folder may be away, is left to that work.
    """
    if may_be_away(output, journal) or not output.parent.is_dir():
        return
    with contextlib.suppress(Refused), locks.film(workspace.home, str(output)):
        catch_up(output, journal, workspace)


def record_roll_back(
    output: Path, journal: Journal, *, film_hash: str = "", kept_hash: str = ""
) -> None:
    """Record that the film and a kept one have changed places.

    The hashes are those of the files now there; without them both files are read.
    """
    film = journal.film(str(output))
    if film is None:
        return
    if not film_hash:
        kept, third = Workspace.kept(output), Workspace.swap(output)
        there = kept if kept.exists() else third
        film_hash = hashes.tree_hash(output)
        kept_hash = hashes.tree_hash(there) if there.exists() else ""
    fact = FilmRolledBack(output=str(output), film_hash=film_hash, kept_hash=kept_hash)
    journal.append(film.job, [fact], machine.now())


def _cut_publish(job: str, output: Path, journal: Journal, workspace: Workspace) -> None:
    """Record a publish that was interrupted between the rename and its record."""
    joined = journal.last(job, "FilmJoined", "FilmPublished")
    if joined is None or not isinstance(joined.fact, FilmJoined):
        return
    fact = joined.fact
    for place in (output, beside(output)):
        if not Path(fact.staged).exists() and place.exists() and place.stat().st_size == fact.bytes:
            _record_publish(job, fact, place, journal, workspace)


def _record_publish(
    job: str, fact: FilmJoined, output: Path, journal: Journal, workspace: Workspace
) -> None:
    if hashes.tree_hash(output) == fact.film_hash:
        kept, before = workspace.kept(output), journal.film(str(output))
        replaced = not (
            before
            and before.kept_hash
            and kept.exists()
            and hashes.tree_hash(kept) == before.kept_hash
        )
        published = FilmPublished(
            output=str(output),
            film_hash=fact.film_hash,
            kept=str(kept) if kept.exists() else "",
            cut=fact.cut,
            frames=fact.frames,
            samples=fact.samples,
            replaced=replaced,
            complete=fact.complete,
        )
        journal.append(job, [published], machine.now())
