"""Whether a place can be used: really read or written, since a mount that is listed may still not answer. And whether a folder
is the one on record, since an empty mount point looks like any folder."""

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
    """Validated when the place does what is asked of it; OSError says what it does instead. Of a file with a fingerprint: Refuted
    when another one that can be used stands there; of one that cannot (yet) NotMedia, av.FFmpegError or OSError."""
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
        )  # loads the decoders, which other places do without

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
    """A folder as it is now; `token` stands in the file `mark` in it. OSError."""
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
    """Empty when the folder is the one on record; else `volume-gone` (another volume is there), `folder-gone` or
    `folder-replaced` (another folder has its name). OSError when that cannot be told."""
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
    """Whether the token on record stands in the folder."""
    try:
        return bool(known.token) and Path(known.path, known.mark).read_bytes() == os.fsencode(
            known.token
        )
    except OSError:
        return False


def other_volume(known: FolderIdentity) -> bool:
    """Whether a path lies on another volume now, by what the system says of it; a missing folder counts as its parent."""
    if machine.mount_point(known.path) != known.mount:
        return True
    number = machine.file_system(known.path)
    return machine.volume(known.path) != known.device and (not number or number != known.filesystem)


def writable(folder: Path, wanted: int = 0) -> Validated | Refuted:
    """Write a small file in a folder, flush it and remove it. Refuted with less than `wanted` bytes free; OSError."""
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
    """The first and the last of it, from the volume itself where the system lets us forget what it remembers."""
    with Path(path).open("rb", buffering=0) as handle:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        size = os.fstat(handle.fileno()).st_size
        os.pread(handle.fileno(), _BLOCK, 0)
        os.pread(handle.fileno(), _BLOCK, max(0, size - _BLOCK))
