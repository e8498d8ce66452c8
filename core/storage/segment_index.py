"""Copies of the journal's checkpoints beside the segments: a lost journal costs no rendering.

    <scratch>/index/a/<content key>.<owner>

Each entry is one JSON object: a checkpoint, and the packet hashes of the sources from which its
segment was rendered. `owner` identifies the data folder (`scratch_leases.name`), because several
may share a scratch folder.

An entry is only a cached checkpoint, like any other on record: no segment is used before its bytes
have been hashed again. Restoring an entry also restores the packet hashes, and with them what was
known of the sources. If an entry is missing or torn, its segment is rendered again; nothing else is
lost.
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
    """A checkpoint, the packet hashes of the source parts it used, and the source files."""

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
        """Write an entry durably, in the background.

        Nothing waits for the entry. A write error is ignored, because the journal has the
        checkpoint too.
        """
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
        """Write the entries that are missing after a power cut or while a drive was disconnected.

        Each entry contains everything on record of the segment's sources. `made_of` maps content
        keys to source paths and their identities. A write error is ignored. Returns when all
        entries are written.
        """
        # Wait for entries that are still being written, which are not missing.
        self._beside.submit(lambda: None).result()
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
        """Remove this data folder's unfinished entries and its entries for unknown segments.

        Only entries written before a moment (Unix seconds) are removed; a power cut left them.
        `known` are the keys on record. Raises OSError.
        """
        for path in self._folder.glob("*/*"):
            if (
                path.suffixes[:1] == [f".{self._owner}"]
                and (path.suffix == _PART or path.stem not in known)
                and (path.lstat().st_mtime < before)
            ):
                path.unlink(missing_ok=True)

    def was_read(self, journal: Journal) -> bool:
        """Return whether the journal has read everything in the index of this scratch folder."""
        return bool(
            journal.read("SELECT 1 FROM switches WHERE name = ? AND is_on", (self._switch,))
        )

    def forget(self, key: str) -> None:
        """Remove this data folder's entry, before the checkpoint itself is forgotten.

        Raises OSError.
        """
        # Wait, because an entry that is still being written would come back.
        self._beside.submit(lambda: None).result()
        self._path(key).unlink(missing_ok=True)

    def forget_broken(self, facts: Iterable[Fact]) -> None:
        """Remove the entries of checkpoints that these events invalidate.

        Called before the events are recorded.
        """
        for fact in facts:
            if isinstance(fact, SealBroken):
                with contextlib.suppress(OSError):  # the segment is hashed again in any case
                    self.forget(fact.key)

    def shared(self, key: str, others: frozenset[str]) -> bool:
        """Return whether another data folder has an entry for a segment too.

        `others` are the owners that still exist.
        """
        folder = self._path(key).parent
        return bool(others) and any((folder / f"{key}.{owner}").exists() for owner in others)

    def entries(self) -> Iterator[Entry]:
        """Yield entries of this data folder, and of those that no longer exist on this machine.

        Raises OSError.
        """
        others = scratch_leases.living(self._scratch, self._home)
        for path in sorted(self._folder.glob("*/*")):
            if path.suffix != _PART and path.suffix.lstrip(".") not in others:
                with contextlib.suppress(OSError, ValueError):
                    # A torn entry, left by a power cut, means that its segment is rendered again.
                    yield codec.decode(path.read_bytes(), Entry)

    @contextlib.contextmanager
    def removing(self, journal: Journal) -> Iterator[None]:
        """Enclose the removal of checkpoints and their files.

        If the process is killed during the block, the next `restore` records again every checkpoint
        whose entry and file still exist. The mark for this is a deferred write, so the block must
        begin with the transaction that forgets the checkpoints. Raises OSError.
        """
        was_read = self.was_read(journal)
        journal.later(_REMOVING, [(self._switch,)])
        yield
        if was_read:
            journal.write(_READ, [(self._switch,)])

    def undo_cut_removal(self, journal: Journal) -> None:
        """After an interrupted removal, record what still exists, so that it can be removed.

        The index of a lost journal is left to the next job, which may need it. Raises OSError.
        """
        if journal.read("SELECT 1 FROM switches WHERE name = ? AND NOT is_on", (self._switch,)):
            self.restore(journal)

    def restore(self, journal: Journal) -> int:
        """Record checkpoints that the journal does not know, once for each scratch folder.

        Returns the number of segments. Without an index nothing is written, because the request may
        still be refused. Raises OSError.
        """
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
        # A segment whose job is not on record gets an empty job name.
        made_by: dict[str, str] = dict(journal.read(_MADE_BY, ())) if found else {}
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
        """Note, with the next transaction, that the journal knows every entry of this index.

        From now on entries are added here, and the index is not read again.
        """
        if not self.was_read(journal):
            journal.later(_READ, [(self._switch,)])

    def keys(self, journal: Journal) -> set[str]:
        """Return the content keys whose segments an existing data folder may need.

        These are the keys for which another data folder has an entry, and our own as long as the
        journal has not read them. Raises OSError.
        """
        known = {
            *scratch_leases.living(self._scratch, self._home),
            *(() if self.was_read(journal) else (self._owner,)),
        }
        return {path.stem for path in self._folder.glob("*/*") if path.suffix.lstrip(".") in known}

    def drop(self, key: str) -> None:
        """Remove the entries for a removed segment of data folders that no longer exist.

        Raises OSError.
        """
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
        """Write all queued entries and flush each of their folders once.

        Entries queue up while earlier entries are flushed.
        """
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
        """Create a folder of the index in the scratch folder that holds the store.

        If the scratch drive is disconnected, nothing is created on its empty mount point, even if
        the drive disappears between the check and the creation. Raises OSError.
        """
        # On Windows, a disconnected drive leaves no folder behind.
        if os.mkdir not in os.supports_dir_fd:
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
        # Otherwise a power cut removes the new folder together with its entries.
        for made_in in (self._folder, self._scratch):
            flush_directory(made_in)
