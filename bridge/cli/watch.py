"""Follow the daemon from a terminal: one job until its end, or all jobs.

A single job is shown as if this process rendered it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import msgspec
from rich.console import Console

from bridge.cli import summary
from bridge.cli.console import Display, JsonLines, Live, safe
from bridge.client.client import Client
from bridge.client.connection import Declined
from bridge.daemon.helper_requests import Tell
from bridge.daemon.queries import Queries
from bridge.protocol.requests import Describe
from bridge.protocol.responses import Described, Finding, Happened, Noticed, Progressed, Refusal
from bridge.services.locations import Locations
from core.engine.user_decisions import STOPPED_AT
from core.errors.refusal import Refused
from core.job.events import Fact, JobFinished, RunInterrupted
from core.messages.phrases import phrase
from core.messages.relink_text import taking
from core.messages.template import Language
from core.report import event_text
from core.report.labels import duration
from core.report.progress import Snapshot
from core.system import codec, machine
from core.timeline.timing import timecode

EXITS = {"complete": 0, "unchanged": 0, "superseded": 0, "incomplete": 1, "failed": 3}
_FOR_GOOD = ("cancelled", "answer", STOPPED_AT)
"""Reasons of an interruption after which nobody resumes the job unasked.

After any other reason, the job waits for its turn again.
"""
_snapshots = msgspec.json.Decoder(Snapshot)


End = Callable[[], Described]
"""Returns a job's current state; every call reads it again."""


def here(where: Locations, job: str) -> End:
    """Return a function that reads a job's state from this machine's journal.

    It works with or without a running daemon.
    """

    def end() -> Described:
        journal = where.journal_to_read()
        try:
            said = Queries(where, journal).answer(Tell(asked=Describe(request="end", job=job)))
        finally:
            journal.close()
        if isinstance(said, Refusal):
            raise Declined(said)
        assert isinstance(said, Described)
        return said

    return end


def there(client: Client, job: str) -> End:
    """Return a function that asks the daemon of another machine for a job's state."""

    def end() -> Described:
        said: Described = client.ask(Describe(request="end", job=job))
        return said

    return end


def follow(
    client: Client, job: str, *, after: int, as_json: bool, speak: Language, end: End
) -> int:
    """Show the events of a job after sequence number `after`, until it ends or rests.

    Then show the summary of the job, and return its exit code. Raises Declined, and the client's
    refusals. When a daemon of this machine ends, it takes the job with it; this counts as an
    interruption, not as a refusal.
    """
    display: Display = JsonLines() if as_json else Live(speak)
    gone: dict[str, Any] = {}
    try:
        try:
            code = _until_end(client, job, after, display, end)
        except Refused as error:
            if error.code != "companion-absent":
                raise
            code = summary.INTERRUPTED
            gone = {
                "title": phrase("stopped", speak),
                "message": phrase("companion-ended", speak, job=job),
            }
            gone["action"] = phrase("run-resume", speak, job=job)
        display.close()
        display.summary(report(end(), code, speak) | gone)
        return code
    finally:
        display.close()


def _until_end(client: Client, job: str, after: int, display: Display, end: End) -> int:
    now = end() if after else None
    # The job has ended already, so no further event will follow.
    if now is not None and now.last <= after and now.job.state in EXITS:
        return EXITS[now.job.state]
    stopped = False
    for said in client.watch(job, after=after):
        match said:
            case Happened():
                fact: Fact = codec.decode(bytes(said.fact), Fact)  # type: ignore[arg-type]
                display.fact(said.job, said.seq, fact, said.at)
                stopped = isinstance(fact, RunInterrupted)
                if isinstance(fact, JobFinished):
                    return EXITS[fact.outcome]
                if isinstance(fact, RunInterrupted) and fact.reason.startswith(_FOR_GOOD):
                    return summary.INTERRUPTED
            case Progressed(step=step) if step:
                display.step(step, said.done, said.total)
            case Progressed():
                if bytes(said.snapshot) != b"null":
                    display.now(said.job, _snapshots.decode(said.snapshot))
            case Noticed(code="film-held-elsewhere"):
                display.notice(said.title, said.message)
            case None:
                # Somebody holds the job without giving a reason.
                if stopped and end().job.state not in ("waiting", "working", "elsewhere"):
                    return summary.INTERRUPTED
    raise AssertionError("watching does not end by itself")


def follow_all(
    client: Client, *, after: int, as_json: bool, console: Console, speak: Language
) -> int:
    """Report what happens to all jobs, without end."""
    shown = 0.0
    for said in client.watch(after=after):
        if isinstance(said, Happened):
            fact: Fact = codec.decode(bytes(said.fact), Fact)  # type: ignore[arg-type]
            if as_json:
                JsonLines().fact(said.job, said.seq, fact, said.at)
            else:
                console.print(f"[dim]{said.job}[/] {safe(event_text.sentence(fact, speak))}")
        elif isinstance(said, Noticed) and not as_json:
            console.print(f"[yellow]{safe(said.title)}[/]: {safe(said.message)}")
        elif isinstance(said, Progressed | Noticed) and as_json:
            line = {key: value for key, value in codec.plain(said).items() if key != "is"}
            event = "progress" if isinstance(said, Progressed) else "notice"
            print(json.dumps({"event": event, **line}, ensure_ascii=False), flush=True)
        elif (
            isinstance(said, Progressed)
            and console.is_terminal
            and machine.monotonic() - shown > 1.0
        ):
            shown = machine.monotonic()
            now = msgspec.json.decode(said.snapshot) or {}
            if now:
                left = duration(now["left_s"])
                far = phrase(
                    "watch-progress",
                    speak,
                    job=said.job,
                    done=now["frames_done"],
                    frames=now["frames"],
                    left=left,
                )
                console.print(f"[dim]{safe(far)}[/]")
    return 0


# Report of a job that another process rendered ----------------------------------------------------


def report(said: Described, code: int, speak: Language = "en") -> dict[str, Any]:
    """Build the summary for a display, for a job that another process rendered."""
    # The first finding is what ended the job; the title already names it.
    findings = said.findings[1:] if code == summary.FAILED else said.findings
    return {
        "job": said.job.job,
        "output": said.job.output,
        "film": said.job.film,
        "preset": said.job.preset,
        "exit_code": code,
        "outcome": "interrupted" if code == summary.INTERRUPTED else said.job.state,
        "code": said.job.code,
        "title": said.title,
        "message": said.message,
        "safe": said.safe,
        "action": said.action,
        "shots": len(said.shots),
        "shots_missing": [
            shot.number
            for shot in said.shots
            if shot.state in ("slate", "mended", "missing") and not shot.taken
        ],
        "shots_verified": sum(shot.state in ("verified", "reused") for shot in said.shots),
        "frames": said.frames,
        "problems": [_problem(one, said, speak) for one in findings if one.severity == "error"],
        "decided": [_problem(one, said, speak) for one in findings if one.decided],
        "remarks": [
            _remark(one) for one in findings if one.severity != "error" and not one.decided
        ],
    }


def _problem(one: Finding, said: Described, speak: Language) -> dict[str, Any]:
    where = said.start_frame + (one.first or 0)
    known = one.first is not None and said.rate
    at = [timecode(where, Fraction(said.rate), drop_frame=said.drop_frame)] if known else []
    told = {
        "code": one.code,
        "path": one.path,
        "shots": list(one.shots),
        "clips": [],
        "timecodes": at,
    } | _words(one)
    if one.proposed and not one.decided:
        about = str(one.shots[0]) if one.shots else one.code
        told["message"] += f" {taking(one.proposed, said.job.job, about, speak)}"
    return told


def _remark(one: Finding) -> dict[str, Any]:
    severity = "loss" if one.severity == "warning" else "note"
    return {"code": one.code, "severity": severity, "count": 1, "all": []} | _words(one)


def _words(one: Finding) -> dict[str, Any]:
    actions = [{"do": act.do, "safe": act.safe} for act in one.actions]
    return {
        "title": one.title,
        "message": one.message,
        "did": one.did,
        "action": actions[0]["do"],
        "actions": actions,
    }
