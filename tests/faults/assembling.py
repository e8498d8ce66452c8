"""One run of a job in a process of its own, with the patience that it is told: prints what happens as it happens.

    python -m tests.faults.assembling REQUEST        a file of JSON, see `Ask`

Lines of JSON: {"at": monotonic seconds, "fact": {...}}, and at the end {"at", "end": outcome or refusal, "code": ...}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from bridge.cli.run import Stop
from core.engine.assemble import assemble
from core.engine.request import Listener, Request, Services, pack
from core.errors.refusal import Refused
from core.media import ffmpeg_binary
from core.messages.slate_phrases import slate_words
from core.plan.policy import Policy
from core.storage import preset_files
from core.storage.journal import Journal
from core.storage.journal_faults import RECORD_LOST
from core.storage.workspace import Workspace
from core.system import codec, machine
from otio_adapters.guard import bytes_of
from otio_adapters.read import timeline_from


class Ask(msgspec.Struct):
    """What to assemble and where; `policy` are fields of Policy that are not as usual; `clock` is a file that says by how many
    seconds the clock was set, and how many the machine has slept."""

    timeline: str
    output: str
    home: str
    preset: str = "prores-hq"
    ffmpeg: str | None = None
    jobs: int = 2
    hwaccel: str = ""
    clock: str = ""
    policy: dict[str, float | int] = {}


def say(**told: Any) -> None:
    """One line."""
    print(json.dumps({"at": machine.monotonic(), **told}), flush=True)


def set_clock(path: Path) -> None:
    """From now on the machine's clocks are read as the file says."""
    now, since_boot = machine.now, machine.since_boot

    def told(place: int) -> float:
        return float(path.read_text(encoding="utf-8").split()[place])

    machine.now = lambda: now() + told(0)
    machine.since_boot = lambda: since_boot() + told(1)


def main(path: str) -> int:
    """0 when a film was published or stands there, 1 when it is incomplete, 2 for everything else."""
    ask = msgspec.json.decode(Path(path).read_bytes(), type=Ask)
    home = Path(ask.home)
    if ask.clock:
        set_clock(Path(ask.clock))
    timeline = Path(ask.timeline)
    raw = bytes_of(timeline)
    try:
        known = preset_files.load_all(home / "presets")
        chosen = known[ask.preset]
        house = Services(
            journal=Journal(home / "journal.db"),
            workspace=Workspace(home, home.parent / "scratch"),
            build=ffmpeg_binary.find(ask.ffmpeg),
            policy=Policy(**ask.policy),  # type: ignore[arg-type]
            workers=ask.jobs,
            version="proof",
            slate_words=slate_words(),
            hwaccel=ask.hwaccel,
        )
        request = Request(
            timeline=timeline_from(raw, timeline), packed=pack(raw), timeline_path=str(timeline), output=Path(ask.output), preset=chosen,
            fallback=preset_files.fallback_of(known, chosen),
        )  # fmt: skip
        listener = Listener(on_fact=lambda job, seq, fact: say(fact=codec.plain(fact)))
        stop = Stop()
        with stop.listening():
            ended = assemble(request, house, listener=listener, stopped=stop, wake=stop.wake)
    except Refused as error:
        say(end="refused", code=error.code)
        return 2
    except RECORD_LOST as error:
        say(end="record lost", code="journal-failing", detail=str(error))
        return 2
    outcome = getattr(ended.end, "outcome", "interrupted")
    say(end=outcome, code=getattr(ended.end, "code", ""))
    return {"complete": 0, "unchanged": 0, "incomplete": 1}.get(outcome, 2)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
