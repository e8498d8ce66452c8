"""The daemon's side of the watch folder: its path, and a child process that is restarted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.daemon.children import Child
from core.system import machine

if TYPE_CHECKING:
    import zmq

    from bridge.services.locations import Locations

REST_S = 5.0


def inbox(where: Locations) -> Path | None:
    """Return the folder to watch, or None when the setting is off."""
    chosen = where.settings.door
    if chosen is False:
        return None
    return (
        Path(os.path.expanduser(chosen))
        if isinstance(chosen, str)
        else where.home / "door" / "inbox"
    )


class WatchFolderService:
    """The child process, for the daemon's event loop. No method blocks."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], where: Locations) -> None:
        self._context, self._wanted = context, inbox(where) is not None
        self._child: Child | None = None
        self._not_before = 0.0

    def look(self) -> None:
        """Start the process if it should run."""
        now = machine.monotonic()
        if self._wanted and self._child is None and now >= self._not_before:
            self._not_before = now + REST_S
            self._child = Child("door", "bridge.watch_folder", [], self._context)

    def restart(self, where: Locations) -> None:
        """Restart the process after a change of the settings, which it then reads again."""
        self._wanted = inbox(where) is not None
        if self._child is not None:
            self._not_before = 0.0
            self._child.kill()  # `ended` reports its end, and `look` starts another one

    def ended(self, name: bytes, line: bytes) -> None:
        """Handle a message from a child.

        After the end of this one, `look` starts another after a pause.
        """
        if name == b"door" and not line and self._child is not None:
            self._child.code()
            self._child = None

    def close(self) -> None:
        """Kill the process."""
        if self._child is not None:
            self._child.kill()
