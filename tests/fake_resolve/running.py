"""A Resolve for tests: start one with a timeline open, choose the script, read the Console and the markers."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "resolve_scripts" / "Hotsplice - Assemble Timeline.py"
BARE = (sys.executable, "-S", "-E")
"""A Python in which nothing is installed."""


@cache
def pythons() -> tuple[str, ...]:
    """Interpreters on this machine that run, one of each version, oldest first: plain ones on the path, and those of pyenv."""
    places = [found for minor in range(6, 16) if (found := shutil.which(f"python3.{minor}"))]
    places += [str(path) for path in Path.home().glob(".pyenv/versions/3.*/bin/python")]
    working = {sys.version_info[:2]: sys.executable}
    for place in places:
        asked = [place, "-c", "import sys; print(*sys.version_info[:2])"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if not done.returncode:
            major, minor = map(int, done.stdout.split())
            working.setdefault((major, minor), place)
    return tuple(working[version] for version in sorted(working))


class Resolve:
    """The process, and what a user does in it."""

    def __init__(
        self, folder: Path, otio: Path, *, name: str = "Reel 1", project: str = "Harbour", home: Path, python: tuple[str, ...] = BARE,
        **state: Any,
    ) -> None:  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        timeline = {"name": name, "otio": str(otio), **state.pop("timeline", {})}
        self.state = {"project": {"name": project, "timelines": [timeline]}, "manners": state}
        (folder / "state.json").write_text(json.dumps(self.state), encoding="utf-8")
        self.environment = {
            "HOTSPLICE_HOME": str(home), "HOTSPLICE_FILMS": str(folder), "PYTHONHOME": "/nowhere", "PYTHONPATH": "/opt/resolve",
        }  # fmt: skip
        self.python = python
        """What it runs scripts with."""
        self.film = folder / project / f"{name}.mov"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fake_resolve", str(folder / "state.json")], cwd=ROOT, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip

    def close(self) -> None:
        """Quit Resolve."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()

    def do(self, command: str, **more: Any) -> Any:
        """One command of `__main__`."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"do": command, **more}).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the fake Resolve has ended"
        return json.loads(line)["got"]

    def choose(self, script: Path = SCRIPT, **environment: str) -> None:
        """Choose the script from the menu."""
        self.do(
            "run",
            script=str(script),
            python=list(self.python),
            environment={**self.environment, **environment},
        )

    def console(self) -> list[str]:
        """What the script has printed so far."""
        lines: list[str] = self.do("console")["lines"]
        return lines

    def ended(self, most_s: float = 120) -> list[str]:
        """Wait for the script's end; all that it printed."""
        until = time.monotonic() + most_s
        while (said := self.do("console"))["code"] is None:
            assert time.monotonic() < until, said["lines"]
            time.sleep(0.05)
        lines: list[str] = said["lines"]
        assert said["code"] == 0, lines
        assert not any("Traceback" in line for line in lines), lines
        return lines

    def run(self, **environment: str) -> list[str]:
        """Choose the script and wait for its end."""
        self.choose(**environment)
        return self.ended()

    def mark(self, frame: int, name: str, color: str = "Blue", custom: str = "") -> None:
        """A marker of the user's own."""
        assert self.do(
            "call", method="AddMarker", **{"with": [frame, color, name, "mine", 1, custom]}
        )

    def markers(self) -> dict[int, dict[str, Any]]:
        """All markers by offset from the start."""
        found = self.do("call", method="GetMarkers", **{"with": []})
        return {int(frame): said for frame, said in found.items()}


@contextlib.contextmanager
def resolve(folder: Path, otio: Path, **state: Any) -> Iterator[Resolve]:
    """A Resolve with this timeline open, quit afterwards."""
    made = Resolve(folder, otio, **state)
    try:
        yield made
    finally:
        made.close()
