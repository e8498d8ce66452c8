"""A client of the companion, in the manner of a lazy pirate: ask, wait a little, throw the socket away, ask again.

Every request may be asked twice: a submission carries its own name, the others end in the same state. A companion that is gone
is noticed by its silence, by its process, or by another endpoint; watching goes on from the last sequence number heard.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

from bridge import endpoint, protocol
from bridge.keys import Keys
from bridge.requests import CHUNK, LARGEST_FRAME, Chunk, Hello, Message, Ping, Submit, Upload, Watch
from bridge.sayings import Bye, Happened, Noticed, Pong, Progressed, Refusal, Several, Uploading, Watching, Welcome
from core.model.refusal import Refused
from core.perform import machine

ANSWER_S = 3.0
"""How long an answer is waited for before it is asked again."""
SLOW_S = 60.0
"""How long a submission may take in all, once it has arrived: asked again, it is found where it was left."""
READING_S = 360.0
"""The same for a timeline that was sent in chunks: it may be large, and others may be read before."""
WHOLE = 4 * CHUNK
"""Bytes of a timeline that is sent in one piece."""
STALLED_S = 6.0
"""A chunk that is not acknowledged after so long is sent again, on another connection."""
SWIFT_S = 0.7
"""Acknowledged sooner, more chunks may be on their way at once; later, fewer."""
BUSY_S = 0.5
MOST_AGAIN = 3
"""How often an upload that did not arrive as it was sent is begun anew."""
PING_S = 0.5
SILENT_S = 2.5
"""Who says nothing for so long, though pinged, is gone."""
PATIENCE_S = 20.0
RESTED_S = 30.0
"""After so long without a word a conversation is begun anew: the companion forgets who is silent."""
_SENT_AGAIN = {"upload-missing", "message-damaged"}
_TRY_S = 0.1
_MOST_VAIN = 3
"""Conversations that came to nothing, before the process that seems to be there is taken for another one."""
_NOT_LET_IN = {zmq.Event.HANDSHAKE_FAILED_AUTH}
_NOT_HIM = {zmq.Event.HANDSHAKE_FAILED_NO_DETAIL, zmq.Event.HANDSHAKE_FAILED_PROTOCOL, zmq.Event.DISCONNECTED}
_EVENTS = sum(event.value for event in _NOT_LET_IN | _NOT_HIM)


class Declined(Exception):
    """The companion said no: its own words."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code, refusal.message)
        self.refusal = refusal


class _Gone(Exception):
    """Nobody is there just now."""


class Client:
    """One conversation at a time. `start` brings a companion into being where none is; without it that is refused. `at` names one
    on another machine (`endpoint.elsewhere`)."""

    def __init__(
        self,
        home: Path,
        *,
        program: str = "",
        at: str = "",
        start: Callable[[], None] | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.home, self._program, self._start, self.patience_s, self._name = home, program, start, patience_s, at
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket: zmq.Socket[bytes] | None = None
        self._monitor: Any = None
        self._at: endpoint.Endpoint | None = None
        self._vain, self._used, self._last, self._arrived = 0, 0.0, 0, 0.0
        self._chunks = False
        self.connections = 0
        """How often a conversation was begun."""

    def close(self) -> None:
        """Say no more."""
        self._drop()
        self._context.destroy(linger=0)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Asking -------------------------------------------------------------------------------------------------------

    def ask(self, message: Message, timeline: bytes | None = None, *, hear: Callable[[int, int], None] | None = None) -> Any:
        """The answer. Declined, or Refused (companion-absent, companion-refuses-key, keys-unusable). A large timeline is sent in
        chunks, and goes on where it was when a connection breaks or a companion ends. `hear` is told how many bytes have arrived,
        and of how many."""
        self._arrived, vain = machine.monotonic(), 0
        until = self._arrived + self.patience_s
        while True:
            try:
                self._connect()
                if isinstance(message, Submit) and timeline is not None and len(timeline) > WHOLE and self._chunks:
                    self._upload(message, timeline, hear)
                    until = max(until, self._arrived + READING_S)
                    self._send(message)
                else:
                    if isinstance(message, Submit):  # it is there, and may have much to read
                        until = max(until, self._arrived + SLOW_S)
                    self._send(message, timeline)
                return self._answer(message.request, ANSWER_S)
            except _Gone:
                self._drop()
            except Declined as error:
                vain += 1
                if timeline is None or error.refusal.code not in _SENT_AGAIN or vain > MOST_AGAIN:
                    raise
            self._wait_for_another(max(until, self._arrived + self.patience_s))

    def _upload(self, message: Submit, timeline: bytes, hear: Callable[[int, int], None] | None) -> None:
        """Send all that is not there yet. At most a window of chunks is on its way, fewer on a slow line: heartbeats wait behind
        them."""
        size, data = len(timeline), memoryview(timeline)
        said = self._begun(Upload(request="upload", submission=message.submission, sha256=message.sha256, size=size))
        done = sent = said.received
        waiting: deque[tuple[int, float]] = deque()  # ends of chunks that are on their way, and since when
        window = 1
        while done < size:
            now = self._used = self._arrived = machine.monotonic()
            if hear is not None:
                hear(done, size)
            while sent < size and len(waiting) < min(window, said.window):
                piece = data[sent : sent + said.chunk]
                self._send(Chunk(request=f"at-{sent}", submission=message.submission, at=sent), piece)
                sent += len(piece)
                waiting.append((sent, now))
            said = self._acknowledged(said)
            done = max(done, said.received)
            while waiting and waiting[0][0] <= done:
                took = machine.monotonic() - waiting.popleft()[1]
                window = window + 1 if took < SWIFT_S else max(1, window - 1)
            if said.received <= int(said.re.removeprefix("at-")):
                raise _Gone  # this chunk was not the next one: something before it was lost
        if hear is not None:
            hear(size, size)

    def _begun(self, asked: Upload) -> Uploading:
        """Where an upload stands; waits while there are too many."""
        while True:
            self._send(asked)
            try:
                return self._answer(asked.request, ANSWER_S)  # type: ignore[no-any-return]
            except Declined as error:
                if error.refusal.code != "companion-busy" or machine.monotonic() - self._arrived > READING_S:
                    raise
            self._used = machine.monotonic()
            machine.sleep(BUSY_S)

    def _acknowledged(self, before: Uploading) -> Uploading:
        until = machine.monotonic() + STALLED_S
        while machine.monotonic() < until:
            said = self._receive(PING_S)
            match said:
                case Uploading(submission=submission) if submission == before.submission and said.re.startswith("at-"):
                    return said
                case Refusal():
                    raise Declined(said)
                case Bye():
                    raise _Gone
                case None if self._moved():
                    raise _Gone
                case _:
                    pass
        raise _Gone

    def _wait_for_another(self, until: float) -> None:
        if machine.monotonic() > until:
            raise self._absent()
        if self._start is not None:
            found = self._find()
            self._vain += 1
            if found is None or not endpoint.alive(found) or self._vain > _MOST_VAIN:
                self._start()  # a second one would end itself
        machine.sleep(_TRY_S)

    def _absent(self) -> Refused:
        if not self._name:
            return Refused("companion-absent")
        return Refused("companion-unreachable", name=self._name, path=endpoint.elsewhere(self.home, self._name).address)

    def _find(self) -> endpoint.Endpoint | None:
        return endpoint.elsewhere(self.home, self._name) if self._name else endpoint.read(self.home)

    def watch(self, job: str = "", *, after: int = 0) -> Iterator[Happened | Progressed | Noticed | None]:
        """What happens from after a sequence number on: each fact once and in order, across the ends of companions. None comes
        in every pause of half a second, so that a caller can do something else. A number beyond the newest counts as that. Raises
        as `ask`."""
        self._last, until = after, machine.monotonic() + self.patience_s
        while True:
            try:
                self._connect()
                for said in self._watch(job, self._last):
                    until = machine.monotonic() + self.patience_s
                    yield said
            except _Gone:
                self._drop()
            yield None
            self._wait_for_another(until)

    def _watch(self, job: str, last: int) -> Iterator[Happened | Progressed | Noticed | None]:
        name = machine.token()
        self._send(Watch(request=name, job=job, after=last))
        begun = pinged = heard = machine.monotonic()
        watching = False
        while True:
            said = self._receive(PING_S)
            now = machine.monotonic()
            if said is not None:
                heard = now
            if not watching and now - begun > ANSWER_S:
                raise _Gone
            if now - pinged >= PING_S:
                pinged = now
                self._send(Ping(request="ping"))
            match said:
                case Happened() | Several() if watching:
                    for event in said.events if isinstance(said, Several) else (said,):
                        if event.seq <= last:
                            continue
                        if event.after != last:  # something was lost on the way
                            raise _Gone
                        self._last = last = event.seq
                        yield event
                case Pong(told=told) if watching and told != last:
                    raise _Gone
                case Progressed() | Noticed():
                    yield said
                case Watching(re=re) if re == name:
                    watching, last = True, min(last, said.last)
                    self._last = last
                case Refusal():
                    raise _Gone if said.code == "message-unclear" and watching else Declined(said)
                case Bye():  # somebody wanted that: who only watches does not bring it back
                    self._start = None
                    raise _Gone
                case None:
                    if now - heard > SILENT_S or self._moved():
                        raise _Gone
                    yield None
                case _:
                    pass

    # The socket ---------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        now = machine.monotonic()
        rested, self._used = now - self._used, now
        if self._socket is not None and rested < RESTED_S and not self._moved():
            return
        self._drop()
        self._at, pair = self._find(), Keys(self.home).client()
        if self._at is None or pair is None or not endpoint.alive(self._at):
            raise _Gone
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
        hello = Hello(request="hello", version=protocol.VERSION, client=self._program, capabilities=("batches", "chunks"))
        self._send(hello)
        welcome = self._answer(hello.request, ANSWER_S)
        if not isinstance(welcome, Welcome):
            raise _Gone
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
        frames = [protocol.encode(message)] if timeline is None else [protocol.encode(message), timeline]
        try:
            self._socket.send_multipart(frames)
        except zmq.Again:
            raise _Gone from None

    def _answer(self, request: str, wait_s: float) -> Any:
        until = machine.monotonic() + wait_s
        while (left := until - machine.monotonic()) > 0:
            said = self._receive(min(left, PING_S))
            if said is None and self._moved():
                raise _Gone
            if isinstance(said, Bye):
                raise _Gone
            if isinstance(said, Refusal) and said.re in (request, ""):
                raise Declined(said)
            if getattr(said, "re", None) == request:
                return said
        raise _Gone

    def _receive(self, wait_s: float) -> Any:
        """What is said next; None when nothing was in time. Refused(companion-refuses-key) when we are not let in."""
        assert self._socket is not None
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._monitor, zmq.POLLIN)
        ready = dict(poller.poll(int(wait_s * 1000)))
        if self._socket in ready:
            said = protocol.heard(self._socket.recv_multipart()[0])
            if not (isinstance(said, Refusal) and said.code == "message-unclear" and self._monitor in ready):
                return said  # else another listener is there by now, to which we have not said Hello
        if self._monitor in ready:
            event = int(recv_monitor_message(self._monitor)["event"])
            if event in _NOT_LET_IN:
                raise Refused("companion-refuses-key")
            if event in _NOT_HIM:
                raise _Gone
        return None
