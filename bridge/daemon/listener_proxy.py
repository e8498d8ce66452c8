"""The listener process as the companion sees it: lines of JSON to it and from it, and another one when it ends.

    companion --(stdin)-->  Say, Progress, Still, Notice, Unnotice, Speak, ShutOut, Close
    companion <--(stdout)-- Ready, Heard, CutOff, Overfull

It holds nothing that cannot be told to the next one: the record is read anew, clients come back by themselves and ask again.
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
"""Bytes above those of an idle listener: where it ends."""
SHUT_OUT_S = 60.0
"""So long a client of another machine that was cut off is not let in."""
MOST_VAIN = 5
"""Listeners that end before they are ready, one after the other, before it is given up."""
SOON_S, MOST_SOON, REST_S = 60.0, 5, 2.0
"""Whoever ends the listener more often than so many times in so long waits for the next one."""

_log = logging.getLogger("hotsplice")


class Line(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="is"):
    """Base of what the companion and its listener say to each other. Clients are named by text of ours, keys by theirs."""


class Say(Line, frozen=True):
    """Say this to a client."""

    peer: str
    said: msgspec.Raw


class Progress(Line, frozen=True):
    """How a job stands, for all who watch it."""

    said: Progressed


class Still(Line, frozen=True):
    """A job is not under work any more."""

    job: str


class Notice(Line, frozen=True):
    """Tell whom it concerns; with `about` until `Unnotice`."""

    said: Noticed
    about: str = ""


class Unnotice(Line, frozen=True):
    """It does not hold any more."""

    about: str


class Speak(Line, frozen=True):
    """Refuse in this language from now on."""

    language: Language


class ShutOut(Line, frozen=True):
    """Let this key in no more for so long."""

    key: str
    seconds: float


class Close(Line, frozen=True):
    """Tell what is on record still, say goodbye and end."""

    reason: str


Order = Say | Progress | Still | Notice | Unnotice | Speak | ShutOut | Close


class Ready(Line, frozen=True):
    """Clients can come. `beyond` is what a person reads about other machines, empty where none may come."""

    address: str
    port: int
    beyond: str = ""


class Heard(Line, frozen=True):
    """A request for the companion, and the file with its timeline, of `size` bytes."""

    peer: str
    message: Request
    upload: str = ""
    size: int = 0


class CutOff(Line, frozen=True):
    """A client held more bytes in memory than it may. Its connection was closed; `key` is empty where it is not known."""

    key: str
    held: int


class Overfull(Line, frozen=True):
    """The listener is beyond its memory limit and ends now; `key` is that of the client that holds most of it, if there is one,
    and `held` how many bytes it holds."""

    memory: int
    limit: int
    key: str = ""
    held: int = 0


Report = Ready | Heard | CutOff | Overfull
_reports: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Report)


class ListenerProxy:
    """The listener for the companion's loop. `asked` is told what clients ask, `moved` that the address is another one,
    `cut_off` and `overfull` what a person should know. Nothing is waited for."""

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
        """Whether no listener can be had."""
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
        """There is a listener."""
        if (
            self._child is None
            and not self._closing
            and not self.broken
            and machine.monotonic() >= self._not_before
        ):
            self._begin()

    def hear(self, name: str, line: bytes) -> bool:
        """What a listener said (its end is an empty line); whether it was one."""
        if not name.startswith("listener-"):
            return False
        if self._child is None or name != self._child.name:
            return True  # the last words of an earlier one
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

    # What is said -------------------------------------------------------------------------------------------------

    @property
    def language(self) -> Language:
        """In which refusals are said."""
        return self._language

    def speak(self, language: Language) -> None:
        """Refuse in another language from now on."""
        self._language = language
        self._order(Speak(language=language))

    def say(self, peer: bytes, said: Said) -> None:
        """Say something to a client, if it is still there; one that came to an earlier listener is not."""
        begun, _, name = peer.decode().partition(":")
        if begun == str(self._begun):
            self._order(Say(peer=name, said=msgspec.Raw(encode(said))))

    def refuse(self, peer: bytes, error: Refused, request: str) -> None:
        """Say no, with the cause."""
        self.say(peer, refusal(error, request, self._language))

    def progress(self, said: Progressed) -> None:
        """How a job stands, to all who watch it; and to those who begin to."""
        self._progress[said.job] = said
        self._order(Progress(said=said))

    def still(self, job: str) -> None:
        """A job is not under work any more: its progress is old."""
        self._progress.pop(job, None)
        self._order(Still(job=job))

    def notice(self, said: Noticed, *, about: str = "") -> None:
        """Tell all whom it concerns; with `about` also those who begin to watch, until `unnotice`."""
        if about:
            self._notices[about] = said
        self._order(Notice(said=said, about=about))

    def unnotice(self, about: str) -> None:
        """What was noticed about this does not hold any more."""
        if self._notices.pop(about, None) is not None:
            self._order(Unnotice(about=about))

    def close(self, reason: str) -> Child | None:
        """Say goodbye and let nobody in any more; the process that does that, as long as it is there."""
        self._closing = True
        self._order(Close(reason=reason))
        return self._child

    def _order(self, order: Order) -> None:
        if self._child is not None:
            self._child.tell(msgspec.json.encode(order) + b"\n")


def order_of(line: bytes) -> Order:
    """A line from the companion."""
    return cast("Order", msgspec.json.decode(line, type=Order))
