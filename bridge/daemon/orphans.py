"""What a companion that was killed has left: ended before another begins.

On Linux the kernel ends the children of a killed process; elsewhere they end when their standard input closes, which one that
hangs does not notice. They are known by their command line, which names the process that they belong to: who has another
parent by now is an orphan. A living companion's and a command line's own children are never touched.
"""

from __future__ import annotations

import contextlib

import psutil

MODULES = ("bridge.daemon.job_process", "bridge.daemon.commands", "core.executors.worker")


def reap() -> list[int]:
    """Kill them, with all that they started; their process ids."""
    found = [process for process in psutil.process_iter(["pid"]) if _is_orphan(process)]
    ended = []
    for process in found:
        with contextlib.suppress(psutil.Error):
            for one in (*process.children(recursive=True), process):
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
                    ended.append(one.pid)
    return ended


def _is_orphan(process: psutil.Process) -> bool:
    try:
        words = process.cmdline()
        owner = next(
            (
                int(words[n + 2])
                for n in range(len(words) - 2)
                if words[n] == "-m" and words[n + 1] in MODULES
            ),
            None,
        )
        if owner is None or process.uids().real != psutil.Process().uids().real:
            return False
        parent = process.parent()
        return parent is None or parent.pid != owner
    except (
        psutil.Error,
        ValueError,
        AttributeError,
    ):  # gone meanwhile, not ours to see, or no user ids here
        return False
