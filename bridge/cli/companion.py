"""`companion`, `submit`, `watch` and `stop`: the process beside the editor, and what is said to it from a terminal."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from bridge import logs
from bridge.cli.console import duration, plain_console, safe
from bridge.cli.house import Place, place, program_version
from bridge.cli.run import Stop as Stopped
from bridge.cli.run import find_job
from bridge.cli.summary import REFUSED, refusal
from bridge.client import PATIENCE_S, Client, Declined
from bridge.protocol import digest
from bridge.requests import Stop, Submit
from bridge.sayings import Happened, Progressed
from core.explain import story
from core.model import codec
from core.model.facts import Fact, JobFinished, RunInterrupted
from core.model.refusal import Refused
from core.perform import machine, process
from otio_adapters.guard import bytes_of
from otio_adapters.refused import TimelineRefused

COMING_UP_S = 5.0
"""A companion that was started and cannot be reached after that is not waited for any longer."""
ELSEWHERE_S = 10.0
"""How long the companion of another machine is tried."""
EXITS = {"complete": 0, "unchanged": 0, "superseded": 0, "incomplete": 1, "failed": 3}


def run(arguments: argparse.Namespace) -> int:
    """Exit code of one of these commands."""
    console = plain_console()
    try:
        where = place()
        match arguments.verb:
            case "companion":
                return _companion(where, arguments, console)
            case "submit":
                return _submit(where, arguments, console)
            case "watch":
                job = arguments.job or ""
                job = _known(where, job) if job and not arguments.at else job
                with Client(where.home, program=_program(), patience_s=3.0, at=arguments.at) as client:
                    return _follow(client, job, arguments.after, arguments.json, console)
            case _:
                return _stop(where, console)
    except (Refused, TimelineRefused) as error:
        said = refusal(error)
        return _no(arguments, console, said["code"], said["title"], said["message"], said["action"])
    except Declined as error:
        no = error.refusal
        return _no(arguments, console, no.code, f"{no.title}.", no.message, no.action)


def _no(arguments: argparse.Namespace, console: Console, code: str, title: str, message: str, action: str) -> int:
    if getattr(arguments, "json", False):
        said = {"exit_code": REFUSED, "outcome": "refused", "code": code, "title": title, "message": message, "action": action}
        print(json.dumps({"event": "summary", **said}, ensure_ascii=False))
    else:
        console.print(f"[red]{safe(title)}[/] {safe(message)}\n{safe(action)}")
    return REFUSED


def _program() -> str:
    return f"hotsplice {program_version()}"


def _companion(where: Place, arguments: argparse.Namespace, console: Console) -> int:
    from bridge.companion import Companion, alone

    if arguments.at_login:
        return _at_login(arguments.at_login, console)
    if arguments.log:
        logs.speak_into_file(where.home)
    if arguments.background:
        with alone(where.home):
            pass
        start(where)()
        with Client(where.home, program=_program()) as client:
            client.ask(_ping())
        console.print("The companion runs.")
        return 0
    stopped = Stopped()
    with alone(where.home), stopped.listening():
        reason = Companion(where, workers=arguments.jobs, stopped=stopped, hear=lambda text: print(text, flush=True)).run()
    console.print(f"The companion has ended: {reason}.")
    return 0


def _at_login(word: str, console: Console) -> int:
    from bridge.login import placing

    here = placing.item(placing.start(os.environ), os.environ)
    path = safe(str(here.path))
    if word == "on":
        placing.switch_on(here)
        console.print(f"The companion starts with your next session: {path}")
        console.print("hotsplice companion --background starts it now.")
    elif word == "off":
        placing.switch_off(here)
        console.print("The companion does not start with your session.")
    else:
        said = {"on": "starts", "off": "does not start", "other": "starts, but as it was installed or set up earlier,"}
        console.print(f"The companion {said[placing.state(here)]} with your session: {path}")
    return 0


def _known(where: Place, name: str) -> str:
    journal = where.journal()
    try:
        return find_job(journal, name)
    finally:
        journal.close()


def _ping() -> Any:
    from bridge.requests import Ping

    return Ping(request="ping")


def start(where: Place) -> Callable[[], None]:
    """How a companion is brought into being. Called again and again until it answers; only one of them stays."""
    last, started = -10.0, None

    def begin() -> None:
        nonlocal last, started
        if started is not None and started.poll() is None and machine.monotonic() - last < COMING_UP_S:
            return
        if machine.monotonic() - last > 0.5:
            last = machine.monotonic()
            where.home.mkdir(parents=True, exist_ok=True)
            with (where.home / logs.SAID).open("ab") as log:
                environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
                started = process.detach([sys.executable, "-P", "-m", "bridge.cli.main", "companion"], log.fileno(), environment)

    return begin


def _submit(where: Place, arguments: argparse.Namespace, console: Console) -> int:
    path = Path(arguments.timeline).expanduser().absolute()
    timeline = bytes_of(path)
    message = Submit(
        request="submit", submission=arguments.id or f"cli-{machine.token(16)}", sha256=digest(timeline), timeline_path=str(path),
        output=arguments.output if arguments.at else str(Path(arguments.output).expanduser().absolute()),
        preset=arguments.preset or "",
    )  # fmt: skip
    begin, patience_s = (None, ELSEWHERE_S) if arguments.at else (start(where), PATIENCE_S)
    with Client(where.home, program=_program(), start=begin, patience_s=patience_s, at=arguments.at) as client:
        accepted = client.ask(message, timeline)
        if arguments.json:
            line = {"event": "accepted", "job": accepted.job, "submission": accepted.submission, "again": accepted.again}
            print(json.dumps(line), flush=True)
        else:
            console.print(f"Job [bold]{accepted.job}[/] is {'known already' if accepted.again else 'on record'}.")
        return 0 if arguments.detach else _follow(client, accepted.job, 0, arguments.json, console)


def _follow(client: Client, job: str, after: int, as_json: bool, console: Console) -> int:
    """Tell what happens; with a job until its end, without one for ever."""
    shown = 0.0
    for said in client.watch(job, after=after):
        if isinstance(said, Happened):
            fact: Fact = codec.decode(bytes(said.fact), Fact)  # type: ignore[arg-type]
            if as_json:
                body = codec.plain(fact)
                line = {"event": "fact", "at": said.at, "job": said.job, "seq": said.seq, "kind": body.pop("is"), "body": body}
                print(json.dumps(line, ensure_ascii=False), flush=True)
            else:
                console.print(f"[dim]{said.job}[/] {safe(story.sentence(fact))}")
            if job and isinstance(fact, JobFinished):
                return EXITS[fact.outcome]
            if job and isinstance(fact, RunInterrupted) and fact.reason == "cancelled":
                return 130
        elif isinstance(said, Progressed) and not as_json and console.is_terminal and machine.monotonic() - shown > 1.0:
            shown = machine.monotonic()
            now = msgspec.json.decode(said.snapshot) or {}
            if now:
                left = duration(now["left_s"])
                console.print(f"[dim]{said.job} {now['frames_done']} / {now['frames']} frames, {left} left[/]")
        elif isinstance(said, Progressed) and as_json:
            line = {key: value for key, value in codec.plain(said).items() if key != "is"}
            print(json.dumps({"event": "progress", **line}, ensure_ascii=False), flush=True)
    return 0


def _stop(where: Place, console: Console) -> int:
    with Client(where.home, program=_program(), patience_s=1.0) as client:
        client.ask(Stop(request="stop"))
    console.print("The companion ends; what it was at is taken up at its next start.")
    return 0
