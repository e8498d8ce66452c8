"""Power cuts at every flush, rename and write, and drives that go and come back: the film is the old or the new one, whole.

    python -m tests.proofs.powercuts [--quick]          on Linux, with FUSE and root

**Power.** Each of `power_scenarios` (assemble, publish over a film, resume, roll back, clean, answer) runs once on volumes that
record every change (`tests.faults.recorder`), with journal, scratch and film on one volume and on three. Then, for one point of
the record after the other, the disks are laid out as a power cut there may leave them (`tests.faults.crash_states`: nothing that
was not flushed; names and pages lost by chance; names in order, as on ext4 and XFS; everything), mounted anew, and the same
command is run again. Where there are three volumes, each may lose something else. Some of these runs lose their power as well.
`power_judge` says what must hold. A point is a real change of a real run, so each cut has fired. As a control, one record is
also replayed as if no flush had reached the disk: the judge must object.

**Drives.** `drives` takes volumes away under a running job and brings them back.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.crash_states import MODELS, Model
from tests.faults.volumes import why_no_fuse
from tests.proofs import drives, report
from tests.proofs.holding import Verdict
from tests.proofs.power_judge import try_cut
from tests.proofs.power_scenarios import (
    Cuts,
    Layout,
    Recording,
    Rig,
    Scenario,
    make_cuts,
    record,
    scenarios,
)
from tests.proofs.stage import look

SEED = 11
LAYOUTS: tuple[Layout, ...] = ("one", "apart")
CUTS = {
    "assemble": 36, "publish over a film": 44, "publish H.264": 30, "resume": 32, "roll back": 32, "clean": 18,
    "answer relink": 32, "answer skip": 18,
}  # fmt: skip
"""Cuts of each scenario in each layout."""
QUICK = ("publish over a film", "roll back", "answer relink", "clean")
TWICE = 8
"""Every so many-th cut the run that follows loses its power too."""
_TELL_EVERY = 10
"""Every so many points of a scenario one line of progress is printed."""
_NAMING = {"fsync", "fsyncdir", "rename", "link", "unlink", "mkdir", "rmdir", "create"}


def points(recording: Recording, most: int) -> list[int]:
    """After how many changes to cut: two of three at a flush or a name, the rest at writes, spread evenly, and at the end."""
    changes = [change for _, change in recording.changes]
    naming = [place for place, change in enumerate(changes) if change.op in _NAMING]
    writes = [
        place
        for place, change in enumerate(changes)
        if change.op not in _NAMING and not str(change.path).endswith("-shm")
    ]
    chosen = {len(changes)}
    for places, count in ((naming, most - most // 3), (writes, most // 3)):
        step = max(1.0, len(places) / max(1, count))
        chosen.update(
            places[int(number * step)]
            for number in range(min(count, len(places)))
            if int(number * step) < len(places)
        )
    return sorted(chosen)


def models(volumes: int, chance: random.Random) -> list[Model]:
    """What each volume loses: mostly the same kind, sometimes each its own."""
    kinds: list[Model] = [*MODELS, "lost", "scattered", "ordered"]
    one = chance.choice(kinds)
    return [one if chance.random() < 0.6 else chance.choice(kinds) for _ in range(volumes)]


def prove_layout(
    place: Path,
    cuts: Cuts,
    layout: Layout,
    say: report.Say,
    *,
    quick: bool,
    only: Sequence[str],
    share: float = 1.0,
) -> list[Verdict]:
    """All scenarios with one layout."""
    rig, chance = Rig(place / layout, layout=layout), random.Random(f"{SEED} {layout}")
    found: list[Verdict] = []
    try:
        for scenario in scenarios(rig, cuts):
            if scenario.name not in only:
                continue
            recording = record(rig, scenario)
            before, here = look(cuts.old.parent), list[Verdict]()
            most = 6 if quick else max(2, int(CUTS[scenario.name] * share))
            for number, point in enumerate(points(recording, most)):
                how = models(len(rig.volumes), chance)
                verdict = try_cut(
                    rig,
                    scenario,
                    recording,
                    point,
                    how,
                    chance,
                    cuts.old.parent,
                    before,
                    twice=number % TWICE == TWICE // 2,
                )
                here.append(verdict)
                if number % _TELL_EVERY == _TELL_EVERY - 1:
                    say(
                        f"{layout:6} {scenario.name:20} {number + 1} points so far, {sum(not one.wrong for one in here)} held"
                    )
                for wrong in verdict.wrong:
                    say(
                        f"WRONG  {layout}, {scenario.name}, cut after {' and then '.join(verdict.fired)}: {wrong}"
                    )
            if scenario.before.out != scenario.after.out and not _control(
                rig, scenario, recording, cuts.old.parent
            ):
                here[-1].wrong.append("without a single flush the judge saw nothing wrong")
                say(f"WRONG  {layout}, {scenario.name}: {here[-1].wrong[-1]}")
            held = sum(not verdict.wrong for verdict in here)
            count = sum(len(verdict.fired) for verdict in here)
            say(
                f"{layout:6} {scenario.name:20} {len(recording.changes):5} changes  {count:4} cuts  {held:4} of {len(here)} points held"
            )
            found += here
    finally:
        rig.close()
    return found


def _control(rig: Rig, scenario: Scenario, recording: Recording, sources: Path) -> bool:
    """Whether the judge objects to a disk that lied about every flush and lost everything when the command had returned."""
    changes = [
        (volume, change)
        for volume, change in recording.changes
        if not change.op.startswith("fsync")
    ]
    lied = Recording(
        recording.disks,
        changes,
        recording.lines,
        recording.exit_code,
        recording.known,
        recording.known_at,
    )
    how: list[Model] = ["lost"] * len(rig.volumes)
    return bool(
        try_cut(
            rig, scenario, lied, len(changes), how, random.Random(SEED), sources, look(sources)
        ).wrong
    )


def prove(
    place: Path, say: report.Say, *, quick: bool, share: float = 1.0
) -> tuple[bool, dict[str, object]]:
    """Whether everything held, and the figures."""
    cuts = make_cuts(place / "sources")
    with ThreadPoolExecutor(len(LAYOUTS)) as pool:
        some = {
            layout: QUICK[number::2] if quick else tuple(CUTS)
            for number, layout in enumerate(LAYOUTS)
        }
        running = [
            pool.submit(
                prove_layout, place, cuts, layout, say, quick=quick, only=some[layout], share=share
            )
            for layout in LAYOUTS
        ]
        verdicts = [verdict for one in running for verdict in one.result()]
    wrong = [verdict for verdict in verdicts if verdict.wrong]
    kinds = defaultdict[str, int](int)
    for verdict in verdicts:
        for fired in verdict.fired:
            kinds[fired.split()[0]] += 1
    return not wrong and bool(verdicts), {
        "power_cuts": sum(len(verdict.fired) for verdict in verdicts), "points": len(verdicts), "points_failed": len(wrong),
        "same_bytes": sum(verdict.identical for verdict in verdicts), "cut_at": dict(sorted(kinds.items())),
        "median_point_s": statistics.median(verdict.seconds for verdict in verdicts),
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; its exit code."""
    quick, say, began = report.quick(arguments), report.Say(), time.monotonic()
    if why := why_no_fuse():
        say(f"NOT RUN: {why}")
        return report.close("powercuts", False, quick=quick, not_run=why)
    with report.workplace("powercuts") as place:
        held, figures = prove(place, say, quick=quick)
        returned, more = drives.prove(place, say, each=1 if quick else 9)
    return report.close(
        "powercuts",
        held and returned,
        quick=quick,
        seconds=time.monotonic() - began,
        **figures,
        **more,
    )


if __name__ == "__main__":
    sys.exit(main())
