"""What is put in the way of a request: unreadable files, links, small volumes, a lock that somebody holds."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from pathlib import Path

from core.storage import locks
from tests.proofs.stage import Lane

Setting = Callable[[Lane], AbstractContextManager[None]]
"""Put in place for the time of one request."""


def nothing(_: Lane) -> AbstractContextManager[None]:
    """Nothing is in the way."""
    return nullcontext()


def folder(name: str) -> Setting:
    """An empty folder under the lane's root."""

    def put(lane: Lane) -> AbstractContextManager[None]:
        (lane.root / name).mkdir()
        return nullcontext()

    return put


def pipe(name: str) -> Setting:
    """A named pipe under the lane's root."""

    def put(lane: Lane) -> AbstractContextManager[None]:
        os.mkfifo(lane.root / name)
        return nullcontext()

    return put


def file(name: str, text: str | bytes) -> Setting:
    """A file under the lane's root."""

    def put(lane: Lane) -> AbstractContextManager[None]:
        path = lane.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return nullcontext()

    return put


def link(name: str, target: Path, *, hard: bool) -> Setting:
    """Another name for a file."""

    def put(lane: Lane) -> AbstractContextManager[None]:
        if hard:
            os.link(target, lane.root / name)
        else:
            (lane.root / name).symlink_to(target)
        return nullcontext()

    return put


def mode(name: str, bits: int) -> Setting:
    """Other permissions while the request is made."""

    @contextmanager
    def changed(lane: Lane) -> Iterator[None]:
        path = lane.root / name
        before = path.stat().st_mode
        path.chmod(bits)
        try:
            yield
        finally:
            path.chmod(before)

    return changed


def unreadable_cut(cut: Path) -> Setting:
    """A copy of a timeline, as a bystander, that may not be read."""

    @contextmanager
    def copied(lane: Lane) -> Iterator[None]:
        path = lane.root / "bystanders" / "secret.otio"
        shutil.copy(cut, path)
        path.chmod(0)
        yield

    return copied


@lru_cache(maxsize=1)
def can_mount() -> bool:
    """Whether a small volume can be had: by root, where the system lets it."""
    with tempfile.TemporaryDirectory() as place:
        if (
            os.geteuid() != 0
            or subprocess.run(_mount(place), capture_output=True, check=False).returncode
        ):
            return False
        subprocess.run(["umount", place], check=True)
    return True


def _mount(place: str | Path) -> list[str]:
    return ["mount", "-t", "tmpfs", "-o", "size=1m", "hotsplice-proof", str(place)]


def small_volume(name: str, settings: str = "", *, full: bool = True) -> Setting:
    """A volume of a megabyte, mostly full to the last byte."""

    @contextmanager
    def mounted(lane: Lane) -> Iterator[None]:
        place = lane.root.with_name(name)
        place.mkdir(exist_ok=True)
        subprocess.run(_mount(place), check=True, capture_output=True)
        try:
            if full:
                _fill(place / "filler")
            if settings:
                (lane.home / "settings.yaml").write_text(settings, encoding="utf-8")
            yield
        finally:
            subprocess.run(["umount", str(place)], check=True, capture_output=True)

    return mounted


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)):
                pass
        except OSError:
            return


@contextmanager
def under_work(lane: Lane) -> Iterator[None]:
    """Another process holds the film."""
    path = lane.home / "locks" / _lock_name(lane)
    with path.open("a+b") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _lock_name(lane: Lane) -> str:
    with locks.film(lane.home, str(lane.root / "out" / "film.mov"), beside=""):
        known = (path for path in (lane.home / "locks").iterdir() if path.suffix != ".busy")
        return max(known, key=lambda path: path.stat().st_mtime_ns).name


def newer_journal(lane: Lane) -> AbstractContextManager[None]:
    """The journal says that a newer version wrote it."""
    base = sqlite3.connect(lane.home / "journal.db")
    base.execute("PRAGMA user_version=99")
    base.close()
    return nullcontext()


def home_is_a_file(lane: Lane) -> AbstractContextManager[None]:
    """A file in the place of the data folder."""
    shutil.rmtree(lane.home)
    lane.home.write_text("a file\n", encoding="utf-8")
    return nullcontext()


def settings_are_a_folder(lane: Lane) -> AbstractContextManager[None]:
    """A folder in the place of the settings."""
    (lane.home / "settings.yaml").unlink()
    (lane.home / "settings.yaml").mkdir()
    return nullcontext()
