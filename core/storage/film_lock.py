"""Lock file beside a film, so that two data folders or two machines never work on it at once.

    <folder of the film>/.hotsplice/<name>.lock

The file has three lines, `machine`, `process` and `data folder`, and is locked with flock.

The system releases the lock when the process that holds it ends, for whatever reason. Where a file
system has no locks, the existence of the file is the lock: its owner updates the file's time every
`RENEW_S`. A lock file is stale if it was not renewed for `STALE_S` by the clock of the file system,
or if its process on this machine is gone. A stale lock is free to take.

Only work on a film takes this lock. To find out about work of its own data folder, a caller checks
the data folder's lock (`core.storage.locks`). `holder` takes this lock shared, for a moment, and
only while another data folder is known to work on the film.

A folder in which no lock can be created cannot take a film either, so work goes on without a lock
there and ends with the message for that folder.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import platform
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_attempt,
    wait_fixed,
)

from core.errors.refusal import Refused
from core.system import private_files

RENEW_S, STALE_S = 10.0, 60.0
_HELD = {errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN}
_TRIES = 20
"""Attempts to take a lock while its previous owner keeps removing the file."""
_LOOKS, _LOOK_S = 5, 0.02
"""Attempts at a lock that is held, and the delay between them.

`holder` holds the lock only for a moment.
"""


def file(output: str, folder_name: str) -> Path:
    """Return the path of a film's lock file."""
    name = hashlib.blake2b(os.fsencode(os.path.basename(output)), digest_size=10).hexdigest()
    return Path(os.path.realpath(os.path.dirname(output))) / folder_name / f"{name}.lock"


@contextmanager
def held_beside(
    output: str, folder_name: str, home: Path, lock: Callable[[int], None]
) -> Iterator[None]:
    """Hold the lock beside a film, using `lock` to lock an open file.

    Raises Refused(job-running), which names the holder.
    """
    place = file(output, folder_name)
    folder = place.parent
    release: Callable[[], None] | None = None
    with contextlib.suppress(OSError):  # nothing can be published there either
        release = _taken(place, output, home, lock)
    try:
        yield
    finally:
        if release is not None:
            release()
            with contextlib.suppress(OSError):  # not empty: kept films are in it
                folder.rmdir()


def holder(output: str, folder_name: str, home: Path, look: Callable[[int], None]) -> str | None:
    """Return who holds the lock beside a film, or None if the film is free.

    The holder is its data folder, preceded by the machine's name if that is another machine; "" if
    the lock file does not say. `look` takes a shared lock on an open file. A folder that cannot be
    read counts as free: a job that starts there gets the reason.
    """
    place = file(output, folder_name)
    try:
        handle = os.open(place, os.O_RDWR)
    except OSError:
        return None
    try:
        look(handle)
    except OSError as error:
        with contextlib.suppress(OSError):
            if error.errno in _HELD or (place.stat().st_size and not _stale(place)):
                return _who(place, home)
    finally:
        os.close(handle)
    return None


def _taken(place: Path, output: str, home: Path, lock: Callable[[int], None]) -> Callable[[], None]:
    """Take the lock and return a function that releases it.

    Raises Refused(job-running), and OSError where no file can be created.
    """
    retrying = Retrying(retry=retry_if_exception_type(_Removed), stop=stop_after_attempt(_TRIES))
    try:
        return retrying(_taken_once, place, output, home, lock)
    except RetryError as error:
        raise Refused("job-running", path=output) from error


class _Removed(Exception):
    """The previous owner removed the lock file or its folder while we took the lock."""


def _taken_once(
    place: Path, output: str, home: Path, lock: Callable[[int], None]
) -> Callable[[], None]:
    said = f"{platform.node()}\n{os.getpid()}\n{home}\n".encode()
    folder = place.parent
    _make_durably(folder)
    try:
        private_files.share(folder)
        handle = os.open(
            place,
            os.O_RDWR | os.O_CREAT,
            0o660 if folder.stat().st_mode & 0o070 else private_files.FILE,
        )
    except FileNotFoundError as error:
        raise _Removed from error
    try:
        _not_while_looked_at(lock, handle)
    except OSError as error:
        os.close(handle)
        if error.errno in _HELD:
            raise Refused("job-running", path=output, detail=_who(place, home)) from error
        return _renewed(place, output, home, said)
    with contextlib.suppress(FileNotFoundError):
        if os.path.samestat(os.fstat(handle), place.stat()):
            os.truncate(handle, 0)
            os.pwrite(handle, said, 0)
            return lambda: _let_go(place, handle)
    os.close(handle)
    raise _Removed


def _not_while_looked_at(lock: Callable[[int], None], handle: int) -> None:
    """Lock an open file, retrying while `holder` briefly holds a shared lock on it.

    Raises OSError.
    """
    Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, OSError) and error.errno in _HELD),
        stop=stop_after_attempt(_LOOKS),
        wait=wait_fixed(_LOOK_S),
        reraise=True,
    )(lock, handle)


def _make_durably(folder: Path) -> None:
    """Create our hidden folder durably, so that a power cut cannot remove it with its contents.

    Does nothing if the folder exists. Raises OSError.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=private_files.FOLDER)
        if os.name != "nt":
            handle = os.open(folder.parent, os.O_RDONLY)
            try:
                # Fails where a file system does not support it; the flush before publishing reports
                # that.
                with contextlib.suppress(OSError):
                    os.fsync(handle)
            finally:
                os.close(handle)


def _let_go(place: Path, handle: int) -> None:
    with contextlib.suppress(OSError):
        # Removed while it is still locked: no process can hold a lock file that has no name.
        place.unlink(missing_ok=True)
    # Closing fails after the drive was disconnected; the lock is gone with the drive.
    with contextlib.suppress(OSError):
        os.close(handle)


def _renewed(place: Path, output: str, home: Path, said: bytes) -> Callable[[], None]:
    """Take the lock on a file system without locks and renew its time in a thread."""
    if place.stat().st_size and not _stale(place):
        raise Refused("job-running", path=output, detail=_who(place, home))
    place.write_bytes(said)
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(RENEW_S):
            with contextlib.suppress(OSError):
                os.utime(place)

    threading.Thread(target=renew, name="film lock", daemon=True).start()

    def release() -> None:
        ended.set()
        with contextlib.suppress(OSError):
            place.unlink(missing_ok=True)

    return release


def _stale(place: Path) -> bool:
    machine, pid = [*place.read_text(errors="replace").splitlines(), "", ""][:2]
    if machine == platform.node() and pid.isdecimal():
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
    now = place.with_name(f".{place.name}.{os.getpid()}")
    private_files.create(now)
    try:
        # Both times come from the clock of the file system.
        return now.stat().st_mtime - place.stat().st_mtime > STALE_S
    finally:
        now.unlink(missing_ok=True)


def _who(place: Path, home: Path) -> str:
    """Return the machine and data folder in a lock file, as described for `holder`.

    "" if the holder is this data folder or the file cannot be read.
    """
    with contextlib.suppress(OSError):
        machine, _, folder = [*place.read_text(errors="replace").splitlines(), "", "", ""][:3]
        if (machine, folder) != (platform.node(), str(home)):
            return folder if machine == platform.node() else f"{machine}: {folder}"
    return ""
