"""Timelines on their way from a client to the journal.

They are kept as files in the data folder, so that memory holds no more than a chunk.

    <home>/uploads/CLIENT-SUBMISSION   the bytes received so far; its length is the progress

An upload belongs to the key that started it. After a break it resumes from its length, so that no
other state is needed. The bytes are not flushed: the digest of the whole timeline reveals damage
from a power cut. The process that reads a timeline removes it; an abandoned upload is removed after
`KEPT_S`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from bridge.protocol.requests import LARGEST_TIMELINE, Chunk, Submit, Upload
from bridge.protocol.wire import Buffer
from core.errors.refusal import Refused
from core.system import machine, private_files

FOLDER = "uploads"
KEPT_S = 24 * 3600.0
"""Seconds after which an abandoned upload is removed."""
RESTED_S = 600.0
"""Seconds without a write after which an upload may be removed to make room for a new one."""
MOST_OF_ONE, MOST = 12, 24
"""Maximum number of uploads at once, of one client and of all."""


class Uploads:
    """The uploads in one data folder. Only one process may write there at a time."""

    def __init__(self, home: Path) -> None:
        self.folder = home / FOLDER
        self._sizes: dict[Path, int] = {}

    def begin(self, key: bytes, asked: Upload) -> int:
        """Start or resume an upload; return the number of bytes received so far.

        Raises Refused(message-too-large, companion-busy, upload-failing).
        """
        if asked.size > LARGEST_TIMELINE:
            raise Refused(
                "message-too-large",
                detail=f"{asked.size} bytes, at most {LARGEST_TIMELINE} are read",
            )
        path = self.place(key, asked.submission, asked.sha256)
        with self._failing():
            received = self._make(path)
            if received > asked.size:
                os.truncate(path, 0)
                received = 0
        self._sizes[path] = asked.size
        return received

    def add(self, key: bytes, asked: Chunk, sha256: str, data: Buffer) -> int:
        """Append a chunk; return the number of bytes received so far.

        A chunk that does not start where the last one ended changes nothing. Raises
        Refused(upload-missing, upload-failing, message-too-large).
        """
        path = self.place(key, asked.submission, sha256)
        size = self._sizes.get(path)
        if size is None:
            raise Refused("upload-missing")
        if asked.at + len(data) > size:
            raise Refused(
                "message-too-large", detail=f"{asked.at + len(data)} bytes, {size} were announced"
            )
        with self._failing():
            try:
                handle = os.open(path, os.O_WRONLY | getattr(os, "O_BINARY", 0))
            except FileNotFoundError:
                raise Refused("upload-missing") from None
            try:
                received = os.fstat(handle).st_size
                if received == asked.at:
                    received += _written(handle, data, asked.at)
                return received
            finally:
                os.close(handle)

    def whole(self, key: bytes, asked: Submit, data: Buffer) -> Path:
        """Store a timeline that came in one piece, as if it had been uploaded; return its path.

        Raises Refused(companion-busy, upload-failing).
        """
        path = self.place(key, asked.submission, asked.sha256)
        with self._failing():
            self._make(path)
            handle = os.open(path, os.O_WRONLY | os.O_TRUNC | getattr(os, "O_BINARY", 0))
            try:
                _written(handle, data, 0)
            finally:
                os.close(handle)
        return path

    def place(self, key: bytes, submission: str, sha256: str) -> Path:
        """Return the path of an upload, whether it exists or not."""
        name = hashlib.sha256(f"{submission} {sha256}".encode()).hexdigest()[:40]
        return self.folder / f"{_client(key)}-{name}"

    def tidy(self, now: float) -> int:
        """Remove abandoned uploads; return their number. `now` is in Unix seconds."""
        old = [path for path, changed in self._all() if now - changed > KEPT_S]
        for path in old:
            self._forget(path)
        return len(old)

    def _make(self, path: Path) -> int:
        """Create the private file of an upload if it is missing; return the file's length.

        Keeps the number of uploads within the limits.
        """
        with contextlib.suppress(FileNotFoundError):
            return path.stat().st_size
        private_files.make_folder(self.folder)
        self._make_room(path.name.partition("-")[0])
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        return 0

    def _make_room(self, client: str) -> None:
        known = sorted(self._all(), key=lambda one: one[1])
        mine = [one for one in known if one[0].name.startswith(client)]
        for some, most in ((mine, MOST_OF_ONE), (known, MOST)):
            if len(some) < most:
                continue
            oldest, changed = some[0]
            if machine.now() - changed < RESTED_S:
                raise Refused("companion-busy")
            self._forget(oldest)

    def _forget(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._sizes.pop(path, None)

    def _all(self) -> list[tuple[Path, float]]:
        """Return all uploads, each with the time of its last write."""
        found = []
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                with contextlib.suppress(OSError):
                    found.append((path, path.stat().st_mtime))
        return found

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Refused(
                "upload-failing", path=str(self.folder), detail=error.strerror or str(error)
            ) from error


def read(path: Path) -> bytes | None:
    """Read an uploaded timeline. Returns None if it is missing or unreadable."""
    try:
        return path.read_bytes()
    except OSError:
        return None


def _written(handle: int, data: Buffer, at: int) -> int:
    os.lseek(handle, at, os.SEEK_SET)
    left = memoryview(data)
    while left:
        left = left[os.write(handle, left) :]
    return len(data)


def _client(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:16]
