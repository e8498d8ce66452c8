"""The data folder: created on first use, and recognized afterwards.

Recognition prevents the empty mount point of its drive from being taken for the data folder.

    <records>/<name of the data folder>   its FolderIdentity as JSON; only for a data folder that is
                                          on another volume than the records

The records are in the user's own system folder. A data folder is gone if its recorded mount point
is no longer a mount point, or if another volume without a journal is mounted there. In that case
nothing is created. On first use only the data folder itself is created: missing parents may belong
to a drive that is not connected. The parents of the platform's own data folder are in the user's
home, and are created.
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
"""File systems that are empty after a restart without being another volume."""


def check(home: Path, records: Path) -> None:
    """Raise Refused(data-folder-gone) if the drive of a known data folder is not connected."""
    known = _on_record(home, records)
    if known is None:
        return
    same_mount = machine.mount_point(home) == known.mount
    if same_mount and ((home / JOURNAL).exists() or not _is_another_volume(known)):
        return
    raise Refused("data-folder-gone", path=str(home), drive=known.mount)


def prepare(home: Path, records: Path, *, usual: bool, accept: bool = False) -> None:
    """Create a data folder that was never used.

    `usual`: this is the platform's own data folder. `accept`: use the folder as it is now, whatever
    is on record. Raises Refused(data-folder-gone, data-folder-unusable).
    """
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
    """Record the place of a data folder that contains a journal.

    No record is kept if the data folder is on the same volume as the records.
    """
    record = records / scratch_leases.name(home)
    mount = machine.mount_point(home)
    on_system = machine.mount_point(records) == mount
    with contextlib.suppress(
        OSError
    ):  # without a record, only a missing parent shows that a drive is gone
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
