"""A client of the companion, in the manner of a lazy pirate: ask, wait a little, throw the socket away, ask again.

Every request may be asked twice: a submission carries its own name, the others end in the same state. A companion that is gone
is noticed by its silence, by its process, or by another endpoint; watching goes on from the last sequence number heard.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tenacity import RetryError, Retrying, retry_if_exception, retry_if_exception_type, wait_fixed

from bridge.client.connection import ANSWER_S, PING_S, Conversation, Declined, Gone
from bridge.protocol import endpoint
from bridge.protocol.requests import CHUNK, Chunk, Message, Ping, Submit, Upload, Watch
from bridge.protocol.responses import (
    Bye,
    Happened,
    Noticed,
    Pong,
    Progressed,
    Refusal,
    Several,
    Uploading,
    Watching,
)
from core.system import machine

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
SILENT_S = 2.5
"""Who says nothing for so long, though pinged, is gone."""
PATIENCE_S = 20.0
_SENT_AGAIN = {"upload-missing", "message-damaged"}
_TRY_S = 0.1
_MOST_VAIN = 3
"""Conversations that came to nothing, before the process that seems to be there is taken for another one."""


class _Damaged(Exception):
    """The timeline did not arrive as it was sent."""


class Client(Conversation):
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
        super().__init__(home, program=program, at=at)
        self._start, self.patience_s = start, patience_s
        self._last, self._arrived = 0, 0.0

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Asking -------------------------------------------------------------------------------------------------------

    def ask(
        self,
        message: Message,
        timeline: bytes | None = None,
        *,
        hear: Callable[[int, int], None] | None = None,
    ) -> Any:
        """The answer. Declined, or Refused (companion-absent, companion-refuses-key, keys-unusable). A large timeline is sent in
        chunks, and goes on where it was when a connection breaks or a companion ends. `hear` is told how many bytes have arrived,
        and of how many."""
        self._arrived, vain = machine.monotonic(), 0
        until = self._arrived + self.patience_s

        def once() -> Any:
            nonlocal vain, until
            try:
                self._connect()
                if (
                    isinstance(message, Submit)
                    and timeline is not None
                    and len(timeline) > WHOLE
                    and self._chunks
                ):
                    self._upload(message, timeline, hear)
                    until = max(until, self._arrived + READING_S)
                    self._send(message)
                else:
                    if isinstance(message, Submit):  # it is there, and may have much to read
                        until = max(until, self._arrived + SLOW_S)
                    self._send(message, timeline)
                return self._answer(message.request, ANSWER_S)
            except Gone:
                self._drop()
                raise
            except Declined as error:
                vain += 1
                if timeline is None or error.refusal.code not in _SENT_AGAIN or vain > MOST_AGAIN:
                    raise
                raise _Damaged from error

        retrying = Retrying(
            retry=retry_if_exception_type((Gone, _Damaged)),
            stop=lambda _: machine.monotonic() > max(until, self._arrived + self.patience_s),
            wait=wait_fixed(_TRY_S),
            sleep=machine.sleep,
            before_sleep=lambda _: self._start_another(),
        )
        try:
            return retrying(once)
        except RetryError as error:
            raise self._absent() from error

    def _upload(
        self, message: Submit, timeline: bytes, hear: Callable[[int, int], None] | None
    ) -> None:
        """Send all that is not there yet. At most a window of chunks is on its way, fewer on a slow line: heartbeats wait behind
        them."""
        size, data = len(timeline), memoryview(timeline)
        said = self._begun(
            Upload(
                request="upload", submission=message.submission, sha256=message.sha256, size=size
            )
        )
        done = sent = said.received
        waiting: deque[tuple[int, float]] = (
            deque()
        )  # ends of chunks that are on their way, and since when
        window = 1
        while done < size:
            now = self._used = self._arrived = machine.monotonic()
            if hear is not None:
                hear(done, size)
            while sent < size and len(waiting) < min(window, said.window):
                piece = data[sent : sent + said.chunk]
                self._send(
                    Chunk(request=f"at-{sent}", submission=message.submission, at=sent), piece
                )
                sent += len(piece)
                waiting.append((sent, now))
            said = self._acknowledged(said)
            done = max(done, said.received)
            while waiting and waiting[0][0] <= done:
                took = machine.monotonic() - waiting.popleft()[1]
                window = window + 1 if took < SWIFT_S else max(1, window - 1)
            if said.received <= int(said.re.removeprefix("at-")):
                raise Gone  # this chunk was not the next one: something before it was lost
        if hear is not None:
            hear(size, size)

    def _begun(self, asked: Upload) -> Uploading:
        """Where an upload stands; waits while there are too many."""

        def once() -> Uploading:
            self._send(asked)
            self._used = machine.monotonic()
            return self._answer(asked.request, ANSWER_S)  # type: ignore[no-any-return]

        return Retrying(
            retry=retry_if_exception(
                lambda error: isinstance(error, Declined) and error.refusal.code == "companion-busy"
            ),
            stop=lambda _: machine.monotonic() - self._arrived > READING_S,
            wait=wait_fixed(BUSY_S),
            sleep=machine.sleep,
            reraise=True,
        )(once)

    def _acknowledged(self, before: Uploading) -> Uploading:
        until = machine.monotonic() + STALLED_S
        while machine.monotonic() < until:
            said = self._receive(PING_S)
            match said:
                case Uploading(submission=submission) if (
                    submission == before.submission and said.re.startswith("at-")
                ):
                    return said
                case Refusal():
                    raise Declined(said)
                case Bye():
                    raise Gone
                case None if self._moved():
                    raise Gone
                case _:
                    pass
        raise Gone

    def _wait_for_another(self, until: float) -> None:
        if machine.monotonic() > until:
            raise self._absent()
        self._start_another()
        machine.sleep(_TRY_S)

    def _start_another(self) -> None:
        """Start a companion where none is, if we may."""
        if self._start is not None:
            found = self._find()
            self._vain += 1
            if found is None or not endpoint.alive(found) or self._vain > _MOST_VAIN:
                self._start()  # a second one would end itself

    def watch(
        self, job: str = "", *, after: int = 0
    ) -> Iterator[Happened | Progressed | Noticed | None]:
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
            except Gone:
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
                raise Gone
            if now - pinged >= PING_S:
                pinged = now
                self._send(Ping(request="ping"))
            match said:
                case Happened() | Several() if watching:
                    for event in said.events if isinstance(said, Several) else (said,):
                        if event.seq <= last:
                            continue
                        if event.after != last:  # something was lost on the way
                            raise Gone
                        self._last = last = event.seq
                        yield event
                case Pong(told=told) if watching and told != last:
                    raise Gone
                case Progressed() | Noticed():
                    yield said
                case Watching(re=re) if re == name:
                    watching, last = True, min(last, said.last)
                    self._last = last
                case Refusal():
                    raise Gone if said.code == "message-unclear" and watching else Declined(said)
                case Bye():  # somebody wanted that: who only watches does not bring it back
                    self._start = None
                    raise Gone
                case None:
                    if now - heard > SILENT_S or self._moved():
                        raise Gone
                    yield None
                case _:
                    pass
