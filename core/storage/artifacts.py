"""What is written about films beside them: reports, bundles, small pictures, logs. Nothing here is believed or needed.

<home>/pictures/   small pictures for reports, made again when they are gone
<home>/reports/    reports that were not asked for at another place
<home>/logs/       see bridge/services/logs.py
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
    """A small picture that was kept; None when there is none that can be read."""
    try:
        return (home / PICTURES / name).read_bytes()
    except OSError:
        return None


def picture_part(home: Path, name: str) -> Path:
    """A fresh name to draw a picture under. OSError when the folder cannot be used."""
    folder = home / PICTURES
    private_files.make_folder(folder)
    part = folder / f".{name}.{os.getpid()}.part"
    part.unlink(missing_ok=True)
    return part


def keep_picture(home: Path, part: Path, name: str) -> bytes:
    """Put a drawn picture in its place; its bytes."""
    data = part.read_bytes()
    take_place(part, home / PICTURES / name)
    return data


def discard(part: Path) -> None:
    """Remove what was not finished."""
    part.unlink(missing_ok=True)


def write_whole(target: Path, data: bytes, *, ours: bytes = b"", mode: int | None = None) -> None:
    """Write a paper whole or not at all; `mode` as for `put`. A file that stands there is replaced only when `ours` is in its
    first 4 KiB: a report shall never cost a film. Refused(paper-in-the-way, paper-unwritable)."""
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
    """Write a file whole or not at all, whatever had its name; `mode` says who may read it, None: whoever may read the
    user's other files. One that is soon written anew need not be durable. OSError."""
    begin = os.fsencode(target.name)[:100].decode(
        "utf-8", "ignore"
    )  # a name may be as long as any name can be
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
    """Replace a file of ours, whole or not at all; who may read it stays. Refused(paper-unwritable)."""
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
    """Write a file of zeros that `give_up` removes when the disk is full; its folder is made where it is missing. OSError."""
    private_files.make_folder(path.parent)
    if path.exists():
        return
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.write(handle, bytes(size))
    finally:
        os.close(handle)


def give_up(path: Path) -> None:
    """Remove such a file. OSError."""
    path.unlink(missing_ok=True)


def rotate(log: Path, keep: int, most: int) -> None:
    """`log` becomes `log.1`, that `log.2` and so on; the oldest of `keep` goes. Of several processes that see at once that it
    has grown beyond `most` bytes one does it; whoever appends meanwhile does so under either name, and nothing is lost."""
    with open(log.parent / ".rotating", "a+b", opener=private_files.opener) as handle:
        try:
            lock_file(handle.fileno())
        except OSError:
            return  # another process is at it
        if log.stat().st_size <= most:
            return  # and has done it
        for number in range(keep - 1, 0, -1):
            older = log.with_name(f"{log.name}.{number}")
            if older.exists():
                take_place(older, log.with_name(f"{log.name}.{number + 1}"))
        take_place(log, log.with_name(f"{log.name}.1"))


def shorten(log: Path, most: int) -> None:
    """A log that others hold open and append to begins anew; what it said until then is in `log.1`. Lines that are written in
    this very moment may be lost. OSError."""
    if not log.exists() or log.stat().st_size <= most:
        return
    with log.open("rb") as handle:
        handle.seek(-most, os.SEEK_END)
        put(log.with_name(f"{log.name}.1"), handle.read(most), mode=private_files.FILE)
    os.truncate(log, 0)
