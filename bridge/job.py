"""A job in a process of its own, for the companion: `hotsplice resume JOB --json`, that ends with the companion.

    python -m bridge.job COMPANION JOB [--jobs N]
"""

from __future__ import annotations

import os
import sys
import threading

from bridge.cli.main import main as command
from core.perform import process


def _end_with_companion() -> None:
    """Where the kernel does not see to it: our standard input closes when the companion is gone."""
    while os.read(0, 4096):
        pass
    os._exit(1)


def main() -> int:
    """The job's exit code, as of the command line."""
    process.die_with_parent(int(sys.argv[1]))
    threading.Thread(target=_end_with_companion, daemon=True).start()
    return command(["resume", *sys.argv[2:], "--json"])


if __name__ == "__main__":
    sys.exit(main())
