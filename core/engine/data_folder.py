"""The data folder: made at its first use, and known again, so that the empty mount point of its drive is not taken for it.

    <records>/<name of the data folder>   its FolderIdentity as JSON; only for a data folder on another volume than the records

The records lie in the user's own folder of the system. A data folder is gone when the mount point on record is none now, or when
another volume without a journal is mounted there. Nothing is created then. At a first use only the data folder itself is
created: parents that are missing may belong to a drive that is not connected. The platform's own data folder has parents in
the user's home, which are created.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from core.errors.refusal import Refused
from core.storage import artifacts, scratch_leases
from core.system import codec, machine, private_files
from core.system.folder import FolderIdentity
from core.tasks import volume_probe

JOURNAL = "journal.db"
_CONTENT_LOST = ("tmpfs", "ramfs")
"""File systems that are empty after a restart, and no other volume for it."""


def check(home: Path, records: Path) -> None:
    """Refused(data-folder-gone) while the drive of a data folder that was used before is not connected."""
    known = _on_record(home, records)
    if known is None:
        return
    same_mount = machine.mount_point(home) == known.mount
    if same_mount and ((home / JOURNAL).exists() or not _is_another_volume(known)):
        return
    raise Refused("data-folder-gone", path=str(home), drive=known.mount)


def prepare(home: Path, records: Path, *, usual: bool, accept: bool = False) -> None:
    """Create a data folder that was never used. `usual`: it is the platform's own; `accept`: use the folder as it is now,
    whatever is on record. Refused(data-folder-gone, data-folder-unusable)."""
    if not accept:
        check(home, records)
    try:
        (private_files.make_folders if usual else private_files.make_folder)(home)
    except FileNotFoundError as error:
        raise Refused("data-folder-unusable", path=str(home), why="no-parent") from error
    except OSError as error:
        raise Refused(
            "data-folder-unusable", path=str(home), detail=error.strerror or str(error)
        ) from error
    if (home / JOURNAL).exists():
        put_on_record(home, records)
    elif accept:
        with contextlib.suppress(OSError):
            (records / scratch_leases.name(home)).unlink(missing_ok=True)


def put_on_record(home: Path, records: Path) -> None:
    """Put on record where a data folder is whose journal stands."""
    record = records / scratch_leases.name(home)
    mount = machine.mount_point(home)
    on_system = machine.mount_point(records) == mount
    with contextlib.suppress(
        OSError
    ):  # without a record a lost drive is told by its missing parent alone
        if on_system:
            record.unlink(missing_ok=True)
            return
        now = volume_probe.identify(home)
        if now != _on_record(home, records):
            private_files.make_folders(records)
            artifacts.put(record, codec.encode(now), mode=private_files.FILE)


def _on_record(home: Path, records: Path) -> FolderIdentity | None:
    try:
        return codec.decode((records / scratch_leases.name(home)).read_bytes(), FolderIdentity)
    except (OSError, msgspec.DecodeError):
        return None


def _is_another_volume(known: FolderIdentity) -> bool:
    return (
        volume_probe.other_volume(known)
        and machine.listed_mount(known.path)[1] not in _CONTENT_LOST
    )
