"""Group events into incidents: from the first failure, or the closing of a gate, to its end.

Times are seconds of *work*: while no process ran the job, or the machine slept, nothing was being
recovered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, Protocol

import msgspec

from core.job.events import (
    AttemptFailed,
    ClockJumped,
    Fact,
    FilmJoined,
    FilmPublished,
    GateClosed,
    GateOpened,
    PreviousUsed,
    RunStarted,
    SegmentSealed,
    ShotMended,
    ShotSlated,
)
from core.job.retry_policy import LOOK_AGAIN, SMALLER
from core.system.codec import Value

Ending = Literal["cured", "stand-in", "given up", "open"]


class Entry(Protocol):
    """An event with its position in the journal and its time, as the journal returns it."""

    @property
    def seq(self) -> int:
        """Its number, increasing."""

    @property
    def at(self) -> float:
        """When it was recorded (Unix seconds)."""

    @property
    def fact(self) -> Fact:
        """What happened."""


class Run(Value, frozen=True):
    """One process that worked on the job, from `began` to its last event (Unix seconds)."""

    began: float
    ended: float
    seconds: float
    version: str = ""
    ffmpeg: str = ""
    workers: int = 0


class Incident(Value, frozen=True):
    """Trouble with one task or one gate.

    `began` is in Unix seconds. `since_s` is the same time in seconds of work since the first run of
    the job; the incident ended `seconds` of work later. `code` is that of the first failure.

    Only a `cured` incident counts as recovered: a slate, a part of the shot, or an earlier render
    of it is a `stand-in`.
    """

    what: str
    code: str
    shot: int
    began: float
    since_s: float
    seconds: float
    failures: int
    ending: Ending
    path: str = ""


_WORST: tuple[Ending, ...] = ("open", "given up", "stand-in", "cured")


def runs(entries: Sequence[Entry]) -> tuple[Run, ...]:
    """Return the runs of a job, oldest first."""
    found: list[Run] = []
    began: RunStarted | None = None
    first = last = slept = 0.0

    def close() -> None:
        if began is not None:
            seconds = max(0.0, last - first - slept)
            found.append(
                Run(
                    began=first,
                    ended=last,
                    seconds=seconds,
                    version=began.version,
                    ffmpeg=began.ffmpeg,
                    workers=began.workers,
                )
            )

    for entry in entries:
        match entry.fact:
            case RunStarted():
                close()
                began, first, slept = entry.fact, entry.at, 0.0
            case ClockJumped():
                slept += entry.fact.by_s
            case _:
                pass
        last = entry.at
    close()
    return tuple(found)


class _Clock:
    """Converts Unix seconds to seconds of work since the first run; called in event order."""

    def __init__(self) -> None:
        self._at: float | None = None
        self._worked = 0.0

    def worked(self, entry: Entry) -> float:
        if self._at is not None and not isinstance(entry.fact, RunStarted):
            passed = entry.at - self._at
            if isinstance(entry.fact, ClockJumped):
                passed -= entry.fact.by_s
            self._worked += max(0.0, passed)
        self._at = entry.at
        return self._worked


class _Open:
    def __init__(self, what: str, code: str, shot: int, began: float, worked: float) -> None:
        self.what, self.code, self.shot, self.began, self.since = what, code, shot, began, worked
        self.failures, self.path = 0, ""
        self.parted = False
        self.ending: Ending = "open"
        self.until = worked

    def end(self, ending: Ending, worked: float) -> None:
        self.ending, self.until = ending, worked


def episodes(entries: Iterable[Entry]) -> tuple[Incident, ...]:
    """Return all incidents of a job, in the order in which they began.

    An unfinished incident lasts until the last event. Failures of several pieces of one file with
    the same cause form one incident.
    """
    clock = _Clock()
    known: list[_Open] = []
    latest: dict[str, _Open] = {}
    worked = 0.0

    def begin(what: str, code: str, shot: int, at: float) -> _Open:
        episode = latest.get(what)
        if episode is None or episode.ending in ("cured", "stand-in"):
            episode = latest[what] = _Open(what, code, shot, at, worked)
            known.append(episode)
        episode.failures += 1
        episode.end("open", worked)
        return episode

    def end(what: str, ending: Ending) -> None:
        episode = latest.get(what)
        if episode is not None and episode.ending in ("open", "given up"):
            episode.end(ending, worked)

    def stand_in(shot: int) -> None:
        for what, episode in latest.items():
            if episode.shot == shot:
                end(what, "stand-in")

    for entry in entries:
        worked = clock.worked(entry)
        match entry.fact:
            case AttemptFailed() as fact if not fact.recovery.gate:
                # Otherwise the gate has its own incident.
                episode = begin(fact.key, fact.failure.code, fact.shot, entry.at)
                episode.path = fact.failure.evidence.path
                episode.parted = fact.recovery.change in (SMALLER, LOOK_AGAIN)
                if fact.recovery.retry_at is None:
                    episode.end("given up", worked)
            case SegmentSealed() as fact:
                end(fact.key, "cured")
                for episode in latest.values():
                    if (
                        episode.parted
                        and episode.shot == fact.shot
                        and episode.ending in ("open", "cured")
                    ):
                        # The segments that replace it have keys of their own; the last of them ends
                        # the incident.
                        episode.end("cured", worked)
            case FilmJoined() | FilmPublished():
                end(entry.fact.cut, "cured")
            case ShotMended() as fact:
                end(fact.key, "stand-in")
            case ShotSlated() | PreviousUsed():
                stand_in(entry.fact.shot)
            case GateClosed() as fact:
                begin(f"gate {fact.gate}", fact.failure.code, 0, entry.at)
            case GateOpened() as fact:
                end(f"gate {fact.gate}", "given up" if fact.given_up else "cured")
            case _:
                pass
    for episode in known:
        if episode.ending == "open":
            episode.until = worked
    return _one_for_each_cause(
        Incident(
            what=e.what,
            code=e.code,
            shot=e.shot,
            began=e.began,
            since_s=e.since,
            seconds=e.until - e.since,
            failures=e.failures,
            ending=e.ending,
            path=e.path,
        )
        for e in known
    )


def _one_for_each_cause(told: Iterable[Incident]) -> tuple[Incident, ...]:
    """Merge incidents of one cause (code and file), unless one was cured before the next began.

    The merged incident lasts as long as any of them, and ends like the worst of them. Gates have no
    path, so each wait stays an incident of its own.
    """
    groups: list[list[Incident]] = []
    latest: dict[tuple[str, str], list[Incident]] = {}
    for one in told:
        group = latest.get((one.code, one.path)) if one.path else None
        if group is None or all(
            e.ending == "cured" and e.since_s + e.seconds < one.since_s for e in group
        ):
            group = latest[one.code, one.path] = []
            groups.append(group)
        group.append(one)
    return tuple(group[0] if len(group) == 1 else _joined(group) for group in groups)


def _joined(group: list[Incident]) -> Incident:
    ending = min((one.ending for one in group), key=_WORST.index)
    failures, seconds = sum(one.failures for one in group), troubled_s(group)
    return msgspec.structs.replace(group[0], failures=failures, seconds=seconds, ending=ending)


def troubled_s(told: Iterable[Incident]) -> float:
    """Return the seconds of work during which at least one incident was in progress."""
    total, covered = 0.0, 0.0
    for episode in sorted(told, key=lambda e: e.since_s):
        end = episode.since_s + episode.seconds
        total += max(0.0, end - max(covered, episode.since_s))
        covered = max(covered, end)
    return total
