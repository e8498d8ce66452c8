"""Restore a film that was replaced.

Both films exist at every instant, and the record says afterwards where each of them is.

the newest kept film gets a number        only if an older one is wanted: its name must be free
film <-> kept film                        `Workspace.roll_back`, by renames
FilmRolledBack                            the hashes of the bytes that are there now
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from core.engine.reconcile import record_roll_back
from core.errors.refusal import Refused
from core.job.events import FilmPlanned
from core.media import hashes
from core.storage import film_records
from core.storage.journal import Journal
from core.storage.kept_films import UNKNOWN, Kept, kept_films, retire
from core.storage.workspace import Workspace
from core.timeline.timing import timecode


class Generation(NamedTuple):
    """A kept film, or, as number 0, the current film.

    `complete` is None and `job` is empty if the film is not on record. `at` is in unix seconds.
    `length` is a timecode, empty if it is unknown.
    """

    number: int
    path: str
    at: float
    complete: bool | None
    job: str
    frames: int
    length: str
    bytes: int


def generations(output: Path, journal: Journal) -> list[Generation]:
    """Return the film and all that is kept of it, newest first, as far as it is on record.

    Raises Refused if the folder cannot be read.
    """
    film = journal.film(str(output))
    try:
        found = (
            [_generation(0, output, film.film_hash if film else "", journal)]
            if output.exists()
            else []
        )
        for number, kept in enumerate(kept_films(output), 1):
            newest = film.kept_hash if film is not None and not kept.label else ""
            found.append(_generation(number, kept.path, kept.label or newest, journal))
    except OSError as error:
        raise _failed(output, error) from error
    return found


def _generation(number: int, path: Path, digits: str, journal: Journal) -> Generation:
    there, known = path.stat(), film_records.known(journal, digits) if digits != UNKNOWN else None
    if known is None:
        return Generation(number, str(path), there.st_mtime, None, "", 0, "", there.st_size)
    planned, length = journal.last(known.job, "FilmPlanned"), ""
    if planned is not None and isinstance(planned.fact, FilmPlanned) and known.film.frames:
        length = timecode(
            known.film.frames, Fraction(planned.fact.rate), drop_frame=planned.fact.drop_frame
        )
    return Generation(
        number,
        str(path),
        known.at,
        known.complete,
        known.job,
        known.film.frames,
        length,
        there.st_size,
    )


def roll_back(output: Path, journal: Journal, workspace: Workspace, number: int = 1) -> bool:
    """Restore a kept film by its number in `generations`. The caller holds the film's lock.

    Return whether the drive confirmed the names. Raises Refused if there is no such film, if its
    bytes have changed, or if the drive fails; the film is then as it was.
    """
    film = journal.film(str(output))
    try:
        kept = kept_films(output)
        if not kept or film is None:
            raise Refused("no-previous-film", path=str(output))
        if not 1 <= number <= len(kept):
            raise Refused("generation-unknown", path=str(output), number=number, count=len(kept))
        chosen = kept[number - 1]
        comes = hashes.tree_hash(chosen.path)
        if not _is_as_recorded(chosen, comes, film.kept_hash, journal):
            raise Refused("previous-film-changed", path=str(output), why="bytes-changed")
        goes = _hash_of(output)
        newest = workspace.kept(output)
        if newest.exists() and newest != chosen.path:
            retire(newest, output, _hash_of(newest))
    except OSError as error:
        raise _failed(output, error) from error
    durable = True
    try:
        workspace.roll_back(output, chosen.path)
    except OSError as error:
        if chosen.path.exists() and not _changed_places(output, comes):
            raise _failed(output, error) from error
        durable = False
    record_roll_back(output, journal, film_hash=comes, kept_hash=goes)
    try:
        workspace.forget_exchange(output)
    except OSError:  # the next command about this film removes the third name
        durable = False
    return durable


def _changed_places(output: Path, comes: str) -> bool:
    """Whether the restored film is in its place.

    On a failing drive, its old name may still exist as well.
    """
    try:
        return hashes.tree_hash(output) == comes
    except OSError:
        return False


def _is_as_recorded(chosen: Kept, found: str, newest: str, journal: Journal) -> bool:
    """Whether a kept film has the bytes on record.

    A file that is not on record has nothing to compare with and passes.
    """
    if chosen.label == UNKNOWN:
        return True
    if chosen.label:
        return found.rpartition(":")[2].startswith(chosen.label)
    return not newest or found == newest or film_records.known(journal, found) is not None


def _hash_of(path: Path) -> str:
    """Return the hash of a file; empty if there is none, or if it cannot be read.

    A file that cannot be read is kept all the same.
    """
    try:
        return hashes.tree_hash(path)
    except OSError:
        return ""


def _failed(output: Path, error: OSError) -> Refused:
    return Refused("roll-back-failed", path=str(output), detail=error.strerror or str(error))
