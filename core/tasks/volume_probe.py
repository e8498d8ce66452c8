"""Check that a place can be used, and that a folder is the one on record.

The check reads or writes for real, since a mount that is listed may still not answer. Folders are
identified, since an empty mount point looks like any other folder.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from core.media import hashes
from core.system import machine
from core.system.folder import FolderIdentity
from core.tasks.spec import ProbePlace, Refuted, Validated

_BLOCK = 1 << 16


def probe(order: ProbePlace) -> Validated | Refuted:
    """Check what the task asks of a place; return Validated if the place does it.

    Raises OSError with what the place does instead. For a file with a fingerprint: returns Refuted
    if another usable file has its path, and raises NotMedia, av.FFmpegError or OSError if the file
    there cannot be used (yet).
    """
    if order.free_memory_bytes:
        free = machine.free_memory()
        return (
            Refuted(reason="memory is short")
            if free is not None and free < order.free_memory_bytes
            else Validated()
        )
    if order.fingerprint:
        if hashes.fingerprint(order.path) == order.fingerprint:
            return Validated()
        from core.media import (
            probe as probe_media,
        )  # loads the decoders, which other places do not need

        found = probe_media.examine(order.path)
        return Refuted(reason=f"{found.path} is another file")
    if order.known is not None and (gone := changed(order.known)):
        raise FileNotFoundError(errno.ENOENT, gone, order.path)
    if order.write:
        return writable(Path(order.path), order.free_bytes)
    try:
        _read(order.path)
    except FileNotFoundError:
        if not order.volume or machine.mount_point(order.path) != order.volume:
            raise
    return Validated()


def identify(folder: Path, mark: str = "", token: str = "") -> FolderIdentity:
    """Return the identity of a folder as it is now.

    `token` is the content of the file `mark` inside it. Raises OSError.
    """
    facts = os.stat(folder)
    mount, number = machine.mount_point(folder), machine.file_system(folder)
    return FolderIdentity(
        path=str(folder),
        mount=mount,
        device=facts.st_dev,
        filesystem=number,
        inode=facts.st_ino,
        mark=mark,
        token=token,
    )


def changed(known: FolderIdentity) -> str:
    """Return "" if the folder is the one on record.

    Otherwise returns `volume-gone` (another volume is there), `folder-gone` or `folder-replaced`
    (another folder has its name). Raises OSError if that cannot be determined.
    """
    mount = machine.mount_point(known.path)
    try:
        inode = os.stat(known.path).st_ino
    except (FileNotFoundError, NotADirectoryError):
        return "folder-gone" if mount == known.mount else "volume-gone"
    if marked(known):
        return ""
    if other_volume(known):
        return "volume-gone"
    return "" if inode == known.inode else "folder-replaced"


def marked(known: FolderIdentity) -> bool:
    """Return True if the folder holds the token on record."""
    try:
        return bool(known.token) and Path(known.path, known.mark).read_bytes() == os.fsencode(
            known.token
        )
    except OSError:
        return False


def other_volume(known: FolderIdentity) -> bool:
    """Return True if the system reports another volume for a path than the one on record.

    A missing folder counts as its parent.
    """
    if machine.mount_point(known.path) != known.mount:
        return True
    number = machine.file_system(known.path)
    return machine.volume(known.path) != known.device and (not number or number != known.filesystem)


def writable(folder: Path, wanted: int = 0) -> Validated | Refuted:
    """Write a small file in a folder, flush it and remove it.

    Returns Refuted if less than `wanted` bytes are free. Raises OSError.
    """
    trial = folder / f".hotsplice-{os.getpid()}.probe"
    try:
        with trial.open("xb", buffering=0) as handle:
            handle.write(bytes(_BLOCK))
            os.fsync(handle.fileno())
    finally:
        trial.unlink(missing_ok=True)
    free = machine.free_bytes(folder)
    return (
        Refuted(reason=f"{free} bytes free of {wanted}")
        if free is not None and free < wanted
        else Validated()
    )


def _read(path: str) -> None:
    """Read the beginning and the end of a file.

    Where the system allows it, the cached pages are dropped first, so that the read reaches the
    volume.
    """
    with Path(path).open("rb", buffering=0) as handle:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        size = os.fstat(handle.fileno()).st_size
        os.pread(handle.fileno(), _BLOCK, 0)
        os.pread(handle.fileno(), _BLOCK, max(0, size - _BLOCK))
