"""`jobs`, `show` and `checkpoints`: display the journal."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bridge.cli.console import brief, safe
from bridge.cli.context import place_with_mistakes, with_journal
from bridge.cli.daemon_calls import ask, runs
from bridge.protocol.requests import MOST_LISTED, List
from bridge.protocol.responses import Jobs
from bridge.services.job_accounts import checkpoints_of, find_job
from bridge.services.job_list import by_film_of, under_work
from bridge.services.locations import Locations
from core.job.checkpoint import Checkpoint
from core.job.events import FilmPlanned, JobFinished, RunInterrupted, RunStarted, SegmentSealed
from core.messages.phrases import phrase
from core.messages.template import Language
from core.report.event_text import sentence, word
from core.storage.jobs import listed
from core.storage.journal import Entry, Journal
from core.storage.submissions import Submissions
from core.system import codec

_QUEUED = ("waiting", "working", "elsewhere", "held")
_COLOUR = {"complete": "green", "unchanged": "green", "incomplete": "yellow", "failed": "red"}


def run(arguments: argparse.Namespace) -> int:
    """Run one of these commands. Return 0, or 2 when the job is unknown."""

    def work(where: Locations, journal: Journal, console: Console) -> int:
        speak = where.settings.language
        match arguments.verb:
            case "jobs":
                _jobs(where, journal, console, arguments, speak)
            case "show":
                _show(journal, find_job(journal, arguments.job), console, arguments.json, speak)
            case _:
                _checkpoints(
                    journal, find_job(journal, arguments.job), console, arguments.json, speak
                )
        return 0

    return with_journal(work, as_json=arguments.json, find=place_with_mistakes, reading=True)


def moment(at: float) -> str:
    """Format a time as local date and time to the second."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def state_of(journal: Journal, job: str) -> str:
    """Return one word for a job's state: accepted, unfinished, interrupted, or its outcome."""
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


def _now(journal: Journal, job: str, home: Path, output: str) -> str:
    """Return the state of a job, or `elsewhere` while another terminal renders it."""
    return "elsewhere" if under_work(journal, home, job, output) else state_of(journal, job)


def _jobs(
    where: Locations, journal: Journal, console: Console, asked: argparse.Namespace, speak: Language
) -> None:
    """List jobs from the journal.

    A running daemon adds which jobs are queued or running. Unless all jobs are requested, the
    newest job of a film represents the film's other jobs.
    """
    said = ask(where, List(request="jobs", most=MOST_LISTED)) if runs(where) else None
    queued = (
        {line.job: line for line in said.jobs if line.state in _QUEUED}
        if isinstance(said, Jobs)
        else {}
    )
    rows: list[dict[str, Any]] = []
    found = listed(journal) if asked.all else by_film_of(journal, Submissions(journal), where.home)
    for job, at, _, jobs in found:
        accepted = journal.accepted(job)
        planned = journal.last(job, "FilmPlanned")
        shots = planned.fact.shots if planned and isinstance(planned.fact, FilmPlanned) else 0
        rows.append(
            {
                "job": job,
                "at": at,
                "state": queued[job].state
                if job in queued
                else _now(journal, job, where.home, accepted.output),
                "priority": queued[job].priority if job in queued else 0,
                "shots": shots,
                "preset": accepted.preset,
                "timeline": accepted.timeline_name,
                "output": accepted.output,
                "runs": jobs,
                "holder": queued[job].holder if job in queued else "",
            }
        )
    if asked.json:
        _json(rows)
        return
    if not rows:
        console.print(phrase("no-jobs", speak))
        return
    table = Table(*phrase("jobs-columns", speak).split(", "), box=None, pad_edge=False)
    for row in rows:
        colour = _COLOUR.get(str(row["state"]), "cyan")
        first = f" {row['priority']:+d}" if row["priority"] else ""
        table.add_row(
            str(row["job"]),
            moment(float(row["at"])),
            f"[{colour}]{word('state', str(row['state']), speak)}{first}[/]",
            str(row["shots"]),
            brief(row["preset"]),
            brief(row["output"]),
        )
    console.print(table)
    if any(row["runs"] > 1 for row in rows):
        console.print(phrase("jobs-folded", speak, count=len(journal.jobs()) - len(rows)))
    if isinstance(said, Jobs) and said.paused:
        console.print(phrase("queue-paused", speak))
    elif said is None and Submissions(journal).paused:
        console.print(phrase("queue-paused-alone", speak))


def _show(journal: Journal, job: str, console: Console, as_json: bool, speak: Language) -> None:
    entries = journal.facts(job)
    if as_json:
        points = {point.id: checkpoint_fields(point) for point in checkpoints_of(journal, job)}
        _json([_plain(entry, points.get(f"{job}-{entry.seq}")) for entry in entries])
        return
    sealed, fresh = 0, 0
    for entry in entries:
        if isinstance(entry.fact, SegmentSealed):
            sealed += 1
            fresh += not entry.fact.reused
            continue
        if sealed:
            console.print(f"{'':21}{phrase('sealed', speak, count=sealed, reused=sealed - fresh)}")
            sealed, fresh = 0, 0
        console.print(f"[dim]{moment(entry.at)}[/]  {safe(sentence(entry.fact, speak))}")
    if sealed:
        console.print(f"{'':21}{phrase('sealed', speak, count=sealed, reused=sealed - fresh)}")


def _checkpoints(
    journal: Journal, job: str, console: Console, as_json: bool, speak: Language
) -> None:
    rows = checkpoints_of(journal, job)
    if as_json:
        _json([checkpoint_fields(row) for row in rows])
        return
    if not rows:
        console.print(phrase("no-checkpoints", speak))
        return
    table = Table(*phrase("checkpoints-columns", speak).split(", "), box=None, pad_edge=False)
    for row in rows:
        step = row.current_step
        what = (
            phrase("where-shots", speak, count=1, numbers=step.shot)
            if step.shot
            else phrase("where-sound", speak)
        )
        done, completed = f"{step.done} / {step.of}", str(len(row.completed_shots))
        table.add_row(row.id, row.timestamp, what, done, completed, word("state", row.state, speak))
    console.print(table)


def checkpoint_fields(checkpoint: Checkpoint) -> dict[str, Any]:
    """Convert a checkpoint to its JSON fields: the fixed fields and no others."""
    body: dict[str, Any] = codec.plain(checkpoint)
    body.pop("is")
    body["current_step"].pop("is")
    return body


def _plain(entry: Entry, checkpoint: dict[str, Any] | None) -> dict[str, Any]:
    """Convert an event to JSON, together with its checkpoint if it has one."""
    body = codec.plain(entry.fact)
    line = {
        "seq": entry.seq,
        "job": entry.job,
        "at": entry.at,
        "kind": body.pop("is"),
        "fact": body,
    }
    return line | ({"checkpoint": checkpoint} if checkpoint else {})


def _json(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
