"""`prioritise`, `pause` and `unpause`: the companion's queue, said to it where it runs and put on record where it does not."""

from __future__ import annotations

import argparse

from bridge.clerk import Clerk
from bridge.cli.console import plain_console, safe
from bridge.cli.house import Place, place, program_version
from bridge.cli.run import find_job
from bridge.cli.summary import REFUSED
from bridge.cli.summary import refusal as words_of
from bridge.client import Client, Declined
from bridge.requests import Pause, Prioritise
from bridge.sayings import Refusal
from core.explain.phrases import phrase
from core.model.refusal import Refused


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0, or 2 when it cannot be done."""
    console = plain_console()
    try:
        where = place()
        said = _done(where, _asked(where, arguments))
    except Refused as error:
        words = words_of(error)
        console.print(f"[red]{safe(words['title'])}[/] {safe(words['message'])}\n{safe(words['action'])}")
        return REFUSED
    if isinstance(said, Refusal):
        console.print(f"[red]{safe(said.title)}.[/] {safe(said.message)}\n{safe(said.action)}")
        return REFUSED
    speak = where.settings.language
    match arguments.verb:
        case "prioritise":
            console.print(phrase("queue-prioritised", speak, job=said, priority=str(arguments.priority)))
        case "pause":
            console.print(phrase("queue-paused", speak))
        case _:
            console.print(phrase("queue-unpaused", speak))
    return 0


def _asked(where: Place, arguments: argparse.Namespace) -> Prioritise | Pause:
    if arguments.verb != "prioritise":
        return Pause(request="pause", paused=arguments.verb == "pause")
    journal = where.journal()
    try:
        return Prioritise(request="first", job=find_job(journal, arguments.job), priority=arguments.priority)
    finally:
        journal.close()


def _done(where: Place, asked: Prioritise | Pause) -> str | Refusal:
    """The job it was about, or why not. A companion that starts later finds it on record."""
    try:
        with Client(where.home, program=f"hotsplice {program_version()}", patience_s=1.0) as client:
            return str(client.ask(asked).job)
    except Declined as error:
        return error.refusal
    except Refused as error:
        if error.code != "companion-absent":
            raise
    journal = where.journal()
    try:
        said = Clerk(where, journal).answer(asked, b"")
        return said if isinstance(said, Refusal) else getattr(said, "job", "")
    finally:
        journal.close()
