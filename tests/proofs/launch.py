"""Run the command `hotsplice` many times, fast: a process that has everything imported forks for each run.

Run as a program it serves one request per line on standard input: {"argv", "environment", "said", "errors", "folder"}. It
answers with the process id at once, and with its exit code when it has ended (negative for a signal). Output goes to the file
`said`, and what is said on standard error to `errors` where that is named.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
ARMING = Path(__file__).parent / "arming"


class NotDone(Exception):
    """A run took far too long."""


class Launcher:
    """Starts runs one after the other; not shared between threads. `armed` for runs that are struck at a chosen point."""

    def __init__(self, *, armed: bool = True) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        if armed:
            environment |= {
                "PYTHONPATH": os.pathsep.join([str(ARMING), str(ROOT)]),
                "PYTHONDONTWRITEBYTECODE": "1",
            }
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.proofs.launch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )

    def run(
        self, argv: Sequence[str], environment: Mapping[str, str], limit_s: float = 120.0
    ) -> subprocess.CompletedProcess[str]:
        """A run from its beginning to its end, with exactly this environment. NotDone."""
        with tempfile.NamedTemporaryFile() as said, tempfile.NamedTemporaryFile() as errors:
            pid = self.start(
                argv, environment, Path(said.name), errors=errors.name, folder=str(ROOT)
            )
            code = self.wait(pid, limit_s)
            out, wrong = (Path(one.name).read_text(encoding="utf-8") for one in (said, errors))
        return subprocess.CompletedProcess(list(argv), code, out, wrong)

    def start(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        said: Path,
        *,
        errors: str = "",
        folder: str = "",
    ) -> int:
        """Begin a run; its process id. With a `folder` to run in, the environment is exactly this one."""
        assert self._server.stdin and self._server.stdout
        request = {
            "argv": list(argv),
            "environment": dict(environment),
            "said": str(said),
            "errors": errors,
            "folder": folder,
        }
        self._server.stdin.write(json.dumps(request).encode() + b"\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())

    def wait(self, pid: int, limit_s: float = 60.0) -> int:
        """Its exit code, negative for a signal. NotDone when it had to be killed for taking too long."""
        late = threading.Event()

        def end() -> None:
            late.set()
            os.kill(pid, signal.SIGKILL)

        alarm = threading.Timer(limit_s, end)
        alarm.start()
        assert self._server.stdout
        code = int(self._server.stdout.readline())
        alarm.cancel()
        if late.is_set():
            raise NotDone(f"not done after {limit_s:.0f} s")
        return code

    def close(self) -> None:
        """End the server."""
        assert self._server.stdin and self._server.stdout
        self._server.stdin.close()
        self._server.wait(10)
        self._server.stdout.close()


def _run(argv: list[str], environment: dict[str, str], said: str, errors: str, folder: str) -> int:
    """In the forked process: be the command."""
    if folder:
        state = {
            name: value for name, value in os.environ.items() if name == "XDG_STATE_HOME"
        }  # never this user's own
        os.environ.clear()
        os.environ.update(state)
        os.chdir(folder)
    os.environ.update(environment)
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(out, 1)
    os.dup2(os.open(errors, os.O_WRONLY) if errors else out, 2)
    from bridge.cli.main import main
    from tests.proofs import strike

    strike.arm("engine")
    code = main(argv)
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def serve() -> None:
    """Until standard input closes."""
    import bridge.cli.film_commands
    import bridge.cli.run  # noqa: F401  (imported once, here, so that a run need not)

    while line := sys.stdin.buffer.readline():
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                code = _run(**json.loads(line))
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
