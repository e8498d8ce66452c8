"""The tray's connection to the daemon.

It uses threads, because a client blocks until its answer arrives. Three threads send requests
(quick ones, slow ones, and films), and a fourth watches.

    window --(post)--> asking --(hear)--> window        watching --(hear)--> window

All threads call `hear`. A daemon that crashed is started again. A daemon that somebody stopped
stays down until the user starts it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from bridge.client.client import Client
from bridge.client.connection import Declined
from bridge.protocol import endpoint
from bridge.protocol.requests import Describe, List, Message, Pictures, Ping, Stats, Submit
from bridge.protocol.responses import Happened
from bridge.tray.state import Link as State
from bridge.tray.state import Trouble
from core.errors.refusal import Refused
from core.messages.refusal_text import refusal
from core.messages.template import Language
from core.system import machine

LIST_EVERY_S = 2.0
"""Seconds between requests for the list of jobs; an event requests it at once."""
_LISTED = List(request="list", most=500, by_film=True)
_SLOW = (Describe, Pictures, Stats)
"""Requests that may take the daemon seconds; other requests do not wait for them."""
SENDING_S = 0.5
"""Seconds between reports of how much of a timeline has arrived."""
STARTING_S, ABSENT_S = 15.0, 1.5
"""Seconds to wait for a daemon: for threads that may start one, and for the one that watches."""
BURST_S = 0.15
"""Seconds in which many events are merged into one request for the list."""


class Linked(NamedTuple):
    """State of the connection to the daemon."""

    state: State
    trouble: Trouble | None = None


class Declining(NamedTuple):
    """A request that was refused or failed: its name, and the words for it."""

    request: str
    code: str
    title: str
    message: str
    action: str


class Sending(NamedTuple):
    """How many bytes of a timeline have arrived at the daemon, and its size."""

    request: str
    arrived: int
    size: int


_Posts = queue.Queue[tuple[Message, bytes | None] | None]


class Link:
    """Connection of the tray to the daemon; begins with `start`, ends with `close`.

    `begin` starts a daemon. `hear` receives Linked, Sending, Declining and the daemon's responses.
    """

    def __init__(
        self,
        home: Path,
        program: str,
        begin: Callable[[], None],
        hear: Callable[[Any], None],
        language: Language,
    ) -> None:
        self._home, self._program, self._begin, self._hear, self._language = (
            home,
            program,
            begin,
            hear,
            language,
        )
        self._quick: _Posts = queue.Queue()
        self._slow: _Posts = queue.Queue()
        self._large: _Posts = queue.Queue()
        self._closing = threading.Event()
        self._met = threading.Event()
        self._wanted = True
        self._state: State = "looking"
        self._work = (self._list_on, self._ask_on, self._submit_on, self._watch_on)
        self._threads = [threading.Thread(target=work, daemon=True) for work in self._work]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def close(self, wait_s: float = 3.0) -> None:
        """Stop the threads. Wait at most `wait_s` seconds for each."""
        self._closing.set()
        self._met.set()
        for posts in (self._quick, self._slow, self._large):
            posts.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(wait_s)

    def post(self, message: Message, timeline: bytes | None = None) -> None:
        """Queue a request; `hear` receives the answer."""
        posts = (
            self._large
            if isinstance(message, Submit)
            else self._slow
            if isinstance(message, _SLOW)
            else self._quick
        )
        posts.put((message, timeline))

    def want(self) -> None:
        """Let a daemon be started again, at the user's request."""
        self._wanted = True
        self._quick.put((_LISTED, None))

    # Asking ---------------------------------------------------------------------------------------

    def _list_on(self) -> None:
        with Client(
            self._home, program=self._program, start=self._may_begin, patience_s=STARTING_S
        ) as client:
            while not self._closing.is_set():
                self._ask(client, _LISTED, None)
                try:
                    posted = self._quick.get(timeout=LIST_EVERY_S)
                    while posted is not None and not self._closing.is_set():
                        if posted[0] == _LISTED:
                            self._closing.wait(BURST_S)
                        else:
                            self._ask(client, *posted)
                        posted = self._quick.get_nowait()
                except queue.Empty:
                    pass

    def _ask_on(self) -> None:
        self._ask_of(self._slow)

    def _submit_on(self) -> None:
        self._ask_of(self._large)

    def _ask_of(self, posts: _Posts) -> None:
        with Client(
            self._home, program=self._program, start=self._may_begin, patience_s=STARTING_S
        ) as client:
            while (posted := posts.get()) is not None and not self._closing.is_set():
                self._ask(client, *posted)

    def _ask(self, client: Client, message: Message, timeline: bytes | None) -> None:
        told = machine.monotonic()

        def sending(arrived: int, size: int) -> None:
            nonlocal told
            if self._closing.is_set():
                raise Refused("companion-absent")
            if machine.monotonic() - told > SENDING_S:
                told = machine.monotonic()
                self._hear(Sending(message.request, arrived, size))

        try:
            said = client.ask(message, timeline, hear=sending)
        except Declined as error:
            no = error.refusal
            self._hear(Declining(message.request, no.code, no.title, no.message, no.action))
        except Refused as error:
            self._refused(error, message)
        except OSError as error:  # no daemon can be started
            self._refused(Refused("companion-absent", detail=error.strerror or str(error)), message)
        else:
            self._link("here")
            self._hear(said)

    def _refused(self, error: Refused, message: Message) -> None:
        words = refusal(error, self._language)
        absent = error.code == "companion-absent"
        self._wanted = self._wanted and not absent
        self._link(
            "absent" if absent else "shut",
            None
            if absent
            else Trouble(title=words.title, message=words.message, action=words.action),
        )
        if message.request != "list":
            self._hear(
                Declining(message.request, error.code, words.title, words.message, words.action)
            )

    def _may_begin(self) -> None:
        """Start a daemon if one is wanted.

        The client calls this repeatedly while no daemon answers.
        """
        # A daemon that shuts down properly removes its endpoint.
        if self._state == "here" and endpoint.read(self._home) is None:
            self._wanted = False
        if not self._wanted or self._closing.is_set():
            raise Refused("companion-absent")
        self._begin()

    def _link(
        self, state: Literal["looking", "here", "absent", "shut"], trouble: Trouble | None = None
    ) -> None:
        changed = state != self._state
        self._state = state
        if state == "here":
            self._wanted = True
            self._met.set()
        elif not self._closing.is_set():
            self._met.clear()
        if changed:
            self._hear(Linked(state, trouble))

    # Watching -------------------------------------------------------------------------------------

    def _watch_on(self) -> None:
        last = -1
        with Client(self._home, program=self._program, patience_s=ABSENT_S) as client:
            while not self._closing.is_set():
                self._met.wait()
                if self._closing.is_set():
                    return
                try:
                    if last < 0:
                        last = client.ask(Ping(request="ping")).last
                    for said in client.watch("", after=last):
                        if self._closing.is_set():
                            return
                        if said is not None:
                            self._hear(said)
                        if isinstance(said, Happened):
                            last = said.seq
                            self._quick.put((_LISTED, None))
                except (Refused, Declined):
                    self._closing.wait(0.2)  # the asking thread reports the reason
