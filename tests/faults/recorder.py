"""A FUSE file system that passes every call on to a folder and records every change, in order, for `crash_states`.

    python -m tests.faults.recorder

Commands are lines of JSON on standard input, one answer each on standard output:
    {"do": "mount", "folder": F, "at": M, "numbers": N}   serve folder F at mount point M, with an empty record; N: path to number
    {"do": "numbers"}                       answer with the numbers of all paths
    {"do": "trace", "file": T}              pickle the record, the fields of each `Change`, into T
    {"do": "vanish", "after": N, "sign": F} exit without a word at the N-th read or change from now on; with F: make file F instead
The process serves one mount at a time. After `fusermount3 -u M` it waits for the next `mount`.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pickle
import queue
import sys
import threading
import time
from typing import Any, NamedTuple

from mfusepy import FUSE, FuseOSError

from tests.faults.volume import Faulty

ROOT = 0
"""The number of the mounted folder itself."""


class Change(NamedTuple):
    """One change of the volume. `at` is CLOCK_MONOTONIC in ns, the same clock in every process, taken when the call had its
    effect. Files and folders have numbers that are never used again; `path` is for people. `words` by `op`:

    create, mkdir: (number, parent, name, mode); symlink: (number, parent, name, target); link: (number, parent, name);
    unlink, rmdir: (parent, name); rename: (number, old parent, old name, new parent, new name);
    write: (number, offset, bytes); truncate: (number, length); fsync, fsyncdir: (number,); chmod: (number, mode);
    utimens: (number, mtime in ns)
    """

    at: int
    op: str
    path: str
    words: tuple[Any, ...]


class Recorder(Faulty):
    """The folder, with a record of what was done to it. Numbers follow the inodes of the folder behind, and are the inodes of
    the mount: given the `numbers` of an earlier mount, its files have the inodes again that they had, as on a real disk."""

    def __init__(self, root: str, numbers: dict[str, int] | None = None) -> None:
        super().__init__(root)
        self.changes: list[Change] = []
        self.vanish_after, self.sign = 0, ""
        self._one = threading.RLock()
        self._numbers: dict[int, int] = {os.lstat(root).st_ino: ROOT}
        self._next = 1
        for path, number in (numbers or {}).items():
            self._next = max(self._next, number + 1)
            with contextlib.suppress(FileNotFoundError):  # renamed or removed since
                self._numbers[os.lstat(os.path.join(root, path)).st_ino] = number
        for folder, folders, files in os.walk(root):
            for name in sorted(folders + files):
                self._number(os.lstat(os.path.join(folder, name)).st_ino)

    def number_of(self, path: str) -> int:
        """The number of what has this name now."""
        return self._number(os.lstat(self._at(path)).st_ino)

    def numbers(self) -> dict[str, int]:
        """The number of every path, relative to the folder."""
        return {
            os.path.relpath(path, self.root): self._number(os.lstat(path).st_ino)
            for path in _paths(self.root)
        }

    def _number(self, inode: int) -> int:
        if inode not in self._numbers:
            self._numbers[inode], self._next = self._next, self._next + 1
        return self._numbers[inode]

    def _new(self, inode: int) -> int:
        self._numbers.pop(inode, None)  # the file that had this inode is gone for good
        return self._number(inode)

    def _of(self, path: str, fh: int | None) -> int:
        return self._number(os.fstat(fh).st_ino) if fh is not None else self.number_of(path)

    def _parent(self, path: str) -> tuple[int, str]:
        folder, _, name = path.rpartition("/")
        return self.number_of(folder or "/"), name

    def _note(self, op: str, path: str, *words: Any) -> None:
        self.changes.append(Change(time.monotonic_ns(), op, path, words))
        self._count()

    def _count(self) -> None:
        if self.vanish_after:
            self.vanish_after -= 1
            if not self.vanish_after and self.sign:
                os.close(os.open(self.sign, os.O_WRONLY | os.O_CREAT, 0o600))
            elif not self.vanish_after:
                os._exit(1)

    # Names ------------------------------------------------------------------------------------------------------------

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        if fh is None:
            found = super().getattr(path)
            return {**found, "st_ino": self._inode(found["st_ino"])}
        facts = os.fstat(fh)
        found = {
            name: getattr(facts, name)
            for name in ("st_gid", "st_mode", "st_nlink", "st_size", "st_uid")
        }
        return {
            **found,
            "st_ino": self._inode(facts.st_ino),
            **{name: getattr(facts, f"{name}_ns") for name in ("st_atime", "st_mtime", "st_ctime")},
        }

    def _inode(self, behind: int) -> int:
        with self._one:
            return self._number(behind) + 1

    def readdir(self, path: str, fh: int) -> Any:
        found = []  # a name without an inode number is left out by the C library
        for name in super().readdir(path, fh):
            with contextlib.suppress(OSError):
                facts = os.lstat(os.path.join(self._at(path), name))
                found.append(
                    (name, {"st_ino": self._inode(facts.st_ino), "st_mode": facts.st_mode}, 0)
                )
        return found

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        with self._one:
            fh = super().create(path, mode, fi)
            number = self._new(os.fstat(fh).st_ino)
            self._note("create", path, number, *self._parent(path), mode)
            return fh

    def mkdir(self, path: str, mode: int) -> None:
        with self._one:
            super().mkdir(path, mode)
            number = self._new(os.lstat(self._at(path)).st_ino)
            self._note("mkdir", path, number, *self._parent(path), mode)

    def symlink(self, target: str, source: str) -> None:
        with self._one:
            super().symlink(target, source)
            number = self._new(os.lstat(self._at(target)).st_ino)
            self._note("symlink", target, number, *self._parent(target), source)

    def link(self, target: str, source: str) -> None:
        with self._one:
            super().link(target, source)
            self._note("link", target, self.number_of(target), *self._parent(target))

    def unlink(self, path: str) -> None:
        with self._one:
            super().unlink(path)
            self._note("unlink", path, *self._parent(path))

    def rmdir(self, path: str) -> None:
        with self._one:
            super().rmdir(path)
            self._note("rmdir", path, *self._parent(path))

    def rename(self, old: str, new: str, *flags: int) -> None:
        if any(flags):
            raise FuseOSError(errno.EINVAL)
        with self._one:
            number, before = self.number_of(old), self._parent(old)
            super().rename(old, new)
            self._note("rename", f"{old} to {new}", number, *before, *self._parent(new))

    def chmod(self, path: str, mode: int) -> None:
        with self._one:
            super().chmod(path, mode)
            self._note("chmod", path, self.number_of(path), mode)

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> None:
        with self._one:
            super().utimens(path, times)
            self._note("utimens", path, self.number_of(path), os.lstat(self._at(path)).st_mtime_ns)

    # Bytes ------------------------------------------------------------------------------------------------------------

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        data = super().read(path, size, offset, fh)
        with self._one:
            self._count()
        return data

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        with self._one:
            written = super().write(path, data, offset, fh)
            self._note("write", path, self._of(path, fh), offset, bytes(data[:written]))
            return written

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        with self._one:
            if fh is None:
                super().truncate(path, length)
            else:
                os.ftruncate(fh, length)
            self._note("truncate", path, self._of(path, fh), length)

    def fsync(self, path: str, datasync: int, fh: int) -> None:
        with self._one:  # the folder behind is not flushed: nobody cuts its power
            self._note("fsync", path, self._of(path, fh))

    def fsyncdir(self, path: str, datasync: int, fh: int) -> None:
        with self._one:
            self._note("fsyncdir", path, self.number_of(path))


def _paths(root: str) -> list[str]:
    return [
        os.path.join(folder, name)
        for folder, folders, files in os.walk(root)
        for name in folders + files
    ]


def main() -> None:
    """Serve mounts until standard input ends."""
    mounts: queue.Queue[tuple[Recorder, str] | None] = queue.Queue()
    now: list[Recorder] = []

    def obey() -> None:
        for line in sys.stdin:
            told, answer = json.loads(line), dict[str, int]()
            if told["do"] == "mount":
                now[:] = [Recorder(os.path.realpath(told["folder"]), told.get("numbers"))]
                mounts.put((now[0], told["at"]))
            elif told["do"] == "numbers":
                answer = now[0].numbers()
            elif told["do"] == "vanish":
                now[0].sign, now[0].vanish_after = told["sign"], told["after"]
            else:
                with open(told["file"], "wb") as file:
                    pickle.dump([tuple(change) for change in now[0].changes], file)
            print(json.dumps(answer), flush=True)
        mounts.put(None)

    threading.Thread(target=obey, daemon=True).start()
    while (asked := mounts.get()) is not None:
        volume, place = asked
        # Not direct: SQLite maps its shared memory. Nothing is remembered about names and sizes, so that a remount shows at once.
        FUSE(
            volume, place, foreground=True, nothreads=False, hard_remove=True, use_ino=True, attr_timeout=0, entry_timeout=0,
            negative_timeout=0,
        )  # fmt: skip


if __name__ == "__main__":
    main()
