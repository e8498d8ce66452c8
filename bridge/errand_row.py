"""A child that does one errand after the other, and the row of those that wait for it.

    Ask  -->  row  -->  child (clerk, teller)  -->  Said
              a child that dies, or is silent for too long, is replaced; an errand that cost two is given up

Whatever a child does may hang in a dead share or end in a crash: the row answers for it, and nobody waits for ever.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import zmq

from bridge.children import Child
from bridge.protocol import Ask
from bridge.sayings import Said, Saying
from core.perform import machine

MOST_ERRANDS, MOST_BYTES = 500, 256 * 1024 * 1024
"""That wait for a child; more are sent away."""
MOST_DEATHS = 2
"""What cost so many children their lives is not asked of another one."""
REST_S = 5.0
"""A child that ends at its very start is not begun again and again."""

_log = logging.getLogger("hotsplice")
_sayings: msgspec.json.Decoder[Saying] = msgspec.json.Decoder(Saying)


@dataclass
class Errand:
    """Who asked what, since when it is the first in the row, and how many children it has outlived."""

    peer: bytes
    ask: Ask
    since: float
    deaths: int = 0


class ErrandRow:
    """Errands for the program `module`, first come, first done. `packed` writes one down for it; `answered` is told what came
    of each, in order: None where it was given up, because it took longer than `patience_s` or ended the child, twice."""

    def __init__(
        self,
        module: str,
        context: zmq.Context[zmq.Socket[bytes]],
        *,
        patience_s: float,
        packed: Callable[[Ask], bytes],
        answered: Callable[[Errand, Said | None], None],
    ) -> None:
        self._module, self._context, self._patience_s = module, context, patience_s
        self._packed, self._answered = packed, answered
        self._row: deque[Errand] = deque()
        self._child: Child | None = None
        self._begun = 0
        self._rest_until = 0.0
        self._old = False

    @property
    def full(self) -> bool:
        """Whether whoever asks now had better ask later."""
        return len(self._row) >= MOST_ERRANDS or sum(len(errand.ask.timeline) for errand in self._row) > MOST_BYTES

    @property
    def there(self) -> bool:
        """Whether a child is there."""
        return self._child is not None

    def take(self, peer: bytes, ask: Ask) -> None:
        """One more at the end of the row."""
        self._row.append(Errand(peer, ask, machine.monotonic()))
        if self._child is None:
            self._begin()
        else:
            self._child.tell(self._packed(ask))

    def be_there(self) -> None:
        """Have a child before anybody asks: it takes a moment to come up."""
        if self._child is None and machine.monotonic() > self._rest_until:
            self._begin()

    def look_after(self) -> None:
        """Give up a child that is silent for too long; one that hangs in a dead share does not even end, and is left behind."""
        if self._child is not None and self._row and machine.monotonic() - self._row[0].since > self._patience_s:
            self._child.kill()
            self._gone()
        if self._old and self._child is not None and not self._row:
            self._child.kill()
            self._child, self._old = None, False

    def hear(self, name: str, line: bytes) -> bool:
        """What a child said (its end is an empty line); whether it was this one."""
        if self._child is None or name != self._child.name:
            return False
        if line:
            errand = self._row.popleft()
            self._now_first()
            self._answered(errand, _sayings.decode(line))
        else:
            self._gone()
        return True

    def renew(self) -> None:
        """The settings have changed: another child, which reads them anew, as soon as this one has nothing to do."""
        self._old = self._child is not None

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.kill()

    def _begin(self) -> None:
        self._begun += 1
        self._old = False
        self._child = Child(f"{self._module}-{self._begun}", self._module, [], self._context)
        for errand in self._row:
            self._child.tell(self._packed(errand.ask))

    def _now_first(self) -> None:
        if self._row:
            self._row[0].since = machine.monotonic()

    def _gone(self) -> None:
        """Whatever it was at may have cost it its life: that is asked of one more, and not of a third."""
        assert self._child is not None
        code = self._child.code()
        words = f"{self._module}, a process that works for the companion, ended with exit code {code}; another takes its place."
        _log.warning("a child ended", extra={"said": {"message": words, "module": self._module, "code": code}})
        self._child = None
        self._rest_until = machine.monotonic() + REST_S
        given_up = None
        if self._row:
            self._row[0].deaths += 1
            if self._row[0].deaths >= MOST_DEATHS:
                given_up = self._row.popleft()
        self._now_first()
        if self._row:
            self._begin()
        if given_up is not None:
            self._answered(given_up, None)
