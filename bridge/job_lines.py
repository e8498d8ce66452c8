"""Jobs as they are listed: what the record says of each, in a line."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from bridge.sayings import JobLine
from core.model.facts import JobFinished
from core.record.journal import Journal
from core.record.submissions import Submissions, Wish


def job_lines(journal: Journal, submissions: Submissions, most: int) -> tuple[JobLine, ...]:
    """The newest jobs, oldest first. That a job is under work is not on record: it waits."""
    wishes = dict(submissions.queue())
    return tuple(_line(journal, submissions, job, at, wishes.get(job)) for job, at in journal.jobs()[-most:])


def job_line(journal: Journal, submissions: Submissions, job: str, working: Collection[str]) -> JobLine:
    """One job. KeyError for one that is not on record."""
    wish = dict(submissions.queue()).get(job)
    return as_it_is(_line(journal, submissions, job, dict(journal.jobs())[job], wish), working)


def as_it_is(line: JobLine, working: Collection[str]) -> JobLine:
    """The same, with what only the companion knows: which jobs are under work."""
    begun = line.state == "waiting" and line.job in working
    return msgspec.structs.replace(line, state="working") if begun else line


def _line(journal: Journal, submissions: Submissions, job: str, at: float, wish: Wish | None) -> JobLine:
    accepted, _ = journal.request(job)
    ended = journal.last(job, "JobFinished")
    end = ended.fact if ended and isinstance(ended.fact, JobFinished) else None
    if end and (end.outcome != "failed" or wish != "run"):
        state: str = end.outcome
    else:
        state = {"run": "waiting", "held": "held"}.get(wish or "", "interrupted")
    return JobLine(
        job=job, state=state, timeline=accepted.timeline_name, output=accepted.output, preset=accepted.preset, at=at,
        code=end.code if end else "", priority=submissions.priority(job), digest=accepted.digest,
    )  # fmt: skip
