"""Kills the processes that a killed daemon has left behind, before another daemon starts its own.

On Linux, the kernel ends the children of a killed process. On other systems they end when their
standard input closes, which a hanging process does not notice. Their command line names the process
that they belong to: a process that now has another parent is an orphan. Children of a running
daemon or of a command line are never touched.
"""

from __future__ import annotations

import contextlib

import psutil

MODULES = ("bridge.cli.job_process", "bridge.daemon.commands", "core.executors.worker")


def reap() -> list[int]:
    """Kill all orphans and everything that they started; return their process ids."""
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
    # The process has gone, is not ours to inspect, or this system has no user ids.
    except (psutil.Error, ValueError, AttributeError):
        return False
