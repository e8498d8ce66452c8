"""`companion`, `submit`, `watch` and `stop`: run the daemon and talk to it from a terminal."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from bridge.cli.console import safe
from bridge.cli.context import place_with_mistakes, with_place
from bridge.cli.daemon_calls import client_of
from bridge.cli.run import Stop as Stopped
from bridge.cli.watch import follow, follow_all, here, there
from bridge.client.client import PATIENCE_S, Client
from bridge.client.launch import start
from bridge.protocol.requests import Stop, Submit
from bridge.protocol.wire import digest
from bridge.services import logs
from bridge.services.job_accounts import find_job
from bridge.services.locations import Locations, place, program_version
from core.engine.output_path import film_at
from core.messages.phrases import phrase
from core.messages.template import Language, human_bytes
from core.report.event_text import word
from core.system import machine
from otio_adapters.guard import bytes_of

SENDING_S = 1.0
ELSEWHERE_S = 10.0
"""Seconds to try to reach the daemon of another machine."""


def run(arguments: argparse.Namespace) -> int:
    """Run one of these commands and return its exit code."""

    def work(where: Locations, console: Console) -> int:
        match arguments.verb:
            case "companion":
                return _companion(where, arguments, console)
            case "submit":
                return _submit(where, arguments, console)
            case "watch":
                return _watch(where, arguments, console)
            case _:
                return _stop(where, console)

    find = place_with_mistakes if arguments.verb in ("stop", "watch") else place
    return with_place(work, as_json=getattr(arguments, "json", False), find=find)


def _program() -> str:
    return f"hotsplice {program_version()}"


def _companion(where: Locations, arguments: argparse.Namespace, console: Console) -> int:
    from bridge.daemon.daemon import Daemon, alone

    if arguments.at_login:
        return _at_login(arguments.at_login, console, where.settings.language)
    if arguments.log:
        logs.speak_into_file(where.home)
    if arguments.background:
        with alone(where.home):
            pass
        start(where)()
        with Client(where.home, program=_program()) as client:
            client.ask(_ping())
        console.print(phrase("companion-runs", where.settings.language))
        return 0
    stopped = Stopped()
    with alone(where.home) as dismissed, stopped.listening():
        companion = Daemon(
            where,
            workers=arguments.jobs,
            stopped=lambda: stopped() or dismissed(),
            hear=lambda text: print(text, flush=True),
        )
        reason = companion.run()
    console.print(f"The companion has ended: {reason}.")
    return 0


def _at_login(wanted: str, console: Console, speak: Language) -> int:
    from bridge.login import files

    here = files.item(files.start(os.environ), os.environ)
    if wanted == "on":
        files.switch_on(here)
        console.print(safe(phrase("login-on", speak, path=here.path)))
        console.print(phrase("login-start-now", speak))
    elif wanted == "off":
        files.switch_off(here)
        console.print(phrase("login-off", speak))
    else:
        console.print(f"{word('login-is', files.state(here), speak)}: {safe(str(here.path))}")
    return 0


def _ping() -> Any:
    from bridge.protocol.requests import Ping

    return Ping(request="ping")


def _submit(where: Locations, arguments: argparse.Namespace, console: Console) -> int:
    path = Path(os.path.expanduser(arguments.timeline)).absolute()
    timeline = bytes_of(path)
    message = Submit(
        request="submit", submission=arguments.id or f"cli-{machine.token(16)}", sha256=digest(timeline), timeline_path=str(path),
        output=arguments.output if arguments.at else str(film_at(arguments.output)),
        preset=arguments.preset or "",
    )  # fmt: skip
    begin, patience_s = (None, ELSEWHERE_S) if arguments.at else (start(where), PATIENCE_S)
    with Client(
        where.home, program=_program(), start=begin, patience_s=patience_s, at=arguments.at
    ) as client:
        accepted = client.ask(
            message, timeline, hear=_sending(console, arguments.json, where.settings.language)
        )
        if arguments.json:
            line = {
                "event": "accepted",
                "job": accepted.job,
                "submission": accepted.submission,
                "again": accepted.again,
            }
            print(json.dumps(line), flush=True)
        else:
            console.print(
                phrase(
                    "submitted-again" if accepted.again else "submitted",
                    where.settings.language,
                    job=accepted.job,
                )
            )
        if arguments.detach:
            return 0
        job, speak = accepted.job, where.settings.language
        end = there(client, job) if arguments.at else here(where, job)
        return follow(client, job, after=0, as_json=arguments.json, speak=speak, end=end)


def _sending(console: Console, as_json: bool, speak: Language) -> Callable[[int, int], None]:
    """Return a callback that reports how much of a timeline has been sent.

    It reports at every tenth, and at most once a second.
    """
    tenth, told = 0, machine.monotonic()

    def hear(arrived: int, size: int) -> None:
        nonlocal tenth, told
        now = machine.monotonic()
        if 10 * arrived // size <= tenth or now - told < SENDING_S:
            return
        tenth, told = 10 * arrived // size, now
        if as_json:
            print(json.dumps({"event": "sending", "arrived": arrived, "size": size}), flush=True)
        else:
            sending = phrase(
                "submit-sending",
                speak,
                percent=100 * arrived // size,
                size=human_bytes(size, speak),
            )
            console.print(f"[dim]{safe(sending)}[/]")

    return hear


def _watch(where: Locations, arguments: argparse.Namespace, console: Console) -> int:
    with client_of(where, at=arguments.at) as client:
        if not arguments.job:
            speak = where.settings.language
            return follow_all(
                client, after=arguments.after, as_json=arguments.json, console=console, speak=speak
            )
        job = arguments.job if arguments.at else _known(where, arguments.job)
        client.ask(_ping())
        end = there(client, job) if arguments.at else here(where, job)
        return follow(
            client,
            job,
            after=arguments.after,
            as_json=arguments.json,
            speak=where.settings.language,
            end=end,
        )


def _known(where: Locations, name: str) -> str:
    journal = where.journal_to_read()
    try:
        return find_job(journal, name)
    finally:
        journal.close()


def _stop(where: Locations, console: Console) -> int:
    with Client(where.home, program=_program(), patience_s=1.0) as client:
        client.ask(Stop(request="stop"))
    console.print(phrase("companion-stops", where.settings.language))
    return 0
