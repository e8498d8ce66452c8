"""A watch folder on disk: list it, read drops, write replies, move answered drops away.

Every function raises OSError when the disk fails.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from bridge.watch_folder import names, submission
from bridge.watch_folder.names import Drop, Sight
from bridge.watch_folder.reply import Reply, as_json, as_lua, read
from bridge.watch_folder.submission import LARGEST_ASK, Dropped
from core.storage import artifacts
from core.storage.workspace import take_place
from core.system import private_files
from otio_adapters.guard import bytes_of

KEPT_S = 30 * 86400.0
"""Age in seconds at which our own final replies are removed. Other files are never removed."""


class Folder:
    """One inbox."""

    def __init__(self, inbox: Path, *, home: Path | None = None) -> None:
        """Watch `inbox`. Missing parent folders are created below the data folder `home`."""
        self.inbox, self._home = inbox, home or inbox.parent

    def prepare(self) -> None:
        """Create the inbox, private to this user, if it does not exist.

        Raises PermissionError when another user may write to it: anyone who can drop a file could
        have films rendered in this user's name.
        """
        private_files.make_folder_within(self._home, self.inbox)
        found = self.inbox.stat()
        if hasattr(os, "getuid") and (
            found.st_mode & stat.S_IWOTH or found.st_uid not in (0, os.getuid())
        ):
            raise PermissionError(0, "every user of this machine may write there")

    def names(self) -> list[str]:
        """Return the names of all files in the inbox, without those in its subfolders."""
        with os.scandir(self.inbox) as entries:
            return [entry.name for entry in entries if _ordinary(entry)]

    def sight(self, drop: Drop) -> Sight | None:
        """Return the current state of a drop and its sidecar, or None when it is gone."""
        try:
            seen = [os.stat(self.inbox / name) for name in (drop.name, drop.ask) if name]
        except FileNotFoundError:
            return None
        return Sight(
            size=sum(one.st_size for one in seen), mtime_ns=max(one.st_mtime_ns for one in seen)
        )

    def read(self, drop: Drop) -> Dropped:
        """Read a drop completely.

        Raises OSError, or TimelineRefused for too large or unreadable files.
        """
        there = os.stat(self.inbox / drop.name)
        own = Sight(size=there.st_size, mtime_ns=there.st_mtime_ns)
        beside, date = self._sidecar(drop.ask) if drop.ask else (b"", 0)
        return Dropped(drop.name, own, bytes_of(self.inbox / drop.name), drop.ask, beside, date)

    def _sidecar(self, name: str) -> tuple[bytes, int]:
        with (self.inbox / name).open("rb") as file:
            return file.read(LARGEST_ASK + 1), os.fstat(file.fileno()).st_mtime_ns

    # Replies --------------------------------------------------------------------------------------

    def reply(self, said: Reply, name: str, *, durable: bool) -> None:
        """Write a reply under each of its names, each file atomically.

        The Lua file comes first, so that an existing JSON reply implies the Lua one. `name` is the
        name of the drop, or the name that its replies derive from.
        """
        mode = None if self.inbox.stat().st_mode & private_files.OTHERS else private_files.FILE
        for ending, data in ((names.LUA, as_lua(said)), (names.JSON, as_json(said))):
            artifacts.put(
                self.inbox / (names.replied_as(name) + ending), data, mode=mode, durable=durable
            )

    def replied(self, name: str) -> Reply | None:
        """Return the existing reply, or None when there is none of ours."""
        try:
            with (self.inbox / (name + names.JSON)).open("rb") as file:
                return read(file.read())
        except OSError:
            return None

    def forget(self, name: str) -> None:
        """Remove a reply that nobody reads any more."""
        for ending in (names.LUA, names.JSON):
            (self.inbox / (name + ending)).unlink(missing_ok=True)

    # Answered drops -------------------------------------------------------------------------------

    def put_away(self, drop: Drop, where: str, job: str) -> None:
        """Move a drop and its sidecar into one of the inbox's folders.

        The timeline goes first: without its sidecar it would be a different request.
        """
        target = self.inbox / where
        target.mkdir(mode=stat.S_IMODE(self.inbox.stat().st_mode), exist_ok=True)
        for name in (drop.name, drop.ask):
            if name:
                take_place(self.inbox / name, target / names.beside(name, job, os.listdir(target)))

    def tidy(self, name: str, said: Reply) -> None:
        """Move a sidecar that was left behind when its timeline was moved and we were interrupted.

        The next timeline of the same name brings its own sidecar.
        """
        if names.replied_as(said.file) == name:
            name = said.file
        if not said.ask or (self.inbox / name).exists():
            return
        for ending in names.ASKS:
            with contextlib.suppress(FileNotFoundError):
                if submission.mark(*self._sidecar(name + ending)) == said.ask:
                    target = self.inbox / (names.DONE if said.job else names.REFUSED)
                    take_place(
                        self.inbox / (name + ending),
                        target / names.beside(name + ending, said.job, os.listdir(target)),
                    )


def _ordinary(entry: os.DirEntry[str]) -> bool:
    with contextlib.suppress(OSError):
        return entry.is_file()
    return False


def all_replies(folder: Folder) -> list[tuple[str, Reply]]:
    """Return every reply of ours in the folder, by name."""
    return [
        (name, said)
        for name in names.replies(folder.names())
        if (said := folder.replied(name)) is not None
    ]
