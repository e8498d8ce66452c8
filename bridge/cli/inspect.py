"""`jobs`, `show` and `checkpoints`: the journal, read aloud."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from bridge.cli.console import plain_console, safe
from bridge.cli.house import place
from bridge.cli.run import find_job
from bridge.cli.summary import refusal
from core.decide.healing import LOOKED_FOR
from core.explain import catalogue
from core.model import codec
from core.model.facts import (
    AttemptFailed,
    FilmJoined,
    FilmPlanned,
    FilmPublished,
    FilmRolledBack,
    JobAccepted,
    JobFinished,
    ProblemFound,
    Rewound,
    RunInterrupted,
    RunStarted,
    SealBroken,
    SegmentSealed,
    ShotSlated,
    SoundSilenced,
    SourceMoved,
)
from core.model.refusal import Refused
from core.record.journal import Entry, Journal

_COLOUR = {"complete": "green", "unchanged": "green", "incomplete": "yellow", "failed": "red"}


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0, or 2 when there is no such job."""
    console = plain_console()
    try:
        journal = place().journal()
        try:
            match arguments.verb:
                case "jobs":
                    _jobs(journal, console, arguments.json)
                case "show":
                    _show(journal, find_job(journal, arguments.job), console, arguments.json)
                case _:
                    _checkpoints(journal, find_job(journal, arguments.job), console, arguments.json)
        finally:
            journal.close()
    except Refused as error:
        said = refusal(error)
        if arguments.json:
            _json([{"event": "summary", **said}])
        else:
            console.print(f"[red]{said['title']}[/] {safe(said['message'])}\n{safe(said['action'])}")
        return 2
    return 0


def moment(at: float) -> str:
    """Local date and time to the second."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def state_of(journal: Journal, job: str) -> str:
    """One word: accepted, running or interrupted, or how it ended."""
    last = journal.last(job, "JobFinished", "RunInterrupted", "RunStarted")
    match last.fact if last else None:
        case JobFinished() as end:
            return end.outcome
        case RunInterrupted():
            return "interrupted"
        case RunStarted():
            return "unfinished"
        case _:
            return "accepted"


def _jobs(journal: Journal, console: Console, as_json: bool) -> None:
    rows: list[dict[str, Any]] = []
    for job, at in journal.jobs():
        accepted, _ = journal.request(job)
        planned = journal.last(job, "FilmPlanned")
        shots = planned.fact.shots if planned and isinstance(planned.fact, FilmPlanned) else 0
        rows.append(
            {
                "job": job,
                "at": at,
                "state": state_of(journal, job),
                "shots": shots,
                "preset": accepted.preset,
                "timeline": accepted.timeline_name,
                "output": accepted.output,
            }
        )
    if as_json:
        _json(rows)
        return
    if not rows:
        console.print("No jobs yet. Start one with hotsplice assemble TIMELINE -o FILM.")
        return
    table = Table("Job", "Accepted", "State", "Shots", "Preset", "Film", box=None, pad_edge=False)
    for row in rows:
        colour = _COLOUR.get(str(row["state"]), "cyan")
        table.add_row(
            str(row["job"]),
            moment(float(row["at"])),
            f"[{colour}]{row['state']}[/]",
            str(row["shots"]),
            safe(str(row["preset"])),
            safe(str(row["output"])),
        )
    console.print(table)


def _show(journal: Journal, job: str, console: Console, as_json: bool) -> None:
    entries = journal.facts(job)
    if as_json:
        _json([_plain(entry) for entry in entries])
        return
    sealed, fresh = 0, 0
    for entry in entries:
        if isinstance(entry.fact, SegmentSealed):
            sealed += 1
            fresh += not entry.fact.reused
            continue
        if sealed:
            console.print(f"                     {sealed} checkpoints sealed, {sealed - fresh} of them reused")
            sealed, fresh = 0, 0
        line = story(entry)
        if line:
            console.print(f"[dim]{moment(entry.at)}[/]  {safe(line)}")
    if sealed:
        console.print(f"                     {sealed} checkpoints sealed, {sealed - fresh} of them reused")


def story(entry: Entry) -> str:
    """One fact as a sentence."""
    match entry.fact:
        case JobAccepted() as fact:
            return f"Asked for {fact.output} ({fact.preset}) from {fact.timeline_name}, {fact.timeline_path}."
        case RunStarted() as fact:
            return f"Work began (Hotsplice {fact.version}, ffmpeg {fact.ffmpeg}, {fact.workers} at once)."
        case ProblemFound() as fact:
            said = catalogue.words(fact.code, path=fact.path, detail=fact.detail, name=fact.detail or fact.path)
            where = f"Shots {', '.join(map(str, fact.shots))}: " if fact.shots else "Sound: "
            hint = f" {fact.detail}" if fact.code in LOOKED_FOR and fact.detail else ""
            return f"{where}{said.title.lower()}. {said.message}{hint} {said.action}"
        case SourceMoved() as fact:
            how = {"content": "the content is the same", "mhl": "a media hash list says so", "person": "as you said"}[fact.how]
            return f"{fact.path} is now {fact.to} ({how})."
        case FilmPlanned() as fact:
            return (
                f"Planned {fact.shots} shots, {fact.frames} frames from {fact.start_timecode} in {fact.segments} segments and "
                f"{fact.chunks} stretches of sound; {fact.reused} of them ({fact.reused_frames} frames) were checkpoints "
                f"already, {fact.copied} are copied without encoding."
            )
        case SealBroken() as fact:
            return f"A checkpoint is not believed ({fact.reason}); it is made again."
        case AttemptFailed() as fact:
            said = catalogue.explain(fact.failure)
            again = (
                "tried again" if fact.recovery.retry_at is not None else "the job stops" if fact.recovery.fatal else "given up"
            )
            where = f"Shot {fact.shot}: " if fact.shot else ""
            return (
                f"{where}attempt {fact.attempt} failed, {said.title.lower()} ({fact.failure.type.value}, {fact.failure.code}): "
                f"{said.message} {fact.recovery.strategy.value}: {again}."
            )
        case ShotSlated() as fact:
            return f"Shot {fact.shot} is a slate: {catalogue.explain(fact.failure).title.lower()}."
        case SoundSilenced() as fact:
            return f"Silence for {fact.clip}: {catalogue.explain(fact.failure).title.lower()}."
        case FilmJoined() as fact:
            return f"Joined and checked whole: {fact.frames} frames, {fact.samples} samples, {fact.film_hash}."
        case FilmPublished() as fact:
            return f"Published as {fact.output}." + (f" The film before it is kept as {fact.kept}." if fact.kept else "")
        case FilmRolledBack() as fact:
            return f"Rolled back {fact.output} to the film before."
        case JobFinished() as fact:
            why = f": {catalogue.words(fact.code, path=fact.detail, detail=fact.detail).title.lower()}" if fact.code else ""
            return f"Ended {fact.outcome} after {fact.seconds:.1f} s{why}."
        case RunInterrupted() as fact:
            return f"Stopped on request ({fact.reason})."
        case Rewound() as fact:
            return f"Taken back to checkpoint {fact.checkpoint}: {len(fact.keys)} later ones are made again."
        case _:
            return ""


def _checkpoints(journal: Journal, job: str, console: Console, as_json: bool) -> None:
    """A checkpoint: job id, current step, completed shots, timestamp, state."""
    planned: FilmPlanned | None = None
    rows: list[dict[str, Any]] = []
    done: set[str] = set()
    shots: set[int] = set()
    for entry in journal.facts(job):
        match entry.fact:
            case FilmPlanned():
                planned, done, shots = entry.fact, set(), set()
            case SegmentSealed() as seal:
                done.add(seal.key)
                if seal.shot:
                    shots.add(seal.shot)
                rows.append(
                    {
                        "checkpoint": f"{job}-{entry.seq}",
                        "job": job,
                        "step": {"audio": "sound", "track": "sound"}.get(seal.kind, "shot"),
                        "shot": seal.shot,
                        "sealed": len(done),
                        "of": planned.segments + planned.chunks if planned else 0,
                        "completed_shots": sorted(shots),
                        "timestamp": entry.at,
                        "state": "reused" if seal.reused else "sealed",
                        "frames": seal.frames,
                        "file": seal.file,
                        "hash": seal.file_hash or seal.digest,
                    }
                )
            case SealBroken() as broken:
                for row in rows:
                    if broken.key in str(row["file"]):
                        row["state"] = "broken"
            case _:
                pass
    if as_json:
        _json(rows)
        return
    if not rows:
        console.print("No checkpoints yet.")
        return
    table = Table("Checkpoint", "Sealed at", "Step", "Done", "State", "Frames", "Hash", box=None, pad_edge=False)
    for row in rows:
        step = f"shot {row['shot']}" if row["shot"] else row["step"]
        table.add_row(
            row["checkpoint"],
            moment(row["timestamp"]),
            str(step),
            f"{row['sealed']} of {row['of']}",
            row["state"],
            str(row["frames"]),
            str(row["hash"])[:16],
        )
    console.print(table)


def _plain(entry: Entry) -> dict[str, Any]:
    body = codec.plain(entry.fact)
    return {"seq": entry.seq, "job": entry.job, "at": entry.at, "kind": body.pop("is"), "fact": body}


def _json(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
