"""What an earlier companion has left: processes that are ended, and jobs that are taken up; said with how they stood."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import msgspec
import zmq

from bridge.daemon import orphans
from bridge.daemon.children import Child
from bridge.daemon.notices import Notices
from bridge.daemon.offline_changes import Compared, Left, question

_log = logging.getLogger("hotsplice")


class StartupRecovery:
    """Said at the start from the record; what became of the jobs' files meanwhile a moment later, by a process that looks."""

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], notices: Notices, hear: Callable[[str], None]
    ) -> None:
        self._context, self._notices, self._hear = context, notices, hear
        self._left: dict[str, Left] = {}
        self._looker: Child | None = None

    def take_up(self, jobs: Iterable[Left], *, cut_off: bool) -> None:
        """At the start. `cut_off`: the companion before did not end in order."""
        if cut_off:
            words = "The companion before this one did not end in order: it was killed, it crashed, or the machine stopped."
            _log.warning("companion was cut off", extra={"said": {"message": words}})
        if cut_off and (ended := orphans.reap()):
            self._hear(f"ended {len(ended)} processes that were left over")
            words = f"{len(ended)} processes that the earlier companion had started were still running; they were ended."
            _log.warning("orphans ended", extra={"said": {"message": words, "pids": ended}})
        for left in jobs:
            self._hear(f"taking up {left.job}: {left.briefly}")
            if left.pieces:
                self._notices.taken_up(left)
                self._left[left.job] = left

    def look(self) -> None:
        """When there is time: what became of the files?"""
        if self._left and self._looker is None:
            self._looker = Child("meanwhile", "bridge.daemon.offline_changes", [], self._context)
            self._looker.tell(question(self._left.values()))

    def hear(self, name: str, line: bytes) -> bool:
        """What the looking process said; whether it was this one."""
        if self._looker is None or name != self._looker.name:
            return False
        if not line:
            self._looker.code()
            self._left = {}  # it has said all, or cannot; a job finds out for itself
            return True
        found = msgspec.json.decode(line, type=Compared)
        if found.gone or found.changed:
            self._notices.taken_up(self._left[found.job], found.gone, found.changed)
        return True

    def close(self) -> None:
        """No more."""
        if self._looker is not None:
            self._looker.kill()
