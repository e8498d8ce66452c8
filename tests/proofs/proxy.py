"""A link that misbehaves once: between a client and a companion, at the n-th piece of data that goes over it."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

ACTIONS = ("cut", "drop", "delay", "double", "truncate", "flip")
DELAY_S = 0.3


class Proxy:
    """Listens on a port of its own and hands everything on to another; pieces of both directions are counted together.

    At piece number `at` (from 1; 0 for never) it does `action`, once; whoever connects again is served well.
    """

    def __init__(self, target: int, *, action: str = "", at: int = 0) -> None:
        self.target, self.action, self.at = target, action, at
        self.pieces, self.fired = 0, False
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """End all connections."""
        for one in (self._listening, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open += [client, server]
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._hand_on, args=pair, daemon=True).start()

    def _hand_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                with self._lock:
                    self.pieces += 1
                    now = self.pieces == self.at
                    self.fired = self.fired or now
                for piece in self._spoilt(data) if now else [data]:
                    target.sendall(piece)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

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
