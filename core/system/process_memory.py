"""Memory use of this process, and a limit for it."""

from __future__ import annotations

import contextlib
import sys

import psutil

_US = psutil.Process()


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    return int(_US.memory_info().rss)


def limit_data(more: int) -> None:
    """Let this process grow by at most `more` bytes; beyond that, the system refuses memory.

    A second limit, for a process that already watches `resident`. It works on Linux; elsewhere this
    does nothing.
    """
    if sys.platform == "linux":
        import resource

        most = int(_US.memory_info().data) + more
        with contextlib.suppress(OSError, ValueError):  # keep a lower limit set by the user
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no core dump of that size
