"""The journal: what happened, in SQLite, before anything is believed.

WAL with synchronous=FULL: after a power cut every acknowledged fact is there (WAL+NORMAL loses rows, DELETE+FULL the
last commit). On a local disk only. One process at a time works on a job (`Workspace.lock`); several may write here.
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
    """A fact with its place in the journal and its moment (unix seconds)."""

    seq: int
    job: str
    at: float
    fact: Fact


class Film(NamedTuple):
    """A published film: its hash (tree), the cut it is, counts, and the film it replaced with that one's hash if known."""

    path: str
    job: str
    film_hash: str
    cut: str
    frames: int
    samples: int
    kept: str
    kept_hash: str


class Journal:
    """Append and read facts. Used from one thread; sqlite3.Error and OSError mean that nothing was recorded."""

    def __init__(self, path: Path) -> None:
        """Open the journal, or create it. Refused with a code of `journal_faults`, or `journal-newer`."""
        self.path = path
        self._later: list[tuple[str, list[tuple[Any, ...]]]] = []
        try:
            private_files.make_folder(path.parent)
            private_files.create(path)  # the log and the shared memory beside it take its mode
            self._file = os.stat(path)
            _opened.add(self)
            self._db = sqlite3.connect(path, timeout=15.0, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            if sys.platform == "darwin":
                self._db.execute("PRAGMA fullfsync=1")
                self._db.execute("PRAGMA checkpoint_fullfsync=1")
            self._migrate()
            self._db.execute(
                "BEGIN IMMEDIATE"
            )  # a file that can only be read says so here, before work depends on it
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
        """Read every page and compare tables with their indexes. Refused(journal-damaged)."""
        try:
            (found,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.Error as error:
            raise fault(error, self.path) or error from error
        if found != "ok":
            raise Refused("journal-damaged", path=str(self.path), detail=str(found))

    def still_ours(self) -> None:
        """Raise JournalLost when the file that was opened does not stand at its path any more. Files beside the journal are
        created only after this look: its drive may have left an empty mount point behind."""
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
        """All of what is written in it, or nothing; and never left open, or nothing could be recorded after it."""
        self.still_ours()
        self._db.execute("BEGIN IMMEDIATE")
        later, self._later = self._later, []
        try:
            for statement, rows in later:
                self._db.executemany(statement, rows)
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # SQLite itself has taken some back: a full disk
                self._db.execute("ROLLBACK")
            raise

    def write(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Several rows of what is remembered beside the facts (`core.storage.history`), all or none."""
        with self._whole():
            self._db.executemany(statement, rows)

    def later(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        """The same, but it may wait for what is recorded next, and stands or falls with it: a flush less. Who reads before has it
        recorded first."""
        self._later.append((statement, rows))

    def read(self, question: str, fields: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """Rows of it."""
        if self._later:
            with self._whole():
                pass
        return list(self._db.execute(question, fields))

    def accept(
        self, job: str, fact: JobAccepted, timeline: bytes, at: float, *facts: Fact,
        also: Iterable[tuple[str, tuple[Any, ...]]] = (),
    ) -> None:  # fmt: skip
        """Record a new job with the timeline exactly as it was handed in; further `facts`, and the rows of `also`, stand or fall
        with it."""
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
        """Record facts, all or none, durably; the sequence number of the last. What they imply for seals and films
        is recorded in the same transaction."""
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
        """(job, fact) of the film with this hash, when it was published last; None where it never was."""
        row = self._db.execute(
            "SELECT job, body FROM facts WHERE kind = 'FilmPublished' AND json_extract(body, '$.film_hash') = ? "
            "ORDER BY seq DESC",
            (film_hash,),
        ).fetchone()
        return (row[0], codec.decode(row[1], FilmPublished)) if row and film_hash else None

    def facts(self, job: str) -> list[Entry]:
        """Everything that happened to a job, in order."""
        rows = self._db.execute(
            "SELECT seq, job, at, body FROM facts WHERE job = ? ORDER BY seq", (job,)
        )
        return [Entry(seq, job, at, codec.decode(body, Fact)) for seq, job, at, body in rows]  # type: ignore[arg-type]

    def last(self, job: str, *kinds: str) -> Entry | None:
        """The newest fact of these kinds."""
        marks = ",".join("?" * len(kinds))
        row = self._db.execute(
            f"SELECT seq, job, at, body FROM facts WHERE job = ? AND kind IN ({marks}) ORDER BY seq DESC LIMIT 1",
            (job, *kinds),
        ).fetchone()
        return Entry(row[0], row[1], row[2], codec.decode(row[3], Fact)) if row else None  # type: ignore[arg-type]

    def newest(self, job: str) -> float:
        """The moment (unix seconds) of the newest fact about a job; 0 where there is none."""
        (at,) = self._db.execute(
            "SELECT at FROM facts WHERE job = ? ORDER BY seq DESC LIMIT 1", (job,)
        ).fetchone() or (0.0,)
        return float(at)

    def jobs(self) -> list[tuple[str, float]]:
        """(id, accepted at) of all jobs, oldest first."""
        return list(self._db.execute("SELECT id, accepted_at FROM jobs ORDER BY accepted_at, id"))

    def accepted(self, job: str) -> JobAccepted:
        """What was asked, without the timeline, which may be large; KeyError for an unknown job."""
        if (entry := self.last(job, "JobAccepted")) is None or not isinstance(
            entry.fact, JobAccepted
        ):
            raise KeyError(job)
        return entry.fact

    def request(self, job: str) -> tuple[JobAccepted, bytes]:
        """What was asked, and the timeline's bytes; KeyError for an unknown job."""
        row = self._db.execute("SELECT timeline FROM jobs WHERE id = ?", (job,)).fetchone()
        if row is None:
            raise KeyError(job)
        return self.accepted(job), row[0]

    def answers(self, output: str, *, after: int = 0) -> list[tuple[Entry, str]]:
        """What people decided about a film, with the digest of the request it was said of, oldest first."""
        rows = self._db.execute(
            "SELECT seq, job, at, body, digest FROM facts JOIN jobs ON jobs.id = facts.job "
            "WHERE kind = 'Answered' AND output = ? AND seq > ? ORDER BY seq",
            (output, after),
        )
        return [
            (Entry(seq, job, at, codec.decode(body, Fact)), digest)
            for seq, job, at, body, digest in rows
        ]  # type: ignore[arg-type]

    def seals(self, keys: Iterable[str]) -> dict[str, SegmentSealed]:
        """The seals on record under these keys."""
        found = {}
        for key in keys:
            row = self._db.execute("SELECT body FROM seals WHERE key = ?", (key,)).fetchone()
            if row:
                found[key] = codec.decode(row[0], SegmentSealed)
        return found

    def all_seals(self) -> list[tuple[SegmentSealed, str]]:
        """(seal, job that made it), for cleaning up."""
        return [
            (codec.decode(body, SegmentSealed), job)
            for body, job in self._db.execute("SELECT body, job FROM seals")
        ]

    def forget_seals(self, keys: Iterable[str]) -> None:
        """Drop seals whose files are about to be removed: first the record, then the file."""
        with self._whole():
            self._db.executemany("DELETE FROM seals WHERE key = ?", [(key,) for key in keys])

    def decoded(self, fingerprint: str, stream: int, first: int, count: int) -> dict[int, int]:
        """Hashes (xxh3-64), by frame number, of a source's packets that once decoded cleanly, in [first, first + count)."""
        rows = self._db.execute(
            "SELECT frame, mark FROM decoded WHERE fingerprint = ? AND stream = ? AND frame >= ? AND frame < ?",
            (fingerprint, stream, first, first + count),
        )
        return {frame: int.from_bytes(mark, "little") for frame, mark in rows}

    def add_decoded(self, fingerprint: str, stream: int, marks: Mapping[int, int]) -> None:
        """Remember packets that decoded cleanly. Losing this costs a decode, never a wrong film."""
        with self._whole():
            self._db.executemany(
                "INSERT OR REPLACE INTO decoded VALUES (?, ?, ?, ?)",
                [
                    (fingerprint, stream, frame, mark.to_bytes(8, "little"))
                    for frame, mark in marks.items()
                ],
            )

    def film(self, path: str) -> Film | None:
        """What was last published at a path."""
        row = self._db.execute("SELECT * FROM films WHERE path = ?", (path,)).fetchone()
        return Film(*row) if row else None

    def films(self) -> list[Film]:
        """Everything that was published and not replaced since."""
        return [Film(*row) for row in self._db.execute("SELECT * FROM films")]


_opened: WeakSet[Journal] = WeakSet()
"""The journals of this process."""


def lost() -> Exception:
    """What recording would raise now that the kernel has taken the journal's shared memory away: JournalLost, OSError or
    sqlite3.Error. SQLite is not asked: it may be in the middle of something."""
    for journal in list(_opened):
        try:
            journal.still_ours()
        except (JournalLost, OSError) as error:
            return error
    unread = sqlite3.OperationalError("disk I/O error")
    unread.sqlite_errorcode, unread.sqlite_errorname = sqlite3.SQLITE_IOERR, "SIGBUS"
    return unread
