"""The queue: which jobs can run now, in order, and what becomes of a job whose process has ended.

A job's process may end by itself, be killed, be refused, or find its film held by another process.
A killed job is started again; if it is killed repeatedly without a new event on record, it is given
up, so that it never blocks the others for ever. A refused job is put on hold. A job whose film is
held waits: if the holder is another data folder, the job starts again when the lock next to the
film is free (`bridge.daemon.film_watch`).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bridge.daemon.offline_changes import Left, left
from bridge.daemon.scheduler import Job
from core.storage import locks
from core.storage.jobs import ended, is_open
from core.storage.journal import Journal
from core.storage.submissions import Queued, Submissions, Wish
from core.system import machine

MOST_DEATHS = 5
"""Number of crashes in a row without a new event after which a job is given up."""
LOOK_EVERY_S = 2.0
"""Seconds between reads of the queue, which other processes also write."""
WAIT_S, MOST_WAIT_S, LEFT_ALONE_S = 0.5, 10.0, 60.0


class End(NamedTuple):
    """What becomes of a job whose process has ended.

    If `wish` is None, nothing is recorded and the job stays in the queue. `why` is for people.
    """

    wish: Wish | None
    why: str
    code: str = ""
    detail: str = ""


@dataclass
class _Tried:
    deaths: int = 0
    refused: int = 0
    last: int = 0
    not_before: float = 0.0


class JobQueue:
    """The queue as it is in the journal, and what happened to its jobs in this process."""

    def __init__(self, journal: Journal, submissions: Submissions, home: Path) -> None:
        self._journal, self._submissions, self._home = journal, submissions, home
        self._tried: dict[str, _Tried] = {}
        self._settling: set[str] = set()
        self._looked = -LOOK_EVERY_S
        self._wanted: list[Job] = []
        self._ended: list[str] = []
        self._elsewhere: set[str] = set()
        self._awaited: dict[str, str] = {}
        self.paused = False

    def look(self) -> None:
        """Read the queue at the next opportunity, because it may have changed."""
        self._looked = -LOOK_EVERY_S

    def settled(self, job: str, *, well: bool) -> None:
        """Note that the outcome of a job is on record.

        If it could not be recorded (`well` is false), the job is left alone for LEFT_ALONE_S
        seconds.
        """
        self._settling.discard(job)
        if not well:
            self._tried.setdefault(job, _Tried()).not_before = machine.monotonic() + LEFT_ALONE_S
        self.look()

    def waiting(self, working: Collection[str] = ()) -> list[Job]:
        """Return the jobs that could run now, in order.

        Excludes jobs that are running here or in another terminal.
        """
        self._look_at_times()
        busy = self._settling.union(working, self._ended, self._elsewhere, self._awaited)
        return [job for job in self._wanted if job.job not in busy and self._may(job.job)]

    @property
    def awaited(self) -> dict[str, str]:
        """Jobs that wait until another data folder is done with their film.

        Maps each job to that folder, "" if it is unknown.
        """
        return self._awaited

    def films_awaited(self) -> dict[str, str]:
        """Return the films of those jobs."""
        return {job: self._journal.accepted(job).output for job in self._awaited}

    def held_by(self, job: str, holder: str | None) -> bool:
        """Note who holds the film of a waiting job, or None if the film is free.

        Returns whether that is news.
        """
        if job not in self._awaited or self._awaited[job] == holder:
            return False
        if holder is None:
            del self._awaited[job]
        else:
            self._awaited[job] = holder
        return True

    def working(self, working: Collection[str]) -> list[Job]:
        """Return those of the running jobs that are still requested.

        Any other job was put on hold by somebody meanwhile.
        """
        self._look_at_times()
        return [job for job in self._wanted if job.job in working]

    def ended(self, working: Collection[str]) -> list[str]:
        """Return the queued jobs that somebody else has finished.

        Their outcome must still be recorded in the queue.
        """
        busy = self._settling.union(working)
        ended = [job for job in self._ended if job not in busy and self._may(job)]
        self._settling |= set(ended)
        return ended

    def _may(self, job: str) -> bool:
        return machine.monotonic() >= self._tried.setdefault(job, _Tried()).not_before

    def _look_at_times(self) -> None:
        now = machine.monotonic()
        if now - self._looked >= LOOK_EVERY_S:
            self._looked = now
            self._wanted = [_job(line) for line in self._submissions.lines() if line.wish == "run"]
            self._ended = self._submissions.ended()
            self._elsewhere = {job.job for job in self._wanted if self._held(job.job)}
            wanted = {job.job for job in self._wanted}.difference(self._ended)
            self._awaited = {job: holder for job, holder in self._awaited.items() if job in wanted}
            self.paused = self._submissions.paused

    def _held(self, job: str) -> bool:
        return locks.held(self._home, self._journal.accepted(job).output)

    def taken_up(self) -> Iterator[Left]:
        """Yield the jobs left unfinished, with their progress; called at startup.

        Excludes jobs that another process is running.
        """
        for job, wish in self._submissions.queue():
            if wish == "run" and not self._held(job):
                yield left(self._journal, self._submissions, job)

    def after(self, job: str, code: int | None, summary: dict[str, Any], *, asked: bool) -> End:
        """Decide what becomes of a job whose process has ended.

        `code` is its exit code: negative if it was killed, None if it cannot be killed. `summary`
        holds its last message. `asked` says that the daemon asked it to stop.
        """
        end = self._judge(job, code, summary, asked)
        if end.wish is not None:
            self._settling.add(job)
            self._tried.pop(job, None)
        self.look()
        return end

    def _judge(self, job: str, code: int | None, summary: dict[str, Any], asked: bool) -> End:
        end = ended(self._journal, job)
        outcome = end.outcome if end else ""
        if end and outcome != "failed" and not is_open(self._journal, job):
            return End("over", outcome)
        held = dict(self._submissions.queue()).get(job) == "held"
        if asked or held:
            return End(None, "interrupted")
        tried = self._tried.setdefault(job, _Tried())
        if code == 2:
            cause = str(summary.get("code", ""))
            # Held by another data folder, by a command line, or by the previous process as it ends.
            if cause == "job-running":
                tried.refused += 1
                tried.not_before = machine.monotonic() + min(MOST_WAIT_S, WAIT_S * tried.refused)
                self._awaited[job] = str(summary.get("holder", ""))
                return End(None, "waits for another process")
            return End(
                "held",
                f"refused: {cause}",
                code=cause,
                detail=str(summary.get("message", ""))[:500],
            )
        if code == 3 and outcome == "failed":
            return End("held", "failed")
        if code == 130 and summary:
            return End("held", "interrupted by someone else")
        last = self._submissions.last(job)
        tried.deaths = 1 if last > tried.last else tried.deaths + 1
        tried.last = last
        if tried.deaths >= MOST_DEATHS:
            return End(
                "held",
                "given up",
                code="program-error",
                detail=f"its process ended {MOST_DEATHS} times without a word",
            )
        tried.not_before = machine.monotonic() + WAIT_S * (2 ** (tried.deaths - 1) - 1)
        return End(None, f"its process ended ({code}); it is taken up again")


def _job(line: Queued) -> Job:
    """Convert a queue entry. The film is identified by its name alone, to avoid disk access here.

    If one film has two names, its lock tells.
    """
    return Job(line.job, line.priority, line.age, os.path.normpath(line.output))
