"""Volumes that record every change (`tests.faults.recorder`), seen from the proof that mounts them."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.faults.recorder import Change

ROOT = Path(__file__).parents[2]


class RecordedVolume:
    """A mount point, the folder behind it, and the process that serves it."""

    def __init__(self, place: Path, behind: Path) -> None:
        self.place, self.behind = place, behind
        self.numbers: dict[str, int] = {}
        """The numbers that files and folders have from the next `mount` on, by their paths; what is not named gets a new one."""
        self._server: subprocess.Popen[str] | None = None
        self._former: list[subprocess.Popen[str]] = []

    @property
    def mounted(self) -> bool:
        """Whether the volume is there."""
        return os.path.ismount(self.place)

    def _say(self, **told: object) -> dict[str, int]:
        if self._server is None or self._server.poll() is not None:
            with self.behind.with_name(f"{self.behind.name}.said").open("ab") as said:
                self._server = subprocess.Popen(
                    [sys.executable, "-m", "tests.faults.recorder"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=said, text=True,
                )  # fmt: skip
        assert self._server.stdin and self._server.stdout
        self._server.stdin.write(json.dumps(told) + "\n")
        self._server.stdin.flush()
        answer = self._server.stdout.readline()
        if not answer:
            raise RuntimeError(f"the program behind {self.place} has ended")
        return dict(json.loads(answer))

    def mount(self) -> None:
        """Serve the folder behind, with an empty record."""
        self.place.mkdir(parents=True, exist_ok=True)
        self.behind.mkdir(parents=True, exist_ok=True)
        self._say(do="mount", folder=str(self.behind), at=str(self.place), numbers=self.numbers)
        deadline = time.monotonic() + 10
        while not self.mounted:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.place} could not be mounted")
            time.sleep(0.002)

    def numbered(self) -> dict[str, int]:
        """The numbers that files and folders have now."""
        return self._say(do="numbers")

    def unmount(self) -> None:
        """Take it away, whoever uses it. The mount point is an empty folder then."""
        subprocess.run(
            ["fusermount3", "-u", "-z", str(self.place)], check=True, capture_output=True
        )

    def trace(self) -> list[Change]:
        """What was changed since `mount`, in order."""
        file = self.behind.with_name(f"{self.behind.name}.trace")
        self._say(do="trace", file=str(file))
        changes = [Change(*fields) for fields in pickle.loads(file.read_bytes())]
        file.unlink()
        return changes

    def vanish_after(self, calls: int, *, at_once: bool) -> None:
        """Be `gone` after so many reads and changes from now on. `at_once`: the program behind it ends, and every call fails, as
        with a drive that is pulled. Otherwise what is open stays open, as with a drive that is ejected by force."""
        self._sign.unlink(missing_ok=True)
        self._say(do="vanish", after=calls, sign="" if at_once else str(self._sign))

    @property
    def _sign(self) -> Path:
        return self.behind.with_name(f"{self.behind.name}.gone")

    @property
    def gone(self) -> bool:
        """Whether the moment of `vanish_after` has come."""
        return self._sign.exists() or (self._server is not None and self._server.poll() is not None)

    def forget(self) -> None:
        """Take the mount away; whatever still has a file open may go on with it. The next `mount` is another program's."""
        self.unmount()
        if self._server is not None:
            self._former.append(self._server)
            self._server = None
        self._sign.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave no mount, process or folder behind."""
        if self.mounted:
            self.unmount()
        for server in [*self._former, *([self._server] if self._server else [])]:
            assert server.stdin and server.stdout
            server.stdin.close()
            try:
                server.wait(0.2 if server is not self._server else 5)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            server.stdout.close()
        self._former.clear()
        self._server = None
        shutil.rmtree(self.behind, ignore_errors=True)
