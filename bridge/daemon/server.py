"""The socket of the listener process (`bridge.daemon.listener`): admission, requests and events.

Without an authenticator, CURVE admits every client that knows the public key. The socket therefore
enforces its ZAP domain: without the authenticator it admits nobody. Sending never waits for a
client that does not read: events are read from the journal again, from the client's last position,
and progress is skipped.

Complete messages that wait are bounded by `RCVHWM`: beyond it TCP slows the client down. The rest
is bounded by the budgets of `bridge.daemon.connection_memory`: a client that exceeds its own is
warned, and then disconnected.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import zmq
import zmq.auth.thread

from bridge.daemon.connection_memory import FRAME_BYTES, Connection, Connections
from bridge.daemon.guests import DOMAIN, Guests
from bridge.daemon.helper_requests import refusal
from bridge.daemon.uploads import Uploads
from bridge.protocol.keys import Keys, Pair
from bridge.protocol.requests import (
    LARGEST_FRAME,
    MOST_FRAMES,
    Chunk,
    Hello,
    Ping,
    Request,
    Submit,
    Upload,
    Watch,
)
from bridge.protocol.responses import (
    Bye,
    Happened,
    Noticed,
    Pong,
    Progressed,
    Said,
    Several,
    Uploading,
    Watching,
    Welcome,
)
from bridge.protocol.wire import (
    CAPABILITIES,
    VERSION,
    Buffer,
    Conversation,
    encode,
    request_name,
    understood,
)
from core.errors.refusal import Refused
from core.messages.template import Language
from core.storage.submissions import Submissions
from core.system import machine

LOOPBACK = "tcp://127.0.0.1"
MOST_PEERS = 1000
SILENT_S = 60.0
"""Seconds of silence after which a client is forgotten.

A watching client pings every second or so.
"""
BATCH_BYTES = 32 * 1024
"""Batch limit in bytes, so that slow readers do not accumulate a backlog.

Applies to clients that accept batches.
"""
WEIGHED_S, WEIGHED_OFTEN_S = 1.0, 0.05
"""Seconds between checks of the memory budgets, normally and while memory grows."""
TIDY_S = 3600.0
AT_ONCE = 500
"""Maximum number of events sent to one watcher before the others get their turn."""

_log = logging.getLogger("hotsplice")


class Asked(NamedTuple):
    """A request that the daemon must answer, and its sender.

    `upload` is the file with the timeline, if the request has one; `size` is in bytes.
    """

    peer: bytes
    message: Request
    upload: str = ""
    size: int = 0


@dataclass
class _Peer:
    conversation: Conversation = field(default_factory=Conversation)
    key: bytes = b""
    heard: float = 0.0
    watches: bool = False
    batches: bool = False
    job: str = ""
    last: int = 0
    """The last sequence number sent."""
    uploads: dict[str, str] = field(default_factory=dict)
    """Digests of the timelines being uploaded, by submission."""


class Server:
    """One socket and all its conversations.

    Used from one thread only. Nothing that a client sends raises an exception here.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        *,
        pair: Pair,
        keys: Keys,
        submissions: Submissions,
        uploads: Uploads,
        program: str,
        language: Language,
        port: int = 0,
        listen: str = "",
    ) -> None:
        self._guests = Guests(keys)
        self._submissions, self._uploads, self._program = submissions, uploads, program
        self.language = language
        self._peers: dict[bytes, _Peer] = {}
        self._weighed = self._tidied = 0.0
        self.pressed = False
        """Whether memory has grown, so that the budgets are checked often."""
        self._progress: dict[str, Progressed] = {}
        self._notices: dict[str, Noticed] = {}
        self._guard = zmq.auth.thread.ThreadAuthenticator(context)
        self._guard.start()
        self._guard.configure_curve_callback(domain=DOMAIN, credentials_provider=self._guests)
        self.socket = context.socket(zmq.ROUTER)
        for option, value in (
            (zmq.CURVE_SERVER, 1), (zmq.CURVE_PUBLICKEY, pair.public), (zmq.CURVE_SECRETKEY, pair.secret),
            (zmq.ZAP_DOMAIN, DOMAIN.encode()), (zmq.ZAP_ENFORCE_DOMAIN, 1), (zmq.HANDSHAKE_IVL, 2000),
            (zmq.HEARTBEAT_IVL, 1000), (zmq.HEARTBEAT_TIMEOUT, 4000), (zmq.HEARTBEAT_TTL, 6000),
            (zmq.MAXMSGSIZE, LARGEST_FRAME), (zmq.RCVHWM, 4), (zmq.SNDHWM, 1000), (zmq.ROUTER_MANDATORY, 1), (zmq.LINGER, 500),
        ):  # fmt: skip
            self.socket.setsockopt(option, value)
        self.port = self._bind(port)
        self.address = f"{LOOPBACK}:{self.port}"
        self.beyond = self._listen(listen) if listen else ""
        further = listen.rpartition(":")[2]
        self._connections = Connections(
            {self.port, *([int(further)] if further.isdecimal() else [])}
        )

    def _bind(self, port: int) -> int:
        """Bind the port of an earlier listener or, if that is taken, any other; return the port.

        On the same port, clients find this listener by themselves.
        """
        if port:
            with contextlib.suppress(zmq.ZMQError):
                self.socket.bind(f"{LOOPBACK}:{port}")
                return port
        return self.socket.bind_to_random_port(LOOPBACK)

    def _listen(self, where: str) -> str:
        """Also listen for other machines; return what to tell a person, including why it failed.

        After a failure, clients on this machine are still served.
        """
        try:
            self.socket.bind(f"tcp://{where}")
        except zmq.ZMQError as error:
            words = f"The companion cannot listen at {where} for other machines: {error.strerror}. This machine is served."
            _log.warning("not listening", extra={"said": {"message": words, "address": where}})
            return f"cannot listen at {where}: {error.strerror}"
        return f"listening at {where} for machines that are paired"

    @property
    def watched(self) -> bool:
        """Whether any client is watching."""
        return any(peer.watches for peer in self._peers.values())

    def receive(self, most: int = 50) -> Iterator[Asked]:
        """Yield the incoming requests that the daemon must answer; answer the others here."""
        for _ in range(most):
            try:
                name = self.socket.recv(zmq.NOBLOCK)
                frames = [self.socket.recv(copy=False)]
            except zmq.Again:
                return
            size = len(frames[0].buffer) + FRAME_BYTES
            while frames[-1].more:
                frame = self.socket.recv(copy=False)
                size += len(frame.buffer) + FRAME_BYTES
                # However many frames arrive, keep at most one beyond the limit: enough to refuse
                # the message.
                if len(frames) > MOST_FRAMES:
                    frames.pop()
                frames.append(frame)
            asked = self._hear(name, frames, size)
            if asked is not None:
                yield asked

    def _hear(self, name: bytes, parts: list[zmq.Frame], size: int) -> Asked | None:
        peer = self._peer(name)
        peer.key = str(parts[-1].get("User-Id")).encode()
        frames = [part.buffer for part in parts]
        source = int(parts[-1].get(zmq.SRCFD))
        connection = self._connections.delivered(source, name, peer.key, size, machine.monotonic())
        if self._guests.gone(peer.key):
            self._put_out(name)
            return None
        ask = understood(frames)
        if isinstance(ask, Refused):
            self.refuse(name, ask, request_name(frames))
            return None
        message = ask.message
        unfit = peer.conversation.admit(message)
        if unfit is not None:
            self.refuse(name, unfit, message.request)
            return None
        last = 0 if isinstance(message, Chunk) else self._submissions.last()
        match message:
            case Hello():
                peer.batches = "batches" in message.capabilities
                if connection is not None:
                    connection.whole = "chunks" not in message.capabilities
                self.say(
                    name,
                    Welcome(
                        re=message.request,
                        version=VERSION,
                        program=self._program,
                        capabilities=CAPABILITIES,
                        last=last,
                    ),
                )
            case Ping():
                self.say(name, Pong(re=message.request, last=last, told=peer.last))
            case Watch() if message.job and not self._submissions.last(message.job):
                self.refuse(name, Refused("job-unknown", name=message.job), message.request)
            case Watch():
                peer.watches, peer.job, peer.last = True, message.job, min(message.after, last)
                self.say(name, Watching(re=message.request, last=last))
                standing: list[Noticed | Progressed] = [
                    *self._notices.values(),
                    *self._progress.values(),
                ]
                for said in standing:
                    if message.job == "" or said.job in ("", message.job):
                        self.say(name, said)
                self._tell(name, peer)
            case Upload() | Chunk() | Submit():
                try:
                    return self._uploaded(name, peer, message, ask.data)
                except Refused as error:
                    self.refuse(name, error, message.request)
            case _:
                return Asked(name, message)
        return None

    def _uploaded(
        self, name: bytes, peer: _Peer, message: Upload | Chunk | Submit, data: Buffer | None
    ) -> Asked | None:
        """Handle a part of an upload, or a submission and the path of its timeline.

        Raises the refusals of `Uploads`.
        """
        match message:
            case Upload():
                peer.uploads[message.submission] = message.sha256
                # A known submission needs no more bytes.
                known = self._submissions.known(message.submission)
                received = message.size if known else self._uploads.begin(peer.key, message)
            case Chunk():
                received = self._uploads.add(
                    peer.key, message, peer.uploads.get(message.submission, ""), data or b""
                )
            case Submit() if data is not None:
                return Asked(
                    name, message, str(self._uploads.whole(peer.key, message, data)), len(data)
                )
            case Submit():
                peer.uploads.pop(message.submission, None)
                path = self._uploads.place(peer.key, message.submission, message.sha256)
                return Asked(name, message, str(path), path.stat().st_size if path.exists() else 0)
        self.say(
            name, Uploading(re=message.request, submission=message.submission, received=received)
        )
        return None

    def _peer(self, name: bytes) -> _Peer:
        now = machine.monotonic()
        if name not in self._peers:
            if len(self._peers) >= MOST_PEERS:
                quietest = min(self._peers, key=lambda known: self._peers[known].heard)
                del self._peers[quietest]
            self._peers[name] = _Peer()
        self._peers[name].heard = now
        return self._peers[name]

    def _put_out(self, name: bytes) -> None:
        """Refuse and disconnect a revoked peer."""
        self.refuse(name, Refused("companion-refuses-key"), "")
        self._peers.pop(name, None)

    def shut_out(self, key: bytes, seconds: float) -> None:
        """Do not admit this key for so many seconds."""
        self._guests.shut_out(key, seconds)

    def weigh(self) -> list[Connection]:
        """Measure the memory of each client, and warn or cut off the clients over budget.

        A client is warned first and cut off at the next check. Returns the connections that were
        cut off.
        """
        now = machine.monotonic()
        if now - self._weighed < (WEIGHED_OFTEN_S if self.pressed else WEIGHED_S):
            return []
        self._weighed, cut = now, []
        for one in self._connections.over(now):
            if one.name and not one.told:
                one.told = True
                self.refuse(one.name, Refused("client-over-budget", memory=one.budget), "")
                continue
            self._connections.cut(one)
            self._peers.pop(one.name, None)
            cut.append(one)
        return cut

    def holders(self) -> list[Connection]:
        """Return the connections that hold memory at this moment, the largest holder first."""
        return [one for one in self._connections.look(machine.monotonic()) if one.held]

    # Sending --------------------------------------------------------------------------------------

    def say(self, name: bytes, said: Said) -> bool:
        """Send a message if the peer is connected and reads; return whether it was sent."""
        return self.pass_on(name, encode(said))

    def pass_on(self, name: bytes, said: bytes) -> bool:
        """Send a message that is already encoded; return whether it was sent."""
        try:
            self.socket.send_multipart([name, said], zmq.NOBLOCK)
        except zmq.Again:
            return False
        except zmq.ZMQError:  # EHOSTUNREACH: the peer is gone; if it returns, it has a new name
            self._peers.pop(name, None)
            return False
        return True

    def refuse(self, name: bytes, error: Refused, request: str) -> None:
        """Send a refusal with its cause."""
        self.say(name, refusal(error, request, self.language))

    def progress(self, said: Progressed) -> None:
        """Send the progress of a job to all its watchers, and later to each new watcher."""
        self._progress[said.job] = said
        for name, peer in list(self._peers.items()):
            if peer.watches and peer.job in ("", said.job):
                self.say(name, said)

    def still(self, job: str) -> None:
        """Mark a job as no longer running and drop its progress."""
        self._progress.pop(job, None)

    def notice(self, said: Noticed, *, about: str = "") -> None:
        """Send a notice to everyone concerned.

        With `about`, also to new watchers, until `unnotice`.
        """
        if about:
            self._notices[about] = said
        for name, peer in list(self._peers.items()):
            if peer.watches and (peer.job == "" or said.job in ("", peer.job)):
                self.say(name, said)

    def unnotice(self, about: str) -> None:
        """Withdraw the notice about this subject."""
        self._notices.pop(about, None)

    def pump(self) -> bool:
        """Send new events to all watchers and forget silent peers.

        Returns whether there is more to send.
        """
        now = machine.monotonic()
        if now - self._tidied > TIDY_S or not self._tidied:
            self._tidied = now
            self._uploads.tidy(machine.now())
        for name in [name for name, peer in self._peers.items() if now - peer.heard > SILENT_S]:
            del self._peers[name]
        for name in [
            name
            for name, peer in self._peers.items()
            if peer.watches and self._guests.gone(peer.key)
        ]:
            self._put_out(name)
        watching = [(name, peer) for name, peer in self._peers.items() if peer.watches]
        more = [self._tell(name, peer) for name, peer in watching]
        return any(more)

    def _tell(self, name: bytes, peer: _Peer) -> bool:
        rows = self._submissions.since(peer.last, job=peer.job, most=AT_ONCE)
        last, size = peer.last, 0
        told: list[Happened] = []
        for row in rows:
            body = row.body.encode()
            told.append(
                Happened(seq=row.seq, after=last, job=row.job, at=row.at, fact=msgspec.Raw(body))
            )
            last, size = row.seq, size + len(body)
            if not peer.batches or size > BATCH_BYTES or row is rows[-1]:
                if not self.say(name, told[0] if len(told) == 1 else Several(events=tuple(told))):
                    return False  # the peer does not read now; the rest is sent later
                peer.last, size, told = last, 0, []
        return len(rows) == AT_ONCE

    def close(self, reason: str) -> None:
        """Say goodbye and stop admitting clients.

        Without a reason nobody asked the daemon to stop: it was killed. Clients then hear nothing,
        because a watcher that hears a goodbye does not start another daemon.
        """
        for name in list(self._peers) if reason else ():
            self.say(name, Bye(reason=reason))
        self.socket.close()
        with contextlib.suppress(zmq.ZMQError):
            self._guard.stop()
