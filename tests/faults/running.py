"""A run that can be watched, struck and waited for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]


class TooLate(Exception):
    """What was waited for did not happen."""


class Seen(NamedTuple):
    """A fault that the run spoke of. `strategy`, `change` and `gate` are what it decided."""

    at: float
    code: str
    type: str
    strategy: str = ""
    change: str = ""
    gate: str = ""


class Run:
    """A job under way. `wrapper` goes before the program (strace, faketime); `prepare` runs in the child before it begins.
    `command` is another program that tells of itself as `hotsplice assemble --json` does."""

    def __init__(
        self, ask: dict[str, Any], folder: Path, *, wrapper: Sequence[str] = (), environment: dict[str, str] | None = None,
        prepare: Callable[[], None] | None = None, command: Sequence[str] = (),
    ) -> None:  # fmt: skip
        number = len(list(folder.glob("ask*.json")))
        path = folder / f"ask{number}.json"
        path.write_text(json.dumps(ask), encoding="utf-8")
        self.mark = f"HOTSPLICE_PROOF={os.getpid()}-{folder.name}"
        name, _, value = self.mark.partition("=")
        self.lines: list[dict[str, Any]] = []
        self._news = threading.Condition()
        self._complaints = (folder / f"said{number}").open("w+b")
        self.process = subprocess.Popen(
            [*wrapper, *(command or (sys.executable, "-m", "tests.faults.assembling", str(path)))],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._complaints, preexec_fn=prepare,
            env={**os.environ, **(environment or {}), name: value, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self._news:
                self.lines.append(_told(line))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def facts(self, kind: str) -> list[dict[str, Any]]:
        """The facts of a kind so far."""
        return [line["fact"] for line in list(self.lines) if line.get("fact", {}).get("is") == kind]

    def at(self, kind: str) -> float | None:
        """When a fact of this kind came first."""
        return next(
            (line["at"] for line in list(self.lines) if line.get("fact", {}).get("is") == kind),
            None,
        )

    def faults(self) -> list[Seen]:
        """Everything that went wrong so far, as the run named it."""
        found = []
        for line in list(self.lines):
            fact = line.get("fact", {})
            if fact.get("is") == "AttemptFailed":
                failure, decided = fact["failure"], fact["recovery"]
                found.append(
                    Seen(
                        line["at"],
                        failure["code"],
                        failure["type"],
                        decided["strategy"],
                        decided.get("change", ""),
                        decided.get("gate", ""),
                    )
                )
            elif fact.get("is") == "GateClosed":
                found.append(
                    Seen(
                        line["at"],
                        fact["failure"]["code"],
                        fact["failure"]["type"],
                        "wait_and_retry",
                        gate=fact["gate"],
                    )
                )
            elif fact.get("is") == "ProblemFound":
                found.append(Seen(line["at"], fact["code"], "", "provide_user_feedback"))
            elif line.get("end") in ("refused", "record lost"):
                found.append(Seen(line["at"], line["code"], "", "provide_user_feedback"))
        return found

    def until(self, met: Callable[[], bool], limit_s: float = 30.0) -> bool:
        """Wait until this holds; False when the run ended first. TooLate."""
        deadline = time.monotonic() + limit_s
        while True:
            with self._news:
                if met():
                    return True
                if self.process.poll() is not None and not self._reader.is_alive():
                    return met()
                if time.monotonic() > deadline:
                    raise TooLate(
                        f"not within {limit_s:.0f} s; so far {[seen.code for seen in self.faults()]}: {self.said()[-300:]}"
                    )
                self._news.wait(0.02)

    def end(self, limit_s: float = 60.0) -> int:
        """Its exit code. TooLate."""
        try:
            code = self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            raise TooLate(
                f"no end within {limit_s:.0f} s; so far {[seen.code for seen in self.faults()]}"
            ) from None
        self._reader.join(5)
        return code

    def said(self) -> str:
        """What it complained of."""
        self._complaints.flush()
        return Path(self._complaints.name).read_text(errors="replace")

    def close(self) -> None:
        """End it by force when it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(5)
        assert self.process.stdout
        self.process.stdout.close()
        self._complaints.close()

    # Its processes ----------------------------------------------------------------------------------------------------

    def family(self) -> dict[int, list[str]]:
        """Its processes and their words."""
        found = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    if self.mark.encode() in Path("/proc", entry, "environ").read_bytes().split(
                        b"\0"
                    ):
                        found[int(entry)] = [
                            os.fsdecode(word)
                            for word in Path("/proc", entry, "cmdline").read_bytes().split(b"\0")
                        ]
                except OSError:
                    continue
        return found

    def catch(self, what: Callable[[list[str]], bool], limit_s: float = 20.0) -> int:
        """The first process of the family whose words are such. TooLate."""
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            for pid, words in self.family().items():
                if what(words):
                    return pid
            if self.process.poll() is not None:
                break
        raise TooLate("there was no such process")


def _told(line: bytes) -> dict[str, Any]:
    """A line of `tests.faults.assembling`, or one of the command line as if it were one."""
    said: dict[str, Any] = json.loads(line)
    if said.get("event") == "fact":
        return {"at": time.monotonic(), "fact": {"is": said["kind"], **said["body"]}}
    if said.get("event") == "summary":
        return {"at": time.monotonic(), "end": said["outcome"], "code": said.get("code", "")}
    return {"at": time.monotonic(), **said} if "event" in said else said


def rendering(words: list[str]) -> bool:
    """Whether these are the words of an ffmpeg that renders a segment of a source."""
    return "-frames:v" in words and any(
        word.startswith("file:") and "/media/" in word for word in words
    )


def working(words: list[str]) -> bool:
    """Whether these are the words of a worker."""
    return "core.executors.worker" in words
