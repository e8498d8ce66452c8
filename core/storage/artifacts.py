"""Files about films that no job depends on: reports, bundles, thumbnails, logs.

A job never trusts these files and never needs them.

    <home>/pictures/   thumbnails for reports, drawn again when they are missing
    <home>/reports/    reports for which the user gave no other path
    <home>/logs/       see `bridge.services.logs`
"""

from __future__ import annotations

import os
from pathlib import Path

from core.errors.refusal import Refused
from core.storage.locks import lock_file
from core.storage.workspace import take_place
from core.system import private_files

PICTURES, REPORTS, LOGS = "pictures", "reports", "logs"


def picture(home: Path, name: str) -> bytes | None:
    """Return a stored thumbnail, or None if none can be read."""
    try:
        return (home / PICTURES / name).read_bytes()
    except OSError:
        return None


def picture_part(home: Path, name: str) -> Path:
    """Return an unused path at which to draw a thumbnail.

    Raises OSError if the folder cannot be used.
    """
    folder = home / PICTURES
    private_files.make_folder(folder)
    part = folder / f".{name}.{os.getpid()}.part"
    part.unlink(missing_ok=True)
    return part


def keep_picture(home: Path, part: Path, name: str) -> bytes:
    """Move a finished thumbnail to its final name and return its bytes."""
    data = part.read_bytes()
    take_place(part, home / PICTURES / name)
    return data


def discard(part: Path) -> None:
    """Remove an unfinished thumbnail."""
    part.unlink(missing_ok=True)


def write_whole(target: Path, data: bytes, *, ours: bytes = b"", mode: int | None = None) -> None:
    """Write a report file completely or not at all.

    `mode` is the same as for `put`. An existing file is replaced only if `ours` occurs in its first
    4 KiB, so that a report never overwrites a film. Raises Refused(paper-in-the-way) or
    Refused(paper-unwritable).
    """
    try:
        if target.exists() and not (ours and target.is_file() and ours in _head(target)):
            raise Refused("paper-in-the-way", path=str(target))
        if mode == private_files.FILE:
            private_files.make_folder(target.parent)
        put(target, data, mode=mode)
    except OSError as error:
        raise Refused(
            "paper-unwritable", path=str(target), detail=error.strerror or str(error)
        ) from error


def put(target: Path, data: bytes, *, mode: int | None = None, durable: bool = True) -> None:
    """Write a file completely or not at all, replacing any file of that name.

    `mode` is the file's mode; None gives it the mode of the user's other files. `durable=False`
    skips the fsync, for files that are soon rewritten. Raises OSError.
    """
    # Shortened, because the target's name may already have the maximum length.
    begin = os.fsencode(target.name)[:100].decode("utf-8", "ignore")
    part = target.with_name(f".{begin}.{os.getpid()}.part")
    try:
        with open(part, "xb", opener=private_files.opener) as handle:
            handle.write(data)
            if durable:
                handle.flush()
                os.fsync(handle.fileno())
        if mode is None:
            private_files.release(part)
        elif mode != private_files.FILE:
            part.chmod(mode)
        take_place(part, target)
    finally:
        part.unlink(missing_ok=True)


def rewrite(target: Path, data: bytes) -> None:
    """Replace one of our own files completely or not at all, keeping its mode.

    Raises Refused(paper-unwritable).
    """
    try:
        private_files.make_folder(target.parent)
        put(
            target,
            data,
            mode=target.stat().st_mode & 0o7777 if target.exists() else private_files.FILE,
        )
    except OSError as error:
        raise Refused(
            "paper-unwritable", path=str(target), detail=error.strerror or str(error)
        ) from error


def _head(path: Path) -> bytes:
    with path.open("rb") as handle:
        return handle.read(4096)


def hold_room(path: Path, size: int) -> None:
    """Reserve disk space with a file of `size` zero bytes, creating its folder if it is missing.

    `give_up` removes the file when the disk is full. An existing file is left as it is. Raises
    OSError.
    """
    private_files.make_folder(path.parent)
    if path.exists():
        return
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.write(handle, bytes(size))
    finally:
        os.close(handle)


def give_up(path: Path) -> None:
    """Remove a file that `hold_room` wrote. Raises OSError."""
    path.unlink(missing_ok=True)


def rotate(log: Path, keep: int, most: int) -> None:
    """Rename `log` to `log.1`, `log.1` to `log.2` and so on; the oldest of `keep` files is dropped.

    If several processes notice at once that the log exceeds `most` bytes, one of them rotates it.
    Processes that append meanwhile write to the file under its old or its new name, so no line is
    lost.
    """
    with open(log.parent / ".rotating", "a+b", opener=private_files.opener) as handle:
        try:
            lock_file(handle.fileno())
        except OSError:
            return  # another process is rotating
        if log.stat().st_size <= most:
            return  # another process has already rotated
        for number in range(keep - 1, 0, -1):
            older = log.with_name(f"{log.name}.{number}")
            if older.exists():
                take_place(older, log.with_name(f"{log.name}.{number + 1}"))
        take_place(log, log.with_name(f"{log.name}.1"))


def shorten(log: Path, most: int) -> None:
    """Truncate a log that other processes hold open for appending.

    Its last `most` bytes are kept in `log.1`. Lines that are written during the call may be lost.
    Raises OSError.
    """
    if not log.exists() or log.stat().st_size <= most:
        return
    with log.open("rb") as handle:
        handle.seek(-most, os.SEEK_END)
        put(log.with_name(f"{log.name}.1"), handle.read(most), mode=private_files.FILE)
    os.truncate(log, 0)
