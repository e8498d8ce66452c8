"""`prioritise`, `pause`, `unpause` and `cancel`: change the queue.

A running daemon carries the command out; without one, it is recorded in the journal.
"""

from __future__ import annotations

import argparse

from rich.console import Console

from bridge.cli.context import place_with_mistakes, with_place
from bridge.cli.daemon_calls import ask, runs
from bridge.protocol.requests import Cancel, Pause, Prioritise
from bridge.services.job_accounts import find_job
from bridge.services.locations import Locations
from core.messages.phrases import phrase


def run(arguments: argparse.Namespace) -> int:
    """Run one of these commands. Return 0, or 2 when it cannot be carried out."""

    def work(where: Locations, console: Console) -> int:
        said = ask(where, _asked(where, arguments))
        here = runs(where)
        job, speak = getattr(said, "job", ""), where.settings.language
        match arguments.verb:
            case "cancel":
                console.print(phrase("job-cancelled", speak, job=job))
            case "prioritise":
                console.print(
                    phrase("queue-prioritised", speak, job=job, priority=str(arguments.priority))
                )
            case "pause":
                console.print(phrase("queue-paused" if here else "queue-paused-alone", speak))
            case _:
                console.print(phrase("queue-unpaused" if here else "queue-unpaused-alone", speak))
        return 0

    return with_place(work, find=place_with_mistakes)


def _asked(where: Locations, arguments: argparse.Namespace) -> Prioritise | Pause | Cancel:
    if arguments.verb in ("pause", "unpause"):
        return Pause(request="pause", paused=arguments.verb == "pause")
    journal = where.journal()
    try:
        job = find_job(journal, arguments.job)
    finally:
        journal.close()
    if arguments.verb == "cancel":
        return Cancel(request="cancel", job=job)
    return Prioritise(request="first", job=job, priority=arguments.priority)
