"""The process: reads commands from standard input, answers each with a line. STATE.json says what is open.

{"do": "run", "script": PATH, "python": [ARGV], "environment": {...}}    a menu script, as a child process
{"do": "console"}   what it printed so far, and its exit code
{"do": "end"}       kill it
{"do": "set", "manners": {...}}      {"do": "open", "project": false, "timeline": null}
{"do": "call", "method": "AddMarker", "with": [...]}                     of the open timeline, as the user's own hand
{"do": "load", "otio": PATH}         the timeline was edited
{"do": "calls", "forget": false}     everything that scripts called
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from tests.fake_resolve.manners import Manners
from tests.fake_resolve.model import Project, Resolve
from tests.fake_resolve.wire import Office

CHILD = Path(__file__).with_name("child.py")


class Process:
    """Resolve, and the script it runs."""

    def __init__(self, state: dict[str, Any]) -> None:
        said = state.get("manners", {})
        self.manners = Manners(
            **{**said, **({"version": tuple(said["version"])} if "version" in said else {})}
        )
        self.project = Project(self.manners, state["project"])
        self.timeline = self.project.timelines[0]
        self.resolve = Resolve(self.manners, self.project)
        roots = {
            "resolve": self.resolve,
            "app": self.resolve.fusion,
            "fusion": self.resolve.fusion,
            "fu": self.resolve.fusion,
        }
        self.office = Office({**roots, "bmd": self.resolve.bmd}, self.manners)
        self.script: subprocess.Popen[bytes] | None = None
        self.lines: list[str] = []

    def do(self, command: dict[str, Any]) -> Any:
        """Carry it out; the answer."""
        match command["do"]:
            case "run":
                self._run(command)
                return None
            case "console":
                code = self.script.poll() if self.script and not self.reader.is_alive() else None
                return {"lines": list(self.lines), "code": code}
            case "end":
                assert self.script
                self.script.kill()
                return self.script.wait()
        with self.office.lock:
            match command["do"]:
                case "set":
                    for name, value in command["manners"].items():
                        setattr(self.manners, name, value)
                case "open":
                    self.resolve.manager.project = (
                        self.project if command.get("project", True) else None
                    )
                    self.project.current = command.get("timeline", 0)
                case "call":
                    got = getattr(self.timeline, command["method"])(*command["with"])
                    return (
                        {str(int(key)): value for key, value in got.items()}
                        if isinstance(got, dict)
                        else got
                    )
                case "load":
                    self.timeline.otio = json.loads(Path(command["otio"]).read_text("utf-8"))
                case "calls":
                    found = list(self.office.calls)
                    if command.get("forget"):
                        self.office.calls.clear()
                    return found
                case other:
                    raise ValueError(other)
        return None

    def _run(self, command: dict[str, Any]) -> None:
        argv = [
            *command["python"],
            str(CHILD),
            self.office.address,
            self.manners.given,
            command["script"],
        ]
        self.lines = []
        self.script = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=os.sep,
            env={**os.environ, **command["environment"]},
        )  # fmt: skip
        self.reader = threading.Thread(target=self._read, args=(self.script,), daemon=True)
        self.reader.start()

    def _read(self, script: subprocess.Popen[bytes]) -> None:
        assert script.stdout
        for line in script.stdout:
            self.lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
        script.wait()


def main() -> int:
    """Until standard input closes; the script, if one runs, is then left to itself as a real Resolve would."""
    process = Process(json.loads(Path(sys.argv[1]).read_text("utf-8")))
    for line in sys.stdin:
        print(json.dumps({"got": process.do(json.loads(line))}), flush=True)
    if process.script is not None and process.script.poll() is None:
        process.script.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
