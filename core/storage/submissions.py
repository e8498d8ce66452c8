"""Submissions of clients, and the queue of jobs. Written in the journal's own transactions.

A submission is recorded together with its job or not at all, so a client that submits again under
the same name, hours or a crash later, gets the same job.

A job in the queue has a `wish`: `run` it when its turn comes, `held` until someone resumes it, or
`over`: nothing is left to do. Jobs run by priority, highest first; among equals, the oldest first.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from core.job.events import Fact, JobAccepted
from core.storage.jobs import ENDED_WELL
from core.storage.journal import Journal

Wish = Literal["run", "held", "over"]

_SUBMIT = "INSERT INTO submissions VALUES (?, ?, ?, ?)"
_WISH = (
    "INSERT INTO queue (job, wish, asked_after) VALUES (?1, ?2, (SELECT coalesce(max(seq), 0) FROM facts WHERE job = ?1)) "
    "ON CONFLICT (job) DO UPDATE SET wish = excluded.wish, asked_after = excluded.asked_after"
)
_ASKED_AGAIN = (
    "SELECT 1 FROM facts WHERE facts.job = queue.job AND kind IN ('JobFinished', 'RunInterrupted') AND seq <= asked_after "
    "AND NOT EXISTS (SELECT 1 FROM facts AS later WHERE later.job = facts.job AND later.seq > facts.seq "
    "AND later.kind IN ('RunStarted', 'JobFinished', 'RunInterrupted'))"
)
"""SQL condition: a client requested the job after its last run had ended."""
_SETTLE = (
    "UPDATE queue SET wish = ?2 WHERE job = ?1 AND (EXISTS (SELECT 1 FROM facts WHERE facts.job = queue.job "
    f"AND {ENDED_WELL}) OR NOT EXISTS ({_ASKED_AGAIN}))"
)
_PRIORITY = "UPDATE queue SET priority = ? WHERE job = ?"
_SWITCH = (
    "INSERT INTO switches VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET is_on = excluded.is_on"
)
_ORDER = "ORDER BY priority DESC, place"


class Queued(NamedTuple):
    """A job in the queue.

    `output` is the path of its film. `age` is the place in the queue, which grows with every later
    job.
    """

    job: str
    wish: Wish
    priority: int
    output: str
    age: int


class Submitted(NamedTuple):
    """A submission: its job, and `content`, a hash of everything requested under its name."""

    job: str
    content: str


class Happening(NamedTuple):
    """An event as stored; `body` is its JSON."""

    seq: int
    job: str
    at: float
    body: str


class Submissions:
    """Submissions by name, the queue, and the journal's events from a sequence number on."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def known(self, name: str) -> Submitted | None:
        """Return what was submitted under a name, or None."""
        rows = self._journal.read("SELECT job, content FROM submissions WHERE id = ?", (name,))
        return Submitted(*rows[0]) if rows else None

    def accept(
        self,
        name: str,
        *facts: Fact,
        content: str,
        body: str,
        job: str,
        fact: JobAccepted,
        timeline: bytes,
        at: float,
    ) -> None:
        """Record a submission, its job and its place in the queue, durably.

        `body` is the request as JSON. Raises sqlite3.IntegrityError if another writer took the name
        first.
        """
        self._journal.accept(
            job,
            fact,
            timeline,
            at,
            *facts,
            also=[(_SUBMIT, (name, job, content, body)), (_WISH, (job, "run"))],
        )

    def join(self, name: str, *, content: str, body: str, job: str) -> None:
        """Add another name for a job that is already open, and request the job again."""
        self.wish(job, "run")
        self._journal.write(_SUBMIT, [(name, job, content, body)])

    def wish(self, job: str, wish: Wish) -> None:
        """Set the wish of a job, which keeps its place in the queue."""
        self._journal.write(_WISH, [(job, wish)])

    def settle(self, job: str, wish: Wish) -> None:
        """Set the wish of a job whose run has ended.

        If a client requested the job after that end, its wish stays, unless the job has ended well.
        """
        self._journal.write(_SETTLE, [(job, wish)])

    def asked_again(self, job: str) -> bool:
        """Return whether a client requested the job after its last run had ended."""
        return (
            self._journal.read(
                f"SELECT 1 FROM queue WHERE job = ? AND EXISTS ({_ASKED_AGAIN})", (job,)
            )
            != []
        )

    def queue(self) -> list[tuple[str, Wish]]:
        """Return (job, wish) of every job that is not over, in order."""
        return [(line.job, line.wish) for line in self.lines()]

    def lines(self) -> list[Queued]:
        """Return every job that is not over, in order, with all its fields."""
        rows = self._journal.read(
            "SELECT job, wish, priority, output, place FROM queue JOIN jobs ON jobs.id = queue.job "
            f"WHERE wish != 'over' {_ORDER}",
            (),
        )
        return [Queued(*row) for row in rows]

    def ended(self) -> list[str]:
        """Return jobs that are wanted although they have ended well.

        Another process finished them, or a newer cut superseded them.
        """
        rows = self._journal.read(
            "SELECT job FROM queue WHERE wish = 'run' AND EXISTS "
            f"(SELECT 1 FROM facts WHERE facts.job = queue.job AND {ENDED_WELL}) ORDER BY place",
            (),
        )
        return [job for (job,) in rows]

    def prioritise(self, job: str, priority: int) -> None:
        """Set a job's priority in the queue. A job that was never queued stays unchanged."""
        self._journal.write(_PRIORITY, [(priority, job)])

    def priority(self, job: str) -> int:
        """Return a job's priority; every job starts with 0."""
        rows = self._journal.read("SELECT priority FROM queue WHERE job = ?", (job,))
        return int(rows[0][0]) if rows else 0

    def pause(self, *, paused: bool) -> None:
        """Pause or resume all jobs. The setting lasts until it is changed."""
        self._journal.write(_SWITCH, [("paused", int(paused))])

    @property
    def paused(self) -> bool:
        """Whether all jobs are paused."""
        return (
            self._journal.read("SELECT 1 FROM switches WHERE name = 'paused' AND is_on", ()) != []
        )

    def made(self, job: str) -> int:
        """Return how many content keys of a job ever got a checkpoint."""
        question = "SELECT count(DISTINCT json_extract(body, '$.key')) FROM facts WHERE job = ? AND kind = 'SegmentSealed'"
        return int(self._journal.read(question, (job,))[0][0])

    def since(self, seq: int, *, job: str = "", most: int = 500) -> list[Happening]:
        """Return at most `most` events after a sequence number, oldest first.

        The events are those of one job, or of all jobs if `job` is empty.
        """
        which, fields = ("AND job = ? ", (seq, job, most)) if job else ("", (seq, most))
        rows = self._journal.read(
            f"SELECT seq, job, at, body FROM facts WHERE seq > ? {which}ORDER BY seq LIMIT ?",
            fields,
        )
        return [Happening(*row) for row in rows]

    def last(self, job: str = "") -> int:
        """Return the newest sequence number, of one job or of all, or 0 if there are no events."""
        which, fields = (" WHERE job = ?", (job,)) if job else ("", ())
        return int(
            self._journal.read(f"SELECT coalesce(max(seq), 0) FROM facts{which}", fields)[0][0]
        )
