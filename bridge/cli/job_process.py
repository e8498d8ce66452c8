"""Runs a job in its own process for the daemon: `hotsplice resume JOB --json`.

The process ends with the daemon.

    python -m bridge.cli.job_process DAEMON_PID JOB --jobs N

Each line on its standard input is a number: how many workers the job may use from now on.
"""

from __future__ import annotations

import os
import sys
import threading

from bridge.cli.main import main as command
from core.system import process


class _Share:
    """The number of workers that the job may use. The daemon changes it while the job runs."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def __call__(self) -> int:
        return self._workers

    def listen(self) -> None:
        """Read worker counts until standard input closes, then end this process.

        A closed pipe means that the daemon is gone. This works on systems without a kernel feature
        for it, too.
        """
        rest = b""
        while said := os.read(0, 4096):
            *lines, rest = (rest + said).split(b"\n")
            self._workers = next(
                (int(line) for line in reversed(lines) if line.isdigit()), self._workers
            )
        os._exit(1)


def main() -> int:
    """Run the job; return the exit code of the command line."""
    process.die_with_parent(int(sys.argv[1]))
    share = _Share(int(sys.argv[sys.argv.index("--jobs") + 1]))
    threading.Thread(target=share.listen, daemon=True).start()
    return command(["resume", *sys.argv[2:], "--json"], share=share)


if __name__ == "__main__":
    sys.exit(main())
