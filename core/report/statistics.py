"""Statistics over all jobs: success, time to recover, work saved by checkpoints. Pure.

Definitions:

- A job counts as *ended* when it led to a film or failed; not while it is unfinished or stopped,
  nor when a newer cut replaced it.
- *Success* is a verified film that shows and sounds as the timeline asks: outcome complete or
  unchanged.
- A fault is the *user's* when nothing that a program may do fixes it: missing or damaged media, a
  request that cannot be carried out. A job that fell short only because of such faults is left out
  of the second rate, and of nothing else.
- *Time to recover* runs from the first failure of a task, or the closing of a gate, to its success
  or the reopening of the gate, in seconds of work: not while no process ran the job, nor while the
  machine slept. Work that never succeeded is counted separately; a slate is no recovery.
- *Percentiles* use the nearest rank, so each is a value that occurred.
- *Saved* are frames, and the seconds that rendering them once took, from checkpoints that were
  verified and reused.
- *Overhead* is the cost of recoverability: journal, flushes, renames, content hashes, packet hashes
  and all verification, including that of the film. Its share of the time is the delay it caused
  (checks divided by the workers, records while a worker waited): of the whole run, from the start
  of the command, and of the work alone, after start-up. Its share of the processor counts all
  processes, with ffmpeg. Each share is weighted by the time of the jobs; None where no job recorded
  it. `python -m tests.proofs.speed overhead` compares with the same program without all that, and
  with one plain ffmpeg command.
- *Start-up* is the time before a film is planned: loading the program, reading the timeline,
  opening media, testing the encoder. It is that of the last run of each job.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import ceil
from typing import Any

from core.errors.failure import ErrorType
from core.report.view_model import JobView, Trouble
from core.system import codec
from core.system.codec import Value

SUCCESS = ("complete", "unchanged")
ENDED = (*SUCCESS, "incomplete", "failed")


class Recovering(Value, frozen=True):
    """Times to recover in seconds: median, 95th percentile and longest of the `cured` incidents.

    `episodes` counts all incidents.
    """

    episodes: int
    cured: int
    p50_s: float | None
    p95_s: float | None
    longest_s: float | None


class Statistics(Value, frozen=True):
    """Figures over all jobs.

    Rates are shares of 1, or None where there is nothing to divide. `by_fault` is keyed by the code
    of the first failure, most frequent first; `outcomes` counts jobs.
    """

    jobs: int
    ended: int
    outcomes: dict[str, int]
    success_rate: float | None
    success_rate_without_users_faults: float | None
    users_faults: int
    film_rate: float | None
    recovering: Recovering
    by_fault: dict[str, Recovering]
    failures: int
    retries: int
    frames_made: int
    frames_saved: int
    seconds_saved: float
    worked_s: float
    recovering_s: float
    overhead: float | None
    overhead_of_work: float | None = None
    overhead_cpu: float | None = None
    startup_s: float = 0.0


def statistics(told: Iterable[JobView]) -> Statistics:
    """Return the statistics of these jobs."""
    jobs = list(told)
    ended = [job for job in jobs if job.outcome in ENDED]
    good = sum(job.outcome in SUCCESS for job in ended)
    users = sum(fell_short_by_user(job) for job in ended)
    episodes = [episode for job in jobs for episode in job.episodes]
    codes = Counter(episode.code for episode in episodes)
    return Statistics(
        jobs=len(jobs),
        ended=len(ended),
        outcomes=dict(Counter(job.outcome for job in jobs).most_common()),
        success_rate=_share(good, len(ended)),
        success_rate_without_users_faults=_share(good, len(ended) - users),
        users_faults=users,
        film_rate=_share(sum(job.outcome != "failed" for job in ended), len(ended)),
        recovering=_recovering([(e.ending == "cured", e.seconds) for e in episodes]),
        by_fault={
            code: _recovering(
                [(e.ending == "cured", e.seconds) for e in episodes if e.code == code]
            )
            for code, _ in sorted(codes.items(), key=lambda pair: (-pair[1], pair[0]))
        },
        failures=sum(job.figures.failures for job in jobs),
        retries=sum(job.figures.retries for job in jobs),
        frames_made=sum(job.figures.frames_made for job in jobs),
        frames_saved=sum(job.figures.frames_reused for job in jobs),
        seconds_saved=sum(job.figures.saved_s for job in jobs),
        worked_s=sum(job.figures.worked_s for job in jobs),
        recovering_s=sum(job.figures.recovering_s for job in jobs),
        overhead=_weighted([(job.figures.overhead, job.figures.worked_s) for job in jobs]),
        overhead_of_work=_weighted(
            [(job.figures.overhead_of_work, job.figures.worked_s) for job in jobs]
        ),
        startup_s=sum(job.figures.startup_s for job in jobs),
        overhead_cpu=_weighted([(job.figures.overhead_cpu, job.figures.worked_s) for job in jobs]),
    )


def _weighted(shares: list[tuple[float | None, float]]) -> float | None:
    """Return the mean of (share, seconds) weighted by seconds, over the known shares."""
    known = [(value, seconds) for value, seconds in shares if value is not None]
    weight = sum(seconds for _, seconds in known)
    return sum(value * seconds for value, seconds in known) / weight if weight else None


def fell_short_by_user(job: JobView) -> bool:
    """Return whether a job ended without success only because of the user's faults."""
    if job.outcome == "incomplete":
        short = [shot.troubles[-1] for shot in job.shots if not shot.good and shot.troubles]
        short += [trouble for _, trouble in job.silenced]
        # A loss among the remarks (what the film cannot carry of the timeline) is for the user to
        # render in place.
        return all(map(_users, short))
    if job.outcome == "failed":
        fatal = [
            t
            for shot in job.shots
            for t in shot.troubles
            if t.recovery is not None and t.recovery.fatal
        ]
        fatal += [t for t in job.elsewhere if t.recovery is not None and t.recovery.fatal]
        if fatal:
            return _users(fatal[-1])
        found = [t for shot in job.shots for t in shot.troubles]
        return job.code == "nothing-to-show" and all(map(_users, found))
    return False


def _users(trouble: Trouble) -> bool:
    failure = trouble.failure
    if failure is None:  # known before rendering: caused by the media or the timeline
        return True
    damaged = (
        failure.type is ErrorType.PERMANENT_FILE_CORRUPTION and failure.evidence.place == "source"
    )
    return damaged or failure.type is ErrorType.USER_INPUT_INVALID


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that `share` of the values do not exceed, or None."""
    if not values:
        return None
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _recovering(took: list[tuple[bool, float]]) -> Recovering:
    times = [seconds for cured, seconds in took if cured]
    return Recovering(
        episodes=len(took),
        cured=len(times),
        p50_s=percentile(times, 0.5),
        p95_s=percentile(times, 0.95),
        longest_s=max(times, default=None),
    )


def as_plain(told: Statistics) -> dict[str, Any]:
    """Convert the figures to JSON fields."""
    body: dict[str, Any] = codec.plain(told)
    body.pop("is")
    body["recovering"].pop("is")
    for one in body["by_fault"].values():
        one.pop("is")
    return body
