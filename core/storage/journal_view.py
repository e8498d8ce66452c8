"""Read access to a journal that cannot be written.

The disk may be full, the mount read-only, or the folder another user's. SQLite must write even to
read a journal that has a write-ahead log, so a private copy is read instead. The copy is taken only
after opening the journal itself has failed, and is removed when it is closed.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tenacity import Retrying, retry_if_result, stop_after_attempt

from core.errors.refusal import Refused
from core.storage.journal import Journal
from core.storage.journal_faults import UNWRITABLE

_TRIES = 3
"""Attempts to copy the journal while another process may be writing to it."""


class JournalView(Journal):
    """A copy of the journal from the moment of opening. Recording anything raises `fault`."""

    def __init__(self, path: Path, fault: Refused) -> None:
        self.fault = fault
        self._folder = tempfile.TemporaryDirectory(prefix="hotsplice-journal-")
        try:
            super().__init__(_copied(path, Path(self._folder.name)))
        except BaseException:
            self._folder.cleanup()
            raise
        self._viewing = True

    _viewing = False

    def close(self) -> None:
        """Close and remove the copy."""
        super().close()
        self._folder.cleanup()

    @contextlib.contextmanager
    def _whole(self) -> Iterator[None]:
        if self._viewing:
            raise self.fault
        with super()._whole():
            yield


def open_for_reading(path: Path) -> Journal:
    """Open the journal, or a view of it if it cannot be written.

    Raises Refused if it cannot be read either.
    """
    try:
        return Journal(path)
    except Refused as fault:
        if fault.code not in UNWRITABLE or not path.is_file():
            raise
        try:
            return JournalView(path, fault)
        except OSError:
            raise fault from None  # no space for a copy, or the file cannot be read


def _copied(path: Path, folder: Path) -> Path:
    """Copy the journal and its write-ahead log; start over if a writer changes either meanwhile.

    Raises OSError.
    """
    log = path.with_name(path.name + "-wal")
    target = folder / path.name

    def quietly() -> bool:
        before = _stamps(path, log)
        shutil.copyfile(path, target)
        target.with_name(log.name).unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(log, target.with_name(log.name))
        return _stamps(path, log) == before

    Retrying(
        retry=retry_if_result(lambda quiet: not quiet),
        stop=stop_after_attempt(_TRIES),
        retry_error_callback=lambda _: False,  # SQLite detects an inconsistent copy
    )(quietly)
    return target


def _stamps(*paths: Path) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = []
    for path in paths:
        try:
            facts = path.stat()
            found.append((facts.st_ino, facts.st_size, facts.st_mtime_ns))
        except FileNotFoundError:
            found.append(())
    return found
