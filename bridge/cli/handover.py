"""Hand a job over to a running daemon, or follow a film that the daemon is already rendering."""

from __future__ import annotations

import json

from rich.console import Console

from bridge.cli.console import safe
from bridge.cli.context import with_place
from bridge.cli.daemon_calls import ask_and_follow, client_of, runs
from bridge.cli.watch import follow, here
from bridge.protocol.requests import List, Resume
from bridge.protocol.responses import Done
from bridge.services.job_accounts import find_job, newest_open
from bridge.services.locations import Locations, place
from core.engine.request import Request
from core.errors.refusal import Refused
from core.graph import content_key
from core.messages.phrases import phrase
from core.storage.jobs import open_jobs


def hand_over(job: str | None, *, detach: bool, as_json: bool) -> int | None:
    """Carry out `resume` through a running daemon.

    Return the exit code, or None when no daemon runs.
    """
    try:
        if not runs(place()):
            return None
    except Refused:
        return None  # resuming in this process reports the refusal better
    left: list[int | None] = []

    def work(where: Locations, console: Console) -> int:
        journal = where.journal()
        try:
            known = find_job(journal, job) if job else newest_open(journal)
        finally:
            journal.close()

        def told(done: Done) -> None:
            if as_json:
                print(json.dumps({"event": "accepted", "job": done.job}), flush=True)
            else:
                console.print(safe(phrase("with-companion", where.settings.language, job=done.job)))

        left.append(
            ask_and_follow(
                where,
                Resume(request="resume", job=known),
                detach=detach,
                as_json=as_json,
                hear=told,
            )
        )
        return left[0] or 0

    code = with_place(work, as_json=as_json)
    return left[0] if left else code


def follow_companion(
    where: Locations, request: Request, *, as_json: bool, console: Console
) -> int | None:
    """Carry out `assemble` by following the daemon's job for the same request.

    Return that job's exit code, or None when the daemon has no such job waiting or running.
    """
    journal = where.journal()
    try:
        digest = content_key.request_digest(request.raw, request.preset, str(request.output))
        mine = {job for job, known in open_jobs(journal, str(request.output)) if known == digest}
    finally:
        journal.close()
    if not mine or not runs(where):
        return None
    with client_of(where) as client:
        try:
            jobs = client.ask(List(request="list")).jobs
        except Refused as error:
            if error.code == "companion-absent":
                return None
            raise
        job = next(
            (
                line.job
                for line in jobs
                if line.job in mine and line.state in ("waiting", "working")
            ),
            None,
        )
        if job is None:
            return None
        if not as_json:
            console.print(safe(phrase("companion-at-it", where.settings.language, job=job)))
        return follow(
            client,
            job,
            after=0,
            as_json=as_json,
            speak=where.settings.language,
            end=here(where, job),
        )
