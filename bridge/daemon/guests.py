"""Who is let in: the list of keys, and those that are shut out for a while."""

from __future__ import annotations

from bridge.protocol.keys import Keys
from core.system import machine

DOMAIN = "hotsplice"
LIST_S = 1.0
"""How often it is looked who is let in no longer."""


class Guests:
    """The list is read anew for every newcomer (in the authenticator's thread), and else once in a while."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._allowed, self._read = frozenset[bytes](), 0.0
        self._shut_out: dict[bytes, float] = {}

    def callback(self, domain: str, key: bytes) -> bool:
        """Whether he is let in."""
        self._look()
        return (
            domain == DOMAIN
            and key in self._allowed
            and self._shut_out.get(key, 0.0) < machine.monotonic()
        )

    def gone(self, key: bytes) -> bool:
        """Whether a key was taken from the list. One that cannot be read lets nobody in, but puts nobody out."""
        if machine.monotonic() - self._read > LIST_S:
            self._look()
        return bool(self._allowed) and key not in self._allowed

    def shut_out(self, key: bytes, seconds: float) -> None:
        """Let him in no more for so long; whoever is in with this key already, stays."""
        self._shut_out[key] = machine.monotonic() + seconds

    def _look(self) -> None:
        self._allowed, self._read = self._keys.allowed(), machine.monotonic()
