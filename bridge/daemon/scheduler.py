"""Decides which jobs run now and with how many workers.

The decision is a pure function, evaluated again whenever something has changed.

    the queue in order, the running jobs, the settings
        -->  which jobs to start, which to interrupt, workers for each

A job of higher priority comes next. A job of clearly higher priority does not wait, because an
interrupted job resumes from its checkpoints. Two jobs for one film never run at once: of several
cuts that wait for the same film, the newest is rendered, and starting it supersedes the older ones.
A film that is being rendered is finished first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

CLEARLY = 10
"""Minimum priority gap for preemption of a running job."""


class Job(NamedTuple):
    """A queued job.

    `age` is higher the later the job was queued; `film` is the path of its output.
    """

    job: str
    priority: int
    age: int
    film: str


class Now(NamedTuple):
    """What to do now, and how many workers each job that runs from now on may use."""

    begin: tuple[str, ...]
    interrupt: tuple[str, ...]
    workers: dict[str, int]


def decide(
    waiting: Sequence[Job],
    working: Sequence[Job],
    *,
    stopping: Collection[str] = (),
    at_once: int,
    workers: int,
    paused: bool = False,
) -> Now:
    """Return what to start, what to interrupt, and the workers of each job.

    `stopping` are those of `working` that were already asked to stop: they keep their slot and
    their film until they end. `at_once` is the maximum number of running jobs, and `workers` the
    number of workers to share.
    """
    going = _in_order(job for job in working if job.job not in stopping)
    if paused:
        return Now((), tuple(job.job for job in going), {})
    places = max(1, min(at_once, workers))
    stay, too_many = going[:places], going[places:]
    ready = [job for job in newest_cuts(waiting) if job.film not in {one.film for one in working}]
    begin = ready[: max(0, places - len(working))]
    # Slots that are about to become free and are not taken yet.
    freed = len(stopping) + len(too_many) - max(0, len(working) - places)
    late = ready[len(begin) :][max(0, freed) :]
    yielding: list[Job] = []
    while late and stay and late.pop(0).priority - stay[-1].priority >= CLEARLY:
        yielding.append(stay.pop())
    interrupt = tuple(job.job for job in (*too_many, *yielding))
    return Now(
        tuple(job.job for job in begin), interrupt, _hands(_in_order([*stay, *begin]), workers)
    )


def newest_cuts(waiting: Sequence[Job]) -> list[Job]:
    """Return, in order, only the newest job of each film: it would supersede the others."""
    newest = {job.film: job.job for job in sorted(waiting, key=lambda job: job.age)}
    return _in_order(job for job in waiting if newest[job.film] == job.job)


def _in_order(jobs: Iterable[Job]) -> list[Job]:
    return sorted(jobs, key=lambda job: (-job.priority, job.age))


def _hands(jobs: Sequence[Job], workers: int) -> dict[str, int]:
    """Return the workers of each job.

    Each job gets one; the rest is shared evenly among the jobs of the highest priority, oldest
    first.
    """
    hands = {job.job: 1 for job in jobs}
    first = [job.job for job in jobs if job.priority == jobs[0].priority]
    for number in range(workers - len(jobs)):
        if first:
            hands[first[number % len(first)]] += 1
    return hands
