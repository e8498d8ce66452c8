"""What a process still says when the drive of its journal is pulled and the kernel would end it without a word.

SQLite keeps the index of the write-ahead log (`journal.db-shm`) in a mapped file. Where a page of it can no longer be read, there
is no call that could fail: the kernel sends SIGBUS, and SQLite can neither go on nor return. On Windows it reports an error.

Python's own signal handlers run when the call has returned, so this one is a C function that ctypes makes of a Python function.
It can run, since SQLite is called without the interpreter's lock and stands in none of Python's own code. It asks SQLite for
nothing more, says what there is to say and ends the process, as a kill would: nothing that is on record is lost.
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
"""Tells a person why the journal is lost; the exit code."""

_UNSAID = 3
"""The exit code where even the last words fail: what was recorded holds."""
_says: list[Say] = []
_one = threading.Lock()
"""Held for good by the thread that has the last word."""


@contextmanager
def last_words(say: Say) -> Iterator[None]:
    """Where the kernel takes the journal's memory away meanwhile, `say` is called with what the journal would have raised, and
    the process ends with the exit code that it returns. The innermost `say` is the one that is called."""
    _says.append(say)
    before = _listen(_handler()) if len(_says) == 1 else None
    try:
        yield
    finally:
        _says.pop()
        if not _says:
            _listen(before)


def _listen(handler: Any) -> Any:
    """Have SIGBUS answered by a C function; the one that answered it before. None is the system's own answer, an end."""
    if not hasattr(signal, "SIGBUS"):
        return None
    libc = ctypes.CDLL(None)
    libc.signal.argtypes, libc.signal.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p
    return libc.signal(signal.SIGBUS, ctypes.cast(handler, ctypes.c_void_p))


@lru_cache(maxsize=1)
def _handler() -> Any:
    """`_met` as a C function; None where the system makes no new code in memory."""
    with contextlib.suppress(MemoryError, OSError):
        return ctypes.CFUNCTYPE(None, ctypes.c_int)(_met)
    return None


def _met(number: int) -> None:
    _one.acquire()
    code = _UNSAID
    try:
        from core.storage import journal

        caller = sys._getframe().f_back
        if (
            caller is None or caller.f_code.co_filename != journal.__file__
        ):  # another mapped file, or a signal from elsewhere
            _listen(None)
            os.kill(os.getpid(), number)  # it waits until this function returns
            return
        code = _says[-1](journal.lost())
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except (
        BaseException
    ):  # an exception would lead back into SQLite, which meets the same page again
        pass
    os._exit(code)
