"""Run Hotsplice as a user does, and keep everything it said."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.command import hotsplice

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ended:
    """How a run ended. `events` are the lines of `--json`, `summary` the last of them."""

    code: int
    events: list[dict[str, Any]]
    film: Path

    @property
    def summary(self) -> dict[str, Any]:
        """The closing report; empty when there was none."""
        return self.events[-1] if self.events and self.events[-1]["event"] == "summary" else {}

    def facts(self, kind: str) -> list[dict[str, Any]]:
        """The bodies of all recorded facts of a kind."""
        return [
            event["body"]
            for event in self.events
            if event["event"] == "fact" and event["kind"] == kind
        ]

    @property
    def made(self) -> int:
        """How many pictures this run rendered or read for copying; what checkpoints held is not counted."""
        return int(self.summary["rendered_frames"])

    @property
    def codes(self) -> set[str]:
        """The codes of all problems that were reported."""
        return {problem["code"] for problem in self.summary["problems"]}


@dataclass(frozen=True)
class House:
    """A user's data folder, and the commands run with it."""

    home: Path

    def run(self, *words: str | Path) -> Ended:
        """Any command with `--json`."""
        done = self._call(*words)
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        return Ended(done.returncode, [json.loads(line) for line in lines], Path())

    def words(self, *words: str | Path) -> str:
        """What any command says to a person."""
        return self._call(*words).stdout

    def _call(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return hotsplice(*words, home=self.home)

    def assemble(
        self,
        timeline: Path,
        film: Path,
        preset: str | None = None,
        *,
        jobs: int = 1,
        search: tuple[Path, ...] = (),
    ) -> Ended:
        """`hotsplice assemble`."""
        chosen = ["--preset", preset] if preset else []
        folders = [word for folder in search for word in ("--search", folder)]
        ended = self.run(
            "assemble", timeline, "-o", film, "--json", "--jobs", str(jobs), *chosen, *folders
        )
        return Ended(ended.code, ended.events, film)

    def preset(self, name: str, text: str) -> None:
        """Put a preset of the user's own in place."""
        folder = self.home / "presets"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
