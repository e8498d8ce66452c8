"""What clients asked for, by the names they gave it, and which jobs shall still be worked at, in which order. In the journal's
own transactions.

A submission is on record together with its job or not at all, so a client that asks again under the same name, hours or a
crash later, is told of the same job. `wish` of a job in the queue: `run` it as soon as it is its turn, `held` until someone
resumes it, `over`: nothing is to be done. The order: the highest priority first, then the oldest.
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
"""A client asked for the job after its last run had ended."""
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
    """A job in the queue. `output` is where its film shall stand; `age` grows with every job that came later."""

    job: str
    wish: Wish
    priority: int
    output: str
    age: int


class Submitted(NamedTuple):
    """A submission: its job, and `content`, a hash of all that was asked under its name."""

    job: str
    content: str


class Happening(NamedTuple):
    """A fact as it is written down: `body` is its JSON."""

    seq: int
    job: str
    at: float
    body: str


class Submissions:
    """The queue and the names, and the journal from a sequence number on."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def known(self, name: str) -> Submitted | None:
        """What was submitted under a name."""
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
        """A submission, its job and its place in the queue, durable when this returns. `body` is the request as JSON.
        sqlite3.IntegrityError: another writer took the name first."""
        self._journal.accept(
            job,
            fact,
            timeline,
            at,
            *facts,
            also=[(_SUBMIT, (name, job, content, body)), (_WISH, (job, "run"))],
        )

    def join(self, name: str, *, content: str, body: str, job: str) -> None:
        """Another name for a job that is open already; it is wanted again."""
        self.wish(job, "run")
        self._journal.write(_SUBMIT, [(name, job, content, body)])

    def wish(self, job: str, wish: Wish) -> None:
        """What shall become of a job; it keeps its place in the queue."""
        self._journal.write(_WISH, [(job, wish)])

    def settle(self, job: str, wish: Wish) -> None:
        """What becomes of a job whose run has ended. Whatever a client asked for after that end stays as it is."""
        self._journal.write(_SETTLE, [(job, wish)])

    def asked_again(self, job: str) -> bool:
        """Whether a client asked for the job after its last run had ended."""
        return (
            self._journal.read(
                f"SELECT 1 FROM queue WHERE job = ? AND EXISTS ({_ASKED_AGAIN})", (job,)
            )
            != []
        )

    def queue(self) -> list[tuple[str, Wish]]:
        """(job, wish) of everything that is not over, in order."""
        return [(line.job, line.wish) for line in self.lines()]

    def lines(self) -> list[Queued]:
        """The same with all that is known of it."""
        rows = self._journal.read(
            "SELECT job, wish, priority, output, place FROM queue JOIN jobs ON jobs.id = queue.job "
            f"WHERE wish != 'over' {_ORDER}",
            (),
        )
        return [Queued(*row) for row in rows]

    def ended(self) -> list[str]:
        """Jobs that are wanted though they have ended well since: another process made them, or a newer cut superseded them."""
        rows = self._journal.read(
            "SELECT job FROM queue WHERE wish = 'run' AND EXISTS "
            f"(SELECT 1 FROM facts WHERE facts.job = queue.job AND {ENDED_WELL}) ORDER BY place",
            (),
        )
        return [job for (job,) in rows]

    def prioritise(self, job: str, priority: int) -> None:
        """Of the jobs that wait, those with a higher priority come first. A job that was never queued has no place to change."""
        self._journal.write(_PRIORITY, [(priority, job)])

    def priority(self, job: str) -> int:
        """What a job was given; 0 is what every job begins with."""
        rows = self._journal.read("SELECT priority FROM queue WHERE job = ?", (job,))
        return int(rows[0][0]) if rows else 0

    def pause(self, *, paused: bool) -> None:
        """Whether jobs shall rest, all of them, until this is said otherwise."""
        self._journal.write(_SWITCH, [("paused", int(paused))])

    @property
    def paused(self) -> bool:
        """Whether all jobs rest."""
        return (
            self._journal.read("SELECT 1 FROM switches WHERE name = 'paused' AND is_on", ()) != []
        )

    def made(self, job: str) -> int:
        """How many pieces of a job were sealed, ever."""
        question = "SELECT count(DISTINCT json_extract(body, '$.key')) FROM facts WHERE job = ? AND kind = 'SegmentSealed'"
        return int(self._journal.read(question, (job,))[0][0])

    def since(self, seq: int, *, job: str = "", most: int = 500) -> list[Happening]:
        """Facts after a sequence number, of one job or of all, oldest first, at most so many."""
        which, fields = ("AND job = ? ", (seq, job, most)) if job else ("", (seq, most))
        rows = self._journal.read(
            f"SELECT seq, job, at, body FROM facts WHERE seq > ? {which}ORDER BY seq LIMIT ?",
            fields,
        )
        return [Happening(*row) for row in rows]

    def last(self, job: str = "") -> int:
        """The newest sequence number, of one job or of all; 0 before anything happened."""
        which, fields = (" WHERE job = ?", (job,)) if job else ("", ())
        return int(
            self._journal.read(f"SELECT coalesce(max(seq), 0) FROM facts{which}", fields)[0][0]
        )
