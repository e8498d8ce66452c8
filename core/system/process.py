"""Starting other programs: the only place that does. A child never outlives its parent.

ffmpeg goes on happily after its parent was killed. On Linux the kernel is asked to kill the child with the thread
that started it; elsewhere a worker kills its ffmpeg when its own standard input closes, which covers every end of
the engine but not a kill -9 of the worker itself.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from core.system import machine

PIPE, NOWHERE = subprocess.PIPE, subprocess.DEVNULL
"""A stream that is read or written by whoever starts the program; one that nobody reads."""

TimeoutExpired = subprocess.TimeoutExpired
"""A program did not end in its time."""


class NotStarted(OSError):
    """A program could not be started; `filename` is the program."""


LOW_NICENESS = 10

MOST_HEARD = 1 << 20
"""Bytes that a short program may print; what prints more has lost its way."""

_PR_SET_PDEATHSIG = 1
_SETPRIV = ("/usr/bin/setpriv", "/bin/setpriv")
_SETPRIV_FAILED = (2, 126, 127)
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(parent: int | None = None) -> None:
    """Ask the kernel to kill this process when the thread that started it ends; exit now if `parent` is already gone."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os._exit(1)


@lru_cache(maxsize=1)
def _pdeathsig_prefix() -> tuple[str, ...]:
    """The `setpriv` call that does for a command what `die_with_parent` does; empty where setpriv is missing. It starts a child
    without copying the page tables of this process, which takes longer than all checks of a short shot."""
    program = (
        next((path for path in _SETPRIV if os.access(path, os.X_OK)), None)
        if _libc is not None
        else None
    )
    if program is None:
        return ()
    words = (program, "--pdeathsig", "KILL")  # from util-linux 2.33 on; BusyBox has no such option
    try:
        tried = subprocess.run(
            [*words, program, "--version"],
            stdin=NOWHERE,
            stdout=NOWHERE,
            stderr=NOWHERE,
            timeout=5.0,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return words if tried.returncode == 0 else ()


def step_back() -> None:
    """Let other programs go first, from now on: processor at nice 10, disk at the idle class (Windows: below normal, very low).
    Everything that is started later inherits it. Where the system does not allow it, we go on as we are."""
    import psutil  # late: workers start without it

    us = psutil.Process()
    with contextlib.suppress(psutil.Error, OSError):
        if os.name == "nt":
            us.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)  # type: ignore[attr-defined]
        else:
            us.nice(
                max(LOW_NICENESS, us.nice())
            )  # nobody may come back up: who is further back already stays there
    with contextlib.suppress(psutil.Error, OSError, AttributeError):  # no such thing on macOS
        us.ionice(psutil.IOPRIO_VERYLOW if os.name == "nt" else psutil.IOPRIO_CLASS_IDLE)  # type: ignore[attr-defined]


def spawn(
    argv: Sequence[str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    environment: Mapping[str, str] | None = None,
    own_session: bool = False,
    from_single_thread: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a program; NotStarted when it cannot be. Standard input is closed unless asked for: ffmpeg reads `q` from it.

    `from_single_thread` promises that no other thread runs, so the child may be prepared between fork and exec, and makes it die
    with this thread. `never_began` tells why such a child did not run at all.
    `own_session` keeps a terminal's Ctrl-C from the child: we stop it ourselves, in order.
    """
    prefix = _pdeathsig_prefix() if from_single_thread and os.access(argv[0], os.X_OK) else ()
    prepare: Callable[[], None] | None = (
        die_with_parent if from_single_thread and not prefix and _libc is not None else None
    )
    try:
        return subprocess.Popen(
            [*prefix, *argv],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=dict(environment) if environment is not None else None,
            start_new_session=own_session,
            preexec_fn=prepare,
        )
    except OSError as error:  # a type of its own: no other error of ours is taken for a program that does not start
        raise NotStarted(error.errno, error.strerror, argv[0]) from error


def never_began(program: str, exit_code: int) -> NotStarted | None:
    """Why a program that setpriv should have started did not run. setpriv has exit codes of its own, and takes a file that the
    system cannot execute for a shell script, so the program is tried again without it."""
    if exit_code not in _SETPRIV_FAILED or not _pdeathsig_prefix():
        return None
    try:
        subprocess.run(
            [program, "-version"], stdin=NOWHERE, stdout=NOWHERE, stderr=NOWHERE, timeout=5.0
        )
    except OSError as error:
        return NotStarted(error.errno, error.strerror, program)
    except subprocess.TimeoutExpired:
        pass
    return None


def detach(
    argv: Sequence[str], log: int, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start a program that shall go on without us; what it says goes to an open file. OSError when it cannot be started."""
    options: dict[str, int] = {}
    if os.name == "nt":
        options["creationflags"] = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP  # type: ignore[attr-defined]
    alone = os.name != "nt"
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=dict(environment),
        start_new_session=alone,
        **options,
    )


def kill_session(process: subprocess.Popen[bytes]) -> None:
    """Kill a child started with `own_session` and everything it started. Never waits: a process that hangs in a dead
    share cannot be killed until the share answers, and nobody may wait for that."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):
        pass
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=0.5)


def ended(process: subprocess.Popen[bytes], *, wait_s: float = 1.0) -> int | None:
    """How a program ended (negative: by which signal), waiting so long for it; None while it has not."""
    try:
        return process.wait(timeout=wait_s)
    except subprocess.TimeoutExpired:
        return None


class Said(NamedTuple):
    """What a short program printed, standard output and error together, and how it ended (negative: by which signal)."""

    text: str
    exit_code: int


def hear(argv: Sequence[str], *, timeout_s: float = 20.0) -> Said:
    """Run a short program. It is killed, with all that it started, when the time is over or it prints without end. NotStarted
    when it cannot be started; TimeoutExpired when it does not end."""
    child = spawn(argv, stderr=subprocess.STDOUT, own_session=True)
    assert child.stdout
    until, data = machine.monotonic() + timeout_s, bytearray()
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            while len(data) < MOST_HEARD:
                if not selector.select(max(0.0, until - machine.monotonic())):
                    raise subprocess.TimeoutExpired(list(argv), timeout_s)
                block = os.read(child.stdout.fileno(), 65536)
                if not block:
                    break
                data += block
        if len(data) < MOST_HEARD:  # else it is ended here, and judged by what it said
            child.wait(max(0.1, until - machine.monotonic()))
    finally:
        kill_session(child)  # a script may have left something behind
        child.stdout.close()
    return Said(data.decode(errors="replace"), child.returncode or 0)


def output_of(argv: Sequence[str], *, timeout_s: float = 20.0) -> str:
    """What a short program prints; NotStarted or TimeoutExpired when it does not."""
    return hear(argv, timeout_s=timeout_s).text


def trust_no_relative_path() -> None:
    """Drop empty and relative entries of PATH for this process and its children: what a library starts by a bare name (a browser,
    a file manager) is never looked for in the folder that the user stands in."""
    entries = os.environ.get("PATH", os.defpath).split(os.pathsep)
    absolute = [entry for entry in entries if os.path.isabs(entry.strip('"'))]
    os.environ["PATH"] = os.pathsep.join(absolute) or os.defpath
