"""A job in a process of its own, for the companion: `hotsplice resume JOB --json`, that ends with the companion.

    python -m bridge.daemon.job_process COMPANION JOB --jobs N

Each line on its standard input is a number: how many workers it may have from now on.
"""

from __future__ import annotations

import os
import sys
import threading

from bridge.cli.main import main as command
from core.system import process


class _Share:
    """How many workers we may have; the companion says so while we work."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def __call__(self) -> int:
        return self._workers

    def listen(self) -> None:
        """Until standard input closes: then the companion is gone, and so are we, also where no kernel sees to it."""
        rest = b""
        while said := os.read(0, 4096):
            *lines, rest = (rest + said).split(b"\n")
            self._workers = next(
                (int(line) for line in reversed(lines) if line.isdigit()), self._workers
            )
        os._exit(1)


def main() -> int:
    """The job's exit code, as of the command line."""
    process.die_with_parent(int(sys.argv[1]))
    share = _Share(int(sys.argv[sys.argv.index("--jobs") + 1]))
    threading.Thread(target=share.listen, daemon=True).start()
    return command(["resume", *sys.argv[2:], "--json"], share=share)


if __name__ == "__main__":
    sys.exit(main())
