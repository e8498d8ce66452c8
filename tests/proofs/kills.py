"""Kill -9 everywhere: at every journal append, flush, rename, link and unlink, in the engine and in its workers.

    python -m tests.proofs.kills [--quick]

What is killed: two small jobs over a film that stands already, one to ProRes (copied and encoded shots, a gap, a slate,
PCM) and one to H.264 (with AAC, which is encoded in a step of its own); the first film of an empty folder; a run that
finds nothing to do; a rollback; and a job whose user then wants another cut. `holding` says what must hold at each point.

How: the points of an undisturbed run are counted, then a fresh run is killed at the first, the second, ... until one
comes to its end without a kill. Every other point kills the engine alone, so that workers and ffmpeg have to notice by
themselves. Points of the workers are tried once more with only that worker killed: the engine has to finish. Where
`strace` is there, the same is done at real system calls, those of SQLite among them. Last come kills during the resume,
and during the resume after that, and kills at any moment. A kill that did not fire proves nothing and fails the proof.
"""

from __future__ import annotations

import queue
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.proofs import report, strike
from tests.proofs.blows import CALLS, STRACE, at_call, at_call_of_worker, at_moment, at_point, count_calls
from tests.proofs.cases import Case, Films, make_cases, prepare, situations
from tests.proofs.holding import Blow, Verdict, hold
from tests.proofs.launch import NotDone
from tests.proofs.stage import Lane

LANES = 2
SEED = 20

Sample = Callable[[int], list[int]]
"""How many points there are to which of them are tried."""


def every(total: int) -> list[int]:
    """All of them."""
    return list(range(1, total + 1))


def evenly(most: int) -> Sample:
    """So many at most, spread over all, the last among them."""

    def sample(total: int) -> list[int]:
        return sorted({round(total * place / most) for place in range(1, most + 1)} - {0}) if total > most else every(total)

    return sample


@dataclass(frozen=True)
class Shot:
    """One point to try: where it counts in the table, the situation, and how often and where to kill."""

    row: str
    case: Case
    situation: str
    blows: tuple[Blow, ...]
    turn: int
    survives: bool = False
    must_fire: bool = True


@dataclass
class Range:
    """The lanes, what was prepared in them, and what was found."""

    lanes: queue.Queue[Lane]
    films: dict[tuple[Path, str], Films]
    sources: Path
    say: report.Say
    rows: dict[str, list[Verdict]] = field(default_factory=lambda: defaultdict(list))
    silent: list[str] = field(default_factory=list)

    def fire(self, shots: Iterable[Shot]) -> list[Verdict]:
        """Try points, as many at once as there are lanes; the verdicts in order."""
        with ThreadPoolExecutor(LANES) as pool:
            return list(pool.map(self._one, shots))

    def _one(self, shot: Shot) -> Verdict:
        lane = self.lanes.get()
        try:
            situation = situations(shot.case, self.films[lane.root, shot.case.name], lane)[shot.situation]
            try:
                verdict = hold(lane, situation, self.sources, shot.blows, turn=shot.turn, survives=shot.survives)
            except NotDone as error:
                verdict = Verdict(shot.situation, [], [str(error)])
        finally:
            self.lanes.put(lane)
        kind = " ".join(verdict.fired[0].split()[:2]) if verdict.fired else "never fired"
        if verdict.fired or verdict.wrong:
            self.rows[f"{shot.case.name:9}  {shot.situation:19}  {shot.row:13}  {kind}"].append(verdict)
        if not verdict.fired and shot.must_fire:
            self.silent.append(f"{shot.case.name} {shot.situation} {shot.row}: point {shot.turn} never fired")
        for wrong in verdict.wrong:
            self.say(f"WRONG  {verdict.situation}, killed at {' and '.join(verdict.fired) or 'no point'}: {wrong}")
        return verdict

    def points(self, case: Case, situation: str) -> list[str]:
        """The points that an undisturbed run comes to."""
        lane = self.lanes.get()
        try:
            chosen = situations(case, self.films[lane.root, case.name], lane)[situation]
            lane.restore(chosen.state)
            log = lane.beside("points")
            lane.run(chosen.argv, strike.order(log, lane.root))
            return strike.points(log)
        finally:
            self.lanes.put(lane)

    def sweep(self, case: Case, situation: str, sample: Sample, *, last: int = 0) -> int:
        """Kill at the points of a run (of the `last` ones, if so many are said); until no kill fires, if all are tried.
        Returns how many points there are."""
        reached = self.points(case, situation)
        skipped = max(0, len(reached) - last) if last else 0
        chosen = [number + skipped for number in sample(len(reached) - skipped)]

        def shot(number: int, label: str = "", *, must_fire: bool = True) -> Shot:
            who: strike.Who = "engine" if number % 2 else "everybody"
            blow = at_point(number=0 if label else number, label=label, who=who)
            return Shot("counted point", case, situation, (blow,), number, must_fire=must_fire)

        verdicts = self.fire(shot(number) for number in chosen)
        if sample is every and not last:
            beyond = len(reached) + 1
            while self.fire([shot(beyond, must_fire=False)])[0].fired:
                beyond += 1
            # Two workers: the same points come in another order each time, so one may have been missed.
            struck = {place for verdict in verdicts for place in verdict.fired}
            self.fire(shot(number, label) for number, label in enumerate(sorted(set(reached) - struck), 1))
        return len(reached)

    def workers(self, case: Case, sample: Sample) -> None:
        """Only a worker dies, at each of its points: the engine notices and makes the same film."""
        labels = [label for label in self.points(case, "publish") if label.startswith("worker")]
        self.fire(
            Shot("worker alone", case, "publish", (at_point(label=labels[n - 1], who="worker"),), n, survives=True)
            for n in sample(len(labels))
        )

    def calls(self, case: Case, situation: str, samples: dict[str, Sample]) -> None:
        """At the engine's system calls of these names; until no kill fires, if all are tried."""
        lane = self.lanes.get()
        try:
            chosen = situations(case, self.films[lane.root, case.name], lane)[situation]
            lane.restore(chosen.state)
            totals = count_calls(lane, chosen.argv)
        finally:
            self.lanes.put(lane)

        def shot(call: str, number: int, *, must_fire: bool = True) -> Shot:
            return Shot("system call", case, situation, (at_call(call, number),), number, must_fire=must_fire)

        self.fire([shot(call, number) for call, sample in samples.items() for number in sample(totals[call])])
        for call, sample in samples.items():
            beyond = totals[call] + 1
            while sample is every and self.fire([shot(call, beyond, must_fire=False)])[0].fired:
                beyond += 1

    def calls_of_worker(self, case: Case, call: str, sample: Sample, most: int) -> None:
        """The same in a worker that works alone; the engine has to go on with another one."""
        self.fire(
            Shot("worker's call", case, "publish", (at_call_of_worker(call, n),), n, survives=True) for n in sample(most)
        )

    def again(self, case: Case, total: int, count: int, chance: random.Random) -> int:
        """Kill, and kill the resume, and every third time the resume after that. How many resumes were killed."""
        shots = []
        for turn in range(1, count + 1):
            numbers = [chance.randint(1, total), *(chance.randint(1, 40) for _ in range(2 if turn % 3 == 0 else 1))]
            shots.append(Shot("kills in a row", case, "publish", tuple(at_point(number=n) for n in numbers), turn))
        return sum(len(verdict.fired) - 1 for verdict in self.fire(shots) if verdict.fired)

    def moments(self, case: Case, count: int, chance: random.Random) -> None:
        """At any moment of a run, ffmpeg's work among them."""
        times = [chance.uniform(0.05, 0.75) for _ in range(count)]
        self.fire(Shot("any moment", case, "publish", (at_moment(t),), n, must_fire=False) for n, t in enumerate(times))

    def table(self) -> None:
        """Print what was tried and what came of it."""
        self.say(f"{'case       situation            how            where':67}  points   held  median s")
        for row, verdicts in sorted(self.rows.items()):
            held = sum(not verdict.wrong for verdict in verdicts)
            median = statistics.median(verdict.seconds for verdict in verdicts)
            self.say(f"{row:67}  {len(verdicts):6}  {held:5}  {median:8.2f}")


def prove(place: Path, say: report.Say, *, quick: bool, scale: int = 1) -> tuple[bool, dict[str, object]]:
    """Try all points, or with `quick` some of each kind (fewer with a greater `scale`); whether all held, and the figures."""
    cases = make_cases(place / "sources")
    lanes = [Lane(place / f"lane{n}") for n in range(LANES)]
    for lane in lanes:
        lane.root.mkdir()
    with ThreadPoolExecutor(LANES) as pool:
        prepared = pool.map(lambda lane: {(lane.root, case.name): prepare(case, lane) for case in cases}, lanes)
        films = {key: value for some in prepared for key, value in some.items()}
    say(f"undisturbed runs done; the same bytes in both lanes: {films[lanes[0].root, 'h264'] == films[lanes[1].root, 'h264']}")
    waiting: queue.Queue[Lane] = queue.Queue()
    for lane in lanes:
        waiting.put(lane)
    course = Range(waiting, films, place / "sources", say)
    resumed = _course(course, cases, quick, scale)
    course.table()
    for lane in lanes:
        lane.launcher.close()
    verdicts = [verdict for some in course.rows.values() for verdict in some]
    wrong = [verdict for verdict in verdicts if verdict.wrong]
    for line in course.silent:
        say(f"WRONG  {line}")
    if STRACE is None:
        say("NOT RUN: kills at system calls, because strace is not installed (apt install strace). SQLite's own are untried.")
    kills = sum(len(verdict.fired) for verdict in verdicts)
    return not wrong and not course.silent and kills > 0, {
        "points": len(verdicts), "kills": kills, "points_failed": len(wrong), "never_fired": len(course.silent),
        "resumes_killed": resumed, "system_calls_tried": STRACE is not None, "same_bytes": sum(v.identical for v in verdicts),
        "longest_survivor_s": max((v.gone_s for v in verdicts), default=0.0),
        "median_point_s": statistics.median(v.seconds for v in verdicts),
    }


def _course(course: Range, cases: Sequence[Case], quick: bool, scale: int) -> int:
    """Everything that is tried, one after the other; how many resumes were killed."""
    chance = random.Random(SEED)
    resumed = 0

    def some(most: int) -> Sample:
        return evenly(max(1, most // scale)) if quick else every

    for case in cases:
        total = course.sweep(case, "publish", some(8))
        course.sweep(case, "another cut instead", some(2), last=20)
        course.sweep(case, "rollback", some(3))
        course.sweep(case, "film after rollback", some(1))
        if not quick or case.name == "h264":
            course.sweep(case, "first film", some(2))
            course.sweep(case, "nothing to do", some(2))
        course.workers(case, some(2))
        resumed += course.again(case, total, max(1, 3 // scale) if quick else 30, chance)
        course.moments(case, max(1, 2 // scale) if quick else 25, chance)
        course.say(f"{case.name}: points of our own counting are done")
        if STRACE is not None and (not quick or case.name == "prores-hq"):
            few = evenly(1) if quick else evenly(40)
            course.calls(case, "publish", {call: few if call == "pwrite64" else some(1) for call in CALLS})
            course.calls_of_worker(case, "fsync", some(1), 4)
            if not quick:
                course.calls(case, "rollback", dict.fromkeys(CALLS, evenly(20)))
                course.calls(case, "first film", dict.fromkeys(CALLS, evenly(8)))
            course.say(f"{case.name}: system calls are done")
    return resumed


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; its exit code."""
    quick, say, began = report.quick(arguments), report.Say(), time.monotonic()
    with report.workplace("kills") as place:
        held, figures = prove(place, say, quick=quick)
    return report.close("kills", held, quick=quick, seconds=time.monotonic() - began, **figures)


if __name__ == "__main__":
    sys.exit(main())
