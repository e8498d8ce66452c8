"""Files and folders that only this user can read: modes 0600 and 0700, whatever the umask.

Everything that Hotsplice stores is created through this module or by a worker process, whose umask
is 077. A published film belongs to the user: it gets the mode that any other program of the user
would give it.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
OTHERS = 0o077
"""All permission bits of a mode that apply to anybody but the owner."""


def opener(path: str, flags: int) -> int:
    """Opener for `open(..., opener=)`: only this user can access a file that it creates."""
    return os.open(path, flags, FILE)


def make_folder(path: Path) -> None:
    """Create a folder that only this user can access. An existing folder is left as it is.

    Raises FileNotFoundError if the parent is missing, which may be on a disconnected drive, and any
    other OSError.
    """
    try:
        path.mkdir(mode=FOLDER)
    except FileExistsError:
        if not path.is_dir():
            raise


def make_folder_within(home: Path, path: Path) -> None:
    """Create a folder like `make_folder`, with missing parents below the existing folder `home`.

    Raises OSError.
    """
    for parent in reversed(path.parents):
        if parent.is_relative_to(home) and parent != home:
            make_folder(parent)
    make_folder(path)


def make_folders(path: Path) -> None:
    """Create a platform folder with its missing parents. Raises OSError.

    Such folders are below the user's home or the system's runtime folder.
    """
    try:
        make_folder(path)
    except FileNotFoundError:
        make_folders(path.parent)
        make_folder(path)


def create(path: Path) -> None:
    """Create an empty file that only this user can access, if there is none. Raises OSError."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, FILE))


def share(folder: Path) -> None:
    """Set the mode of our hidden folder in a film's folder.

    It is private, unless a group shares the film's folder: members who may put films there may then
    also put them there through our folder. A folder of another user is left as it is. Raises
    OSError.
    """
    above, own = folder.parent.stat(), folder.stat()
    shared = bool(above.st_mode & stat.S_IWGRP) and not above.st_mode & stat.S_IWOTH
    mode = 0o770 if shared else FOLDER
    if stat.S_IMODE(own.st_mode) & 0o777 != mode and own.st_uid == os.geteuid():
        folder.chmod(mode)


def user_mode() -> int:
    """Return the mode that this user's programs give to a new file."""
    mask = os.umask(OTHERS)
    os.umask(mask)
    return 0o666 & ~mask


def release(path: Path) -> None:
    """Give a privately created file the mode of the user's own files.

    Does nothing where the volume has no modes.
    """
    with contextlib.suppress(OSError):
        path.chmod(user_mode())


def repair(paths: Iterable[Path]) -> None:
    """Make paths and everything in them private, where an earlier version did not.

    A folder's mode is changed after its contents, so a private folder needs no second check. Links,
    and files of another user, are left alone.
    """
    for path in paths:
        with contextlib.suppress(OSError):
            _repair(path)


def _repair(path: Path) -> None:
    facts = path.lstat()
    if stat.S_ISLNK(facts.st_mode) or not facts.st_mode & OTHERS or facts.st_uid != os.geteuid():
        return
    if stat.S_ISDIR(facts.st_mode):
        for entry in list(path.iterdir()):
            _repair(entry)
    path.chmod(stat.S_IMODE(facts.st_mode) & ~OTHERS)


_IN_DATA_FOLDER = (
    "journal.db", "settings.yaml", "program.json", "companion.log", "companion.log.1", "door", "keys", "locks", "logs",
    "pictures", "presets", "reports", "run", "uploads",
)  # fmt: skip
_IN_SCRATCH = ("store", "work", "index", "owners")


def repair_ours(home: Path, scratch: Path) -> None:
    """Make the data folder and our folders in scratch private.

    A folder that also contains anything else belongs to the user: only our files in it are changed.
    """
    try:
        names = {path.name for path in home.iterdir()}
    except OSError:
        return
    ours = {
        name for name in names if name.startswith(("journal.db", ".")) or name in _IN_DATA_FOLDER
    }
    # `bridge.protocol.keys` refuses a secret key that others could read: somebody may know it, and
    # no mode change can undo that.
    inside = scratch.parent == home and scratch.name in names
    repair(home / name for name in sorted(ours - {"keys"}))
    repair(scratch / name for name in _IN_SCRATCH)
    if inside:
        repair([scratch])
    if names <= ours | ({scratch.name} if inside else set()):
        repair([home])
