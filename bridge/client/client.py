"""Client of the daemon, after ZeroMQ's Lazy Pirate pattern.

The client sends a request, waits briefly, drops the socket and retries. Every request may be
repeated: a submission carries its own name, and the others end in the same state. The client
notices a lost daemon by its silence, by its process, or by a changed endpoint. Watching resumes
after the last sequence number received.
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
"""Seconds that a submission may take in total once the daemon is reached.

A repeated request finds the submission where it was left.
"""
READING_S = 360.0
"""The same limit for a timeline sent in chunks.

The timeline may be large, and the daemon may read others first.
"""
WHOLE = 4 * CHUNK
"""Largest timeline, in bytes, that is sent in one piece."""
STALLED_S = 6.0
"""Seconds without an acknowledgement after which a chunk is sent again, on a new connection."""
SWIFT_S = 0.7
"""Threshold for the upload window, in seconds.

A chunk acknowledged sooner widens the window by one chunk; a slower one narrows it.
"""
BUSY_S = 0.5
MOST_AGAIN = 3
"""Maximum number of restarts of an upload that did not arrive as it was sent."""
SILENT_S = 2.5
"""Seconds of silence, despite pings, after which the daemon counts as gone."""
PATIENCE_S = 20.0
_SENT_AGAIN = {"upload-missing", "message-damaged"}
_TRY_S = 0.1
_MOST_VAIN = 3
"""Failed connection attempts before the process in the endpoint file counts as another program."""


class _Damaged(Exception):
    """Raised when the timeline did not arrive as it was sent."""


class Client(Conversation):
    """Sends requests to the daemon, over one connection at a time.

    `start` starts a daemon where none is running; without it, a missing daemon is an error. `at`
    names a daemon on another machine (`endpoint.elsewhere`).
    """

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

    # Requests -------------------------------------------------------------------------------------

    def ask(
        self,
        message: Message,
        timeline: bytes | None = None,
        *,
        hear: Callable[[int, int], None] | None = None,
    ) -> Any:
        """Send a request and return the answer.

        A large timeline is sent in chunks. Its upload resumes where it was when a connection breaks
        or the daemon ends. `hear` is called with the number of bytes received so far and the total.

        Raises `Declined` when the daemon refuses the request, or Refused(companion-absent,
        companion-unreachable, companion-refuses-key, keys-unusable).
        """
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
                    if isinstance(message, Submit):  # it is there and may have much to read
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
        """Send every chunk that the daemon does not have yet.

        At most one window of chunks is in flight, and fewer on a slow line, because heartbeats
        queue behind them.
        """
        size, data = len(timeline), memoryview(timeline)
        said = self._begun(
            Upload(
                request="upload", submission=message.submission, sha256=message.sha256, size=size
            )
        )
        done = sent = said.received
        # Ends of the chunks in flight, each with the time at which it was sent.
        waiting: deque[tuple[int, float]] = deque()
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
                raise Gone  # the daemon expected another chunk: an earlier one was lost
        if hear is not None:
            hear(size, size)

    def _begun(self, asked: Upload) -> Uploading:
        """Begin or resume an upload and return its progress.

        Waits while the daemon has too many uploads.
        """

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
        """Start a daemon where none is running, if `start` was given."""
        if self._start is not None:
            found = self._find()
            self._vain += 1
            if found is None or not endpoint.alive(found) or self._vain > _MOST_VAIN:
                self._start()  # if one is running after all, the second exits

    def watch(
        self, job: str = "", *, after: int = 0
    ) -> Iterator[Happened | Progressed | Noticed | None]:
        """Yield each event after sequence number `after` once and in order.

        Watching continues across restarts of the daemon. Yields None in every pause of half a
        second, so that the caller can do other work. A number beyond the newest one counts as the
        newest. Raises the same errors as `ask`.
        """
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
                        if event.after != last:  # an event was lost on the way
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
                case Bye():  # somebody stopped the daemon: a watcher does not restart it
                    self._start = None
                    raise Gone
                case None:
                    if now - heard > SILENT_S or self._moved():
                        raise Gone
                    yield None
                case _:
                    pass
