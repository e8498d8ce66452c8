"""Start other programs; no other module does. A child never outlives its parent.

ffmpeg keeps running after its parent was killed. On Linux, the kernel is asked to kill the child
together with the thread that started it. Elsewhere, a worker process kills its ffmpeg when its own
standard input closes. This covers every end of the engine, but not a kill -9 of the worker process
itself.
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
"""A stream for the caller to read or write; a stream that is discarded."""

TimeoutExpired = subprocess.TimeoutExpired
"""A program did not end in time."""


class NotStarted(OSError):
    """A program could not be started; `filename` is the program."""


LOW_NICENESS = 10

MOST_HEARD = 1 << 20
"""Maximum bytes of output from a short program; one that prints more has gone wrong."""

_PR_SET_PDEATHSIG = 1
_SETPRIV = ("/usr/bin/setpriv", "/bin/setpriv")
_SETPRIV_FAILED = (2, 126, 127)
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(parent: int | None = None) -> None:
    """Ask the kernel to kill this process when the thread that started it ends.

    Exits now if `parent` is already gone.
    """
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os._exit(1)


@lru_cache(maxsize=1)
def _pdeathsig_prefix() -> tuple[str, ...]:
    """Return the `setpriv` command that does for a program what `die_with_parent` does.

    Empty if setpriv is missing. It starts a child without copying the page tables of this process;
    copying them takes longer than all checks of a short shot.
    """
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
    """Lower this process's priority for good: CPU at nice 10, disk in the idle class.

    On Windows: below normal, very low. Programs started later inherit the priority. Where the
    system refuses, the priority stays as it is.
    """
    import psutil  # imported late: worker processes start without it

    us = psutil.Process()
    with contextlib.suppress(psutil.Error, OSError):
        if os.name == "nt":
            us.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)  # type: ignore[attr-defined]
        else:
            # Niceness cannot be reduced again, so a process that is nicer already stays there.
            us.nice(max(LOW_NICENESS, us.nice()))
    with contextlib.suppress(psutil.Error, OSError, AttributeError):  # not available on macOS
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
    """Start a program. Raises NotStarted if it cannot be started.

    Standard input is closed by default, because ffmpeg reads `q` from it. `from_single_thread`
    promises that no other thread runs, so the child can be prepared between fork and exec; the
    child then dies with this thread. `never_began` tells why such a child did not run at all.
    `own_session` keeps a terminal's Ctrl-C from the child, so that we can stop it in order.
    """
    prefix = _pdeathsig_prefix() if from_single_thread and os.access(argv[0], os.X_OK) else ()
    prepare: Callable[[], None] | None = (
        die_with_parent if from_single_thread and not prefix and _libc is not None else None
    )
    # A separate type, so that no other OSError is mistaken for a program that does not start.
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
    except OSError as error:
        raise NotStarted(error.errno, error.strerror, argv[0]) from error


def never_began(program: str, exit_code: int) -> NotStarted | None:
    """Return why a program that setpriv should have started did not run, or None.

    setpriv has its own exit codes, and treats a file that the system cannot execute as a shell
    script. So this runs the program again without setpriv.
    """
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
    """Start a program that keeps running without us; its output goes to an open file.

    Raises OSError if it cannot be started.
    """
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
    """Kill a child started with `own_session`, and everything it started.

    This waits at most 0.5 s for the child to end: a process that hangs on a dead share cannot be
    killed until the share answers, and no caller may have to wait for that.
    """
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
    """Return a program's exit code (negative: the signal), waiting up to `wait_s` seconds.

    None if it is still running.
    """
    try:
        return process.wait(timeout=wait_s)
    except subprocess.TimeoutExpired:
        return None


class Said(NamedTuple):
    """Output of a short program.

    `text` is standard output and standard error together; `exit_code` is negative for a signal.
    """

    text: str
    exit_code: int


def hear(argv: Sequence[str], *, timeout_s: float = 20.0) -> Said:
    """Run a short program and return its output.

    The program and everything it started are killed when the time is up or the output exceeds
    `MOST_HEARD`. Raises NotStarted if the program cannot be started, TimeoutExpired if it does not
    end.
    """
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
        if len(data) < MOST_HEARD:  # otherwise it is killed below, and its output decides
            child.wait(max(0.1, until - machine.monotonic()))
    finally:
        kill_session(child)  # a script may have left child processes
        child.stdout.close()
    return Said(data.decode(errors="replace"), child.returncode or 0)


def output_of(argv: Sequence[str], *, timeout_s: float = 20.0) -> str:
    """Return the output of a short program. Raises NotStarted or TimeoutExpired."""
    return hear(argv, timeout_s=timeout_s).text


def trust_no_relative_path() -> None:
    """Drop empty and relative entries of PATH for this process and its children.

    A library may start a program by its bare name (a browser, a file manager). It must never be
    searched for in the current folder.
    """
    entries = os.environ.get("PATH", os.defpath).split(os.pathsep)
    absolute = [entry for entry in entries if os.path.isabs(entry.strip('"'))]
    os.environ["PATH"] = os.pathsep.join(absolute) or os.defpath
