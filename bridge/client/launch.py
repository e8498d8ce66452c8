"""Starts a daemon for a client that found none."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from bridge.services import logs
from bridge.services.locations import Locations
from core.system import machine, private_files, process

COMING_UP_S = 5.0
"""Seconds that a started daemon gets to answer before another one is started."""


def start(where: Locations) -> Callable[[], None]:
    """Return a function that starts a daemon.

    The client calls it repeatedly until a daemon answers. Of several daemons only one stays.
    """
    last, started = -10.0, None

    def begin() -> None:
        nonlocal last, started
        if (
            started is not None
            and started.poll() is None
            and machine.monotonic() - last < COMING_UP_S
        ):
            return
        if machine.monotonic() - last > 0.5:
            last = machine.monotonic()
            # A daemon that cannot open the journal ends at once; opening it here reports why to the
            # user.
            where.journal().close()
            with open(where.home / logs.SAID, "ab", opener=private_files.opener) as log:
                environment = {
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                }
                started = process.detach(
                    [sys.executable, "-P", "-m", "bridge.cli.main", "companion"],
                    log.fileno(),
                    environment,
                )

    return begin
