"""Recovery at startup from what an earlier daemon has left.

Leftover processes are killed and unfinished jobs are resumed; both are reported, with the jobs'
state.
"""

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
    """Reports what an earlier daemon has left.

    The state of the jobs is read from the journal at once. What became of their files meanwhile
    follows a moment later, from a separate process.
    """

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], notices: Notices, hear: Callable[[str], None]
    ) -> None:
        self._context, self._notices, self._hear = context, notices, hear
        self._left: dict[str, Left] = {}
        self._looker: Child | None = None

    def take_up(self, jobs: Iterable[Left], *, cut_off: bool) -> None:
        """Report the jobs at startup, and kill orphans.

        `cut_off` says that the previous daemon did not end cleanly.
        """
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
        """Start the process that compares the files, once there is time for it."""
        if self._left and self._looker is None:
            self._looker = Child("meanwhile", "bridge.daemon.offline_changes", [], self._context)
            self._looker.tell(question(self._left.values()))

    def hear(self, name: str, line: bytes) -> bool:
        """Handle a line from that process; return whether `name` was this process."""
        if self._looker is None or name != self._looker.name:
            return False
        if not line:
            self._looker.code()
            self._left = {}  # finished or crashed; a job checks its files itself
            return True
        found = msgspec.json.decode(line, type=Compared)
        if found.gone or found.changed:
            self._notices.taken_up(self._left[found.job], found.gone, found.changed)
        return True

    def close(self) -> None:
        """Kill the comparing process."""
        if self._looker is not None:
            self._looker.kill()
