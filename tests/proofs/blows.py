"""Ways to kill a run: at a point of our own counting, at a system call (strace), or at any moment."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.proofs import strike
from tests.proofs.holding import Blow
from tests.proofs.stage import Ended, Lane, alive

CALLS = {
    "fsync": "fsync",
    "fdatasync": "fdatasync",
    "rename": "/^rename(at2?)?$",
    "link": "/^link(at)?$",
    "unlink": "/^unlink(at)?$",
    "mkdir": "/^mkdir(at)?$",
    "rmdir": "rmdir",
    "ftruncate": "ftruncate",
    "pwrite64": "pwrite64",
}
"""What Python and SQLite ask of the kernel to write a record, to make something durable and to name it; as strace knows it."""

STRACE = shutil.which("strace") if sys.platform == "linux" else None


def at_point(*, number: int = 0, label: str = "", who: strike.Who = "everybody") -> Blow:
    """At the n-th point, or at the point of this name."""

    def blow(lane: Lane, argv: Sequence[str]) -> tuple[str, Ended]:
        log = lane.beside("points")
        ended = lane.run(argv, strike.order(log, lane.root, at=number, label=label, who=who))
        place = strike.struck(log)
        log.unlink(missing_ok=True)
        return place, ended

    return blow


def at_call(call: str, number: int) -> Blow:
    """Before the engine's n-th system call of this name. The real command line runs, in a process of its own."""

    def blow(lane: Lane, argv: Sequence[str]) -> tuple[str, Ended]:
        log = lane.beside("strace")
        ended = lane.command(_strace(log, call, number), argv)
        return _killed_in(log, lane, "engine"), ended

    return blow


def count_calls(lane: Lane, argv: Sequence[str]) -> dict[str, int]:
    """How many system calls of each name the engine makes in an undisturbed run."""
    assert STRACE is not None
    log = lane.beside("strace")
    lane.command(
        [
            STRACE,
            "-qq",
            "-o",
            str(log),
            "-e",
            "signal=none",
            "-e",
            f"trace={','.join(CALLS.values())}",
        ],
        argv,
    )
    names = [line.partition("(")[0] for line in log.read_text(errors="replace").splitlines()]
    log.unlink()
    return {call: sum(name.startswith(call) for name in names) for call in CALLS}


def at_call_of_worker(call: str, number: int) -> Blow:
    """Before the only worker's n-th system call of this name; the one that replaces it is left alone."""

    def blow(lane: Lane, argv: Sequence[str]) -> tuple[str, Ended]:
        log, armed, python = lane.beside("strace"), lane.beside("armed"), lane.beside("python")
        armed.touch()
        # -DDD: the worker stays a direct child of the engine, which it insists on, and strace is not killed with it.
        traced = f"{shlex.join(_strace(log, call, number))} -DDD {shlex.quote(sys.executable)}"
        python.write_text(
            f'#!/bin/sh\nif rm "{armed}" 2>/dev/null; then exec {traced} "$@"; fi\nexec {shlex.quote(sys.executable)} "$@"\n',
            encoding="utf-8",
        )
        python.chmod(0o755)
        one = [*argv[: argv.index("-j")], "-j", "1", *argv[argv.index("-j") + 2 :]]
        ended = lane.command((), one, {"HOTSPLICE_WORKER_PYTHON": str(python)})
        python.unlink()
        return _killed_in(log, lane, "worker"), ended

    return blow


def at_moment(after_s: float) -> Blow:
    """The engine alone, so many seconds after its start."""

    def blow(lane: Lane, argv: Sequence[str]) -> tuple[str, Ended]:
        pid, said = lane.start(argv, {})
        time.sleep(after_s)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it was done before
        ended = lane.finish(pid, said)
        return ("engine anywhere" if ended.exit_code == -signal.SIGKILL else ""), ended

    return blow


def at_work(who: strike.Who) -> Blow:
    """The engine or a worker alone, while ffmpeg renders. It is stopped first, so that it can never end by itself: if it is
    gone afterwards, somebody has killed it."""

    def blow(lane: Lane, argv: Sequence[str]) -> tuple[str, Ended]:
        pid, said = lane.start(argv, {})
        place = ""
        while not place and Path("/proc", str(pid)).exists():
            for child in alive(lane.mark):
                try:
                    if b"-progress" not in Path("/proc", str(child), "cmdline").read_bytes():
                        continue
                    os.kill(child, signal.SIGSTOP)
                    worker = int(
                        Path("/proc", str(child), "stat").read_text().rpartition(")")[2].split()[1]
                    )
                    os.kill(worker if who == "worker" else pid, signal.SIGKILL)
                except OSError:
                    continue  # it had ended in the meantime
                place = f"{who} with-ffmpeg-stopped"
                break
        return place, lane.finish(pid, said)

    return blow


def _strace(log: Path, call: str, number: int) -> list[str]:
    assert STRACE is not None
    # Not with --seccomp-bpf: together with an injected signal it silently never fires.
    inject = f"inject={CALLS[call]}:signal=SIGKILL:when={number}"
    return [STRACE, "-qq", "-y", "-o", str(log), "-e", f"trace={CALLS[call]}", "-e", inject]


def _killed_in(log: Path, lane: Lane, role: str) -> str:
    """The call in which strace's process was killed; empty when it ended otherwise."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    if len(lines) < 2 or "killed by SIGKILL" not in lines[-1] or "= ?" not in lines[-2]:
        return ""
    name, _, rest = lines[-2].partition("(")
    paths = re.findall(re.escape(str(lane.root)) + r"/([^\">]+)", rest)
    return f"{role} call-{name} {paths[-1] if paths else rest}"
