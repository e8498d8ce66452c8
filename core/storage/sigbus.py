"""Last message of a process whose journal drive was disconnected, before the kernel ends it.

SQLite maps the index of the write-ahead log (`journal.db-shm`) into memory. If a page of it can no
longer be read, no system call fails: the kernel sends SIGBUS, and SQLite can neither continue nor
return. On Windows, SQLite reports an error instead.

Python's signal handlers only run after the current call has returned, so this handler is a C
function that ctypes creates from a Python function. It can run because SQLite is called without the
interpreter's lock, and because the signal does not interrupt Python's own code. The handler does
not call SQLite again; it reports the fault and ends the process, as a kill would. Everything on
record is kept.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

Say = Callable[[Exception], int]
"""Reports why the journal is lost and returns the exit code."""

_UNSAID = 3
"""Exit code if the report itself fails. Everything recorded so far still holds."""
_says: list[Say] = []
_one = threading.Lock()
"""Acquired by the first thread that handles the signal, and never released."""


@contextmanager
def report_lost_journal(say: Say) -> Iterator[None]:
    """Report the loss if the kernel takes the journal's memory away during the block.

    `say` is called with the exception that the journal would have raised; the process then ends
    with the exit code that `say` returns. In nested blocks, the innermost `say` is called.
    """
    _says.append(say)
    before = _listen(_handler()) if len(_says) == 1 else None
    try:
        yield
    finally:
        _says.pop()
        if not _says:
            _listen(before)


def _listen(handler: Any) -> Any:
    """Set the C function that handles SIGBUS and return the previous one.

    None is the system's default action, which ends the process.
    """
    if not hasattr(signal, "SIGBUS"):
        return None
    libc = ctypes.CDLL(None)
    libc.signal.argtypes, libc.signal.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p
    return libc.signal(signal.SIGBUS, ctypes.cast(handler, ctypes.c_void_p))


@lru_cache(maxsize=1)
def _handler() -> Any:
    """Return `_met` as a C function, or None if the system does not allow new code in memory."""
    with contextlib.suppress(MemoryError, OSError):
        return ctypes.CFUNCTYPE(None, ctypes.c_int)(_met)
    return None


def _met(number: int) -> None:
    _one.acquire()
    code = _UNSAID
    try:
        from core.storage import journal

        caller = sys._getframe().f_back
        # The signal concerns another mapped file, or was sent by another process.
        if caller is None or caller.f_code.co_filename != journal.__file__:
            _listen(None)
            os.kill(os.getpid(), number)  # pending until this function returns
            return
        code = _says[-1](journal.lost())
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except BaseException:
        # An exception would return into SQLite, which would hit the same page again.
        pass
    os._exit(code)
