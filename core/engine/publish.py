"""What becomes of the film that stands in the place of the new one, and where a film goes that is not complete.

An incomplete film never takes the place of a complete one by itself: it stands beside it, as NAME.incomplete.EXT, until the
complete one is published. What nobody has on record counts as complete: it may be a film from somewhere else.
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
    """The film is in its place, but whether its name survives a power cut is not known. `published` says where it is."""

    def __init__(self, published: FilmPublished, error: OSError) -> None:
        super().__init__(error.errno, error.strerror, published.output)
        self.published = msgspec.structs.replace(published, durable=False)


class _StagedGone(FileNotFoundError):
    """Somebody removed the joined film before it took its place, and nothing was touched for it."""


def evidence(error: OSError, output: Path) -> Evidence:
    """What was seen when a film could not be published, or its name not made durable."""
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
    """Publish the film of a job. The film, None when it is not in its place; and what was seen to fail."""
    try:
        replace = journal.last(job, "ReplacementAllowed") is not None
        return publish(joined, output, journal, workspace, complete=complete, replace=replace), None
    except NotDurable as error:
        return error.published, evidence(error, output)
    except OSError as error:
        return None, evidence(error, output)


def beside(output: Path) -> Path:
    """Where an incomplete film stands while a complete one has its place."""
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
    """Put a joined film in its place; an incomplete one beside a complete one, unless it may `replace` it.

    NotDurable: it is in its place, and the last flush failed. Any other OSError: it is not there. Called again after either, it
    knows the film by its hash and goes on.
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
        ):  # else it was verified in its place, and is published once more
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
    """With the path of the film that is kept, and `replaced`, the hash of the one that was replaced just now."""
    there = str(kept) if kept.exists() else ""
    return msgspec.structs.replace(
        published,
        kept=there,
        replaced=bool(there and replaced),
        kept_hash=replaced if there else "",
    )


def _make_room(place: Path, found: str, journal: Journal, workspace: Workspace) -> bool:
    """Before a film is kept under a name, what has the name gets a number. Whether a file that is not ours stands there: it does
    not take the name of a film that is kept, but is put aside."""
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
    """After a film was recorded: what it makes superfluous is removed, and said. The incomplete film beside a complete one, if it
    is ours byte for byte; and kept films beyond `keep`, but never the last complete one, and never a file that is not ours."""
    gone: list[FilmRemoved] = []
    with contextlib.suppress(OSError):  # what cannot be removed goes after the next film
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
    """A film that stands verified, to be published once more: one beside its place, which may be complete by decision now; or one
    whose drive does not confirm its name. None: it is in its place, and safe there. OSError."""
    place = Path(film.path)
    if place == output:
        try:
            flush_directory(place.parent)
            return None
        except OSError:
            pass  # publishing tells it, and tries again
    return FilmJoined(
        cut=film.cut, staged=str(place), bytes=place.stat().st_size, film_hash=film.film_hash, frames=film.frames,
        samples=film.samples, complete=True,
    )  # fmt: skip


@contextlib.contextmanager
def in_place(published: FilmPublished) -> Iterator[None]:
    """The film is in its place and is put on record: an exception of a record that cannot be written carries its path as
    `film`, so that nobody says that nothing was published."""
    try:
        yield
    except RECORD_LOST as error:
        error.film = published.output  # type: ignore[union-attr]
        raise


def restore(output: Path, journal: Journal) -> None:
    """After a cut on a volume without hard links, where the film was moved to make room and the new one never came: it goes back
    to its place."""
    film, kept = journal.film(str(output)), Workspace.kept(output)
    if film is None or output.exists() or not kept.exists() or not film.film_hash:
        return
    if hashes.tree_hash(kept) == film.film_hash:
        take_place(kept, output)
        flush_directory(output.parent)
