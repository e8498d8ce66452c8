"""The lock that lives beside a film, so that two data folders or two machines never work on it at once.

    <folder of the film>/.hotsplice/<name>.lock   `machine`, `process` and `data folder`, a line each; locked with flock

The system releases the lock when its process ends, however it ends. Where a file system has no locks, the file itself is the
lock: its owner renews the file's time every `RENEW_S`, and one that was not renewed for `STALE_S` by the clock of the file
system, or whose process on this machine is gone, belongs to nobody. Work on a film takes it.
Whoever asks about the work of this data folder asks the data folder's own lock (`core.storage.locks`). `holder` takes this one
shared, for a moment, and only while another data folder is known to work on the film. A folder that takes no lock takes no film
either, so work goes on without one there and ends with the words for that folder.
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
"""How often a lock is taken whose file its last owner removes meanwhile."""
_LOOKS, _LOOK_S = 5, 0.02
"""How often a lock that is held is tried again, and after how many seconds: `holder` holds it for a moment."""


def file(output: str, folder_name: str) -> Path:
    """Where the lock of a film lies."""
    name = hashlib.blake2b(os.fsencode(os.path.basename(output)), digest_size=10).hexdigest()
    return Path(os.path.realpath(os.path.dirname(output))) / folder_name / f"{name}.lock"


@contextmanager
def held_beside(
    output: str, folder_name: str, home: Path, lock: Callable[[int], None]
) -> Iterator[None]:
    """Hold a film where it stands, with `lock` for an open file. Refused(job-running) names who holds it."""
    place = file(output, folder_name)
    folder = place.parent
    release: Callable[[], None] | None = None
    with contextlib.suppress(OSError):  # see above: nothing can be published there either
        release = _taken(place, output, home, lock)
    try:
        yield
    finally:
        if release is not None:
            release()
            with contextlib.suppress(OSError):  # films are kept there
                folder.rmdir()


def holder(output: str, folder_name: str, home: Path, look: Callable[[int], None]) -> str | None:
    """Who holds a film where it stands: the data folder, after the machine's name where that is another one; "" where the
    lock does not say; None when the film is free. `look` locks an open file shared. A folder that cannot be looked
    at holds nothing: whoever begins then is told why."""
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
    """Take the lock; what releases it. Refused(job-running), OSError where no file can be made."""
    retrying = Retrying(retry=retry_if_exception_type(_Removed), stop=stop_after_attempt(_TRIES))
    try:
        return retrying(_taken_once, place, output, home, lock)
    except RetryError as error:
        raise Refused("job-running", path=output) from error


class _Removed(Exception):
    """The last owner of a lock removed its file or its folder while we took it."""


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
    """Lock an open file, over the moment for which somebody else only looks at it. OSError."""
    Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, OSError) and error.errno in _HELD),
        stop=stop_after_attempt(_LOOKS),
        wait=wait_fixed(_LOOK_S),
        reraise=True,
    )(lock, handle)


def _make_durably(folder: Path) -> None:
    """Make our hidden folder, where it is missing, so that no power cut takes it away with what is kept in it. OSError."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=private_files.FOLDER)
        if os.name != "nt":
            handle = os.open(folder.parent, os.O_RDONLY)
            try:
                with contextlib.suppress(
                    OSError
                ):  # file systems that cannot say so; the flush before publishing tells
                    os.fsync(handle)
            finally:
                os.close(handle)


def _let_go(place: Path, handle: int) -> None:
    with contextlib.suppress(OSError):
        place.unlink(
            missing_ok=True
        )  # while it is still locked: nobody can hold a file that has no name
    with contextlib.suppress(
        OSError
    ):  # a drive that was pulled meanwhile fails here too; the lock is gone with it
        os.close(handle)


def _renewed(place: Path, output: str, home: Path, said: bytes) -> Callable[[], None]:
    """The lock of a file system without locks."""
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
        return (
            now.stat().st_mtime - place.stat().st_mtime > STALE_S
        )  # both by the clock of the file system
    finally:
        now.unlink(missing_ok=True)


def _who(place: Path, home: Path) -> str:
    """The machine and data folder that hold a lock; empty where that is this very data folder, or cannot be read."""
    with contextlib.suppress(OSError):
        machine, _, folder = [*place.read_text(errors="replace").splitlines(), "", "", ""][:3]
        if (machine, folder) != (platform.node(), str(home)):
            return folder if machine == platform.node() else f"{machine}: {folder}"
    return ""
