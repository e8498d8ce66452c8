"""Publish a film: decide where it goes, and what happens to the film that is there already.

An incomplete film never replaces a complete one by itself. It is placed beside the complete one as
NAME.incomplete.EXT, until a complete film is published. A film that is not on record counts as
complete, because it may come from elsewhere.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from core.errors.failure import Evidence
from core.job.events import FilmJoined, FilmPublished, FilmRemoved
from core.media import hashes
from core.storage import film_records
from core.storage.journal import Film, Journal
from core.storage.journal_faults import RECORD_LOST
from core.storage.kept_films import UNKNOWN, Kept, kept_films, remove, retire
from core.storage.workspace import Workspace, flush_directory, take_place


class NotDurable(OSError):
    """The film is in its place, but its name may not survive a power cut.

    `published` tells where the film is.
    """

    def __init__(self, published: FilmPublished, error: OSError) -> None:
        super().__init__(error.errno, error.strerror, published.output)
        self.published = msgspec.structs.replace(published, durable=False)


class _StagedGone(FileNotFoundError):
    """The joined film was removed before it could be published; nothing else was changed."""


def evidence(error: OSError, output: Path) -> Evidence:
    """Return evidence for a film that could not be published or whose name is not durable."""
    note = (
        "name-not-durable"
        if isinstance(error, NotDurable)
        else "staged-gone"
        if isinstance(error, _StagedGone)
        else ""
    )
    path = error.filename if note else str(output)
    return Evidence(
        operation="publish",
        place="output",
        path=path,
        errno=error.errno,
        note=note,
        detail=str(error),
    )


def attempt(
    job: str,
    joined: FilmJoined,
    output: Path,
    journal: Journal,
    workspace: Workspace,
    *,
    complete: bool,
) -> tuple[FilmPublished | None, Evidence | None]:
    """Publish the film of a job.

    Return the published film, or None if it is not in its place, and the evidence of a failure, or
    None.
    """
    try:
        replace = journal.last(job, "ReplacementAllowed") is not None
        return publish(joined, output, journal, workspace, complete=complete, replace=replace), None
    except NotDurable as error:
        return error.published, evidence(error, output)
    except OSError as error:
        return None, evidence(error, output)


def beside(output: Path) -> Path:
    """Return the path of an incomplete film while a complete one has the output path."""
    return output.with_name(f"{output.stem}.incomplete{output.suffix}")


def publish(
    joined: FilmJoined,
    output: Path,
    journal: Journal,
    workspace: Workspace,
    *,
    complete: bool,
    replace: bool = False,
) -> FilmPublished:
    """Move a joined film to its place.

    An incomplete film is placed beside a complete one, unless `replace` is set.

    Raises NotDurable if the film is in its place but the last flush failed. Any other OSError means
    that the film is not there. A second call after either error recognizes the film by its hash and
    continues.
    """
    found = hashes.tree_hash(output) if output.exists() else ""
    place = output
    if (
        found
        and found != joined.film_hash
        and not complete
        and not replace
        and film_records.is_complete(journal, found)
    ):
        place = beside(output)
        found = hashes.tree_hash(place) if place.exists() else ""
    published = FilmPublished(
        output=str(place), film_hash=joined.film_hash, kept="", cut=joined.cut, frames=joined.frames, samples=joined.samples,
        replaced=False, complete=complete,
    )  # fmt: skip
    kept = workspace.kept(place)
    if found == joined.film_hash:
        if (
            Path(joined.staged) != place
        ):  # otherwise the film was verified in its place and is published once more
            workspace.fresh(Path(joined.staged))
    elif not Path(joined.staged).exists() and place.parent.is_dir():
        raise _StagedGone(errno.ENOENT, os.strerror(errno.ENOENT), joined.staged)
    else:
        strange = _make_room(place, found, journal, workspace)
        try:
            replaced = workspace.publish(Path(joined.staged), place, strange=strange)
        except OSError as error:
            if Path(joined.staged).exists() or not place.exists():
                raise
            there = kept.exists() and not strange
            raise NotDurable(_with_kept(published, kept, found if there else ""), error) from error
        return _with_kept(published, kept, found if replaced and not strange else "")
    try:
        flush_directory(place.parent)
    except OSError as error:
        raise NotDurable(_with_kept(published, kept, ""), error) from error
    return _with_kept(published, kept, "")


def _with_kept(published: FilmPublished, kept: Path, replaced: str) -> FilmPublished:
    """Add the path of the kept film, and `replaced`, the hash of the film replaced just now."""
    there = str(kept) if kept.exists() else ""
    return msgspec.structs.replace(
        published,
        kept=there,
        replaced=bool(there and replaced),
        kept_hash=replaced if there else "",
    )


def _make_room(place: Path, found: str, journal: Journal, workspace: Workspace) -> bool:
    """Free the name under which the film at `place` will be kept: number the file that has it.

    Return whether the file at `place` is not ours. Such a file is put aside and does not take the
    name of a kept film.
    """
    if not found:
        return False
    kept, aside, before = workspace.kept(place), workspace.aside(place), journal.film(str(place))
    strange = (
        (before is None or found != before.film_hash)
        and kept.exists()
        and not hashes.same(kept, place)
    )
    slot = aside if strange else kept
    if slot.exists() and not hashes.same(slot, place):
        retire(slot, place, before.kept_hash if before is not None and not strange else "")
    return strange


def tidy(
    published: FilmPublished, output: Path, journal: Journal, *, keep: int
) -> list[FilmRemoved]:
    """Remove what a newly recorded film makes superfluous; return the events for removed films.

    Removed are the incomplete film beside a complete one, if it is ours byte for byte, and kept
    films beyond `keep`. The last complete film and files that are not ours always stay.
    """
    gone: list[FilmRemoved] = []
    with contextlib.suppress(OSError):  # what cannot be removed now is removed after the next film
        _tidy(published, output, journal, keep, gone)
    return gone


def _tidy(
    published: FilmPublished, output: Path, journal: Journal, keep: int, gone: list[FilmRemoved]
) -> None:
    other = beside(output)
    if (
        published.complete
        and published.output == str(output)
        and (film := journal.film(str(other))) is not None
    ):
        if other.exists() and hashes.tree_hash(other) == film.film_hash:
            for kept in kept_films(other):
                if film_records.known(journal, kept.label) is not None:
                    remove(kept)
            other.unlink()
            gone.append(FilmRemoved(path=str(other), film_hash=film.film_hash))
        elif not other.exists():
            gone.append(FilmRemoved(path=str(other), film_hash=film.film_hash))
    _prune(Path(published.output), journal, keep, complete=published.complete is not False)


def _prune(place: Path, journal: Journal, keep: int, *, complete: bool) -> None:
    ours = [
        one
        for one in kept_films(place)
        if one.number == 0 or film_records.known(journal, one.label) is not None
    ]
    ours = [one for one in ours if one.label != UNKNOWN]
    needed = {one.path for one in ours[:keep]}
    if not complete:
        last = next((one for one in ours if _is_complete(one, place, journal)), None)
        needed |= {last.path} if last is not None else set()
    for one in ours:
        if one.path not in needed:
            remove(one)


def _is_complete(kept: Kept, place: Path, journal: Journal) -> bool:
    film = journal.film(str(place))
    return film_records.is_complete(
        journal, kept.label or (film.kept_hash if film is not None else "")
    )


def again(film: Film, output: Path) -> FilmJoined | None:
    """Return a verified film to be published once more; None if it is safe in its place.

    The film is either beside its place and may be complete by decision now, or its drive did not
    confirm its name. Raises OSError.
    """
    place = Path(film.path)
    if place == output:
        try:
            flush_directory(place.parent)
            return None
        except OSError:
            pass  # publishing tries again and reports the error
    return FilmJoined(
        cut=film.cut, staged=str(place), bytes=place.stat().st_size, film_hash=film.film_hash, frames=film.frames,
        samples=film.samples, complete=True,
    )  # fmt: skip


@contextlib.contextmanager
def in_place(published: FilmPublished) -> Iterator[None]:
    """Add the path of a film in its place to the error if the journal cannot record it.

    The error gets the path as `film`, so that no message claims that nothing was published.
    """
    try:
        yield
    except RECORD_LOST as error:
        error.film = published.output  # type: ignore[union-attr]
        raise


def restore(output: Path, journal: Journal) -> None:
    """Move a kept film back to its place after an interruption on a volume without hard links.

    There, the film was moved to make room, and the new film never arrived.
    """
    film, kept = journal.film(str(output)), Workspace.kept(output)
    if film is None or output.exists() or not kept.exists() or not film.film_hash:
        return
    if hashes.tree_hash(kept) == film.film_hash:
        take_place(kept, output)
        flush_directory(output.parent)
