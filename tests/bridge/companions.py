"""A companion as a process of its own, and clients of it that keep everything they heard."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import psutil
import zmq

from bridge.client.client import Client
from bridge.protocol import endpoint
from bridge.protocol.keys import Keys, Pair
from bridge.protocol.requests import List, Message, Ping, Submit
from bridge.protocol.responses import Happened
from bridge.protocol.wire import digest, encode
from core.storage.journal import Journal

ROOT = Path(__file__).resolve().parents[2]
PERMANENT = (
    "bridge.daemon.listener",
    "bridge.daemon.commands",
    "bridge.daemon.queries",
    "bridge.watch_folder",
)
"""Modules of the processes that run as long as the companion does."""


@dataclass
class Companions:
    """One user's companion, started and killed as a test wishes."""

    home: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.environment = {**os.environ, "HOTSPLICE_HOME": str(self.home), "PYTHONPATH": str(ROOT)}

    def start(self, *words: str, before: str = "") -> subprocess.Popen[bytes]:
        """Start one and wait until it can be reached. `before` is Python that its process runs first."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "said.txt").open("ab") as said:
            program = (
                ["-c", f"{before}\nimport sys\nfrom bridge.cli.main import main\nsys.exit(main())"]
                if before
                else ["-m", "bridge.cli.main"]
            )
            argv = [sys.executable, *program, "companion", *words]
            child = subprocess.Popen(
                argv,
                env=self.environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        self.running.append(child)
        until = time.monotonic() + 30
        while True:
            found = endpoint.read(self.home)
            if found is not None and found.pid == child.pid:
                return child
            assert child.poll() is None and time.monotonic() < until, self.said()
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill -9."""
        self.running[-1].send_signal(signal.SIGKILL)
        self.running[-1].wait()

    def close(self) -> None:
        """End everything that was started."""
        for child in self.running:
            if child.poll() is None:
                child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(20)
            if child.poll() is None:
                child.kill()
                child.wait()

    def listener(self) -> psutil.Process:
        """The process with the socket, of the companion that was started last."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            for child in psutil.Process(self.running[-1].pid).children():
                with contextlib.suppress(psutil.Error):
                    if (
                        "bridge.daemon.listener" in child.cmdline()
                        and child.status() != psutil.STATUS_ZOMBIE
                    ):
                        return child
            time.sleep(0.02)
        raise AssertionError(self.said())

    def said(self) -> str:
        """Everything that companions printed."""
        return (self.home / "said.txt").read_text(encoding="utf-8", errors="replace")

    def client(self, **options: Any) -> Client:
        """One more client."""
        return Client(self.home, program="test", **options)

    def jobs(self) -> list[str]:
        """All jobs on record."""
        journal = Journal(self.home / "journal.db")
        try:
            return [job for job, _ in journal.jobs()]
        finally:
            journal.close()

    def seqs(self, job: str) -> list[int]:
        """The numbers of everything on record about a job."""
        journal = Journal(self.home / "journal.db")
        try:
            return [entry.seq for entry in journal.facts(job)]
        finally:
            journal.close()


@contextlib.contextmanager
def companions(home: Path) -> Iterator[Companions]:
    """A user's companions, all ended afterwards."""
    made = Companions(home)
    try:
        yield made
    finally:
        made.close()


def submission(timeline: Path, film: Path, name: str, **changes: Any) -> tuple[Submit, bytes]:
    """A request to make a film, and the timeline."""
    data = timeline.read_bytes()
    asked = Submit(
        request="s",
        submission=name,
        output=str(film),
        sha256=digest(data),
        timeline_path=str(timeline),
    )
    return msgspec.structs.replace(asked, **changes), data


def listed(client: Client) -> list[Any]:
    """All jobs, as the companion lists them."""
    return list(client.ask(List(request="list")).jobs)


def until_end(client: Client, job: str, *, after: int = 0, most_s: float = 60) -> list[Happened]:
    """Everything that is heard of a job until it has ended."""
    heard, until = [], time.monotonic() + most_s
    for said in client.watch(job, after=after):
        assert time.monotonic() < until, [kind(event) for event in heard]
        if isinstance(said, Happened):
            heard.append(said)
            if kind(said) == "JobFinished":
                return heard
    raise AssertionError("watching ended by itself")


def kind(event: Happened) -> str:
    """What happened."""
    return str(msgspec.json.decode(event.fact)["is"])


class Stranger:
    """A bare socket, to say what no client of ours says."""

    def __init__(
        self, home: Path, *, pair: Pair | None = None, keyless: bool = False, server: bytes = b""
    ) -> None:
        found = endpoint.read(home)
        assert found is not None
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        if not keyless:
            own = pair or Keys(home).client()
            assert own is not None
            self.socket.curve_serverkey = server or found.public_key.encode()
            self.socket.curve_publickey, self.socket.curve_secretkey = own
        self.monitor = self.socket.get_monitor_socket()
        self.socket.connect(found.address)

    def __enter__(self) -> Stranger:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.disable_monitor()
        self.context.destroy(linger=0)

    def say(self, *frames: bytes) -> None:
        """Send anything."""
        self.socket.send_multipart(list(frames))

    def ask(self, message: Message) -> Any:
        """Send a request; what comes back."""
        self.say(encode(message))
        return self.hear()

    def hear(self, most_s: float = 5.0) -> Any:
        """The next thing that is said; None when nothing is."""
        if not self.socket.poll(int(most_s * 1000)):
            return None
        return msgspec.json.decode(self.socket.recv_multipart()[0])


PING = Ping(request="p")
