"""The journal: SQLite record of every event, written before the engine acts on it.

WAL with synchronous=FULL: after a power cut every acknowledged event is there (WAL+NORMAL loses
rows, DELETE+FULL the last commit). On a local disk only. One process at a time works on a job
(`core.storage.locks`); several may write to the journal.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakSet

from core.errors.refusal import Refused
from core.job.events import (
    Fact,
    FilmPublished,
    FilmRemoved,
    FilmRolledBack,
    JobAccepted,
    SealBroken,
    SegmentSealed,
)
from core.storage.journal_faults import JournalLost, fault
from core.storage.schema import SCHEMAS
from core.system import codec, private_files

_VERSION = len(SCHEMAS)


class Entry(NamedTuple):
    """An event with its sequence number and its time (Unix seconds)."""

    seq: int
    job: str
    at: float
    fact: Fact


class Film(NamedTuple):
    """A published film.

    `film_hash` is its tree hash, `cut` the key of its cut. `kept` is the path of the film that it
    replaced, `kept_hash` that film's hash if known.
    """

    path: str
    job: str
    film_hash: str
    cut: str
    frames: int
    samples: int
    kept: str
    kept_hash: str


class Journal:
    """Appends and reads events. Used from one thread.

    sqlite3.Error and OSError mean that nothing was recorded.
    """

    def __init__(self, path: Path) -> None:
        """Open the journal, or create it.

        Raises Refused with a code of `journal_faults`, or with `journal-newer`.
        """
        self.path = path
        self._later: list[tuple[str, list[tuple[Any, ...]]]] = []
        try:
            private_files.make_folder(path.parent)
            private_files.create(path)  # the WAL and shared-memory files take its mode
            self._file = os.stat(path)
            _opened.add(self)
            self._db = sqlite3.connect(path, timeout=15.0, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            if sys.platform == "darwin":
                self._db.execute("PRAGMA fullfsync=1")
                self._db.execute("PRAGMA checkpoint_fullfsync=1")
            self._migrate()
            # A read-only file fails here, before work depends on it.
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(f"PRAGMA user_version={_VERSION}")
            self._db.execute("ROLLBACK")
            self.still_ours()
        except (JournalLost, sqlite3.Error, OSError) as error:
            found = fault(error, path)
            if found is None:
                raise
            raise found from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()
        _opened.discard(self)

    def _migrate(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version == _VERSION:
            return
        if version > _VERSION:
            raise Refused("journal-newer", path=str(self.path))
        self._db.execute("BEGIN IMMEDIATE")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        for schema in SCHEMAS[version:_VERSION]:
            for statement in schema.split(";\n"):
                if statement.strip():
                    self._db.execute(statement)
        self._db.execute(f"PRAGMA user_version={_VERSION}")
        self._db.execute("COMMIT")

    def check(self) -> None:
        """Run PRAGMA quick_check, which reads every page. Raises Refused(journal-damaged)."""
        try:
            (found,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.Error as error:
            raise fault(error, self.path) or error from error
        if found != "ok":
            raise Refused("journal-damaged", path=str(self.path), detail=str(found))

    def still_ours(self) -> None:
        """Raise JournalLost if the file that was opened is no longer at its path.

        Files beside the journal are created only after this check, because its drive may have left
        an empty mount point behind.
        """
        try:
            if os.stat(self.path).st_ino == self._file.st_ino:
                return
        except FileNotFoundError:
            pass
        try:
            gone = os.stat(self.path.parent).st_dev != self._file.st_dev
        except OSError:
            gone = True
        raise JournalLost(str(self.path), folder_gone=gone)

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Run the block in one transaction: everything in it is recorded, or nothing.

        Deferred writes come first. The transaction is always ended, because nothing could be
        recorded after one that stays open.
        """
        self.still_ours()
        self._db.execute("BEGIN IMMEDIATE")
        later, self._later = self._later, []
        try:
            for statement, rows in later:
                self._db.executemany(statement, rows)
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # SQLite itself rolls back on a full disk
                self._db.execute("ROLLBACK")
            raise

    def write(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Write several rows of history (`core.storage.history`), all or none."""
        with self._whole():
            self._db.executemany(statement, rows)

    def later(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        """Deferred write, committed or lost with the next transaction; saves an fsync.

        `read` commits deferred writes first.
        """
        self._later.append((statement, rows))

    def read(self, question: str, fields: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """Return the rows of a query, after committing deferred writes."""
        if self._later:
            with self._whole():
                pass
        return list(self._db.execute(question, fields))

    def accept(
        self, job: str, fact: JobAccepted, timeline: bytes, at: float, *facts: Fact,
        also: Iterable[tuple[str, tuple[Any, ...]]] = (),
    ) -> None:  # fmt: skip
        """Record a new job with the timeline exactly as it was submitted.

        Further `facts` and the rows of `also` are recorded in the same transaction.
        """
        with self._whole():
            self._db.execute(
                "INSERT INTO jobs VALUES (?, ?, ?, ?, ?)",
                (job, fact.digest, fact.output, at, timeline),
            )
            for one in (fact, *facts):
                self._insert(job, one, at)
            for statement, row in also:
                self._db.execute(statement, row)

    def _insert(self, job: str, fact: Fact, at: float) -> int:
        cursor = self._db.execute(
            "INSERT INTO facts (job, at, kind, body) VALUES (?, ?, ?, ?)",
            (job, at, type(fact).__name__, codec.encode(fact).decode()),
        )
        return int(cursor.lastrowid or 0)

    def append(self, job: str, facts: Iterable[Fact], at: float) -> int:
        """Record events durably, all or none, and return the sequence number of the last one.

        Their consequences for checkpoints and films are recorded in the same transaction.
        """
        last = 0
        with self._whole():
            for fact in facts:
                last = self._insert(job, fact, at)
                match fact:
                    case SegmentSealed():
                        self._db.execute(
                            "INSERT OR REPLACE INTO seals VALUES (?, ?, ?, ?)",
                            (fact.key, codec.encode(fact).decode(), job, at),
                        )
                    case SealBroken():
                        self._db.execute("DELETE FROM seals WHERE key = ?", (fact.key,))
                    case FilmPublished():
                        before = self.film(fact.output)
                        self._db.execute(
                            "INSERT OR REPLACE INTO films VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                            (
                                fact.output,
                                job,
                                fact.film_hash,
                                fact.cut,
                                fact.frames,
                                fact.samples,
                                fact.kept,
                                fact.kept_hash
                                or (
                                    (before.film_hash if fact.replaced else before.kept_hash)
                                    if before and fact.kept
                                    else ""
                                ),
                            ),
                        )
                    case FilmRemoved():
                        self._db.execute("DELETE FROM films WHERE path = ?", (fact.path,))
                    case FilmRolledBack():
                        _, then = self.published(fact.film_hash) or (
                            "",
                            FilmPublished(output="", film_hash="", kept=""),
                        )
                        self._db.execute(
                            "UPDATE films SET film_hash = ?, kept_hash = ?, cut = '', frames = ?, samples = ? WHERE path = ?",
                            (
                                fact.film_hash,
                                fact.kept_hash,
                                then.frames,
                                then.samples,
                                fact.output,
                            ),
                        )
                    case _:
                        pass
        return last

    def published(self, film_hash: str) -> tuple[str, FilmPublished] | None:
        """Return (job, event) of the last publication of the film with this hash, or None."""
        row = self._db.execute(
            "SELECT job, body FROM facts WHERE kind = 'FilmPublished' AND json_extract(body, '$.film_hash') = ? "
            "ORDER BY seq DESC",
            (film_hash,),
        ).fetchone()
        return (row[0], codec.decode(row[1], FilmPublished)) if row and film_hash else None

    def facts(self, job: str) -> list[Entry]:
        """Return all events of a job, in order."""
        rows = self._db.execute(
            "SELECT seq, job, at, body FROM facts WHERE job = ? ORDER BY seq", (job,)
        )
        return [Entry(seq, job, at, codec.decode(body, Fact)) for seq, job, at, body in rows]  # type: ignore[arg-type]

    def last(self, job: str, *kinds: str) -> Entry | None:
        """Return the newest event of these kinds, or None."""
        marks = ",".join("?" * len(kinds))
        row = self._db.execute(
            f"SELECT seq, job, at, body FROM facts WHERE job = ? AND kind IN ({marks}) ORDER BY seq DESC LIMIT 1",
            (job, *kinds),
        ).fetchone()
        return Entry(row[0], row[1], row[2], codec.decode(row[3], Fact)) if row else None  # type: ignore[arg-type]

    def newest(self, job: str) -> float:
        """Return the time (Unix seconds) of a job's newest event, or 0 if there is none."""
        (at,) = self._db.execute(
            "SELECT at FROM facts WHERE job = ? ORDER BY seq DESC LIMIT 1", (job,)
        ).fetchone() or (0.0,)
        return float(at)

    def jobs(self) -> list[tuple[str, float]]:
        """Return (id, time of acceptance) of all jobs, oldest first."""
        return list(self._db.execute("SELECT id, accepted_at FROM jobs ORDER BY accepted_at, id"))

    def accepted(self, job: str) -> JobAccepted:
        """Return a job's request without the timeline, which may be large.

        Raises KeyError for an unknown job.
        """
        if (entry := self.last(job, "JobAccepted")) is None or not isinstance(
            entry.fact, JobAccepted
        ):
            raise KeyError(job)
        return entry.fact

    def request(self, job: str) -> tuple[JobAccepted, bytes]:
        """Return a job's request and the bytes of its timeline.

        Raises KeyError for an unknown job.
        """
        row = self._db.execute("SELECT timeline FROM jobs WHERE id = ?", (job,)).fetchone()
        if row is None:
            raise KeyError(job)
        return self.accepted(job), row[0]

    def answers(self, output: str, *, after: int = 0) -> list[tuple[Entry, str]]:
        """Return users' answers about a film, oldest first.

        Each answer comes with the digest of the request to which it was given.
        """
        rows = self._db.execute(
            "SELECT seq, job, at, body, digest FROM facts JOIN jobs ON jobs.id = facts.job "
            "WHERE kind = 'Answered' AND output = ? AND seq > ? ORDER BY seq",
            (output, after),
        )
        return [
            (Entry(seq, job, at, codec.decode(body, Fact)), digest)  # type: ignore[arg-type]
            for seq, job, at, body, digest in rows
        ]

    def seals(self, keys: Iterable[str]) -> dict[str, SegmentSealed]:
        """Return the checkpoints on record under these keys."""
        found = {}
        for key in keys:
            row = self._db.execute("SELECT body FROM seals WHERE key = ?", (key,)).fetchone()
            if row:
                found[key] = codec.decode(row[0], SegmentSealed)
        return found

    def all_seals(self) -> list[tuple[SegmentSealed, str]]:
        """Return (checkpoint, job that wrote it) of all checkpoints, for garbage collection."""
        return [
            (codec.decode(body, SegmentSealed), job)
            for body, job in self._db.execute("SELECT body, job FROM seals")
        ]

    def forget_seals(self, keys: Iterable[str]) -> None:
        """Delete checkpoints whose files are about to be removed; the record goes first."""
        with self._whole():
            self._db.executemany("DELETE FROM seals WHERE key = ?", [(key,) for key in keys])

    def decoded(self, fingerprint: str, stream: int, first: int, count: int) -> dict[int, int]:
        """Return hashes (xxh3-64) of a source's packets that once decoded cleanly, by frame number.

        The frames are those in [first, first + count).
        """
        rows = self._db.execute(
            "SELECT frame, mark FROM decoded WHERE fingerprint = ? AND stream = ? AND frame >= ? AND frame < ?",
            (fingerprint, stream, first, first + count),
        )
        return {frame: int.from_bytes(mark, "little") for frame, mark in rows}

    def add_decoded(self, fingerprint: str, stream: int, marks: Mapping[int, int]) -> None:
        """Record packets that decoded cleanly. Losing this costs a decode, never a wrong film."""
        with self._whole():
            self._db.executemany(
                "INSERT OR REPLACE INTO decoded VALUES (?, ?, ?, ?)",
                [
                    (fingerprint, stream, frame, mark.to_bytes(8, "little"))
                    for frame, mark in marks.items()
                ],
            )

    def film(self, path: str) -> Film | None:
        """Return the film last published at a path, or None."""
        row = self._db.execute("SELECT * FROM films WHERE path = ?", (path,)).fetchone()
        return Film(*row) if row else None

    def films(self) -> list[Film]:
        """Return all films that were published and not replaced since."""
        return [Film(*row) for row in self._db.execute("SELECT * FROM films")]


_opened: WeakSet[Journal] = WeakSet()
"""The open journals of this process."""


def lost() -> Exception:
    """Return the error that recording would raise now that the journal's shared memory is gone.

    This is JournalLost, OSError or sqlite3.Error. SQLite is not called, because it may be in the
    middle of an operation.
    """
    for journal in list(_opened):
        try:
            journal.still_ours()
        except (JournalLost, OSError) as error:
            return error
    unread = sqlite3.OperationalError("disk I/O error")
    unread.sqlite_errorcode, unread.sqlite_errorname = sqlite3.SQLITE_IOERR, "SIGBUS"
    return unread
