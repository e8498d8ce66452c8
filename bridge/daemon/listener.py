"""The listener: a separate process for the clients' socket.

It keeps clients from filling the daemon's memory.

    python -P -m bridge.daemon.listener PARENT PORT LANGUAGE LISTEN LIMIT

ZeroMQ keeps the frames of an unfinished message without a limit, so this process has a limit of its
own: it ends when its memory is LIMIT bytes above what it used when it was ready, and the daemon
starts another one. Jobs, journal and uploads are elsewhere, and clients reconnect.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import BinaryIO

import msgspec
import zmq

from bridge.daemon.listener_proxy import (
    Close,
    CutOff,
    Heard,
    Notice,
    Order,
    Overfull,
    Progress,
    Ready,
    Report,
    Say,
    ShutOut,
    Speak,
    Still,
    Unnotice,
    order_of,
)  # fmt: skip
from bridge.daemon.server import Server
from bridge.daemon.uploads import Uploads
from bridge.protocol.keys import Keys
from bridge.services import logs
from bridge.services.locations import place_anyway, program_version
from core.storage.submissions import Submissions
from core.system import machine, process, process_memory

PRESSED = 16 * 2**20
"""Bytes above an idle listener's memory from which its holders are checked frequently."""
OVERFULL = 77
"""Exit code of a listener that has exceeded its memory limit."""
LOOK_S = 0.1
TICK_MS, IDLE_MS = 50, 500
"""Milliseconds between reads of the journal while somebody is watching, and while nobody is."""
_ORDERS = "inproc://orders"


class Listener:
    """Serves clients and the daemon's messages in one loop."""

    def __init__(
        self, server: Server, context: zmq.Context[zmq.Socket[bytes]], out: int, limit: int
    ) -> None:
        self._server, self._context, self._out, self._limit = server, context, out, limit
        self._orders = context.socket(zmq.PULL)
        self._orders.bind(_ORDERS)
        self._writing = threading.Lock()
        self._leaving: str | None = None

    def run(self, heard: BinaryIO) -> None:
        """Run until the daemon says stop or is gone."""
        floor = process_memory.resident()
        threading.Thread(target=self._listen, args=(heard,), daemon=True).start()
        threading.Thread(target=self._watch, args=(floor,), daemon=True).start()
        process_memory.limit_data(2 * self._limit)  # in case memory outruns the checks
        self._report(
            Ready(address=self._server.address, port=self._server.port, beyond=self._server.beyond)
        )
        poller = zmq.Poller()
        poller.register(self._server.socket, zmq.POLLIN)
        poller.register(self._orders, zmq.POLLIN)
        busy = False
        while self._leaving is None:
            often = self._server.watched or self._server.pressed
            poller.poll(0 if busy else TICK_MS if often else IDLE_MS)
            while self._leaving is None and self._orders.poll(0):
                self._follow(self._orders.recv())
            for asked in self._server.receive():
                self._report(
                    Heard(
                        peer=asked.peer.hex(),
                        message=asked.message,
                        upload=asked.upload,
                        size=asked.size,
                    )
                )
            for one in self._server.weigh():
                self._report(CutOff(key=one.key.decode(), held=one.held))
            busy = self._server.pump()
        while self._leaving and self._server.pump():
            pass
        self._server.close(self._leaving)

    def _follow(self, line: bytes) -> None:
        order: Order | None = order_of(line) if line else None
        server = self._server
        match order:
            case Say(peer=peer, said=said):
                server.pass_on(bytes.fromhex(peer), bytes(said))
            case Progress(said=progressed):
                server.progress(progressed)
            case Still(job=job):
                server.still(job)
            case Notice(said=noticed, about=about):
                server.notice(noticed, about=about)
            case Unnotice(about=about):
                server.unnotice(about)
            case Speak(language=language):
                server.language = language
            case ShutOut(key=key, seconds=seconds):
                server.shut_out(key.encode(), seconds)
            case Close(reason=reason):
                self._leaving = reason
            case None:
                self._leaving = ""  # the daemon is gone

    def _report(self, report: Report) -> None:
        line = msgspec.json.encode(report) + b"\n"
        with self._writing:
            _write(self._out, line)

    def _listen(self, heard: BinaryIO) -> None:
        post = self._context.socket(zmq.PUSH)
        post.setsockopt(zmq.LINGER, 0)
        post.connect(_ORDERS)
        try:
            for line in heard:
                post.send(line)
            post.send(b"")
        except zmq.ZMQError:
            pass  # the loop has ended
        finally:
            post.close()

    def _watch(self, floor: int) -> None:
        """Exit at the memory limit, whatever the loop is doing.

        Below the limit, tell the loop when to check which clients hold memory.
        """
        while True:
            machine.sleep(LOOK_S)
            now = process_memory.resident()
            self._server.pressed = now - floor > PRESSED
            if now - floor > self._limit:
                most = next(
                    (one for one in self._server.holders() if 2 * one.held > now - floor), None
                )
                key, held = (most.key.decode(), most.held) if most else ("", 0)
                line = (
                    msgspec.json.encode(
                        Overfull(memory=now, limit=floor + self._limit, key=key, held=held)
                    )
                    + b"\n"
                )
                if self._writing.acquire(timeout=1.0):
                    _write(self._out, line)
                os._exit(OVERFULL)


def _write(out: int, line: bytes) -> None:
    left = memoryview(line)
    while left:
        left = left[os.write(out, left) :]


def main() -> int:
    """Listen until standard input closes."""
    parent, port, language, listen, limit = sys.argv[1:6]
    process.die_with_parent(int(parent))
    where, _ = place_anyway()
    logs.begin(where.home)
    out = os.dup(1)
    os.dup2(2, 1)  # keep other output out of the pipe
    keys, context = Keys(where.home), zmq.Context()
    journal = where.journal()
    server = Server(
        context, pair=keys.companion(), keys=keys, submissions=Submissions(journal), uploads=Uploads(where.home),
        program=program_version(), language="de" if language == "de" else "en", port=int(port), listen=listen,
    )  # fmt: skip
    try:
        Listener(server, context, out, int(limit)).run(sys.stdin.buffer)
    except BrokenPipeError:
        return 0  # the daemon is gone
    context.destroy(linger=500)
    journal.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
