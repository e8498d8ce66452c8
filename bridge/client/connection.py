"""A client's connection to a companion: found, opened, and noticed when it is gone. `bridge.client.client` asks through it."""

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
"""How long an answer is waited for before it is asked again."""
PING_S = 0.5
RESTED_S = 30.0
"""A client that was silent for this many seconds connects again: the companion forgets silent clients."""
_NOT_LET_IN = {zmq.Event.HANDSHAKE_FAILED_AUTH}
_NOT_HIM = {
    zmq.Event.HANDSHAKE_FAILED_NO_DETAIL,
    zmq.Event.HANDSHAKE_FAILED_PROTOCOL,
    zmq.Event.DISCONNECTED,
}
_EVENTS = sum(event.value for event in _NOT_LET_IN | _NOT_HIM)


class Declined(Exception):
    """The companion said no: its own words."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code, refusal.message)
        self.refusal = refusal


class Gone(Exception):
    """Nobody is there just now."""


class Conversation:
    """One connection at a time. `at` names a companion on another machine; else it is that of the data folder `home`."""

    def __init__(self, home: Path, *, program: str, at: str) -> None:
        self.home, self._program, self._name = home, program, at
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket: zmq.Socket[bytes] | None = None
        self._monitor: Any = None
        self._at: endpoint.Endpoint | None = None
        self._vain, self._used = 0, 0.0
        self._chunks = False
        self.connections = 0
        """How often a conversation was begun."""

    def close(self) -> None:
        """Say no more."""
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
        """Whether the companion we speak with is another one by now, or gone."""
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
        """The next message, or None when none arrives within `wait_s` seconds. Refused(companion-refuses-key) when the companion
        does not know our key."""
        assert self._socket is not None
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._monitor, zmq.POLLIN)
        ready = dict(poller.poll(int(wait_s * 1000)))
        if self._socket in ready:
            said = wire.heard(self._socket.recv_multipart()[0])
            if not (
                isinstance(said, Refusal)
                and said.code == "message-unclear"
                and self._monitor in ready
            ):
                return (
                    said  # else another listener is there by now, to which we have not said Hello
                )
        if self._monitor in ready:
            event = int(recv_monitor_message(self._monitor)["event"])
            if event in _NOT_LET_IN:
                raise Refused("companion-refuses-key")
            if event in _NOT_HIM:
                raise Gone
        return None
