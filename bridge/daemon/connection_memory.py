"""Memory held by each connection: bytes received by the kernel but not delivered by a message.

ZeroMQ limits the size of a frame and the number of waiting messages, but not the number of frames
in an unfinished message, and it does not report those frames. The Linux kernel counts the bytes of
each TCP connection (`TCP_INFO`), and each message names the file descriptor that it came from; the
difference is what ZeroMQ holds. On other systems these figures are not available, and only the
memory limit of the process applies.
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
"""Memory budgets in bytes: of a client, of a client that sends timelines whole, of all clients."""
FRAME_BYTES = 42
"""Bytes that a frame takes on the wire besides its payload: headers and the CURVE box."""
CONTROL_BYTES_S = 512
"""Allowance for heartbeats, in bytes per second."""
HANDSHAKE_BYTES = 4096
_DESCRIPTORS = Path("/proc/self/fd")
_RECEIVED = struct.Struct("@Q")
_RECEIVED_AT = 128
"""Offset of `tcpi_bytes_received` in Linux's `struct tcp_info`."""


@dataclass
class Connection:
    """One TCP connection.

    `name` and `key` are empty until its first message. `whole` says that it may send a timeline in
    one frame, and `told` that it was warned about exceeding its budget.
    """

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
        """Bytes that the connection may hold. Before its first message, it has the small budget."""
        return BUDGET_WHOLE if self.whole and self.name else BUDGET


class Connections:
    """The connections accepted on the given ports."""

    def __init__(self, ports: Collection[int]) -> None:
        self._ports = frozenset(ports)
        self._known: dict[int, Connection] = {}

    def delivered(
        self, descriptor: int, name: bytes, key: bytes, size: int, now: float
    ) -> Connection | None:
        """Count a message of `size` bytes on the wire that came from this descriptor.

        Returns its connection, or None where connections cannot be measured.
        """
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
        """Measure all connections at this moment and return them, the largest holder first."""
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
        """Return the connections over their budget.

        If all connections together exceed the total budget, the largest ones are included until the
        rest fits.
        """
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
        """Close this connection and free the memory that it holds."""
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
    """Return the inode of the socket behind a descriptor.

    Descriptors are reused; inodes are not.
    """
    with suppress(OSError):
        status = os.fstat(descriptor)
        return status.st_ino if stat.S_ISSOCK(status.st_mode) else None
    return None


def _borrowed(descriptor: int) -> socket.socket:
    """Wrap ZeroMQ's own socket; the caller returns it with `detach`.

    A duplicate would keep the connection open after ZeroMQ has closed it.
    """
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=descriptor)


def _received(descriptor: int, ports: Collection[int]) -> int | None:
    with suppress(OSError):
        borrowed = _borrowed(descriptor)
        try:
            if borrowed.family != socket.AF_INET or borrowed.getsockname()[1] not in ports:
                return None
            borrowed.getpeername()  # a listening socket has no peer
            info = borrowed.getsockopt(
                socket.IPPROTO_TCP, socket.TCP_INFO, _RECEIVED_AT + _RECEIVED.size
            )
            return (
                int(_RECEIVED.unpack_from(info, _RECEIVED_AT)[0])
                if len(info) >= _RECEIVED_AT + _RECEIVED.size
                else None
            )
        except (IndexError, TypeError):  # a socket of another family has an address of another type
            return None
        finally:
            borrowed.detach()
    return None
