"""One film, two data folders: the lock beside the film, with real processes, and where a file system has no locks."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.errors.refusal import Refused
from core.storage import film_lock, locks

ROOT = Path(__file__).parents[3]
HOLD = (
    "import sys, time\nfrom pathlib import Path\nfrom core.storage import locks\n"
    "with locks.film(Path(sys.argv[1]), sys.argv[2]):\n    print('held', flush=True)\n    time.sleep(60)\n"
)


@pytest.fixture(autouse=True)
def data_folders(tmp_path: Path) -> None:
    for name in ("ours", "theirs", "home", "other", "one", "two"):
        (tmp_path / name).mkdir()


def unlockable(handle: int) -> None:
    raise OSError(errno.ENOLCK, "No locks available")


def test_another_data_folder_holds_the_film_until_its_process_is_gone(tmp_path: Path) -> None:
    film = str(tmp_path / "film.mov")
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "theirs"), film],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert other.stdout and other.stdout.readline() == "held\n"
        with pytest.raises(Refused) as refused, locks.film(tmp_path / "ours", film):
            pass
        assert refused.value.code == "job-running" and refused.value.fields["detail"] == str(
            tmp_path / "theirs"
        )
        assert locks.held_elsewhere(tmp_path / "ours", film) == str(tmp_path / "theirs")
        assert not locks.held(tmp_path / "ours", film), "whoever only looks asks no disk but ours"
        with locks.film(tmp_path / "ours", str(tmp_path / "another.mov")):
            pass
    finally:
        other.send_signal(signal.SIGKILL)
        other.wait()
    with locks.film(tmp_path / "ours", film):
        pass
    assert (
        not (tmp_path / ".hotsplice").exists()
        and locks.held_elsewhere(tmp_path / "ours", film) is None
    )


def test_whoever_looks_at_a_film_keeps_nobody_from_beginning(tmp_path: Path) -> None:
    film = str(tmp_path / "film.mov")
    place = film_lock.file(film, ".hotsplice")
    place.parent.mkdir()
    place.touch()  # what a process that was killed leaves
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            locks.held_elsewhere(tmp_path / "other", film)

    looking = [threading.Thread(target=look) for _ in range(2)]
    for one in looking:
        one.start()
    try:
        for _ in range(30):
            with locks.film(tmp_path / "home", film):
                pass
    finally:
        done.set()
        for one in looking:
            one.join()


def test_a_folder_that_takes_no_lock_is_no_reason_to_refuse(tmp_path: Path) -> None:
    with locks.film(tmp_path / "home", str(tmp_path / "not there" / "film.mov")):
        pass
    assert not (tmp_path / "not there").exists()


def test_without_locks_the_file_is_the_lock(tmp_path: Path) -> None:
    film, place = str(tmp_path / "film.mov"), tmp_path / ".hotsplice"

    def held(home: str) -> bool:
        try:
            with film_lock.held_beside(film, ".hotsplice", tmp_path / home, unlockable):
                return False
        except Refused:
            return True

    with film_lock.held_beside(film, ".hotsplice", tmp_path / "one", unlockable):
        assert held("two")
        assert film_lock.holder(film, ".hotsplice", tmp_path / "two", unlockable) == str(
            tmp_path / "one"
        )
        (lock,) = place.iterdir()
        lock.write_text(f"another machine\n{os.getpid()}\n/home\n")
        assert held("two"), "of another machine only the time tells, and it was renewed just now"
        os.utime(lock, (1000, 1000))
        assert not held("two"), "it was not renewed for longer than a process that lives would need"
    gone = subprocess.run(
        ["sh", "-c", "echo $$"], capture_output=True, text=True, check=True
    ).stdout.strip()
    place.mkdir(exist_ok=True)
    lock.write_text(f"{film_lock.platform.node()}\n{gone}\n/home\n")
    assert not held("two"), "its process is gone from this machine"
    assert not held("one") and not place.exists()


def test_a_drive_that_is_pulled_takes_its_lock_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = os.close

    def gone(handle: int) -> None:
        close(handle)
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    with locks.film(tmp_path / "ours", str(tmp_path / "film.mov")):
        monkeypatch.setattr(os, "close", gone)
    monkeypatch.undo()
