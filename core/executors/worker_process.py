"""Starting a worker process. It is at work a tenth of a second later: who knows that there will be work may start some ahead,
while the rest of the program is still being read, and `Crew` takes them over."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

from core.system import process

Hand = subprocess.Popen[bytes]
"""A worker process that waits for its first order."""

_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "MALLOC_ARENA_MAX": "2",
}


def spawn_worker() -> Hand:
    """One worker process. OSError when none can be started."""
    argv = [
        sys.executable,
        "-P",
        "-m",
        "core.executors.worker",
        str(os.getpid()),
    ]  # -P: never import from where we stand
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
    """End a worker process and all that it started; never waits for one that cannot end."""
    process.kill_session(hand)
    for stream in (hand.stdin, hand.stdout, hand.stderr):
        if stream is None:
            continue
        with contextlib.suppress(OSError):  # flushing an order into a dead worker
            stream.close()


@contextlib.contextmanager
def spawn_ahead(count: int) -> Iterator[list[Hand]]:
    """So many workers, started now; whoever is still in the list at the end was not needed and goes."""
    hands: list[Hand] = []
    try:
        with contextlib.suppress(OSError):  # the crew finds it out, and that is told
            for _ in range(count):
                hands.append(spawn_worker())
        yield hands
    finally:
        for hand in hands:
            terminate(hand)
