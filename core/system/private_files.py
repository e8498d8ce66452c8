"""Files and folders that only this user can read: modes 0600 and 0700, whatever the umask says.

Everything Hotsplice keeps is made through here or by a worker, whose umask is 077. A published film is the user's: it gets
the mode that any program of the user would give it.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
OTHERS = 0o077
"""Everything that a mode gives to anybody but the owner."""


def opener(path: str, flags: int) -> int:
    """For `open(..., opener=)`: a file that is created belongs to this user alone."""
    return os.open(path, flags, FILE)


def make_folder(path: Path) -> None:
    """Create a folder for this user alone. One that exists is left as it is. FileNotFoundError without the folder above it,
    which may be on a drive that is not connected; any other OSError."""
    try:
        path.mkdir(mode=FOLDER)
    except FileExistsError:
        if not path.is_dir():
            raise


def make_folder_within(home: Path, path: Path) -> None:
    """Create a folder like `make_folder`. Below the existing folder `home`, create the folders between as well. OSError."""
    for parent in reversed(path.parents):
        if parent.is_relative_to(home) and parent != home:
            make_folder(parent)
    make_folder(path)


def make_folders(path: Path) -> None:
    """Create a folder of the platform's, below the user's home or the system's runtime folder, with those above it that are
    missing. OSError."""
    try:
        make_folder(path)
    except FileNotFoundError:
        make_folders(path.parent)
        make_folder(path)


def create(path: Path) -> None:
    """Create an empty file for this user alone where there is none. OSError."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, FILE))


def share(folder: Path) -> None:
    """Give our hidden folder in a film's folder its mode: private, unless a group shares the film's folder. Who may put films
    there may then put them through ours. Left as it is where it is another user's. OSError."""
    above, own = folder.parent.stat(), folder.stat()
    shared = bool(above.st_mode & stat.S_IWGRP) and not above.st_mode & stat.S_IWOTH
    mode = 0o770 if shared else FOLDER
    if stat.S_IMODE(own.st_mode) & 0o777 != mode and own.st_uid == os.geteuid():
        folder.chmod(mode)


def user_mode() -> int:
    """The mode that this user's programs give to a new file."""
    mask = os.umask(OTHERS)
    os.umask(mask)
    return 0o666 & ~mask


def release(path: Path) -> None:
    """Give a file that was made privately the mode of the user's own files; left as it is where the volume has no modes."""
    with contextlib.suppress(OSError):
        path.chmod(user_mode())


def repair(paths: Iterable[Path]) -> None:
    """Make these and everything in them private where an earlier version did not. A folder is changed after what is in it,
    so one that is private needs no second look. Links, and what belongs to another user, are left alone."""
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
    """Make the data folder and our folders in scratch private. A folder that holds anything else too is somebody's own: then
    only what is ours in it is changed."""
    try:
        names = {path.name for path in home.iterdir()}
    except OSError:
        return
    ours = {
        name for name in names if name.startswith(("journal.db", ".")) or name in _IN_DATA_FOLDER
    }
    # A secret key that others could read is refused by `bridge.protocol.keys`: it may be known, and no mode takes that back.
    inside = scratch.parent == home and scratch.name in names
    repair(home / name for name in sorted(ours - {"keys"}))
    repair(scratch / name for name in _IN_SCRATCH)
    if inside:
        repair([scratch])
    if names <= ours | ({scratch.name} if inside else set()):
        repair([home])
