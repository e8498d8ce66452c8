"""The folders in which runs are killed, and how they are run there.

A `Lane` is a place with a home, a film's folder, and files that are nobody's business; it is put back to a saved state
before every point. Lanes work beside each other, each with its own paths, because a journal names films by their whole
path.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xxhash

from tests.proofs.launch import ARMING, ROOT, Launcher

_serial = itertools.count(1)


@dataclass(frozen=True)
class Ended:
    """How a run ended: exit code (negative for a signal), its last line, all it said."""

    exit_code: int
    summary: dict[str, Any]
    said: str


@dataclass
class Lane:
    """`root` holds `home`, `out`, `bystanders` and `tmp`; saved states and logs stand beside it."""

    root: Path
    launcher: Launcher = field(default_factory=Launcher)
    _states: dict[str, Path] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """The data folder of every run."""
        return self.root / "home"

    @property
    def mark(self) -> str:
        """What the environment of every process of a run says."""
        return f"HOTSPLICE_PROOF={os.getpid()}-{self.root.name}"

    def beside(self, name: str) -> Path:
        """A fresh name outside the lane."""
        return self.root.with_name(f"{self.root.name}-{name}-{next(_serial)}")

    def clear(self) -> None:
        """An empty lane but for the bystanders."""
        shutil.rmtree(self.root, ignore_errors=True)
        for name in ("home", "out", "tmp", "bystanders/a/b"):
            (self.root / name).mkdir(parents=True)
        for name in ("bystanders/film.mov", "bystanders/a/b/notes.txt", "bystanders/.hidden"):
            (self.root / name).write_text(f"not to be touched: {name}\n", encoding="utf-8")

    def save(self, name: str) -> None:
        """Keep this state to come back to."""
        self._states[name] = self.beside(f"state-{name}")
        shutil.copytree(self.root, self._states[name], symlinks=True)

    def restore(self, name: str) -> None:
        """The saved state with its dates, and nothing else."""
        shutil.rmtree(self.root)
        shutil.copytree(self._states[name], self.root, symlinks=True)

    def _environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        name, _, value = self.mark.partition("=")
        return {
            "HOTSPLICE_HOME": str(self.home),
            "TMPDIR": str(self.root / "tmp"),
            name: value,
            **extra,
        }

    def start(self, argv: Sequence[str], extra: Mapping[str, str]) -> tuple[int, Path]:
        """Begin a run; its process id and where it writes."""
        said = self.beside("said")
        return self.launcher.start(argv, self._environment(extra), said), said

    def finish(self, pid: int, said: Path) -> Ended:
        """Wait for a run that was begun."""
        return _ended(self.launcher.wait(pid), said)

    @staticmethod
    def ended(code: int, said: Path) -> Ended:
        """How a run ended that was waited for by others."""
        return _ended(code, said)

    def run(self, argv: Sequence[str], extra: Mapping[str, str] | None = None) -> Ended:
        """Run a command to its end."""
        return self.finish(*self.start(argv, extra or {}))

    def command(
        self, wrapper: Sequence[str], argv: Sequence[str], extra: Mapping[str, str] | None = None
    ) -> Ended:
        """The real command line in a process of its own, behind a wrapper such as strace."""
        path = os.pathsep.join([str(ARMING), str(ROOT)])
        environment = {
            **os.environ,
            **self._environment(extra or {}),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": path,
        }
        said = self.beside("said")
        with said.open("wb") as out:
            done = subprocess.run(
                [*wrapper, sys.executable, "-m", "bridge.cli.main", *argv],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                timeout=60,
                check=False,
            )
        return _ended(done.returncode, said)


def _ended(code: int, said: Path) -> Ended:
    text = said.read_text(errors="replace")
    said.unlink()
    try:
        summary = json.loads(text.rstrip().rpartition("\n")[2])
    except ValueError:
        summary = {}
    return Ended(code, summary if isinstance(summary, dict) else {}, text)


def bytes_hash(path: Path) -> str:
    """XXH3-128 of a file's bytes; `absent` when there is none, `sealed` when it may not be read."""
    try:
        return xxhash.xxh3_128_hexdigest(path.read_bytes()) if path.is_file() else "absent"
    except PermissionError:
        return "sealed"


def look(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Every file and folder below one: modification time (ns), size, hash."""
    found = {}
    for path in sorted(folder.rglob("*")):
        facts = path.lstat()
        found[str(path.relative_to(folder))] = (
            facts.st_mtime_ns,
            0 if path.is_dir() else facts.st_size,
            bytes_hash(path),
        )
    return found


def alive(mark: str) -> list[int]:
    """Processes whose environment holds this mark; zombies have none."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if mark.encode() in Path("/proc", entry, "environ").read_bytes().split(b"\0"):
                    found.append(int(entry))
            except OSError:
                continue
    return found
