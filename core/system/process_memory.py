"""What this process takes of the machine's memory, and a limit for it."""

from __future__ import annotations

import contextlib
import sys

import psutil

_US = psutil.Process()


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(_US.memory_info().rss)


def limit_data(more: int) -> None:
    """Let this process grow by `more` bytes at most: beyond, the system gives it no memory. A second limit for one that looks at
    `resident` already. It holds on Linux; elsewhere this does nothing."""
    if sys.platform == "linux":
        import resource

        most = int(_US.memory_info().data) + more
        with contextlib.suppress(OSError, ValueError):  # the user has set a lower one: that holds
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # nobody wants all that on the disk
