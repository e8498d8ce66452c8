"""Who keeps segments in a scratch folder. Two journals may share one, and what one of them does not know may be a checkpoint
of the other.

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
    """Leave our mark durably, before the folder is recorded with it and before the first segment is. Nobody else keeps anything
    below our own data folder. OSError."""
    if scratch.is_relative_to(home):
        return
    mark = scratch / OWNERS / name(home)
    if mark.exists():
        return
    private_files.make_folder(mark.parent)
    part = mark.with_name(
        f".{mark.name}.part"
    )  # always the same name: what a power cut leaves is written over
    with open(part, "wb", opener=private_files.opener) as handle:
        handle.write(os.fsencode(_said(home)))
        handle.flush()
        os.fsync(handle.fileno())
    try:
        take_place(part, mark)
    except FileNotFoundError:
        if not mark.exists():  # else another process of this data folder has just done the same
            raise
    for folder in (mark.parent, scratch, scratch.parent):  # each may have been made just now
        flush_directory(folder)


def mark_of(home: Path) -> tuple[str, str]:
    """Our mark relative to the scratch folder, and what stands in it: by these the folder is known again."""
    return f"{OWNERS}/{name(home)}", _said(home)


def others(scratch: Path, home: Path) -> list[str]:
    """The other data folders that keep segments here; one that is gone from this machine needs nothing any more. OSError."""
    return list(_others(scratch, home).values())


def living(scratch: Path, home: Path) -> frozenset[str]:
    """Names of the other data folders that keep segments here. OSError."""
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
    """The name of a data folder: a hash of this machine's name and its path."""
    return hashlib.blake2b(os.fsencode(_said(home)), digest_size=10).hexdigest()
