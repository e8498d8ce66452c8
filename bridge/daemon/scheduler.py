"""Who works now, and with how many hands: a pure decision, made anew whenever something has changed.

    the queue in order, what is under work, the settings  -->  what to begin, what to interrupt, workers for each

A job of higher priority comes next; one of clearly higher priority does not wait, since a job that is interrupted goes on from
its checkpoints. Two jobs for one film never work at once: of several cuts that wait for the same film the newest is made, and
taking it up supersedes the older ones. A film that is under work is finished first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

CLEARLY = 10
"""So much higher must a priority be to interrupt a job under work."""


class Job(NamedTuple):
    """`age` grows with every job that came later; `film` is where it shall stand."""

    job: str
    priority: int
    age: int
    film: str


class Now(NamedTuple):
    """What to do, and how many workers each job that works from now on may have."""

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
    """`stopping` are those of `working` that were asked to stop already: they hold their place and their film until they end."""
    going = _in_order(job for job in working if job.job not in stopping)
    if paused:
        return Now((), tuple(job.job for job in going), {})
    places = max(1, min(at_once, workers))
    stay, too_many = going[:places], going[places:]
    ready = [job for job in newest_cuts(waiting) if job.film not in {one.film for one in working}]
    begin = ready[: max(0, places - len(working))]
    freed = (
        len(stopping) + len(too_many) - max(0, len(working) - places)
    )  # places that come free and are still to be had
    late = ready[len(begin) :][max(0, freed) :]
    yielding: list[Job] = []
    while late and stay and late.pop(0).priority - stay[-1].priority >= CLEARLY:
        yielding.append(stay.pop())
    interrupt = tuple(job.job for job in (*too_many, *yielding))
    return Now(
        tuple(job.job for job in begin), interrupt, _hands(_in_order([*stay, *begin]), workers)
    )


def newest_cuts(waiting: Sequence[Job]) -> list[Job]:
    """In order, of each film only the job that was asked for last: the others would be thrown away by it."""
    newest = {job.film: job.job for job in sorted(waiting, key=lambda job: job.age)}
    return _in_order(job for job in waiting if newest[job.film] == job.job)


def _in_order(jobs: Iterable[Job]) -> list[Job]:
    return sorted(jobs, key=lambda job: (-job.priority, job.age))


def _hands(jobs: Sequence[Job], workers: int) -> dict[str, int]:
    """One each; the rest evenly among those of the highest priority, the oldest first."""
    hands = {job.job: 1 for job in jobs}
    first = [job.job for job in jobs if job.priority == jobs[0].priority]
    for number in range(workers - len(jobs)):
        if first:
            hands[first[number % len(first)]] += 1
    return hands
