"""Admission of clients: the list of keys, and the keys that are shut out for a while."""

from __future__ import annotations

from bridge.protocol.keys import Keys
from core.system import machine

DOMAIN = "hotsplice"
LIST_S = 1.0
"""Seconds between checks for revoked keys."""


class Guests:
    """Decides which keys are admitted.

    The list is read again for each new connection (in the authenticator's thread), and otherwise at
    intervals.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._allowed, self._read = frozenset[bytes](), 0.0
        self._shut_out: dict[bytes, float] = {}

    def callback(self, domain: str, key: bytes) -> bool:
        """Return whether a client with this key is admitted."""
        self._look()
        return (
            domain == DOMAIN
            and key in self._allowed
            and self._shut_out.get(key, 0.0) < machine.monotonic()
        )

    def gone(self, key: bytes) -> bool:
        """Return whether a key was removed from the list.

        An unreadable list admits nobody, but disconnects nobody either.
        """
        if machine.monotonic() - self._read > LIST_S:
            self._look()
        return bool(self._allowed) and key not in self._allowed

    def shut_out(self, key: bytes, seconds: float) -> None:
        """Admit no new connection with this key for so many seconds. Existing connections stay."""
        self._shut_out[key] = machine.monotonic() + seconds

    def _look(self) -> None:
        self._allowed, self._read = self._keys.allowed(), machine.monotonic()
