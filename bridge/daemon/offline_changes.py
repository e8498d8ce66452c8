"""Detects changes while no daemon was running.

Compares the files of the resumed jobs then and now, and describes the state in which the jobs were
left.

The previous state is read from the journal at startup, before a job overwrites it. The current
state is read by a separate process, because a dead share may hang it. Only names, sizes and times
are compared: a job examines its sources itself.

    daemon --(stdin)-->  one line: the files of each job as they were
    daemon <--(stdout)-- one line per job: which files are gone, and which have changed
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from core.job.events import FilmPlanned, JobAccepted
from core.messages.phrases import phrase
from core.messages.template import Language
from core.storage.history import History
from core.storage.journal import Journal
from core.storage.submissions import Submissions
from core.system import process

MOST_NAMED = 5


class Was(msgspec.Struct, frozen=True):
    """A file as it was last known. `size` and `modified_ns` are 0 if unknown.

    `before` is a moment (Unix seconds) at which the file was certainly in this state: a file
    modified later has changed.
    """

    path: str
    size: int = 0
    modified_ns: int = 0
    before: float = 0.0


class Compared(msgspec.Struct, frozen=True):
    """The files of a job that are gone or have changed."""

    job: str
    gone: tuple[str, ...]
    changed: tuple[str, ...]


class Left(NamedTuple):
    """The state in which a job was left.

    `pieces` is 0 if there was no plan yet. `made` of the pieces have a checkpoint.
    """

    job: str
    timeline: str
    interrupted: bool = False
    shots: int = 0
    pieces: int = 0
    made: int = 0
    files: tuple[Was, ...] = ()

    @property
    def briefly(self) -> str:
        """A short description for the log."""
        if not self.pieces:
            return "not begun yet"
        how = "interrupted" if self.interrupted else "cut off"
        return f"{how}, {self.made} of {self.pieces} pieces made, {self.shots} shots"

    def told(
        self, language: Language, gone: tuple[str, ...] = (), changed: tuple[str, ...] = ()
    ) -> str:
        """Describe the state in words, without a full stop."""
        if not self.pieces:
            return phrase("taken-up-new", language)
        how = phrase("taken-up-interrupted" if self.interrupted else "taken-up-cut-off", language)
        said = phrase("taken-up-planned", language, how=how, made=self.made, count=self.pieces)
        return said + phrase(
            "taken-up-changed", language, gone=_named(gone), changed=_named(changed)
        )


def left(journal: Journal, submissions: Submissions, job: str) -> Left:
    """Read the state in which a requested job was left."""
    accepted, planned = journal.last(job, "JobAccepted"), journal.last(job, "FilmPlanned")
    name, output = "", ""
    if accepted is not None and isinstance(accepted.fact, JobAccepted):
        name, output = accepted.fact.timeline_name, accepted.fact.output
    if planned is None or not isinstance(planned.fact, FilmPlanned):
        return Left(job, name)
    plan = planned.fact
    stopped, newest = journal.last(job, "RunInterrupted"), journal.newest(job)
    pieces = plan.segments + plan.chunks
    return Left(
        job, name, interrupted=stopped is not None and stopped.seq > planned.seq, shots=plan.shots,
        pieces=pieces, made=min(pieces, submissions.made(job)), files=_files(journal, job, plan.cut, output, newest),
    )  # fmt: skip


def _files(journal: Journal, job: str, cut: str, output: str, newest: float) -> tuple[Was, ...]:
    memory = History(journal)
    plan = memory.plan(job, cut)
    paths: dict[str, None] = {}
    if plan is not None:
        paths |= dict.fromkeys(shot.path for shot in plan.shots if shot.path)
        paths |= dict.fromkeys(sound.path for chunk in plan.chunks for sound in chunk.sounds)
    gone_then = {problem.path for problem in plan.problems} if plan is not None else set()
    files = []
    for path in paths:
        seen = memory.seen(path)
        if path not in gone_then and seen is not None:
            files.append(Was(path, seen.size, memory.modified_ns(path), newest))
    film = journal.film(output)
    return (*files, Was(output, before=newest)) if film is not None else tuple(files)


def question(jobs: Iterable[Left]) -> bytes:
    """Encode the files of these jobs for the comparing process."""
    return msgspec.json.encode({left.job: left.files for left in jobs}) + b"\n"


def compared(job: str, files: Iterable[Was]) -> Compared:
    """Compare a job's files with their previous state."""
    gone, changed = [], []
    for was in files:
        try:
            now = os.stat(was.path)
        except OSError:
            gone.append(was.path)
            continue
        later = (
            now.st_mtime > was.before if not was.modified_ns else now.st_mtime_ns != was.modified_ns
        )
        if later or (was.size and was.size != now.st_size):
            changed.append(was.path)
    return Compared(job, tuple(gone), tuple(changed))


def _named(paths: tuple[str, ...]) -> str:
    more = len(paths) - MOST_NAMED
    return ", ".join(paths[:MOST_NAMED]) + (f", … (+{more})" if more > 0 else "")


def main() -> int:
    """Answer one question from standard input."""
    process.die_with_parent(int(sys.argv[1]))
    for job, files in msgspec.json.decode(
        sys.stdin.buffer.readline(), type=dict[str, tuple[Was, ...]]
    ).items():
        os.write(sys.stdout.fileno(), msgspec.json.encode(compared(job, files)) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
