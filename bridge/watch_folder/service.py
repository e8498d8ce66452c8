"""The door as the companion sees it: where it is, and a process that is started, and started again when it ends."""

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
    """The folder that is watched; None when nobody wants one."""
    chosen = where.settings.door
    if chosen is False:
        return None
    return (
        Path(os.path.expanduser(chosen))
        if isinstance(chosen, str)
        else where.home / "door" / "inbox"
    )


class WatchFolderService:
    """The process, for the companion's loop. Nothing is waited for."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], where: Locations) -> None:
        self._context, self._wanted = context, inbox(where) is not None
        self._child: Child | None = None
        self._not_before = 0.0

    def look(self) -> None:
        """It runs, if it should."""
        now = machine.monotonic()
        if self._wanted and self._child is None and now >= self._not_before:
            self._not_before = now + REST_S
            self._child = Child("door", "bridge.door", [], self._context)

    def anew(self, where: Locations) -> None:
        """The settings have changed: another process, which reads them anew."""
        self._wanted = inbox(where) is not None
        if self._child is not None:
            self._not_before = 0.0
            self._child.kill()  # its end is heard, and then another is started

    def ended(self, name: bytes, line: bytes) -> None:
        """Something was heard of a child: if it was the end of this one, another is started in a while."""
        if name == b"door" and not line and self._child is not None:
            self._child.code()
            self._child = None

    def close(self) -> None:
        """No more."""
        if self._child is not None:
            self._child.kill()
