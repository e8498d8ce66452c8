"""A queue of requests for one helper process, which executes them one after the other.

    request  -->  queue  -->  child (commands, queries)  -->  Said
              a child that dies or is silent for too long is replaced; a request that has cost
              two children is given up

A child may hang on a dead share or crash. The queue answers for it, so that no client waits for
ever.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import zmq
from msgspec.structs import replace

from bridge.daemon.children import Child
from bridge.protocol.requests import Submit
from bridge.protocol.responses import Said, Saying
from core.system import machine

MOST_ERRANDS, MOST_OF_ONE = 500, 50
"""Maximum number of waiting requests, of all clients and of one client; more are refused."""
MOST_DEATHS = 2
"""A request is dropped after it has crashed this many children."""
REST_S = 5.0
"""Seconds before a child that has ended may be started again ahead of a request.

Keeps a child that ends during its start from being restarted over and over.
"""

_log = logging.getLogger("hotsplice")
_sayings: msgspec.json.Decoder[Saying] = msgspec.json.Decoder(Saying)


@dataclass
class HelperRequest:
    """A request that waits for a child or is being executed by one.

    `peer` is the client that sent it, and `upload` the file with its timeline. `since` is when the
    child got it, and `deaths` the number of children that have ended with it. `others` are clients
    that sent the same request meanwhile, each with the name of its own request.
    """

    peer: bytes
    message: Any
    upload: str
    since: float = 0.0
    deaths: int = 0
    others: list[tuple[bytes, str]] = field(default_factory=list)


class SubprocessQueue:
    """Executes requests in the program `module`, one after the other, in turns between clients.

    `packed` encodes a request for it. `answered` receives each answer, or None if the request was
    given up because it took longer than `patience_s` or ended the child, twice. With `one_each`,
    each request gets a child of its own, which ends afterwards.
    """

    def __init__(
        self,
        module: str,
        context: zmq.Context[zmq.Socket[bytes]],
        *,
        patience_s: float,
        packed: Callable[[HelperRequest], bytes],
        answered: Callable[[HelperRequest, Said | None], None],
        name: str = "",
        one_each: bool = False,
    ) -> None:
        self._module, self._context, self._patience_s, self._name = (
            module,
            context,
            patience_s,
            name or module,
        )
        self._packed, self._answered, self._one_each = packed, answered, one_each
        self._waiting: dict[bytes, deque[HelperRequest]] = {}
        self._now: HelperRequest | None = None
        self._child: Child | None = None
        self._begun = 0
        self._rest_until = 0.0
        self._old = False

    def full(self, peer: bytes) -> bool:
        """Return whether this client should come back later."""
        waiting = sum(len(row) for row in self._waiting.values()) + (self._now is not None)
        return waiting >= MOST_ERRANDS or len(self._waiting.get(peer, ())) >= MOST_OF_ONE

    @property
    def there(self) -> bool:
        """Whether a child is running."""
        return self._child is not None

    def take(self, peer: bytes, message: Any, upload: str = "") -> None:
        """Add a request.

        A submission that is already waiting is not added again: both clients get its answer.
        """
        if isinstance(message, Submit):
            for errand in self._all():
                if (
                    isinstance(errand.message, Submit)
                    and replace(message, request=errand.message.request) == errand.message
                ):
                    errand.others.append((peer, message.request))
                    return
        self._waiting.setdefault(peer, deque()).append(HelperRequest(peer, message, upload))
        self._next()

    def be_there(self) -> None:
        """Start a child ahead of any request, because starting takes a moment."""
        if self._child is None and machine.monotonic() > self._rest_until:
            self._begin()

    def look_after(self) -> None:
        """Give up a child that is silent for too long.

        A child that hangs on a dead share may not even end and is left behind.
        """
        if (
            self._child is not None
            and self._now is not None
            and machine.monotonic() - self._now.since > self._patience_s
        ):
            self._child.kill()
            self._gone()
        if self._old and self._child is not None and self._now is None:
            self._dismiss()

    def hear(self, name: str, line: bytes) -> bool:
        """Handle a line from the child; return whether `name` was this child.

        An empty line is the child's end.
        """
        if self._child is None or name != self._child.name:
            return False
        if not line:
            self._gone()
        elif self._now is not None:
            errand, self._now = self._now, None
            if self._one_each:
                self._dismiss()
            self._next()
            self._answered(errand, _sayings.decode(line))
        return True

    def renew(self) -> None:
        """Replace the child once it is idle, because the settings have changed.

        The new child reads the settings again.
        """
        self._old = self._child is not None

    def close(self) -> None:
        """Kill the child."""
        if self._child is not None:
            self._child.kill()

    def _all(self) -> Iterator[HelperRequest]:
        if self._now is not None:
            yield self._now
        for row in self._waiting.values():
            yield from row

    def _next(self) -> None:
        """Start the next request, of the client whose last turn is longest ago."""
        if self._now is None and self._waiting:
            peer = next(iter(self._waiting))
            row = self._waiting.pop(peer)
            self._now = row.popleft()
            if row:
                self._waiting[peer] = row  # behind all other clients
            self._give()

    def _give(self) -> None:
        assert self._now is not None
        self._now.since = machine.monotonic()
        if self._child is None:
            self._begin()
        assert self._child is not None
        self._child.tell(self._packed(self._now))

    def _begin(self) -> None:
        self._begun += 1
        self._old = False
        self._child = Child(f"{self._name}-{self._begun}", self._module, [], self._context)

    def _dismiss(self) -> None:
        if self._child is not None:
            self._child.kill()
        self._child, self._old = None, False

    def _gone(self) -> None:
        """Handle the end of a child.

        Its request may have caused it, and is given to one more child at most.
        """
        assert self._child is not None
        code = self._child.code()
        words = f"{self._module}, a process that works for the companion, ended with exit code {code}; another takes its place."
        _log.warning(
            "a child ended",
            extra={"said": {"message": words, "module": self._module, "code": code}},
        )
        self._child = None
        self._rest_until = machine.monotonic() + REST_S
        errand = self._now
        if errand is None:
            return
        errand.deaths += 1
        if errand.deaths < MOST_DEATHS:
            self._give()
            return
        self._now = None
        self._next()
        self._answered(errand, None)
