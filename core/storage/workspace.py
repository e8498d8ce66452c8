"""Our own files. Every rename, unlink and directory of Hotsplice is here and nowhere else.

    <home>/journal.db               what happened
    <home>/pictures/                last good frames before damage, for reports
    <scratch>/store/ab/abcd….mov    sealed segments, named by content key
    <scratch>/work/<job>/           part files; not believed, removed freely
    <folder of the film>/.hotsplice/  the film being joined, the films it replaced, and the folder's mark (`folder_mark`)

A file becomes true by: part file, flush by its writer, rename, flush of its folder, journal (of a segment the last two at once).
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
"""Bytes that are added to a film's name for the files beside it."""


def _rename(source: Path, target: Path) -> None:
    """A virus scanner or indexer holds a new file for a moment on Windows: a rename is then refused, briefly."""
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
    """A finished file takes its name, whole; what had it is gone. For what is not a film (`core.storage.artifacts`)."""
    _rename(part, target)


def point_to(target: Path, name: Path) -> None:
    """A name that leads to a file; what had it is gone. OSError."""
    part = name.with_name(f".{name.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    part.symlink_to(target)
    _rename(part, name)


def flush_directory(path: Path) -> None:
    """Make names in a directory durable; file systems that cannot say so are left alone."""
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
    """A durable directory below `base`, which is never made itself: its drive may be out. FileNotFoundError without it."""
    if path.is_dir():
        return
    if path == base:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    make_below(path.parent, base)
    path.mkdir(mode=private_files.FOLDER, exist_ok=True)
    flush_directory(path.parent)


class Sealed(NamedTuple):
    """A segment's name in the store; `durable` returns when no power cut takes it away any more. OSError."""

    file: str
    durable: Callable[[], None]


class Workspace:
    """Names and moves. `home` holds the journal, `scratch` what can be made again."""

    def __init__(self, home: Path, scratch: Path) -> None:
        self.home, self.scratch = home, scratch
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="flush")

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.home / "journal.db"

    @property
    def own_folders(self) -> tuple[Path, ...]:
        """Folders whose files Hotsplice removes by rules of its own: nobody's film may stand there."""
        ours = [self.home / name for name in ("pictures", locks.LOCKS, "logs", "door")]
        return (*ours, self.scratch / "store", self.scratch / "work", self.scratch / "index")

    def prepare(self, job: str) -> None:
        """Folders for a job; part files of an earlier run are removed (its owner is gone: we hold the lock)."""
        work = self.scratch / "work" / job
        for folder in (work, self.scratch / "store"):
            make_below(folder, self.scratch.parent)
        if fresh := [
            shelf for digit in "0123456789abcdef" if not (shelf := folder / digit).is_dir()
        ]:
            for shelf in fresh:
                shelf.mkdir(mode=private_files.FOLDER, exist_ok=True)
            flush_directory(folder)  # once, instead of once for each while segments wait
        for old in work.iterdir():
            old.unlink()

    def part(self, job: str, key: str, attempt: int, extension: str) -> Path:
        """A fresh name for an attempt; what stood there is removed."""
        path = self.scratch / "work" / job / f"{key}.{attempt}{extension}"
        self.discard(path)
        return path

    def picture(self, name: str) -> Path:
        """A name for a small picture of the last good frame before damage: it stays, for reports."""
        folder = self.home / "pictures"
        make_below(folder, self.home)
        return folder / name

    def discard(self, part: Path) -> None:
        """Remove a part file (and its slate) that will not be believed."""
        part.unlink(missing_ok=True)
        part.with_name(part.name + ".png").unlink(missing_ok=True)

    def stored(self, file: str) -> Path:
        """Where a sealed file is."""
        return self.scratch / "store" / file

    def seal(self, part: Path, key: str, extension: str) -> Sealed:
        """Rename a flushed part file to its content key. Doing it twice is harmless. OSError.

        The name is made durable beside whatever is done next, and `durable` waits for that: the record takes as long to be
        written. After a power cut between the two the record names a file that is not there, which is seen, and made again.
        """
        file = f"{key[1:2]}/{key}{extension}"
        target = self.stored(file)
        make_below(target.parent, self.scratch / "store")
        _rename(part, target)
        flushing = self._beside.submit(flush_directory, target.parent)
        part.with_name(part.name + ".png").unlink(missing_ok=True)
        return Sealed(file, flushing.result)

    def close_job(self, job: str, output: Path) -> None:
        """Remove a job's part files; the store stays."""
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
        """Where the encoder is tried for a film: always the same name, so that the next run removes what a cut left."""
        return self.scratch / f"prove-{locks.name_of(str(output))}{extension}"

    def trials(self, output: Path) -> list[Path]:
        """What is left of trials for a film."""
        return list(self.scratch.glob(f"prove-{locks.name_of(str(output))}.*"))

    # The film -----------------------------------------------------------------------------------------------------

    def staged(self, job: str, output: Path) -> Path:
        """Where the film is joined: on the same volume as its place, so that publishing is a rename. FileNotFoundError when the
        film's folder is not there."""
        make_below(output.parent / BESIDE, output.parent)
        private_files.share(output.parent / BESIDE)
        return output.parent / BESIDE / f"{output.stem}.{job}.part{output.suffix}"

    def fresh(self, path: Path) -> Path:
        """The name, with what stood there removed."""
        path.unlink(missing_ok=True)
        return path

    @staticmethod
    def kept(output: Path) -> Path:
        """Where the film that was replaced is kept."""
        return output.parent / BESIDE / f"{output.name}.previous"

    @staticmethod
    def aside(output: Path) -> Path:
        """Where a file is kept that stood in a film's place and is not what was published there."""
        return output.parent / BESIDE / f"{output.name}.other"

    def publish(self, staged: Path, output: Path, *, strange: bool = False) -> str:
        """Put the verified film in its place; the path under which the replaced one is kept, or empty. A `strange` one, which
        is not what was published there, is put aside and does not take the place of the film that is kept.

        The old film stays reachable at every instant: it gets a second name first, then its place is taken by rename.
        Where there are no hard links it is moved, and its place is empty for a moment.
        """
        kept = self.aside(output) if strange else self.kept(output)
        replaced = ""
        if output.exists():
            spare = kept.with_name(kept.name + ".new")
            spare.unlink(missing_ok=True)
            try:
                os.link(output, spare)
                _rename(spare, kept)
                spare.unlink(
                    missing_ok=True
                )  # the same file under both names, after a cut: then rename does nothing
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
                _rename(
                    kept, output
                )  # a film that cannot be published does not cost the one that was there
            raise
        flush_directory(output.parent)
        return replaced

    @staticmethod
    def swap(output: Path) -> Path:
        """The third name while two films change places."""
        return output.parent / BESIDE / f"{output.name}.swap"

    def roll_back(self, output: Path, chosen: Path | None = None) -> None:
        """Exchange the film and a kept one, by default the newest; a `chosen` one needs the name of the newest to be free. The
        film that goes keeps a third name until `forget_exchange` is told that this is on record; `exchanged` tells after a cut
        how far it came. OSError: the kept one has its old name where nothing was exchanged."""
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
            self.exchanged(output)  # undoes what was begun
            raise
        try:
            flush_directory(output.parent)
        finally:
            self.exchanged(output)

    def exchanged(
        self, output: Path, *, same: Callable[[Path, Path], bool] = Path.samefile
    ) -> bool:
        """Whether `roll_back` was begun here, is not on record yet, and came far enough to be finished: then it now is. Undone
        otherwise. `same` tells whether two names lead to one file."""
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
                return True  # no hard links: the third name stays, as the sign of what is not on record yet
            flush_directory(kept.parent)
        return same(spare, kept)

    def forget_exchange(self, output: Path) -> None:
        """The exchange is on record: the third name goes."""
        kept, spare = self.kept(output), self.swap(output)
        if spare.exists() and not kept.exists():
            _rename(spare, kept)
            flush_directory(kept.parent)
        spare.unlink(missing_ok=True)

    # Cleaning -----------------------------------------------------------------------------------------------------

    def remove_stored(self, file: str) -> int:
        """Delete a sealed file whose record was dropped before; bytes freed."""
        path = self.stored(file)
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            return 0
        return size

    def unrecorded(self, known: set[str], *, before: float) -> list[str]:
        """Files in the store that no seal knows and that were written before a moment (unix seconds): sealed by
        rename, cut before the journal. Younger ones may be on their way into it."""
        store = self.scratch / "store"
        files = (
            f"{p.parent.name}/{p.name}"
            for p in store.glob("*/*")
            if stat.S_ISREG(p.lstat().st_mode) and p.lstat().st_mtime < before
        )
        return sorted(set(files) - known)

    def work_folders(self) -> list[str]:
        """Jobs that have part files."""
        work = self.scratch / "work"
        return sorted(p.name for p in work.iterdir()) if work.is_dir() else []


def durable_rename(folder: Path) -> None:
    """Do with a tiny file what publishing a film does: write, flush, rename, flush the directory. OSError: it cannot be."""
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
