"""A link that misbehaves: once, at the n-th piece of data that goes over it; or always, by being slow."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

ACTIONS = ("cut", "drop", "delay", "double", "truncate", "flip")
DELAY_S = 0.3
SLOW_PIECE = 4096
"""Bytes that a slow link carries at a time, and keeps in its own buffers: a real one keeps little as well."""


class Proxy:
    """Listens on a port of its own and hands everything on to another; pieces of both directions are counted together.

    At piece number `at` (from 1; 0 for never) it does `action`, once; whoever connects again is served well. `rate` in bytes a second,
    of each direction, is shared by all connections; 0 is as fast as can be.
    """

    def __init__(self, target: int, *, action: str = "", at: int = 0, rate: float = 0.0) -> None:
        self.target, self.action, self.at, self.rate = target, action, at, rate
        self.pieces, self.fired, self.connections = 0, False, 0
        self._lock = threading.Lock()
        self._free = {"up": 0.0, "down": 0.0}
        self._listening = socket.socket()
        if rate:
            self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_PIECE)
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen(50)
        self.port = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """End all connections, and take no more."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def cut(self) -> None:
        """End all connections that are open just now."""
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open = []

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.target))
                except OSError:  # nobody listens there just now
                    client.close()
                    continue
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections += 1
                self._open += [client, server]
                for source, target, way in ((client, server, "up"), (server, client, "down")):
                    threading.Thread(
                        target=self._hand_on, args=(source, target, way), daemon=True
                    ).start()

    def _hand_on(self, source: socket.socket, target: socket.socket, way: str) -> None:
        with suppress(OSError):
            while data := source.recv(SLOW_PIECE if self.rate else 65536):
                with self._lock:
                    self.pieces += 1
                    now = self.pieces == self.at
                    self.fired = self.fired or now
                self._wait(way, len(data))
                for piece in self._spoilt(data) if now else [data]:
                    target.sendall(piece)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _wait(self, way: str, size: int) -> None:
        """Until the link has carried that, behind all that came before."""
        if not self.rate:
            return
        with self._lock:
            self._free[way] = until = max(self._free[way], time.monotonic()) + size / self.rate
        time.sleep(max(0.0, until - time.monotonic()))

    def _spoilt(self, data: bytes) -> list[bytes]:
        match self.action:
            case "cut":
                raise OSError("cut")
            case "drop":
                return []
            case "double":
                return [data, data]
            case "truncate":
                return [data[: len(data) // 2]]
            case "flip":
                middle = len(data) // 2
                return [data[:middle] + bytes([data[middle] ^ 4]) + data[middle + 1 :]]
            case _:
                time.sleep(DELAY_S)
                return [data]
