"""Hotsplice's own files: their names, and every rename of them.

    <home>/journal.db               the journal
    <home>/pictures/                last good frames before damage, for reports
    <scratch>/store/ab/abcd….mov    segments, named by content key
    <scratch>/work/<job>/           part files; never trusted, removed at any time
    <folder of the film>/.hotsplice/
                                    the film being joined, the films it replaced, and the folder's
                                    marker file (`folder_mark`)

A file becomes valid in these steps: part file, flush by its writer, rename, flush of its folder,
journal. For a segment, the last two steps happen at the same time.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from core.storage import locks
from core.system import private_files

BESIDE = ".hotsplice"
_HELD_BRIEFLY = os.name == "nt"
LONGEST_ENDING = len(".incomplete.000.0123456789ab.kept")
"""Length in bytes of the longest suffix that files beside a film add to its name."""


def _rename(source: Path, target: Path) -> None:
    """Rename a file, retrying on Windows.

    On Windows, a virus scanner or indexer may hold a new file for a moment, and the rename is then
    refused.
    """
    if not _HELD_BRIEFLY:
        os.replace(source, target)
        return
    for attempt in Retrying(
        retry=retry_if_exception_type(PermissionError),
        stop=stop_after_attempt(5),
        wait=wait_random_exponential(multiplier=0.05, max=0.5),
        reraise=True,
    ):
        with attempt:
            os.replace(source, target)


def take_place(part: Path, target: Path) -> None:
    """Atomically rename a finished file to `target`, replacing any file of that name.

    For files other than films (`core.storage.artifacts`).
    """
    _rename(part, target)


def point_to(target: Path, name: Path) -> None:
    """Atomically replace `name` with a symlink to `target`. Raises OSError."""
    part = name.with_name(f".{name.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    part.symlink_to(target)
    _rename(part, name)


def flush_directory(path: Path) -> None:
    """Make the names in a directory durable. File systems that do not support this are ignored."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        os.close(handle)


def make_below(path: Path, base: Path) -> None:
    """Create a directory durably, with its parents below `base`.

    `base` itself is never created, because its drive may be disconnected. Raises FileNotFoundError
    if it does not exist.
    """
    if path.is_dir():
        return
    if path == base:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    make_below(path.parent, base)
    path.mkdir(mode=private_files.FOLDER, exist_ok=True)
    flush_directory(path.parent)


class Sealed(NamedTuple):
    """A segment's name in the store.

    `durable` returns once no power cut can remove the name any more; it raises OSError.
    """

    file: str
    durable: Callable[[], None]


class Workspace:
    """Paths and moves of Hotsplice's files.

    `home` contains the journal; everything in `scratch` can be rendered again.
    """

    def __init__(self, home: Path, scratch: Path) -> None:
        self.home, self.scratch = home, scratch
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="flush")

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.home / "journal.db"

    @property
    def own_folders(self) -> tuple[Path, ...]:
        """Folders from which Hotsplice removes files by its own rules; no film may be in them."""
        ours = [self.home / name for name in ("pictures", locks.LOCKS, "logs", "door")]
        return (*ours, self.scratch / "store", self.scratch / "work", self.scratch / "index")

    def prepare(self, job: str) -> None:
        """Create a job's folders and remove part files of an earlier run.

        The process of the earlier run is gone, because the caller holds the job's lock.
        """
        work = self.scratch / "work" / job
        for folder in (work, self.scratch / "store"):
            make_below(folder, self.scratch.parent)
        if fresh := [
            shelf for digit in "0123456789abcdef" if not (shelf := folder / digit).is_dir()
        ]:
            for shelf in fresh:
                shelf.mkdir(mode=private_files.FOLDER, exist_ok=True)
            flush_directory(folder)  # one flush instead of one per folder
        for old in work.iterdir():
            old.unlink()

    def part(self, job: str, key: str, attempt: int, extension: str) -> Path:
        """Return an unused path for an attempt; an existing file there is removed."""
        path = self.scratch / "work" / job / f"{key}.{attempt}{extension}"
        self.discard(path)
        return path

    def picture(self, name: str) -> Path:
        """Return the path for a thumbnail of the last good frame before damage.

        The thumbnail is kept for reports.
        """
        folder = self.home / "pictures"
        make_below(folder, self.home)
        return folder / name

    def discard(self, part: Path) -> None:
        """Remove a part file that will not be used, and its slate."""
        part.unlink(missing_ok=True)
        part.with_name(part.name + ".png").unlink(missing_ok=True)

    def stored(self, file: str) -> Path:
        """Return the path of a segment file in the store."""
        return self.scratch / "store" / file

    def seal(self, part: Path, key: str, extension: str) -> Sealed:
        """Rename a flushed part file to its content key. Doing it twice is harmless.

        The name is made durable in the background while the checkpoint is recorded, which takes as
        long; `durable` waits for it. After a power cut between the two, the record may name a
        missing file; this is detected, and the segment is rendered again. Raises OSError.
        """
        file = f"{key[1:2]}/{key}{extension}"
        target = self.stored(file)
        make_below(target.parent, self.scratch / "store")
        _rename(part, target)
        flushing = self._beside.submit(flush_directory, target.parent)
        part.with_name(part.name + ".png").unlink(missing_ok=True)
        return Sealed(file, flushing.result)

    def close_job(self, job: str, output: Path) -> None:
        """Remove a job's part files. The store is kept."""
        work = self.scratch / "work" / job
        if work.is_dir():
            for old in work.iterdir():
                old.unlink()
            work.rmdir()
        for old in (
            (output.parent / BESIDE).glob(f"*.{job}.part*")
            if (output.parent / BESIDE).is_dir()
            else ()
        ):
            old.unlink()
        self._remove_if_empty(output.parent / BESIDE)

    @staticmethod
    def _remove_if_empty(folder: Path) -> None:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()

    def trial(self, output: Path, extension: str) -> Path:
        """Return the path for an encoder trial.

        It is the same for every run of a film, so that the next run removes the file of an
        interrupted one.
        """
        return self.scratch / f"prove-{locks.name_of(str(output))}{extension}"

    def trials(self, output: Path) -> list[Path]:
        """Return the files left by encoder trials for a film."""
        return list(self.scratch.glob(f"prove-{locks.name_of(str(output))}.*"))

    # The film -----------------------------------------------------------------------------------

    def staged(self, job: str, output: Path) -> Path:
        """Return the path at which the film is joined.

        It is on the same volume as the film's own path, so that publishing is a rename. Raises
        FileNotFoundError if the film's folder does not exist.
        """
        make_below(output.parent / BESIDE, output.parent)
        private_files.share(output.parent / BESIDE)
        return output.parent / BESIDE / f"{output.stem}.{job}.part{output.suffix}"

    def fresh(self, path: Path) -> Path:
        """Remove any file at a path, and return the path."""
        path.unlink(missing_ok=True)
        return path

    @staticmethod
    def kept(output: Path) -> Path:
        """Return the path at which the replaced film is kept."""
        return output.parent / BESIDE / f"{output.name}.previous"

    @staticmethod
    def aside(output: Path) -> Path:
        """Return the path for a file that had the film's name but was not published there."""
        return output.parent / BESIDE / f"{output.name}.other"

    def publish(self, staged: Path, output: Path, *, strange: bool = False) -> str:
        """Move the verified film to its final path.

        Returns the path at which the replaced file is kept, or "". A `strange` file, which is not
        what was published there, is moved aside and does not take the place of the kept film.

        The old film stays reachable at every instant: it gets a second name first, then a rename
        replaces it. Without hard links, the old film is moved, and its path is empty for a moment.
        Raises OSError.
        """
        kept = self.aside(output) if strange else self.kept(output)
        replaced = ""
        if output.exists():
            spare = kept.with_name(kept.name + ".new")
            spare.unlink(missing_ok=True)
            try:
                os.link(output, spare)
                _rename(spare, kept)
                # After an interruption, both names may be the same file; rename then does nothing.
                spare.unlink(missing_ok=True)
            except OSError:
                spare.unlink(missing_ok=True)
                _rename(output, kept)
            flush_directory(kept.parent)
            replaced = str(kept)
        private_files.release(staged)
        try:
            _rename(staged, output)
        except OSError:
            if replaced and not output.exists():
                # A failed publication must not cost the previous film.
                _rename(kept, output)
            raise
        flush_directory(output.parent)
        return replaced

    @staticmethod
    def swap(output: Path) -> Path:
        """Return the third name, used while two films are exchanged."""
        return output.parent / BESIDE / f"{output.name}.swap"

    def roll_back(self, output: Path, chosen: Path | None = None) -> None:
        """Exchange the film with a kept one, by default the newest.

        Any other `chosen` film requires that the name of the newest kept film is free. The outgoing
        film keeps a third name until `forget_exchange` confirms that the exchange is on record;
        after an interruption, `exchanged` determines how far it got. Raises OSError; if nothing was
        exchanged, the kept film still has its old name.
        """
        kept, spare = chosen or self.kept(output), self.swap(output)
        if not kept.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(kept))
        if output.exists():
            try:
                os.link(output, spare)
            except OSError:
                _rename(output, spare)
        try:
            flush_directory(kept.parent)
            _rename(kept, output)
        except OSError:
            self.exchanged(output)  # undoes a partial exchange
            raise
        try:
            flush_directory(output.parent)
        finally:
            self.exchanged(output)

    def exchanged(
        self, output: Path, *, same: Callable[[Path, Path], bool] = Path.samefile
    ) -> bool:
        """Finish or undo an interrupted `roll_back` that is not on record yet.

        Returns whether it had progressed far enough to be finished, and now is. `same` tells
        whether two paths lead to one file.
        """
        kept, spare = self.kept(output), self.swap(output)
        if not spare.exists():
            return False
        if not output.exists():
            _rename(spare, output)
            return False
        if same(spare, output):
            spare.unlink()
            return False
        if not kept.exists():
            try:
                os.link(spare, kept)
            except OSError:
                # Without hard links the third name stays, as the sign that the exchange is not on
                # record yet.
                return True
            flush_directory(kept.parent)
        return same(spare, kept)

    def forget_exchange(self, output: Path) -> None:
        """Remove the third name, once the exchange is on record."""
        kept, spare = self.kept(output), self.swap(output)
        if spare.exists() and not kept.exists():
            _rename(spare, kept)
            flush_directory(kept.parent)
        spare.unlink(missing_ok=True)

    # Garbage collection -------------------------------------------------------------------------

    def remove_stored(self, file: str) -> int:
        """Delete a segment file whose record has been removed, and return the bytes freed."""
        path = self.stored(file)
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            return 0
        return size

    def unrecorded(self, known: set[str], *, before: float) -> list[str]:
        """Return files in the store that belong to no checkpoint.

        A power cut between the rename and the journal leaves such files. Only files written before
        a moment (Unix seconds) are returned, because newer ones may be about to be recorded.
        """
        store = self.scratch / "store"
        files = (
            f"{p.parent.name}/{p.name}"
            for p in store.glob("*/*")
            if stat.S_ISREG(p.lstat().st_mode) and p.lstat().st_mtime < before
        )
        return sorted(set(files) - known)

    def work_folders(self) -> list[str]:
        """Return the jobs that have part files."""
        work = self.scratch / "work"
        return sorted(p.name for p in work.iterdir()) if work.is_dir() else []


def durable_rename(folder: Path) -> None:
    """Test publishing with a tiny file: write, flush, rename, flush the directory.

    Raises OSError if the folder does not support these steps.
    """
    first, second = (
        folder / f".hotsplice-{os.getpid()}.try",
        folder / f".hotsplice-{os.getpid()}.tried",
    )
    try:
        with open(first, "xb", opener=private_files.opener) as handle:
            handle.write(b"hotsplice")
            handle.flush()
            os.fsync(handle.fileno())
        _rename(first, second)
        flush_directory(folder)
    finally:
        first.unlink(missing_ok=True)
        second.unlink(missing_ok=True)
