"""Records of the data folders that store segments in a scratch folder.

Two journals may share one scratch folder, and a file that one journal does not know may be a
checkpoint of the other.

    <scratch>/owners/<name>   one for each data folder: the machine's name, and its path there
"""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path

from core.storage.workspace import flush_directory, take_place
from core.system import private_files

OWNERS = "owners"


def sign(scratch: Path, home: Path) -> None:
    """Write this data folder's lease durably.

    This happens before the scratch folder is recorded with the lease, and before its first segment
    is recorded. A scratch folder inside our own data folder needs no lease, because no other data
    folder stores anything there. Raises OSError.
    """
    if scratch.is_relative_to(home):
        return
    mark = scratch / OWNERS / name(home)
    if mark.exists():
        return
    private_files.make_folder(mark.parent)
    # Always the same name, so that a file left by a power cut is overwritten.
    part = mark.with_name(f".{mark.name}.part")
    with open(part, "wb", opener=private_files.opener) as handle:
        handle.write(os.fsencode(_said(home)))
        handle.flush()
        os.fsync(handle.fileno())
    try:
        take_place(part, mark)
    except FileNotFoundError:
        if not mark.exists():  # otherwise another process of this data folder wrote it
            raise
    for folder in (mark.parent, scratch, scratch.parent):  # each may be new
        flush_directory(folder)


def mark_of(home: Path) -> tuple[str, str]:
    """Return our lease's path relative to the scratch folder, and its content.

    They identify the scratch folder when it is seen again.
    """
    return f"{OWNERS}/{name(home)}", _said(home)


def others(scratch: Path, home: Path) -> list[str]:
    """Return the other data folders that store segments here.

    A data folder that no longer exists on this machine does not count. Raises OSError.
    """
    return list(_others(scratch, home).values())


def living(scratch: Path, home: Path) -> frozenset[str]:
    """Return the names of the other data folders that store segments here. Raises OSError."""
    return frozenset(_others(scratch, home))


def _others(scratch: Path, home: Path) -> dict[str, str]:
    folder, here = scratch / OWNERS, platform.node()
    found = {}
    for mark in sorted(folder.iterdir()) if folder.is_dir() else ():
        if mark.suffix == ".part":
            continue
        machine, _, path = os.fsdecode(mark.read_bytes()).partition("\n")
        if mark.name != name(home) and not (machine == here and not Path(path).exists()):
            found[mark.name] = path if machine == here else f"{machine}: {path}"
    return found


def _said(home: Path) -> str:
    return f"{platform.node()}\n{home.resolve()}"


def name(home: Path) -> str:
    """Return a data folder's name: a hash of this machine's name and the folder's path."""
    return hashlib.blake2b(os.fsencode(_said(home)), digest_size=10).hexdigest()
