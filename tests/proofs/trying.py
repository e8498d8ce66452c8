"""Many points, two at a time: which are tried, what was found at each, and the table of it all."""

from __future__ import annotations

import queue
import random
import statistics
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.proofs import report, strike
from tests.proofs.blows import at_call, at_call_of_worker, at_moment, at_point, at_work, count_calls
from tests.proofs.cases import Case, Films, situations
from tests.proofs.holding import Blow, Verdict, hold
from tests.proofs.launch import NotDone
from tests.proofs.sampling import Sample, every
from tests.proofs.stage import Lane

LANES = 2
VARIES = 6
"""By how many system calls two runs of the same job may differ."""


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
class Trials:
    """The lanes, what was prepared in them, and what was found."""

    lanes: queue.Queue[Lane]
    films: dict[tuple[Path, str], Films]
    sources: Path
    say: report.Say
    rows: dict[str, list[Verdict]] = field(default_factory=lambda: defaultdict(list))
    silent: list[str] = field(default_factory=list)
    _points: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def fire(self, shots: Iterable[Shot]) -> list[Verdict]:
        """Try points, as many at once as there are lanes; the verdicts in order."""
        with ThreadPoolExecutor(LANES) as pool:
            return list(pool.map(self._one, shots))

    def _one(self, shot: Shot) -> Verdict:
        lane = self.lanes.get()
        try:
            situation = situations(shot.case, self.films[lane.root, shot.case.name], lane)[
                shot.situation
            ]
            try:
                verdict = hold(
                    lane,
                    situation,
                    self.sources,
                    shot.blows,
                    turn=shot.turn,
                    survives=shot.survives,
                )
            except (NotDone, subprocess.TimeoutExpired) as error:
                verdict = Verdict(shot.situation, [], [str(error)])
        finally:
            self.lanes.put(lane)
        kind = " ".join(verdict.fired[0].split()[:2]) if verdict.fired else "never fired"
        if verdict.fired or verdict.wrong:
            self.rows[f"{shot.case.name:9}  {shot.situation:19}  {shot.row:13}  {kind}"].append(
                verdict
            )
        if not verdict.fired and shot.must_fire:
            self.silent.append(
                f"{shot.case.name} {shot.situation} {shot.row}: point {shot.turn} never fired"
            )
        for wrong in verdict.wrong:
            self.say(
                f"WRONG  {verdict.situation}, killed at {' and '.join(verdict.fired) or 'no point'}: {wrong}"
            )
        return verdict

    def points(self, case: Case, situation: str) -> list[str]:
        """The points that an undisturbed run comes to."""
        if (case.name, situation) in self._points:
            return self._points[case.name, situation]
        lane = self.lanes.get()
        try:
            chosen = situations(case, self.films[lane.root, case.name], lane)[situation]
            lane.restore(chosen.state)
            log = lane.beside("points")
            lane.run(chosen.argv, strike.order(log, lane.root))
            reached = self._points[case.name, situation] = strike.points(log)
            return reached
        finally:
            self.lanes.put(lane)

    def sweep(self, case: Case, situation: str, sample: Sample, *, last: int = 0) -> None:
        """Kill at the points of a run (of the `last` ones, if so many are said); until no kill fires, if all are tried."""
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
            self.fire(
                shot(number, label) for number, label in enumerate(sorted(set(reached) - struck), 1)
            )

    def workers(self, case: Case, sample: Sample) -> None:
        """Only a worker dies, at each of its points: the engine notices and makes the same film."""
        labels = [label for label in self.points(case, "publish") if label.startswith("worker")]
        self.fire(
            Shot(
                "worker alone",
                case,
                "publish",
                (at_point(label=labels[n - 1], who="worker"),),
                n,
                survives=True,
            )
            for n in sample(len(labels))
        )

    def calls(self, case: Case, situation: str, samples: dict[str, Sample]) -> None:
        """At the engine's system calls of these names; until no kill fires, if all are tried. A run may make a few more or
        fewer than the one that was counted (what is on record already hangs on which worker was first), so a point beyond its
        end is tried a little earlier."""
        lane = self.lanes.get()
        try:
            chosen = situations(case, self.films[lane.root, case.name], lane)[situation]
            lane.restore(chosen.state)
            totals = count_calls(lane, chosen.argv)
        finally:
            self.lanes.put(lane)

        def shot(call: str, number: int, *, must_fire: bool = True) -> Shot:
            return Shot(
                "system call",
                case,
                situation,
                (at_call(call, number),),
                number,
                must_fire=must_fire,
            )

        wanted = [
            (call, number) for call, sample in samples.items() for number in sample(totals[call])
        ]
        tried = self.fire([shot(call, number, must_fire=False) for call, number in wanted])
        for (call, number), verdict in zip(wanted, tried, strict=True):
            for back in range(1, VARIES + 1):
                if verdict.fired:
                    break
                verdict = self.fire([shot(call, max(1, number - back), must_fire=back == VARIES)])[
                    0
                ]
        for call, sample in samples.items():
            beyond = totals[call] + 1
            while sample is every and self.fire([shot(call, beyond, must_fire=False)])[0].fired:
                beyond += 1

    def calls_of_worker(self, case: Case, call: str, sample: Sample) -> None:
        """The same in a worker that works alone; the engine has to go on with another one. The film itself is flushed by a
        thread, which strace does not count; that point is tried by our own counting."""
        total = sum(
            label.startswith(f"worker {call} home/") for label in self.points(case, "publish")
        )

        def shot(number: int, *, must_fire: bool) -> Shot:
            blow = at_call_of_worker(call, number)
            return Shot(
                "worker's call",
                case,
                "publish",
                (blow,),
                number,
                survives=True,
                must_fire=must_fire,
            )

        wanted = list(sample(total))
        tried = self.fire(shot(number, must_fire=False) for number in wanted)
        # Who was busy with other work when strace had to write may have heard nothing of a kill: it is tried once more.
        self.fire(
            shot(number, must_fire=True)
            for number, verdict in zip(wanted, tried, strict=True)
            if not verdict.fired
        )

    def again(self, case: Case, count: int, chance: random.Random) -> int:
        """Kill, and kill the resume, and every third time the resume after that. How many resumes were killed."""
        total, shots = len(self.points(case, "publish")), []
        for turn in range(1, count + 1):
            numbers = [
                chance.randint(1, total),
                *(chance.randint(1, 40) for _ in range(2 if turn % 3 == 0 else 1)),
            ]
            shots.append(
                Shot(
                    "kills in a row",
                    case,
                    "publish",
                    tuple(at_point(number=n) for n in numbers),
                    turn,
                )
            )
        return sum(len(verdict.fired) - 1 for verdict in self.fire(shots) if verdict.fired)

    def moments(self, case: Case, count: int, chance: random.Random) -> None:
        """At any moment of a run, ffmpeg's work among them."""
        times = [chance.uniform(0.05, 0.75) for _ in range(count)]
        self.fire(
            Shot("any moment", case, "publish", (at_moment(t),), n, must_fire=False)
            for n, t in enumerate(times)
        )

    def orphans(self, case: Case, count: int) -> None:
        """With an ffmpeg that cannot end by itself: engine and worker are killed in turn, and it must be gone."""
        parties: tuple[strike.Who, ...] = ("engine", "worker")
        for who in parties:
            blows, survives = (at_work(who),), who == "worker"
            self.fire(
                Shot("ffmpeg orphaned", case, "publish", blows, n, survives=survives)
                for n in range(count)
            )

    def table(self) -> None:
        """Print what was tried and what came of it."""
        self.say(
            f"{'case       situation            how            where':67}  points   held  median s"
        )
        for row, verdicts in sorted(self.rows.items()):
            held = sum(not verdict.wrong for verdict in verdicts)
            median = statistics.median(verdict.seconds for verdict in verdicts)
            self.say(f"{row:67}  {len(verdicts):6}  {held:5}  {median:8.2f}")
