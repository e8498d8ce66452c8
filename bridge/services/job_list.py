"""The list of jobs: one line per job, from the journal."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from bridge.protocol.responses import JobLine
from bridge.services.job_accounts import film_place
from core.job.events import RunStarted
from core.storage import locks
from core.storage.jobs import Listed, ended, films, is_open, listed
from core.storage.journal import Journal
from core.storage.submissions import Submissions, Wish


def job_lines(
    journal: Journal, submissions: Submissions, home: Path, most: int, *, by_film: bool = False
) -> tuple[JobLine, ...]:
    """Return the newest jobs, oldest first, or with `by_film` one line per film.

    The journal does not say whether the daemon is running a job: such a job is listed as waiting,
    or as run by somebody else.
    """
    wishes = dict(submissions.queue())
    found = by_film_of(journal, submissions, home) if by_film else listed(journal)
    return tuple(
        msgspec.structs.replace(
            _line(journal, submissions, home, one.job, one.at, wishes.get(one.job)), runs=one.runs
        )
        for one in found[-most:]
    )


def by_film_of(journal: Journal, submissions: Submissions, home: Path) -> list[Listed]:
    """Return one line per film, and one for each other job that is waiting or running."""
    found = listed(journal)
    busy = {job for job, wish in submissions.queue() if wish == "run" and is_open(journal, job)}
    for output in {one.output for one in found}:
        if locks.held(home, output):
            busy |= {
                one.job
                for one in found
                if one.output == output and under_work(journal, home, one.job, output)
            }
    return films(found, busy)


def job_line(
    journal: Journal,
    submissions: Submissions,
    home: Path,
    job: str,
    working: Collection[str],
    holders: Mapping[str, str],
) -> JobLine:
    """Return one job's line. Raises KeyError if the job is not on record."""
    wish = dict(submissions.queue()).get(job)
    return as_it_is(
        _line(journal, submissions, home, job, dict(journal.jobs())[job], wish), working, holders
    )


def as_it_is(line: JobLine, working: Collection[str], holders: Mapping[str, str]) -> JobLine:
    """Add what only the daemon knows.

    That is which jobs it runs itself, and which jobs wait for another data folder.
    """
    if line.state not in ("waiting", "elsewhere"):
        return line
    if line.job in working:
        return msgspec.structs.replace(line, state="working")
    waits = line.state == "waiting" and line.job in holders
    return (
        msgspec.structs.replace(line, state="elsewhere", holder=holders[line.job])
        if waits
        else line
    )


def under_work(journal: Journal, home: Path, job: str, output: str) -> bool:
    """Return whether some process is running a job.

    Its run has then started but not ended, and its film is locked.
    """
    last = journal.last(job, "RunStarted", "RunInterrupted", "JobFinished")
    return last is not None and isinstance(last.fact, RunStarted) and locks.held(home, output)


def _line(
    journal: Journal, submissions: Submissions, home: Path, job: str, at: float, wish: Wish | None
) -> JobLine:
    accepted = journal.accepted(job)
    end = ended(journal, job)
    if under_work(journal, home, job, accepted.output):
        state: str = "elsewhere"
    elif end and not (wish == "run" and is_open(journal, job) and submissions.asked_again(job)):
        state = end.outcome
    else:
        state = {"run": "waiting", "held": "held"}.get(wish or "", "interrupted")
    return JobLine(
        job=job, state=state, timeline=accepted.timeline_name, output=accepted.output, preset=accepted.preset, at=at,
        code=end.code if end else "", priority=submissions.priority(job), digest=accepted.digest,
        film=film_place(journal, job, accepted.output),
    )  # fmt: skip
