"""Whether a place can be used: really read or written, since a mount that is listed may still not answer."""

from __future__ import annotations

import os
from pathlib import Path

from core.model.orders import ProbePlace, Refuted, Validated
from core.perform import hashing, machine
from core.perform import probe as probe_media

_BLOCK = 1 << 16


def probe(order: ProbePlace) -> Validated | Refuted:
    """Validated when the place does what is asked of it; OSError says what it does instead. Of a file with a fingerprint: Refuted
    when another one that can be used stands there; of one that cannot (yet) NotMedia, av.FFmpegError or OSError."""
    if order.free_memory_bytes:
        free = machine.free_memory()
        return Refuted(reason="memory is short") if free is not None and free < order.free_memory_bytes else Validated()
    if order.fingerprint:
        if hashing.fingerprint(order.path) == order.fingerprint:
            return Validated()
        found = probe_media.examine(order.path)
        return Refuted(reason=f"{found.path} is another file")
    if order.write:
        return _writable(Path(order.path), order.free_bytes)
    try:
        _read(order.path)
    except FileNotFoundError:
        if not order.volume or machine.mount_point(order.path) != order.volume:
            raise
    return Validated()


def _writable(folder: Path, wanted: int) -> Validated | Refuted:
    trial = folder / f".hotsplice-{os.getpid()}.probe"
    try:
        with trial.open("xb", buffering=0) as handle:
            handle.write(bytes(_BLOCK))
            os.fsync(handle.fileno())
    finally:
        trial.unlink(missing_ok=True)
    free = machine.free_bytes(folder)
    return Refuted(reason=f"{free} bytes free of {wanted}") if free is not None and free < wanted else Validated()


def _read(path: str) -> None:
    """The first and the last of it, from the volume itself where the system lets us forget what it remembers."""
    with Path(path).open("rb", buffering=0) as handle:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        size = os.fstat(handle.fileno()).st_size
        os.pread(handle.fileno(), _BLOCK, 0)
        os.pread(handle.fileno(), _BLOCK, max(0, size - _BLOCK))
