"""Who is at work on a film. A lock is gone with the process that holds it, however it ends.

<home>/locks/<name>        one for each film, by its place: held by who is at work on it
<home>/locks/<name>.busy   the same, by the place as it was asked for: for those who only want to know. Whoever looks at it never
                           keeps anybody from beginning, and asks no disk but this one: a share that hangs is somewhere else.
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
    """Hold a film for this process, in the data folder and beside the film (in the folder
    `beside` there; "" while the film's drive is away). Refused(job-running) when
    another process holds it."""
    place = _place(home, output)
    private_files.make_folder(place.parent)
    with open(place, "a+b", opener=private_files.opener) as handle:
        try:
            lock_file(handle.fileno())
        except OSError as error:
            raise Refused("job-running", path=output) from error
        with open(_busy(home, output), "a+b", opener=private_files.opener) as busy:
            _lock(busy.fileno(), wait=True)  # for no longer than somebody looks at it
            with (
                film_lock.held_beside(output, beside, home, lock_file) if beside else nullcontext()
            ):
                yield


def held(home: Path, output: str) -> bool:
    """Whether a process is at work on a film just now. It is looked at without making anything."""
    try:
        with _busy(home, output).open("r+b") as handle:
            _lock(handle.fileno(), shared=True)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def held_elsewhere(home: Path, output: str, *, beside: str = ".hotsplice") -> str | None:
    """Which other data folder works on a film, by the lock beside it: None when the film is free; "" when it is not
    known which. It asks the film's disk, which may hang."""
    return film_lock.holder(output, beside, home, lambda handle: _lock(handle, shared=True))


def name_of(output: str) -> str:
    """A short name for a film's whole path."""
    return hashlib.blake2b(os.fsencode(output), digest_size=10).hexdigest()


def lock_file(handle: int) -> None:
    """Hold an open file until it is closed; OSError when another process holds it."""
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
    real = os.path.join(
        os.path.realpath(os.path.dirname(output)), os.path.basename(output)
    )  # by whatever way it is reached
    return home / LOCKS / name_of(real)
