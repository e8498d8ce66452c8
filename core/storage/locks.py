"""Locks of films in the data folder.

The system releases a lock when the process that holds it ends, for whatever reason.

    <home>/locks/<name>        one for each film, by its resolved path; held by the process
                               that works on it
    <home>/locks/<name>.busy   the same by the path as requested, for processes that only query

Querying the `.busy` file never keeps a process from starting work, and touches only the data
folder's disk: a network share that hangs is elsewhere.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from core.errors.refusal import Refused
from core.storage import film_lock
from core.system import private_files

LOCKS = "locks"


@contextmanager
def film(home: Path, output: str, *, beside: str = ".hotsplice") -> Iterator[None]:
    """Hold a film for this process, in the data folder and beside the film.

    `beside` names the folder for the lock beside the film; "" while the film's drive is
    disconnected. Raises Refused(job-running) if another process holds the film.
    """
    place = _place(home, output)
    private_files.make_folder(place.parent)
    with open(place, "a+b", opener=private_files.opener) as handle:
        try:
            lock_file(handle.fileno())
        except OSError as error:
            raise Refused("job-running", path=output) from error
        with open(_busy(home, output), "a+b", opener=private_files.opener) as busy:
            _lock(busy.fileno(), wait=True)  # waits only while another process queries it
            with (
                film_lock.held_beside(output, beside, home, lock_file) if beside else nullcontext()
            ):
                yield


def held(home: Path, output: str) -> bool:
    """Return whether a process is working on a film now. Creates no file."""
    try:
        with _busy(home, output).open("r+b") as handle:
            _lock(handle.fileno(), shared=True)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def held_elsewhere(home: Path, output: str, *, beside: str = ".hotsplice") -> str | None:
    """Return which other data folder works on a film, according to the lock beside it.

    None if the film is free; "" if the data folder is not known. This accesses the film's disk,
    which may hang.
    """
    return film_lock.holder(output, beside, home, lambda handle: _lock(handle, shared=True))


def name_of(output: str) -> str:
    """Return a short name (hash) for a film's full path."""
    return hashlib.blake2b(os.fsencode(output), digest_size=10).hexdigest()


def lock_file(handle: int) -> None:
    """Lock an open file until it is closed. Raises OSError if another process holds it."""
    _lock(handle)


def _lock(handle: int, *, wait: bool = False, shared: bool = False) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        import fcntl

        fcntl.flock(
            handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
        )


def _busy(home: Path, output: str) -> Path:
    return home / LOCKS / f"{name_of(output)}.busy"


def _place(home: Path, output: str) -> Path:
    # Resolved, so that all paths to the same folder share one lock.
    real = os.path.join(os.path.realpath(os.path.dirname(output)), os.path.basename(output))
    return home / LOCKS / name_of(real)
