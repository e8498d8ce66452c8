"""Thumbnails of a job's shots for its report: kept ones, else drawn by workers from our own files.

Thumbnails never keep a report from being written: a shot may simply be without one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from core.engine import run_tasks
from core.executors.worker_pool import WorkerPool
from core.graph.nodes import Black, Plan, Segment, Slate
from core.job.events import SegmentSealed
from core.plan.policy import Policy
from core.storage import artifacts
from core.storage.journal import Journal
from core.storage.workspace import Workspace
from core.system import machine
from core.tasks.spec import Assignment, DrawThumbnail, Made, Outcome

STALL_S = 15.0
"""Seconds after which a worker that still draws is given up."""
WHOLE_S = 90.0
"""Seconds for all thumbnails together; after that, the report goes without the rest."""


class _Wanted(NamedTuple):
    """A thumbnail and the shots that show it; `ways` are (file, frame in it), the best first."""

    shots: list[int]
    ways: list[tuple[str, int]]


def of_job(
    plan: Plan,
    film: Path | None,
    journal: Journal,
    workspace: Workspace,
    *,
    workers: int,
    shots: Collection[int] | None = None,
    within_s: float = WHOLE_S,
) -> dict[int, bytes]:
    """Return JPEGs by shot number, for `shots` or for all shots.

    `film` is the published film of this very plan if it still exists, else None. Kept thumbnails
    are returned at once. Drawing the others ends `within_s` seconds after it began, except that
    the first one may take up to `STALL_S` seconds longer.
    """
    found: dict[int, bytes] = {}
    wanted: dict[str, _Wanted] = {}
    seals = journal.seals({segment.key for segment in plan.segments})
    starts = [segment.record_in for segment in plan.segments]
    for shot in plan.shots:
        if shots is not None and shot.number not in shots:
            continue
        middle = shot.record_in + shot.frames // 2
        segment = plan.segments[bisect_right(starts, middle) - 1]
        if isinstance(segment.picture, Black | Slate):
            continue
        name = f"{segment.key}-{middle - segment.record_in}.jpg"
        kept = artifacts.picture(workspace.home, name)
        if kept is not None:
            found[shot.number] = kept
        elif ways := _ways(segment, middle, seals, film, workspace):
            wanted.setdefault(name, _Wanted([], ways)).shots.append(shot.number)
    if wanted:
        found |= _draw(wanted, plan.format.rate, workspace, workers, within_s)
    return found


def _ways(
    segment: Segment,
    middle: int,
    seals: dict[str, SegmentSealed],
    film: Path | None,
    workspace: Workspace,
) -> list[tuple[str, int]]:
    ways = []
    seal = seals.get(segment.key)
    if seal is not None and seal.file:
        ways.append((str(workspace.stored(seal.file)), middle - segment.record_in))
    if film is not None:
        ways.append((str(film), middle))
    return ways


def _draw(
    wanted: dict[str, _Wanted], rate: Fraction, workspace: Workspace, workers: int, within_s: float
) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    try:
        crew = WorkerPool(max(1, min(workers, len(wanted))), stall_s=STALL_S)
    except OSError:
        return found
    deadline = machine.monotonic() + within_s

    def over() -> bool:
        """Whether time is up.

        The first thumbnail gets extra time, so that repeated calls with little time make progress.
        """
        now = machine.monotonic()
        return now > deadline and bool(found or now > deadline + STALL_S)

    try:
        for way in range(max(len(one.ways) for one in wanted.values())):
            again = {
                name: one
                for name, one in wanted.items()
                if len(one.ways) > way and one.shots[0] not in found
            }
            _try(crew, again, way, rate, workspace, found, over)
    except (OSError, run_tasks.Stopped):
        pass  # the disk is full or time is up: the report goes without the rest
    finally:
        crew.dismiss()
    return found


def _try(
    crew: WorkerPool,
    wanted: dict[str, _Wanted],
    way: int,
    rate: Fraction,
    workspace: Workspace,
    found: dict[int, bytes],
    stopped: Callable[[], bool],
) -> None:
    parts = {name: artifacts.picture_part(workspace.home, name) for name in wanted}
    orders = {
        name: Assignment(
            order=DrawThumbnail(
                path=one.ways[way][0], frame=one.ways[way][1], part=str(parts[name])
            ),
            rate=rate,
        )
        for name, one in wanted.items()
    }

    def drawn(name: str, outcome: Outcome) -> None:
        if isinstance(outcome, Made):
            found.update(
                dict.fromkeys(
                    wanted[name].shots, artifacts.keep_picture(workspace.home, parts[name], name)
                )
            )

    try:
        run_tasks.run_all(crew, orders, policy=Policy(attempts=1), stopped=stopped, on_done=drawn)
    finally:
        for part in parts.values():
            artifacts.discard(part)
