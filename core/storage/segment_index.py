"""What the journal says of each sealed segment, once more beside the segments: a lost journal costs no rendering.

    <scratch>/index/a/<content key>.<owner>   one JSON object: the seal, and the packet hashes of the sources it was made of

`owner` names the data folder (`owners.name`), since several may share a scratch folder. An entry is a claim like any other
seal on record: no segment is used before its bytes were hashed again. The packet hashes come back with it, so that what was
known of the sources is known again. An entry that is missing or torn costs that segment's rendering and nothing else.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue

from core.job.events import Fact, SealBroken, SegmentSealed
from core.media.content import Marks
from core.storage import scratch_leases
from core.storage.history import History, SourceRecord
from core.storage.journal import Journal
from core.storage.workspace import flush_directory, take_place
from core.system import codec, private_files
from core.system.codec import Value

INDEX = "index"
_PART = ".part"
_READ = "INSERT INTO switches VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET is_on = 1"
_REMOVING = "UPDATE switches SET is_on = 0 WHERE name = ?"
_SEAL = "INSERT OR IGNORE INTO seals VALUES (?, ?, ?, ?)"
_MADE_BY = (
    "SELECT json_extract(body, '$.key'), job FROM facts WHERE kind = 'SegmentSealed' ORDER BY seq"
)


class Entry(Value, frozen=True):
    """A sealed segment, what its sources were like where it used them, and the files that they were."""

    seal: SegmentSealed
    marks: tuple[Marks, ...] = ()
    sources: tuple[SourceRecord, ...] = ()


class SegmentIndex:
    """The index of one data folder in a scratch folder."""

    def __init__(self, scratch: Path, home: Path) -> None:
        self._scratch, self._home, self._folder = scratch, home, scratch / INDEX
        self._owner, self._switch = scratch_leases.name(home), f"index {self._folder}"
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="index")
        self._waiting: SimpleQueue[tuple[Path, bytes]] = SimpleQueue()

    def add(self, seal: SegmentSealed, marks: tuple[Marks, ...], memory: History) -> None:
        """Write an entry durably, beside whatever is done next. Nothing waits for it, and a disk that refuses it is no loss:
        the journal has it too."""
        seen = [memory.seen(path) for path in dict.fromkeys(one.path for one in marks)]
        entry = Entry(seal=seal, marks=marks, sources=tuple(one for one in seen if one is not None))
        self._waiting.put((self._path(seal.key), codec.encode(entry)))
        self._beside.submit(self._write_waiting)

    def complete(
        self,
        seals: Iterable[SegmentSealed],
        made_of: Mapping[str, Mapping[str, str]],
        memory: History,
    ) -> None:
        """Write the entries that a power cut or a drive that was away took, with all that is on record of what each segment was
        `made_of` (key to paths with identities). A disk that refuses is no loss."""
        self._beside.submit(
            lambda: None
        ).result()  # those that are still being written are not missing
        wanted = {self._path(seal.key): seal for seal in seals if seal.file}
        shelves = {path.parent for path in wanted}
        there = {path for shelf in shelves if shelf.is_dir() for path in shelf.iterdir()}
        for path, seal in wanted.items():
            if path not in there:
                known = made_of.get(seal.key, {})
                self.add(
                    seal,
                    tuple(
                        one
                        for place, what in known.items()
                        for one in memory.all_marks(place, what)
                    ),
                    memory,
                )
        self._beside.submit(lambda: None).result()

    def sweep(self, known: set[str], *, before: float) -> None:
        """Remove this data folder's entries of segments that are not on record, and unfinished ones, that were written before a
        moment (unix seconds): a power cut left them. OSError."""
        for path in self._folder.glob("*/*"):
            if (
                path.suffixes[:1] == [f".{self._owner}"]
                and (path.suffix == _PART or path.stem not in known)
                and (path.lstat().st_mtime < before)
            ):
                path.unlink(missing_ok=True)

    def was_read(self, journal: Journal) -> bool:
        """Whether the journal has taken everything that stands in the index of this scratch folder."""
        return bool(
            journal.read("SELECT 1 FROM switches WHERE name = ? AND is_on", (self._switch,))
        )

    def forget(self, key: str) -> None:
        """Remove this data folder's entry, before the seal itself is forgotten. OSError."""
        self._beside.submit(
            lambda: None
        ).result()  # an entry that is still being written would come back
        self._path(key).unlink(missing_ok=True)

    def forget_broken(self, facts: Iterable[Fact]) -> None:
        """Remove the entries of seals that these facts break, before that is recorded."""
        for fact in facts:
            if isinstance(fact, SealBroken):
                with contextlib.suppress(OSError):  # its bytes are hashed again in any case
                    self.forget(fact.key)

    def shared(self, key: str, others: frozenset[str]) -> bool:
        """Whether another data folder has an entry for a segment too; `others` are the owners that still exist."""
        folder = self._path(key).parent
        return bool(others) and any((folder / f"{key}.{owner}").exists() for owner in others)

    def entries(self) -> Iterator[Entry]:
        """Entries of this data folder, and of those that are gone from this machine. OSError."""
        others = scratch_leases.living(self._scratch, self._home)
        for path in sorted(self._folder.glob("*/*")):
            if path.suffix != _PART and path.suffix.lstrip(".") not in others:
                with contextlib.suppress(
                    OSError, ValueError
                ):  # torn by a power cut: that segment is rendered again
                    yield codec.decode(path.read_bytes(), Entry)

    @contextlib.contextmanager
    def removing(self, journal: Journal) -> Iterator[None]:
        """While seals are forgotten and their files removed: when the process is killed meanwhile, the next `restore` puts those
        on record again whose entries and files still stand. What forgets the seals is written first. OSError."""
        was_read = self.was_read(journal)
        journal.later(_REMOVING, [(self._switch,)])
        yield
        if was_read:
            journal.write(_READ, [(self._switch,)])

    def undo_cut_removal(self, journal: Journal) -> None:
        """After a removal that was cut, put on record again what still stands, so that it can be removed. The index of a lost
        journal is left to the next job, which may need it. OSError."""
        if journal.read("SELECT 1 FROM switches WHERE name = ? AND NOT is_on", (self._switch,)):
            self.restore(journal)

    def restore(self, journal: Journal) -> int:
        """Put on record what the journal does not know, once for each scratch folder; how many segments. Without an index nothing
        is written: the request may still be refused. OSError."""
        if self.was_read(journal) or not self._folder.is_dir():
            return 0
        known = {seal.key for seal, _ in journal.all_seals()}
        found = [
            entry
            for entry in self.entries()
            if entry.seal.key not in known and self._stands(entry.seal)
        ]
        memory = History(journal)
        memory.keep_marks(
            (marks.identity, marks) for entry in found for marks in entry.marks if marks.identity
        )
        made_by: dict[str, str] = (
            dict(journal.read(_MADE_BY, ())) if found else {}
        )  # a job that is not on record has no name
        rows = []
        for entry in found:
            at = (self._scratch / "store" / entry.seal.file).stat().st_mtime
            rows.append(
                (
                    entry.seal.key,
                    codec.encode(entry.seal).decode(),
                    made_by.get(entry.seal.key, ""),
                    at,
                )
            )
        newest = sorted(zip((at for *_, at in rows), found, strict=True), key=lambda pair: pair[0])
        memory.recall(seen for _, entry in newest for seen in entry.sources)
        journal.later(_SEAL, rows)
        journal.write(_READ, [(self._switch,)])
        return len(found)

    def begin(self, journal: Journal) -> None:
        """Entries are added to this index from now on, and the journal knows them all: it is not read again."""
        if not self.was_read(journal):
            journal.later(_READ, [(self._switch,)])

    def keys(self, journal: Journal) -> set[str]:
        """Content keys whose segments may be needed by a data folder which still exists: those that another one has an entry for,
        and our own while the journal has not read them. OSError."""
        known = {
            *scratch_leases.living(self._scratch, self._home),
            *(() if self.was_read(journal) else (self._owner,)),
        }
        return {path.stem for path in self._folder.glob("*/*") if path.suffix.lstrip(".") in known}

    def drop(self, key: str) -> None:
        """Remove the entries of data folders that are gone, whose segment is removed. OSError."""
        for path in (self._folder / key[1:2]).glob(f"{key}.*"):
            path.unlink(missing_ok=True)

    def _stands(self, seal: SegmentSealed) -> bool:
        try:
            return (self._scratch / "store" / seal.file).stat().st_size == seal.bytes
        except OSError:
            return False

    def _path(self, key: str) -> Path:
        return self._folder / key[1:2] / f"{key}.{self._owner}"

    def _write_waiting(self) -> None:
        """Write what came while earlier entries were flushed: their folders are flushed once."""
        shelves = set[Path]()
        with contextlib.suppress(Empty):
            while True:
                path, data = self._waiting.get_nowait()
                with contextlib.suppress(OSError):
                    self._write(path, data)
                    shelves.add(path.parent)
        for shelf in shelves:
            with contextlib.suppress(OSError):
                flush_directory(shelf)

    def _write(self, path: Path, data: bytes) -> None:
        if not path.parent.is_dir():
            self._make_shelf(path.parent)
        part = path.with_name(f"{path.name}{_PART}")
        with open(part, "wb", opener=private_files.opener) as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        take_place(part, path)

    def _make_shelf(self, shelf: Path) -> None:
        """Make a folder of the index in the scratch folder that holds the store. Its drive may be out: nothing is made on the
        empty mount point, not even when the drive goes between the look and the making. OSError."""
        if (
            os.mkdir not in os.supports_dir_fd
        ):  # Windows, where a drive that is out leaves no folder
            (self._scratch / "store").stat()
            for folder in (self._folder, shelf):
                folder.mkdir(mode=private_files.FOLDER, exist_ok=True)
            return
        scratch = os.open(self._scratch, os.O_RDONLY)
        try:
            os.stat("store", dir_fd=scratch)
            for folder in (self._folder, shelf):
                with contextlib.suppress(FileExistsError):
                    os.mkdir(
                        folder.relative_to(self._scratch), private_files.FOLDER, dir_fd=scratch
                    )
        finally:
            os.close(scratch)
        for made_in in (
            self._folder,
            self._scratch,
        ):  # or a power cut takes the new folder with its entries
            flush_directory(made_in)
