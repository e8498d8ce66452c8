"""What each connection holds in memory: bytes that the kernel has received for it and that no message has delivered yet.

ZeroMQ limits the size of a frame and the number of waiting messages, but not the frames of a message that is not finished, and it
tells nobody of them. The kernel counts the bytes of every TCP connection (Linux; `TCP_INFO`), every message names the descriptor
it came from, and the difference is what ZeroMQ keeps. Elsewhere nothing is known, and only the limit of the process holds.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
import sys
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bridge.protocol.requests import LARGEST_TIMELINE

BUDGET, BUDGET_WHOLE, BUDGET_OF_ALL = 8 * 2**20, LARGEST_TIMELINE + 4 * 2**20, 160 * 2**20
"""Bytes that a client may hold (the second where it sends a timeline in one frame), and all of them together."""
FRAME_BYTES = 42
"""What a frame takes on the wire beside its own bytes: headers and the seal of CURVE."""
CONTROL_BYTES_S = 512
"""What heartbeats may take, each second."""
HANDSHAKE_BYTES = 4096
_DESCRIPTORS = Path("/proc/self/fd")
_RECEIVED = struct.Struct("@Q")
_RECEIVED_AT = 128
"""Offset of `tcpi_bytes_received` in Linux's `struct tcp_info`."""


@dataclass
class Connection:
    """One TCP connection. `name` and `key` are empty until its first message; `whole`: it may send a timeline in one frame.
    `told`: it was told that it goes beyond its budget."""

    descriptor: int
    since: float
    name: bytes = b""
    key: bytes = b""
    whole: bool = True
    delivered: int = HANDSHAKE_BYTES
    held: int = 0
    told: bool = False

    @property
    def budget(self) -> int:
        """Bytes that it may hold. One that has not said a word yet has the small one."""
        return BUDGET_WHOLE if self.whole and self.name else BUDGET


class Connections:
    """Those that came in at these ports."""

    def __init__(self, ports: Collection[int]) -> None:
        self._ports = frozenset(ports)
        self._known: dict[int, Connection] = {}

    def delivered(
        self, descriptor: int, name: bytes, key: bytes, size: int, now: float
    ) -> Connection | None:
        """A message that took `size` bytes on the wire has come from this descriptor. None where nothing is known of them."""
        if sys.platform != "linux" or descriptor < 0:
            return None
        inode = _inode(descriptor)
        if inode is None:
            return None
        one = self._known.setdefault(inode, Connection(descriptor, now))
        one.name, one.key = name, key
        one.delivered += size
        return one

    def look(self, now: float) -> list[Connection]:
        """All connections, with what each holds at this moment; who holds most comes first."""
        if sys.platform != "linux":
            return []
        there = {}
        for descriptor in _sockets():
            inode, received = _inode(descriptor), _received(descriptor, self._ports)
            if inode is None or received is None:
                continue
            one = self._known.get(inode) or Connection(descriptor, now)
            one.held = max(0, received - one.delivered - int(CONTROL_BYTES_S * (now - one.since)))
            one.delivered, one.since = received - one.held, now
            there[inode] = one
        self._known = there
        return sorted(there.values(), key=lambda one: one.held, reverse=True)

    def over(self, now: float) -> list[Connection]:
        """Those that hold more than they may; where all together do, the largest of them."""
        found, over = self.look(now), []
        of_all = sum(one.held for one in found)
        for one in found:
            if one.held > one.budget or of_all > BUDGET_OF_ALL:
                of_all -= one.held
                over.append(one)
            else:
                one.told = False
        return over

    def cut(self, one: Connection) -> None:
        """End this connection; what it holds is freed."""
        inode = next((inode for inode, known in self._known.items() if known is one), None)
        if inode is not None and _inode(one.descriptor) == inode:
            with suppress(OSError):
                borrowed = _borrowed(one.descriptor)
                try:
                    borrowed.shutdown(socket.SHUT_RDWR)
                finally:
                    borrowed.detach()


def _sockets() -> list[int]:
    with suppress(OSError):
        return [int(name) for name in os.listdir(_DESCRIPTORS)]
    return []


def _inode(descriptor: int) -> int | None:
    """The number of the socket behind a descriptor: a descriptor is used again, this is not."""
    with suppress(OSError):
        status = os.fstat(descriptor)
        return status.st_ino if stat.S_ISSOCK(status.st_mode) else None
    return None


def _borrowed(descriptor: int) -> socket.socket:
    """ZeroMQ's own socket; given back with `detach`. A copy would keep the connection open after ZeroMQ has closed it."""
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=descriptor)


def _received(descriptor: int, ports: Collection[int]) -> int | None:
    with suppress(OSError):
        borrowed = _borrowed(descriptor)
        try:
            if borrowed.family != socket.AF_INET or borrowed.getsockname()[1] not in ports:
                return None
            borrowed.getpeername()  # one that listens has no other end
            info = borrowed.getsockopt(
                socket.IPPROTO_TCP, socket.TCP_INFO, _RECEIVED_AT + _RECEIVED.size
            )
            return (
                int(_RECEIVED.unpack_from(info, _RECEIVED_AT)[0])
                if len(info) >= _RECEIVED_AT + _RECEIVED.size
                else None
            )
        except (IndexError, TypeError):  # a socket of another family has another kind of name
            return None
        finally:
            borrowed.detach()
    return None
