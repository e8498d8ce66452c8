"""Volumes that can be had here: one that fails as it is told, small ones, and ones that go away and come back.

with faulty(folder) as volume:                          # the folder's content, through FUSE
    volume.fail("read", errno=errno.EIO, match="a.mov"); ...; assert volume.fired; volume.clear()
with small(folder, megabytes=2): ...
with removable(folder) as drive: drive.pull(); drive.plug()
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.proofs.hindrances import can_mount

ROOT = Path(__file__).parents[2]


@lru_cache(maxsize=1)
def why_no_fuse() -> str:
    """What is missing for a faulty volume; empty when it can be had."""
    try:
        import mfusepy  # noqa: F401
    except (ImportError, OSError) as error:
        return f"mfusepy does not load ({error})"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "/dev/fuse may not be used"
    return "" if shutil.which("fusermount3") else "fusermount3 is not installed"


def why_no_mount() -> str:
    """What is missing for small and removable volumes."""
    return "" if can_mount() else "nothing can be mounted here (root is needed)"


class Faulty:
    """A mounted volume and the program behind it."""

    def __init__(self, folder: Path, kind: str = "") -> None:
        self.folder, self._kind = folder, kind
        self.behind = folder.with_name(f"{folder.name}.behind")
        folder.rename(self.behind)
        folder.mkdir()
        self._mount()

    def _mount(self) -> None:
        words = [
            sys.executable,
            "-m",
            "tests.faults.volume",
            str(self.behind),
            str(self.folder),
            *([self._kind] if self._kind else []),
        ]
        with self.folder.with_name(f"{self.folder.name}.said").open("ab") as said:
            self._server = subprocess.Popen(
                words,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
        deadline = time.monotonic() + 10
        while not os.path.ismount(self.folder):
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.folder} could not be mounted")
            time.sleep(0.01)

    def _say(self, **told: Any) -> int:
        assert self._server.stdin and self._server.stdout
        self._server.stdin.write(json.dumps(told) + "\n")
        self._server.stdin.flush()
        return int(json.loads(self._server.stdout.readline())["fired"])

    def fail(self, *ops: str, match: str = "", **how: Any) -> None:
        """From now on; see `tests.faults.volume`."""
        self._say(do="fail", ops=ops, match=match, **how)

    def clear(self) -> None:
        """All is well again, and whoever hangs goes on."""
        self._say(do="clear")

    @property
    def fired(self) -> int:
        """How many calls were struck."""
        return self._say(do="fired")

    def vanish(self) -> None:
        """The program behind it is killed: whoever looks is told that the endpoint is not connected."""
        self._server.kill()
        self._server.wait()

    def come_back(self) -> None:
        """Mounted anew."""
        subprocess.run(
            ["fusermount3", "-u", "-z", str(self.folder)], check=True, capture_output=True
        )
        self._mount()

    def close(self) -> None:
        """Unmount, and put the folder back."""
        if self._server.poll() is None:
            self.clear()
        for _ in range(50):
            if not subprocess.run(
                ["fusermount3", "-u", "-z", str(self.folder)], check=False, capture_output=True
            ).returncode:
                break
            time.sleep(0.1)
        try:
            self._server.wait(5)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        for stream in (self._server.stdin, self._server.stdout):
            if stream:
                stream.close()
        self.folder.rmdir()
        self.behind.rename(self.folder)


@contextmanager
def faulty(folder: Path, kind: str = "") -> Iterator[Faulty]:
    """A folder as a volume that fails as it is told."""
    volume = Faulty(folder, kind)
    try:
        yield volume
    finally:
        volume.close()


@contextmanager
def small(folder: Path, *, kilobytes: int, handles: str = "") -> Iterator[Path]:
    """An empty volume of this size at the folder, with the folder's content; a file `.filler` fills it to the last byte."""
    with mounted(folder, "-t", "tmpfs", "-o", f"size={kilobytes}k{handles}", "hotsplice-proof"):
        yield folder / ".filler"


@contextmanager
def mounted(folder: Path, *words: str) -> Iterator[None]:
    """Something mounted over a folder for a while, the folder's content copied into it and back."""
    kept = folder.with_name(f"{folder.name}.kept")
    folder.rename(kept)
    folder.mkdir()
    subprocess.run(["mount", *words, str(folder)], check=True, capture_output=True)
    shutil.copytree(kept, folder, symlinks=True, dirs_exist_ok=True)
    try:
        yield
    finally:
        shutil.rmtree(kept)
        subprocess.run(
            ["mount", "-o", "remount,rw,size=1g", str(folder)], check=False, capture_output=True
        )
        (folder / ".filler").unlink(missing_ok=True)
        shutil.copytree(folder, kept, symlinks=True)
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)
        folder.rmdir()
        kept.rename(folder)


class Removable:
    """A drive that can be pulled and plugged in again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.fired = folder, 0
        self.behind = folder.with_name(f"{folder.name}.drive")
        folder.rename(self.behind)
        folder.mkdir()
        self.plug()

    def plug(self) -> None:
        """It is there."""
        subprocess.run(["mount", "--bind", str(self.behind), str(self.folder)], check=True)

    def pull(self) -> None:
        """It is gone; what was open stays open."""
        subprocess.run(["umount", "-l", str(self.folder)], check=True)
        self.fired += 1

    def close(self) -> None:
        """The folder as it was."""
        subprocess.run(["umount", "-l", str(self.folder)], check=False, capture_output=True)
        self.folder.rmdir()
        self.behind.rename(self.folder)


@contextmanager
def removable(folder: Path) -> Iterator[Removable]:
    """A folder as a drive of its own."""
    drive = Removable(folder)
    try:
        yield drive
    finally:
        drive.close()
