"""Every fault that has a name, provoked: is it recognised, does the job recover, is anything lost?

    python -m tests.proofs.faults [--quick]         on Linux; as root, with FUSE (mfusepy), strace, libfaketime for all rows

A film of ours stands already. For each row of `tests.faults.matrix` the job of another cut is begun, the fault put in place
for real, and taken away again as soon as the job has spoken of it. The job recovers by itself, or ends and is asked for once
more. Then must hold:

1. The fault fired, and was named by its code and class; no other class was spoken of.
2. The film is complete: frame for frame and sample for sample that of an undisturbed run.
3. Nothing was lost: the film that stood there before each run is kept, sources are as they were, what was sealed was not made again, every checkpoint
   has its recorded hash, and no part file, process or open job is left.

Time to recovery is counted from when the cause was gone to when the film was published, the making of what was still to be
made included. Codes that cannot be provoked here are simulated, and marked so; rows that need what is not here are skipped,
and counted. Patience for hangs is shortened; delays after a fault are the product's own.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue

from core.job.classification_table import TABLE
from core.media.hashes import file_hash
from tests.faults.matrix import FAULTS, Fault
from tests.faults.running import Run, Seen, TooLate
from tests.faults.simulating import simulate
from tests.faults.stage import Stage
from tests.proofs import record, report
from tests.proofs.stage import alive, bytes_hash, look

CLASSES = {row.code: row.type.value for row in TABLE} | {
    "unknown": "transient_resource",
    "ffmpeg-missing": "user_input_invalid",
}
STAGES = 2
MOST_MTTR_S = 10.0


@dataclass
class Verdict:
    """One row of the table."""

    code: str
    how: str
    real: bool = True
    strategy: str = ""
    outcome: str = ""
    mttr_s: float | None = None
    runs: int = 1
    heard: tuple[str, ...] = ()
    classed: bool = True
    wrong: list[str] = field(default_factory=list)
    skipped: str = ""

    def expect(self, held: bool, otherwise: str) -> None:
        """Note what does not hold."""
        if not held:
            self.wrong.append(otherwise)


def provoke(fault: Fault, stage: Stage) -> Verdict:
    """One real fault, from a fresh stage to a complete film."""
    verdict = Verdict(fault.code, fault.how, real=fault.real)
    stage.restore()
    sources = look(stage.media)
    try:
        with fault.setting(stage) as hand:
            stood = bytes_hash(stage.film)
            run = stage.run(**hand.run)
            hand.strike(run)
            run.until(lambda: _spoken(fault, run))
            fired = hand.fired()
            hand.heal()
            healed = time.monotonic()
            verdict.expect(fired > 0, "the fault did not fire")
            run.end()
            stood = _kept(verdict, stage, stood)
            verdict.strategy = _strategy(run.faults())
            verdict.outcome = str(run.lines[-1].get("end", "")) if run.lines else "no word"
            faults = run.faults()
            for _ in range(2):
                if _complete(run):
                    break
                run = stage.run()
                run.end()
                stood = _kept(verdict, stage, stood)
                verdict.runs += 1
            faults += run.faults() if verdict.runs > 1 else []
            verdict.mttr_s = max(0.0, (run.at("FilmPublished") or run.lines[-1]["at"]) - healed)
            _name(verdict, fault, faults, stage)
            verdict.expect(
                _complete(run), f"no complete film came of it: {run.lines[-1]} {run.said()[-300:]}"
            )
        _lost(verdict, stage, sources)
    except (TooLate, RuntimeError, OSError, IndexError) as error:
        verdict.wrong.append(f"{type(error).__name__}: {error}")
        verdict.classed = False
    finally:
        stage.close()
    return verdict


def _kept(verdict: Verdict, stage: Stage, stood: str) -> str:
    """The film that stood there before a run stands there still, or is kept; what stands there now."""
    now = bytes_hash(stage.film)
    kept = bytes_hash(stage.out / ".hotsplice" / "film.mov.previous")
    verdict.expect(stood in (now, kept), "the film that stood there before is lost")
    return now


def _spoken(fault: Fault, run: Run) -> bool:
    return (
        run.at(fault.fact) is not None
        if fault.fact
        else any(seen.code == fault.code for seen in run.faults())
    )


def _complete(run: Run) -> bool:
    return bool(run.lines) and run.lines[-1].get("end") in ("complete", "unchanged")


def _strategy(faults: Sequence[Seen]) -> str:
    steps = [
        f"{seen.strategy}{f' ({seen.change})' if seen.change else ''}{f' [{seen.gate.partition(chr(58))[0]}]' if seen.gate else ''}"
        for seen in faults
    ]
    return ", ".join(dict.fromkeys(steps))


def _name(verdict: Verdict, fault: Fault, faults: Sequence[Seen], stage: Stage) -> None:
    """Rule 1."""
    verdict.heard = tuple(dict.fromkeys(seen.code for seen in faults))
    if fault.fact:
        verdict.expect(not faults, f"also heard: {verdict.heard}")
        verdict.classed = not faults
        return
    wanted = CLASSES[fault.code]
    classes = {
        seen.type or CLASSES.get(seen.code, "?") for seen in faults if seen.code not in fault.also
    }
    verdict.classed = fault.code in verdict.heard and classes == {wanted}
    verdict.expect(
        verdict.classed,
        f"heard {verdict.heard} of {sorted(classes)} instead of {fault.code}, {wanted}",
    )


def _lost(verdict: Verdict, stage: Stage, sources: dict[str, tuple[int, int, str]]) -> None:
    """Rules 2 and 3."""
    kept = stage.out / ".hotsplice" / "film.mov.previous"
    verdict.expect(
        stage.film.exists() and stage.pictures() == stage.truth,
        "the film is not that of an undisturbed run",
    )
    now = look(stage.media)
    changed = [name for name in sources.keys() | now.keys() if sources.get(name) != now.get(name)]
    verdict.expect(not changed, f"sources were touched: {changed}")
    known = record.read(stage.home)
    verdict.expect(known.sound, "the journal is damaged")
    again = {key: times for key, times in known.made.items() if times > 1}
    verdict.expect(
        len(again) <= (verdict.code == "seal-damaged"),
        f"{len(again)} sealed segments were made again",
    )
    for file, digest in known.seals.items():
        path = next(stage.scratch.rglob(file.rpartition("/")[2]), None)
        verdict.expect(
            path is not None and file_hash(path) == digest,
            f"the checkpoint {file} is not what was sealed",
        )
    parts = [
        str(path.relative_to(stage.scratch))
        for path in (stage.scratch / "work").rglob("*")
        if path.is_file()
    ]
    verdict.expect(not parts, f"part files are left: {parts}")
    left = [
        path.name
        for path in (stage.out / ".hotsplice").iterdir()
        if path != kept and path.is_file()
    ]
    verdict.expect(not left, f"files are left beside the film: {left}")
    verdict.expect(known.open_jobs == 0, "a job is left open")
    for run in stage.runs:
        deadline = time.monotonic() + 5
        while alive(run.mark) and time.monotonic() < deadline:
            time.sleep(0.05)
        verdict.expect(not alive(run.mark), "processes are left")


def pretend(code: str, place: Path) -> Verdict:
    """One code that cannot be provoked here."""
    found = simulate(code, place)
    verdict = Verdict(
        code,
        "evidence of its specimen, once",
        real=False,
        strategy=found.strategy,
        heard=found.heard,
    )
    verdict.outcome, verdict.runs = found.outcomes[0], 1 if found.outcomes[0] == "complete" else 2
    verdict.mttr_s = found.seconds
    verdict.classed = found.heard[0] == code and found.type == CLASSES[code]
    verdict.expect(verdict.classed, f"heard {found.heard}, {found.type}")
    verdict.expect(found.outcomes[1] == "complete", f"the next run ended {found.outcomes[1]}")
    return verdict


def _line(verdict: Verdict) -> str:
    where = "real     " if verdict.real else "simulated"
    mttr = "      -" if verdict.mttr_s is None else f"{verdict.mttr_s:5.1f} s"
    end = f"{verdict.outcome}{f', then complete in run {verdict.runs}' if verdict.runs > 1 and not verdict.wrong else ''}"
    return f"{verdict.code:24} {CLASSES[verdict.code]:25} {where} {mttr}  lost {'nothing' if not verdict.wrong else '?'}  {end:40.40} {verdict.how:58.58} {verdict.strategy}"


def prove(
    place: Path, say: report.Say, *, quick: bool, rows: Sequence[Fault] = FAULTS, timed: bool = True
) -> tuple[bool, dict[str, object]]:
    """Try all rows, or with `quick` those marked so; whether all held, and the figures. Not `timed` beside other work."""
    chosen = [fault for fault in rows if fault.quick or not quick]
    stages: Queue[Stage] = Queue()

    def prepare(number: int) -> None:
        stage = Stage(place / f"stage{number}")
        stage.prepare()
        stages.put(stage)

    with ThreadPoolExecutor(STAGES) as pool:
        list(pool.map(prepare, range(STAGES)))
    say(f"{STAGES} stages are set, {len(chosen)} rows")

    def one(fault: Fault) -> Verdict:
        if reason := fault.needs():
            return Verdict(fault.code, fault.how, skipped=reason)
        stage = stages.get()
        try:
            verdict = provoke(fault, stage)
        finally:
            stages.put(stage)
        say(_line(verdict))
        for wrong in verdict.wrong:
            say(f"    WRONG  {verdict.code}: {wrong}")
        return verdict

    with ThreadPoolExecutor(STAGES) as pool:
        verdicts = list(pool.map(one, chosen))
    provoked = {fault.code for fault in FAULTS}
    for code in [code for code in CLASSES if code not in provoked]:
        verdict = pretend(code, place / f"simulated-{code}")
        verdicts.append(verdict)
        say(_line(verdict))
        for wrong in verdict.wrong:
            say(f"    WRONG  {verdict.code}: {wrong}")
    return _judge(verdicts, say, timed)


def _judge(
    verdicts: Sequence[Verdict], say: report.Say, timed: bool
) -> tuple[bool, dict[str, object]]:
    skipped = [verdict for verdict in verdicts if verdict.skipped]
    tried = [verdict for verdict in verdicts if not verdict.skipped]
    for verdict in skipped:
        say(f"NOT TRIED  {verdict.code}, {verdict.how}: {verdict.skipped}")
    if skipped:
        say(f"{len(skipped)} ROWS WERE NOT TRIED")
    real = [verdict for verdict in tried if verdict.real]
    times = sorted(
        verdict.mttr_s for verdict in real if verdict.mttr_s is not None and not verdict.wrong
    )
    p50, p95 = (
        (statistics.median(times), times[max(0, -(-len(times) * 95 // 100) - 1)])
        if times
        else (0.0, 0.0)
    )
    wrong = [verdict for verdict in tried if verdict.wrong]
    right = sum(verdict.classed for verdict in tried)
    say(
        f"{len(real)} real and {len(tried) - len(real)} simulated faults of {len({v.code for v in tried})} codes; right class {right} of {len(tried)}"
    )
    say(
        f"time to recovery after the cause was gone (real faults): median {p50:.1f} s, p95 {p95:.1f} s, longest {max(times, default=0):.1f} s"
    )
    held = bool(real) and not wrong and right == len(tried) and (p95 < MOST_MTTR_S or not timed)
    return held, {
        "real": len(real), "simulated": len(tried) - len(real), "skipped": len(skipped), "codes": len({v.code for v in tried}),
        "right_class": right / max(1, len(tried)), "failed": len(wrong), "by_itself": sum(v.runs == 1 for v in real),
        "mttr_p50_s": p50, "mttr_p95_s": p95, "mttr_max_s": max(times, default=0.0),
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; its exit code."""
    quick, say, began = report.quick(arguments), report.Say(), time.monotonic()
    with report.workplace("faults") as place:
        held, figures = prove(place, say, quick=quick)
    return report.close("faults", held, quick=quick, seconds=time.monotonic() - began, **figures)


if __name__ == "__main__":
    sys.exit(main())
