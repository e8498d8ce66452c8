"""Child processes of the daemon.

Their output arrives as ZeroMQ messages, so that one loop can wait for sockets and children alike.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections.abc import Sequence

import zmq

from core.system import process

INBOX = "inproc://children"


class Child:
    """A Python module in a child process that does not outlive the daemon.

    Each line of its output arrives at `INBOX` as [name, line], and its end as [name, b""]. A thread
    writes to its standard input, so that a child that does not read never blocks the daemon.
    """

    def __init__(
        self, name: str, module: str, words: Sequence[str], context: zmq.Context[zmq.Socket[bytes]]
    ) -> None:
        self.name = name
        self._context = context
        argv = [sys.executable, "-P", "-m", module, str(os.getpid()), *words]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }
        self.process = process.spawn(
            argv, stdin=process.PIPE, stdout=process.PIPE, stderr=sys.__stderr__.fileno() if sys.__stderr__ else process.NOWHERE,
            environment=environment, own_session=True,
        )  # fmt: skip
        self._tell: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        for work in (self._listen, self._talk):
            threading.Thread(target=work, name=name, daemon=True).start()

    def tell(self, data: bytes) -> None:
        """Queue `data` to be written to the child's standard input."""
        self._tell.put(data)

    def ask_to_stop(self) -> None:
        """Ask the child to stop cleanly."""
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()

    def kill(self) -> None:
        """Kill the child and everything that it started.

        Its end still arrives at `INBOX`, as always.
        """
        process.kill_session(self.process)

    def code(self) -> int | None:
        """Wait briefly for the child's end and return its exit code.

        Returns None if even a kill does not end it.
        """
        self._tell.put(None)
        return process.ended(self.process)

    def _talk(self) -> None:
        assert self.process.stdin
        with contextlib.suppress(OSError, ValueError):
            while (data := self._tell.get()) is not None:
                self.process.stdin.write(data)
                self.process.stdin.flush()
        with contextlib.suppress(OSError):
            self.process.stdin.close()

    def _listen(self) -> None:
        assert self.process.stdout
        post = self._context.socket(zmq.PUSH)
        post.setsockopt(zmq.LINGER, 0)
        post.connect(INBOX)
        try:
            for line in self.process.stdout:
                post.send_multipart([self.name.encode(), line])
            post.send_multipart([self.name.encode(), b""])
        except zmq.ZMQError:
            pass  # the daemon has ended
        finally:
            post.close()
            self.process.stdout.close()
