"""Start and end worker processes.

A worker is ready a tenth of a second after its start. A caller that expects work can start some
ahead, while the rest of the program is still loading; `WorkerPool` takes them over.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

from core.system import process

Hand = subprocess.Popen[bytes]
"""A worker process that waits for its first task."""

_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "MALLOC_ARENA_MAX": "2",
}


def spawn_worker() -> Hand:
    """Start one worker process. Raises OSError if none can be started."""
    argv = [
        sys.executable,
        "-P",
        "-m",
        "core.executors.worker",
        str(os.getpid()),
    ]  # -P: never import from the current directory
    environment = {
        **os.environ,
        **_ENVIRONMENT,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    return process.spawn(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        environment=environment,
        own_session=True,
    )


def terminate(hand: Hand) -> None:
    """Kill a worker process and all that it started; never wait for one that cannot end."""
    process.kill_session(hand)
    for stream in (hand.stdin, hand.stdout, hand.stderr):
        if stream is None:
            continue
        with contextlib.suppress(OSError):  # closing may flush a task into a dead worker
            stream.close()


@contextlib.contextmanager
def spawn_ahead(count: int) -> Iterator[list[Hand]]:
    """Start `count` workers now; terminate those still in the list at the end as not needed."""
    hands: list[Hand] = []
    try:
        with contextlib.suppress(OSError):  # the worker pool meets the same error and reports it
            for _ in range(count):
                hands.append(spawn_worker())
        yield hands
    finally:
        for hand in hands:
            terminate(hand)
