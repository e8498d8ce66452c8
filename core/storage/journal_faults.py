"""Diagnosis of a journal that cannot be used, from evidence and not only from an exception's type.

A full disk, an exceeded quota, a read-only mount, a missing permission, a lock and a failing disk
all leave the journal intact. Only a file that can be read to its end, and that SQLite still calls
corrupt, is damaged. SQLite's own code is not enough: EDQUOT arrives as SQLITE_IOERR_WRITE, and
ENOSPC at a flush as SQLITE_IOERR_FSYNC. So this module opens the files for writing and writes a
probe file to the folder.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from core.errors.refusal import Refused

UNWRITABLE = frozenset(
    {
        "data-folder-full",
        "data-folder-read-only",
        "data-folder-no-permission",
        "data-folder-failing",
        "journal-failing",
    }
)
"""Codes of faults that prevent writing the journal, while it may still be readable."""
_PROBE_BYTES = 256 * 1024
"""Size of the probe write: SQLite's shared-memory file and a few transactions."""
_NAMES: Mapping[str, str] = {
    "ENOSPC": "full", "EDQUOT": "full", "EROFS": "read-only", "EACCES": "no-permission", "EPERM": "no-permission",
    "ENOENT": "unusable", "ENOTDIR": "unusable", "EEXIST": "unusable", "EISDIR": "unusable", "ELOOP": "unusable",
    "ENAMETOOLONG": "unusable", "EIO": "failing", "ENODEV": "failing", "ENXIO": "failing", "ESTALE": "failing",
    "ETIMEDOUT": "failing", "EREMOTEIO": "failing", "ENOTCONN": "failing", "EHOSTDOWN": "failing",
}  # fmt: skip
_OF_ERRNO = {getattr(errno, name): kind for name, kind in _NAMES.items() if hasattr(errno, name)}
"""What each errno means for the data folder."""
_OF_SQLITE = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_PERM: "no-permission",
    sqlite3.SQLITE_IOERR: "failing",
    sqlite3.SQLITE_CANTOPEN: "",
    sqlite3.SQLITE_NOMEM: "",
    sqlite3.SQLITE_NOLFS: "",
}
"""What SQLite's primary result code means for the data folder if the system reports no error.

"" means only that the journal failed. A code that is not listed here or below (constraint, misuse,
unknown table) is an error in the program.
"""
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class JournalLost(Exception):
    """The journal's file was deleted or replaced while it was open.

    SQLite would still report success. `folder_gone` means that the whole folder is missing, or that
    another volume is in its place.
    """

    def __init__(self, path: str, *, folder_gone: bool = False) -> None:
        super().__init__(path)
        self.folder_gone = folder_gone


RECORD_LOST = (JournalLost, sqlite3.Error, OSError)
"""Errors raised when the journal's disk or the scratch disk accepts no more data.

Everything recorded before still holds.
"""


def fault(error: Exception, journal: Path) -> Refused | None:
    """Return the fault behind an exception from opening, reading or writing the journal.

    None for an error in the program. The refusal has `path` (the data folder, or the journal if
    only that file is affected), `detail` (the system's message) and `free` (bytes left, for a full
    disk).
    """
    if isinstance(error, JournalLost) and error.folder_gone:
        return Refused("data-folder-gone", path=str(journal.parent))
    if isinstance(error, JournalLost):
        return Refused("journal-replaced", path=str(journal))
    if isinstance(error, OSError):
        return None if _of_the_program(error, journal) else _system(error, journal)
    if not isinstance(error, sqlite3.Error):
        return None
    full_code = getattr(error, "sqlite_errorcode", 0)
    primary = full_code & 0xFF
    if full_code == sqlite3.SQLITE_READONLY_DBMOVED:
        return Refused("journal-replaced", path=str(journal))
    if primary in _BUSY:
        return Refused("journal-busy", path=str(journal))
    detail = f"{error}, {getattr(error, 'sqlite_errorname', '')}".rstrip(", ")
    if primary in _CORRUPT:
        unread = _unreadable(journal)
        return (
            Refused("journal-damaged", path=str(journal), detail=detail)
            if unread is None
            else _system(unread, journal)
        )
    if primary not in _OF_SQLITE:
        return None
    seen = _unwritable(journal)
    return _folder(_OF_SQLITE[primary], journal, detail) if seen is None else _system(seen, journal)


def _of_the_program(error: OSError, journal: Path) -> bool:
    """Return whether an error comes from the program and not from the system.

    Such an error has no errno, or denies permission although the folder can be written.
    """
    if error.errno is None:
        return True
    return (
        error.errno in (errno.EPERM, errno.EACCES)
        and not error.filename
        and _unwritable(journal) is None
    )


def _system(error: OSError, journal: Path) -> Refused:
    """Return the fault that an errno names."""
    words = error.strerror or str(error)
    kind = _OF_ERRNO.get(error.errno or 0, "")
    if kind == "unusable":
        return Refused(
            "data-folder-unusable", path=str(error.filename or journal.parent), detail=words
        )
    return _folder(kind, journal, words)


def _folder(kind: str, journal: Path, detail: str) -> Refused:
    folder, free = journal.parent, None
    if not kind:
        return Refused("journal-failing", path=str(folder), detail=detail)
    if kind == "full":
        with contextlib.suppress(OSError, AttributeError):  # Windows has no statvfs
            room = os.statvfs(folder)
            free = room.f_bavail * room.f_frsize
    return Refused(f"data-folder-{kind}", path=str(folder), detail=detail, free=free)


def _unwritable(journal: Path) -> OSError | None:
    """Return the error from opening the journal's files for writing or writing a probe beside them.

    None if both succeed.
    """
    for path in (
        journal,
        *(journal.with_name(journal.name + ending) for ending in ("-wal", "-shm")),
    ):
        try:
            os.close(os.open(path, os.O_RDWR))
        except FileNotFoundError:
            continue
        except OSError as error:
            return error
    probe = journal.with_name(f".{journal.name}.{os.getpid()}.probe")
    try:
        handle = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            written = 0
            while written < _PROBE_BYTES:
                written += os.write(handle, b"\0" * (_PROBE_BYTES - written))
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        return error
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    return None


def _unreadable(journal: Path) -> OSError | None:
    """Return the error from reading the file to its end, or None if every byte can be read."""
    try:
        with journal.open("rb", buffering=0) as handle:
            while handle.read(1 << 20):
                pass
    except OSError as error:
        return error
    return None
