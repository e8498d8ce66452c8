"""A client's connection to the daemon: finds it, connects to it and detects its loss.

`bridge.client.client` sends its requests through this module.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

from bridge.protocol import endpoint, wire
from bridge.protocol.keys import Keys
from bridge.protocol.requests import LARGEST_FRAME, Hello, Message
from bridge.protocol.responses import Bye, Refusal, Welcome
from core.errors.refusal import Refused
from core.system import machine

ANSWER_S = 3.0
"""Seconds to wait for an answer before the request is repeated."""
PING_S = 0.5
RESTED_S = 30.0
"""Seconds of silence after which a client reconnects: the daemon forgets silent clients."""
_NOT_LET_IN = {zmq.Event.HANDSHAKE_FAILED_AUTH}
_NOT_HIM = {
    zmq.Event.HANDSHAKE_FAILED_NO_DETAIL,
    zmq.Event.HANDSHAKE_FAILED_PROTOCOL,
    zmq.Event.DISCONNECTED,
}
_EVENTS = sum(event.value for event in _NOT_LET_IN | _NOT_HIM)


class Declined(Exception):
    """Raised when the daemon refuses a request; `refusal` holds its answer."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code, refusal.message)
        self.refusal = refusal


class Gone(Exception):
    """Raised when the daemon cannot be reached at the moment."""


class Conversation:
    """One connection at a time.

    `at` names a daemon on another machine. If it is empty, the daemon of the data folder `home` is
    used.
    """

    def __init__(self, home: Path, *, program: str, at: str) -> None:
        self.home, self._program, self._name = home, program, at
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket: zmq.Socket[bytes] | None = None
        self._monitor: Any = None
        self._at: endpoint.Endpoint | None = None
        self._vain, self._used = 0, 0.0
        self._chunks = False
        self.connections = 0
        """Number of connections opened so far."""

    def close(self) -> None:
        """Close the connection and release all sockets."""
        self._drop()
        self._context.destroy(linger=0)

    def _absent(self) -> Refused:
        if not self._name:
            return Refused("companion-absent")
        return Refused(
            "companion-unreachable",
            name=self._name,
            path=endpoint.elsewhere(self.home, self._name).address,
        )

    def _find(self) -> endpoint.Endpoint | None:
        return endpoint.elsewhere(self.home, self._name) if self._name else endpoint.read(self.home)

    def _connect(self) -> None:
        now = machine.monotonic()
        rested, self._used = now - self._used, now
        if self._socket is not None and rested < RESTED_S and not self._moved():
            return
        self._drop()
        self._at, pair = self._find(), Keys(self.home).client()
        if self._at is None or pair is None or not endpoint.alive(self._at):
            raise Gone
        self._socket = self._context.socket(zmq.DEALER)
        for option, value in (
            (zmq.CURVE_SERVERKEY, self._at.public_key.encode()),
            (zmq.CURVE_PUBLICKEY, pair.public), (zmq.CURVE_SECRETKEY, pair.secret),
            (zmq.HANDSHAKE_IVL, 2000), (zmq.HEARTBEAT_IVL, 1000), (zmq.HEARTBEAT_TIMEOUT, 4000), (zmq.LINGER, 0),
            (zmq.MAXMSGSIZE, LARGEST_FRAME), (zmq.RCVHWM, 5000), (zmq.SNDTIMEO, 1000),
        ):  # fmt: skip
            self._socket.setsockopt(option, value)
        self._monitor = self._socket.get_monitor_socket(_EVENTS)
        self._socket.connect(self._at.address)
        self.connections += 1
        hello = Hello(
            request="hello",
            version=wire.VERSION,
            client=self._program,
            capabilities=("batches", "chunks"),
        )
        self._send(hello)
        welcome = self._answer(hello.request, ANSWER_S)
        if not isinstance(welcome, Welcome):
            raise Gone
        self._vain, self._chunks = 0, "chunks" in welcome.capabilities

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.disable_monitor()
            self._socket.close()
            self._socket = None

    def _moved(self) -> bool:
        """Return True if the connected daemon is gone or was replaced by another one."""
        return self._find() != self._at or self._at is None or not endpoint.alive(self._at)

    def _send(self, message: Message, timeline: bytes | memoryview | None = None) -> None:
        assert self._socket is not None
        frames = [wire.encode(message)] if timeline is None else [wire.encode(message), timeline]
        try:
            self._socket.send_multipart(frames)
        except zmq.Again:
            raise Gone from None

    def _answer(self, request: str, wait_s: float) -> Any:
        until = machine.monotonic() + wait_s
        while (left := until - machine.monotonic()) > 0:
            said = self._receive(min(left, PING_S))
            if said is None and self._moved():
                raise Gone
            if isinstance(said, Bye):
                raise Gone
            if isinstance(said, Refusal) and said.re in (request, ""):
                raise Declined(said)
            if getattr(said, "re", None) == request:
                return said
        raise Gone

    def _receive(self, wait_s: float) -> Any:
        """Return the next message, or None when none arrives within `wait_s` seconds.

        Raises Refused(companion-refuses-key) when the daemon does not know this client's key, and
        `Gone` when the connection is lost.
        """
        assert self._socket is not None
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._monitor, zmq.POLLIN)
        ready = dict(poller.poll(int(wait_s * 1000)))
        if self._socket in ready:
            said = wire.heard(self._socket.recv_multipart()[0])
            # A message-unclear together with a monitor event comes from a new listener that has not
            # received our Hello.
            if not (
                isinstance(said, Refusal)
                and said.code == "message-unclear"
                and self._monitor in ready
            ):
                return said
        if self._monitor in ready:
            event = int(recv_monitor_message(self._monitor)["event"])
            if event in _NOT_LET_IN:
                raise Refused("companion-refuses-key")
            if event in _NOT_HIM:
                raise Gone
        return None
