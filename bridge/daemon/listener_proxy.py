"""The daemon's side of the listener process.

Exchanges lines of JSON with the listener and restarts it when it ends.

    daemon --(stdin)-->  Say, Progress, Still, Notice, Unnotice, Speak, ShutOut, Close
    daemon <--(stdout)-- Ready, Heard, CutOff, Overfull

The listener holds no state that the next one cannot get: events are read from the journal again,
and clients reconnect and repeat their requests by themselves.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, cast

import msgspec
import zmq

from bridge.daemon.children import Child
from bridge.daemon.helper_requests import refusal
from bridge.daemon.server import Asked
from bridge.protocol.requests import Request
from bridge.protocol.responses import Noticed, Progressed, Said
from bridge.protocol.wire import encode
from core.errors.refusal import Refused
from core.messages.template import Language
from core.system import machine

LIMIT = 256 * 2**20
"""Memory limit of the listener, in bytes above an idle listener."""
SHUT_OUT_S = 60.0
"""Seconds for which a client of another machine is not admitted after it was cut off."""
MOST_VAIN = 5
"""Number of listeners in a row that end before they are ready, after which the daemon gives up."""
SOON_S, MOST_SOON, REST_S = 60.0, 5, 2.0
"""Limit on restarts.

If the listener ends more than MOST_SOON times in SOON_S seconds, the next one starts after a delay
of REST_S seconds.
"""

_log = logging.getLogger("hotsplice")


class Line(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="is"):
    """Base of the messages between the daemon and its listener.

    Clients are identified by a text that we assign, keys by their own text.
    """


class Say(Line, frozen=True):
    """Send this to a client."""

    peer: str
    said: msgspec.Raw


class Progress(Line, frozen=True):
    """Send the progress of a job to all its watchers."""

    said: Progressed


class Still(Line, frozen=True):
    """A job is no longer running."""

    job: str


class Notice(Line, frozen=True):
    """Send a notice to everyone concerned. With `about`, it holds until `Unnotice`."""

    said: Noticed
    about: str = ""


class Unnotice(Line, frozen=True):
    """A notice no longer holds."""

    about: str


class Speak(Line, frozen=True):
    """Write refusals in this language from now on."""

    language: Language


class ShutOut(Line, frozen=True):
    """Do not admit this key for so many seconds."""

    key: str
    seconds: float


class Close(Line, frozen=True):
    """Send the events that are still due, say goodbye and end."""

    reason: str


Order = Say | Progress | Still | Notice | Unnotice | Speak | ShutOut | Close


class Ready(Line, frozen=True):
    """Clients can connect.

    `beyond` tells a person about access from other machines; it is empty where none is allowed.
    """

    address: str
    port: int
    beyond: str = ""


class Heard(Line, frozen=True):
    """A request for the daemon, and the file with its timeline of `size` bytes."""

    peer: str
    message: Request
    upload: str = ""
    size: int = 0


class CutOff(Line, frozen=True):
    """A client held more bytes in memory than it may, and its connection was closed.

    `key` is empty if it is not known.
    """

    key: str
    held: int


class Overfull(Line, frozen=True):
    """The listener has exceeded its memory limit and ends now.

    `key` is the key of the client that holds most of that memory, if there is one, and `held` the
    number of bytes that it holds.
    """

    memory: int
    limit: int
    key: str = ""
    held: int = 0


Report = Ready | Heard | CutOff | Overfull
_reports: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Report)


class ListenerProxy:
    """The listener process, for the daemon's loop.

    The callbacks: `asked` receives the clients' requests, `moved` is called when the address has
    changed, and `cut_off` and `overfull` receive what a person should know. No method blocks.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        *,
        language: Language,
        listen: str,
        asked: Callable[[Asked], None],
        moved: Callable[[], None],
        cut_off: Callable[[CutOff], bool],
        overfull: Callable[[Overfull], None],
    ) -> None:
        self._context, self._language, self._listen = context, language, listen
        self._asked, self._moved, self._cut_off, self._overfull = asked, moved, cut_off, overfull
        self.address, self.beyond, self._port = "", "", 0
        self._child: Child | None = None
        self._begun, self._vain, self._closing, self._not_before = 0, 0, False, 0.0
        self._ends: list[float] = []
        self._progress: dict[str, Progressed] = {}
        self._notices: dict[str, Noticed] = {}
        self._shut_out: dict[str, float] = {}
        self._begin()

    @property
    def broken(self) -> bool:
        """Whether the daemon has given up on starting a listener."""
        return self._vain >= MOST_VAIN

    def _begin(self) -> None:
        self._begun += 1
        words = [str(self._port), self._language, self._listen, str(LIMIT)]
        self._child = Child(
            f"listener-{self._begun}", "bridge.daemon.listener", words, self._context
        )
        now = machine.monotonic()
        for about, notice in self._notices.items():
            self._order(Notice(said=notice, about=about))
        for progress in self._progress.values():
            self._order(Progress(said=progress))
        for key, until in self._shut_out.items():
            if until > now:
                self._order(ShutOut(key=key, seconds=until - now))

    def look_after(self) -> None:
        """Start a listener if there is none and one may start now."""
        if (
            self._child is None
            and not self._closing
            and not self.broken
            and machine.monotonic() >= self._not_before
        ):
            self._begin()

    def hear(self, name: str, line: bytes) -> bool:
        """Handle a line from a listener; return whether `name` was a listener.

        An empty line is the end of its process.
        """
        if not name.startswith("listener-"):
            return False
        if self._child is None or name != self._child.name:
            return True  # the last output of an earlier listener
        if not line:
            self._ended()
            return True
        match _reports.decode(line):
            case Ready(address=address, port=port, beyond=beyond):
                before, self.address, self._port, self.beyond, self._vain = (
                    self.address,
                    address,
                    port,
                    beyond,
                    0,
                )
                if before != address:
                    self._moved()
            case Heard(peer=peer, message=message, upload=upload, size=size):
                self._asked(Asked(f"{self._begun}:{peer}".encode(), message, upload, size))
            case CutOff() as cut:
                if self._cut_off(cut):
                    self._shut_out[cut.key] = machine.monotonic() + SHUT_OUT_S
                    self._order(ShutOut(key=cut.key, seconds=SHUT_OUT_S))
            case Overfull() as full:
                if full.key and self._cut_off(CutOff(key=full.key, held=full.held)):
                    self._shut_out[full.key] = machine.monotonic() + SHUT_OUT_S
                self._overfull(full)
        return True

    def _ended(self) -> None:
        assert self._child is not None
        code = self._child.code()
        self._child = None
        if self._closing:
            return
        now = machine.monotonic()
        self._ends = [*(end for end in self._ends if now - end < SOON_S), now]
        self._not_before = now + (REST_S if len(self._ends) > MOST_SOON else 0.0)
        self._vain += 1
        words = f"The listener, which clients connect to, ended with code {code}; another is started. Jobs go on."
        _log.warning(
            "listener ended",
            extra={"said": {"message": words, "code": code, "often": len(self._ends)}},
        )
        self.look_after()

    # Messages to the listener ---------------------------------------------------------------------

    @property
    def language(self) -> Language:
        """The language of refusals."""
        return self._language

    def speak(self, language: Language) -> None:
        """Write refusals in another language from now on."""
        self._language = language
        self._order(Speak(language=language))

    def say(self, peer: bytes, said: Said) -> None:
        """Send a message to a client if it is still connected.

        A client of an earlier listener counts as disconnected.
        """
        begun, _, name = peer.decode().partition(":")
        if begun == str(self._begun):
            self._order(Say(peer=name, said=msgspec.Raw(encode(said))))

    def refuse(self, peer: bytes, error: Refused, request: str) -> None:
        """Send a refusal with its cause."""
        self.say(peer, refusal(error, request, self._language))

    def progress(self, said: Progressed) -> None:
        """Send the progress of a job to all its watchers, and later to each new watcher."""
        self._progress[said.job] = said
        self._order(Progress(said=said))

    def still(self, job: str) -> None:
        """Mark a job as no longer running and drop its progress."""
        self._progress.pop(job, None)
        self._order(Still(job=job))

    def notice(self, said: Noticed, *, about: str = "") -> None:
        """Send a notice to everyone concerned.

        With `about`, also to new watchers, until `unnotice`.
        """
        if about:
            self._notices[about] = said
        self._order(Notice(said=said, about=about))

    def unnotice(self, about: str) -> None:
        """Withdraw the notice about this subject."""
        if self._notices.pop(about, None) is not None:
            self._order(Unnotice(about=about))

    def close(self, reason: str) -> Child | None:
        """Say goodbye and stop admitting clients.

        Returns the process that does so while it exists.
        """
        self._closing = True
        self._order(Close(reason=reason))
        return self._child

    def _order(self, order: Order) -> None:
        if self._child is not None:
            self._child.tell(msgspec.json.encode(order) + b"\n")


def order_of(line: bytes) -> Order:
    """Decode a line from the daemon."""
    return cast("Order", msgspec.json.decode(line, type=Order))
