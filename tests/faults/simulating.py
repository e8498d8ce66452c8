"""Faults that cannot be had here: the evidence of their specimen, given once by a stand-in for a worker."""

from __future__ import annotations

import errno
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

from core.errors.failure import Evidence
from core.job.classify import diagnose
from core.job.events import AttemptFailed
from core.tasks.spec import JoinFilm, MixSound, Order, Outcome, RenderSegment
from tests.core.hands import once
from tests.core.studio import Studio

FOLDER = Path(__file__).parents[1] / "specimens" / "evidence"


class Simulated(NamedTuple):
    """What the engine made of it: codes heard, class, strategy; outcomes of the first run and of the next; seconds of it."""

    heard: tuple[str, ...]
    type: str
    strategy: str
    outcomes: tuple[str, str]
    seconds: float


def evidence(code: str) -> Evidence | None:
    """The first specimen of a code."""
    for path in sorted(FOLDER.glob("*.json")):
        for row in json.loads(path.read_text(encoding="utf-8")):
            if row["expected"].split()[0] == code:
                return _told(row)
    for path in sorted((FOLDER.parent / "ffmpeg_stderr").glob("*.txt")):
        head, _, log = path.read_text(encoding="utf-8").partition("---\n")
        said = dict(line.split(": ", 1) for line in head.splitlines())
        if said["expected"].split()[0] == code and said["exit"] != "0":
            return Evidence(
                operation="render", place=said["place"], path="/media/a.mov", exit_code=int(said["exit"]),  # type: ignore[arg-type]
                stderr=tuple(log.splitlines()),
            )  # fmt: skip
    return None


def _told(row: dict[str, Any]) -> Evidence:
    fields = {
        key: row[key]
        for key in ("place", "note", "operation", "exit_code", "network")
        if key in row
    }
    number = getattr(errno, row["errno"], None) if "errno" in row else None
    return Evidence(
        **{"operation": "render", "path": "/media/a.mov", **fields},
        errno=number,
        stderr=tuple(row.get("stderr", ())),
    )


def simulate(code: str, folder: Path) -> Simulated:
    """Give the evidence once, see the job to its end, and run it once more."""
    seen = (
        evidence(code)
        if code != "unknown"
        else Evidence(operation="render", place="program", note="unexpected")
    )
    assert seen is not None, f"{code} has no specimen"
    kind = {
        "output": JoinFilm,
        "source": MixSound if seen.operation == "mix" else RenderSegment,
    }.get(seen.place, RenderSegment)

    def fault(order: Order) -> Outcome | None:
        return seen if isinstance(order, kind) else None

    folder.mkdir()
    studio = Studio(folder)
    first = studio.run(once(fault))
    began = time.monotonic()
    second = first if getattr(first, "outcome", "") == "complete" else studio.run()
    seconds = time.monotonic() - began
    failed = [fact for fact in studio.story() if isinstance(fact, AttemptFailed)]
    studio.journal.close()
    heard = tuple(fact.failure.code for fact in failed) or (diagnose(seen).code,)
    return Simulated(
        heard=heard, type=diagnose(seen).type.value, strategy=failed[0].recovery.strategy.value if failed else "",
        outcomes=(getattr(first, "outcome", "stopped"), getattr(second, "outcome", "stopped")), seconds=seconds,
    )  # fmt: skip
