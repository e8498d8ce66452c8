"""Who is at work on a film. A lock is gone with the process that holds it, however it ends.

<home>/locks/<name>   one for each film, by its place
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.model.refusal import Refused

LOCKS = "locks"


@contextmanager
def film(home: Path, output: str) -> Iterator[None]:
    """Hold a film for this process; Refused(job-running) when another holds it."""
    place = _place(home, output)
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("a+b") as handle:
        try:
            lock_file(handle.fileno())
        except OSError as error:
            raise Refused("job-running", path=output) from error
        yield


def held(home: Path, output: str) -> bool:
    """Whether a process is at work on a film just now. It is looked at without making anything."""
    try:
        with _place(home, output).open("r+b") as handle:
            lock_file(handle.fileno())
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def name_of(output: str) -> str:
    """A short name for a film's whole path."""
    return hashlib.blake2b(os.fsencode(output), digest_size=10).hexdigest()


def lock_file(handle: int) -> None:
    """Hold an open file until it is closed; OSError when another process holds it."""
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _place(home: Path, output: str) -> Path:
    real = os.path.join(os.path.realpath(os.path.dirname(output)), os.path.basename(output))  # by whatever way it is reached
    return home / LOCKS / name_of(real)
