"""Kill -9 everywhere: at every journal append, flush, rename, link and unlink, in the engine and in its workers.

    python -m tests.proofs.kills [--quick]          on Linux; strace is used where it is installed

What is killed: two small jobs over a film that stands already, one to ProRes (copied and encoded shots, a gap, a slate,
PCM) and one to H.264 (with AAC, which is encoded in a step of its own); the first film of an empty folder; a run that
finds nothing to do; a rollback; and a job whose user then wants another cut. `holding` says what must hold at each point.

How: the points of an undisturbed run are counted, then a fresh run is killed at the first, the second, ... until one
comes to its end without a kill. Every other point kills the engine alone, so that workers and ffmpeg have to notice by
themselves. Points of the workers are tried once more with only that worker killed: the engine has to finish. Where
`strace` is there, the same is done at real system calls, those of SQLite among them. Last come kills during the resume,
and during the resume after that, kills at any moment, and kills of engine or worker while their ffmpeg is stopped and so
cannot end by itself. A kill that did not fire proves nothing and fails the proof.
"""

from __future__ import annotations

import queue
import random
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.proofs import report
from tests.proofs.blows import CALLS, STRACE
from tests.proofs.cases import Case, make_cases, prepare
from tests.proofs.sampling import Sample, evenly, every
from tests.proofs.stage import Lane
from tests.proofs.trying import LANES, Trials

SEED = 20


def prove(
    place: Path, say: report.Say, *, quick: bool, small: bool = False
) -> tuple[bool, dict[str, object]]:
    """Try all points, or with `quick` some of each kind, of one job alone if `small`; whether all held, and the figures."""
    cases = make_cases(place / "sources")[: 1 if small else 2]
    lanes = [Lane(place / f"lane{n}") for n in range(LANES)]
    for lane in lanes:
        lane.root.mkdir()
    with ThreadPoolExecutor(LANES) as pool:
        prepared = pool.map(
            lambda lane: {(lane.root, case.name): prepare(case, lane) for case in cases}, lanes
        )
        films = {key: value for some in prepared for key, value in some.items()}
    say("undisturbed runs are done")
    waiting: queue.Queue[Lane] = queue.Queue()
    for lane in lanes:
        waiting.put(lane)
    trials = Trials(waiting, films, place / "sources", say)
    chance = random.Random(SEED)
    resumed = 0
    for case in cases:
        resumed += (
            _counted(trials, case, 1 if small else 2, chance)
            if quick
            else _counted(trials, case, 0, chance)
        )
        say(f"{case.name}: points of our own counting are done")
        if STRACE is not None and (not quick or case is cases[0]):
            _system_calls(trials, case, quick, small)
            say(f"{case.name}: system calls are done")
    trials.table()
    for lane in lanes:
        lane.launcher.close()
    verdicts = [verdict for some in trials.rows.values() for verdict in some]
    wrong = [verdict for verdict in verdicts if verdict.wrong]
    for line in trials.silent:
        say(f"WRONG  {line}")
    if STRACE is None:
        say(
            "NOT RUN: kills at system calls, because strace is not installed (apt install strace). SQLite's own are untried."
        )
    kills = sum(len(verdict.fired) for verdict in verdicts)
    return not wrong and not trials.silent and kills > 0, {
        "points": len(verdicts), "kills": kills, "points_failed": len(wrong), "never_fired": len(trials.silent),
        "resumes_killed": resumed, "system_calls_tried": STRACE is not None, "same_bytes": sum(v.identical for v in verdicts),
        "longest_survivor_s": max((v.gone_s for v in verdicts), default=0.0),
        "median_point_s": statistics.median(v.seconds for v in verdicts),
    }  # fmt: skip


def _counted(trials: Trials, case: Case, most: int, chance: random.Random) -> int:
    """Points of our own counting: all, or about `most` of each kind. How many resumes were killed."""

    def some(times: int) -> Sample:
        return evenly(most * times) if most else every

    trials.sweep(case, "publish", some(2))
    trials.sweep(case, "rollback", some(1))
    if most != 1:
        trials.sweep(case, "another cut instead", some(1), last=20)
        trials.sweep(case, "film after rollback", some(1))
        trials.moments(case, most or 25, chance)
    if most == 0 or case.name == "h264":
        trials.sweep(case, "first film", some(1))
        trials.sweep(case, "nothing to do", some(1))
    trials.workers(case, evenly(min(most, 2)) if most else every)
    trials.orphans(case, 1 if most else 10)
    return trials.again(case, most or 30, chance)


def _system_calls(trials: Trials, case: Case, quick: bool, small: bool) -> None:
    """Every call that makes something durable or names it; of SQLite's many writes, a part."""
    if small:
        trials.calls(case, "publish", {call: evenly(1) for call in ("fdatasync", "rename")})
        return
    if quick:
        trials.calls(
            case,
            "publish",
            {call: evenly(1) for call in ("fdatasync", "rename", "unlink", "pwrite64")},
        )
    else:
        trials.calls(
            case, "publish", {call: evenly(40) if call == "pwrite64" else every for call in CALLS}
        )
        trials.calls(case, "rollback", dict.fromkeys(CALLS, evenly(20)))
        trials.calls(case, "first film", dict.fromkeys(CALLS, evenly(8)))
    trials.calls_of_worker(case, "fsync", evenly(1) if quick else every)
    trials.calls_of_worker(case, "unlink", evenly(0) if quick else every)


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; its exit code."""
    quick, say, began = report.quick(arguments), report.Say(), time.monotonic()
    with report.workplace("kills") as place:
        held, figures = prove(place, say, quick=quick)
    return report.close("kills", held, quick=quick, seconds=time.monotonic() - began, **figures)


if __name__ == "__main__":
    sys.exit(main())
