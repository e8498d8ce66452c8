"""A child that does one errand after the other, and the row of those that wait for it.

    request  -->  row  -->  child (clerk, teller)  -->  Said
              a child that dies, or is silent for too long, is replaced; an errand that cost two is given up

Whatever a child does may hang in a dead share or end in a crash: the row answers for it, and nobody waits for ever.
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
"""That wait for a child, of all clients and of one; more are sent away."""
MOST_DEATHS = 2
"""What cost so many children their lives is not asked of another one."""
REST_S = 5.0
"""A child that ends at its very start is not begun again and again."""

_log = logging.getLogger("hotsplice")
_sayings: msgspec.json.Decoder[Saying] = msgspec.json.Decoder(Saying)


@dataclass
class HelperRequest:
    """Who asked what, the file with the timeline that came with it, since when a child has it, and how many it has outlived.
    `others` asked the same meanwhile: each by its name and that of its request."""

    peer: bytes
    message: Any
    upload: str
    since: float = 0.0
    deaths: int = 0
    others: list[tuple[bytes, str]] = field(default_factory=list)


class SubprocessQueue:
    """Errands for the program `module`: one after the other, in turns between those who ask. `packed` writes one down for it;
    `answered` is told what came of each: None where it was given up, because it took longer than `patience_s` or ended the child,
    twice. `anew`: every errand has a child of its own, which ends with it."""

    def __init__(
        self,
        module: str,
        context: zmq.Context[zmq.Socket[bytes]],
        *,
        patience_s: float,
        packed: Callable[[HelperRequest], bytes],
        answered: Callable[[HelperRequest, Said | None], None],
        name: str = "",
        anew: bool = False,
    ) -> None:
        self._module, self._context, self._patience_s, self._name = (
            module,
            context,
            patience_s,
            name or module,
        )
        self._packed, self._answered, self._anew = packed, answered, anew
        self._waiting: dict[bytes, deque[HelperRequest]] = {}
        self._now: HelperRequest | None = None
        self._child: Child | None = None
        self._begun = 0
        self._rest_until = 0.0
        self._old = False

    def full(self, peer: bytes) -> bool:
        """Whether this client had better ask later."""
        waiting = sum(len(row) for row in self._waiting.values()) + (self._now is not None)
        return waiting >= MOST_ERRANDS or len(self._waiting.get(peer, ())) >= MOST_OF_ONE

    @property
    def there(self) -> bool:
        """Whether a child is there."""
        return self._child is not None

    def take(self, peer: bytes, message: Any, upload: str = "") -> None:
        """One more. What is submitted already and waits still is not asked twice: both are told what comes of it."""
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
        """Have a child before anybody asks: it takes a moment to come up."""
        if self._child is None and machine.monotonic() > self._rest_until:
            self._begin()

    def look_after(self) -> None:
        """Give up a child that is silent for too long; one that hangs in a dead share does not even end, and is left behind."""
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
        """What a child said (its end is an empty line); whether it was this one."""
        if self._child is None or name != self._child.name:
            return False
        if not line:
            self._gone()
        elif self._now is not None:
            errand, self._now = self._now, None
            if self._anew:
                self._dismiss()
            self._next()
            self._answered(errand, _sayings.decode(line))
        return True

    def renew(self) -> None:
        """The settings have changed: another child, which reads them anew, as soon as this one has nothing to do."""
        self._old = self._child is not None

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.kill()

    def _all(self) -> Iterator[HelperRequest]:
        if self._now is not None:
            yield self._now
        for row in self._waiting.values():
            yield from row

    def _next(self) -> None:
        """The next errand, of whoever had his turn longest ago."""
        if self._now is None and self._waiting:
            peer = next(iter(self._waiting))
            row = self._waiting.pop(peer)
            self._now = row.popleft()
            if row:
                self._waiting[peer] = row  # behind all others
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
        """Whatever it was at may have cost it its life: that is asked of one more, and not of a third."""
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
