"""A file system that fails as it is told (FUSE): everything is passed on to a folder, until a rule says otherwise.

    python -m tests.faults.volume FOLDER MOUNT_POINT [KIND]

Commands come as lines of JSON on standard input, one answer each on standard output:
    {"do": "fail", "ops": ["read"], "match": "a\\.mov$", "errno": 5, "after": 3, "times": 0}     every such call but the first 3
    {"do": "fail", "ops": [...], "hang": true}     until cleared          "delay": 0.5     seconds before each
    {"do": "fail", "ops": ["read"], "flip": 4096}  one bit at that place  "end": 4096      the file seems to end there
    {"do": "clear"}                                {"do": "fired"} how many calls any rule has touched
`KIND` makes the mount `fuse.KIND` (`sshfs` is a network file system to everybody).
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from mfusepy import FUSE, FuseOSError, Operations

T = TypeVar("T")


class Rule:
    """What one command asked for."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.ops, self.match = set(told["ops"]), re.compile(told.get("match", ""))
        self.errno, self.hang, self.delay = (
            told.get("errno", 0),
            told.get("hang", False),
            told.get("delay", 0.0),
        )
        self.flip, self.end = told.get("flip"), told.get("end")
        self.after, self.times = told.get("after", 0), told.get("times", 0)
        self.seen = 0

    def concerns(self, op: str, path: str) -> bool:
        """Whether this call is struck; counts it."""
        if op not in self.ops or not self.match.search(path):
            return False
        self.seen += 1
        return self.seen > self.after and (not self.times or self.seen <= self.after + self.times)


class Faulty(Operations):  # type: ignore[misc]
    """The folder, seen through the rules."""

    use_ns = True

    def __init__(self, root: str) -> None:
        self.root, self.rules, self.fired = root, list[Rule](), 0
        self._guard, self.go_on = threading.Lock(), threading.Event()

    def command(self, told: dict[str, Any]) -> dict[str, Any]:
        """Do what a line of standard input says."""
        with self._guard:
            if told["do"] == "fail":
                self.rules.append(Rule(told))
            elif told["do"] == "clear":
                self.rules.clear()
                self.go_on.set()
                self.go_on = threading.Event()
            return {"fired": self.fired}

    def _struck(self, op: str, path: str) -> Rule | None:
        with self._guard:
            rule = next((rule for rule in self.rules if rule.concerns(op, path)), None)
            self.fired += rule is not None
            go_on = self.go_on
        if rule is None:
            return None
        if rule.delay:
            time.sleep(rule.delay)
        if rule.hang:
            go_on.wait()
        if rule.errno:
            raise FuseOSError(rule.errno)
        return rule

    def _real(self, op: str, path: str, call: Callable[..., T], *words: Any) -> T:
        self._struck(op, path)
        try:
            return call(*words)
        except OSError as error:
            raise FuseOSError(error.errno) from error

    def _at(self, path: str) -> str:
        return self.root + path

    # Names ------------------------------------------------------------------------------------------------------------

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        facts = self._real("getattr", path, os.lstat, self._at(path))
        found = {
            name: getattr(facts, name)
            for name in ("st_gid", "st_mode", "st_nlink", "st_size", "st_uid", "st_ino")
        }
        return {
            **found,
            **{name: getattr(facts, f"{name}_ns") for name in ("st_atime", "st_mtime", "st_ctime")},
        }

    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *self._real("readdir", path, os.listdir, self._at(path))]

    def access(self, path: str, mode: int) -> None:
        self._struck("access", path)

    def statfs(self, path: str) -> dict[str, Any]:
        facts = self._real("statfs", path, os.statvfs, self._at(path))
        names = (
            "bavail",
            "bfree",
            "blocks",
            "bsize",
            "favail",
            "ffree",
            "files",
            "flag",
            "frsize",
            "namemax",
        )
        return {f"f_{name}": getattr(facts, f"f_{name}") for name in names}

    def mkdir(self, path: str, mode: int) -> None:
        self._real("mkdir", path, os.mkdir, self._at(path), mode)

    def rmdir(self, path: str) -> None:
        self._real("rmdir", path, os.rmdir, self._at(path))

    def unlink(self, path: str) -> None:
        self._real("unlink", path, os.unlink, self._at(path))

    def rename(self, old: str, new: str, *flags: int) -> None:
        self._real("rename", old, os.rename, self._at(old), self._at(new))

    def link(self, target: str, source: str) -> None:
        self._real("link", target, os.link, self._at(source), self._at(target))

    def symlink(self, target: str, source: str) -> None:
        self._real("symlink", target, os.symlink, source, self._at(target))

    def readlink(self, path: str) -> str:
        return self._real("readlink", path, os.readlink, self._at(path))

    def chmod(self, path: str, mode: int) -> None:
        self._real("chmod", path, os.chmod, self._at(path), mode)

    def chown(self, path: str, uid: int, gid: int) -> None:
        self._real("chown", path, os.chown, self._at(path), uid, gid)

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> None:
        self._real("utimens", path, lambda: os.utime(self._at(path), ns=times))

    # Bytes ------------------------------------------------------------------------------------------------------------

    def open(self, path: str, flags: int) -> int:
        return self._real("open", path, os.open, self._at(path), flags & ~os.O_APPEND)

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        return self._real(
            "create", path, os.open, self._at(path), os.O_RDWR | os.O_CREAT | os.O_TRUNC, mode
        )

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        rule = self._struck("read", path)
        if rule and rule.end is not None:
            size = max(0, min(size, rule.end - offset))
        data = os.pread(fh, size, offset)
        if rule and rule.flip is not None and offset <= rule.flip < offset + len(data):
            place = rule.flip - offset
            data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        return data

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        return self._real("write", path, os.pwrite, fh, data, offset)

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        self._real("truncate", path, os.truncate, self._at(path), length)

    def flush(self, path: str, fh: int) -> None:
        self._struck("flush", path)

    def fsync(self, path: str, datasync: int, fh: int) -> None:
        self._real("fsync", path, os.fsync, fh)

    def fsyncdir(self, path: str, datasync: int, fh: int) -> None:
        self._struck("fsyncdir", path)

    def release(self, path: str, fh: int) -> None:
        os.close(fh)


def main() -> None:
    """Serve until the mount is taken away."""
    folder, mount_point, *kind = sys.argv[1:]
    volume = Faulty(os.path.realpath(folder))

    def obey() -> None:
        for line in sys.stdin:
            print(json.dumps(volume.command(json.loads(line))), flush=True)

    threading.Thread(target=obey, daemon=True).start()
    more = {"subtype": kind[0]} if kind else {}
    FUSE(
        volume, mount_point, foreground=True, nothreads=False, direct_io=True, attr_timeout=0, entry_timeout=0, negative_timeout=0,
        **more,
    )  # fmt: skip


if __name__ == "__main__":
    main()
