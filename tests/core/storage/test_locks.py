"""Who is at work on a film."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.errors.refusal import Refused
from core.storage import locks

ROOT = Path(__file__).parents[3]


def test_a_film_is_worked_on_by_one_at_a_time(tmp_path):
    with locks.film(tmp_path, "/films/a.mov"):
        with pytest.raises(Refused) as refused, locks.film(tmp_path, "/films/a.mov"):
            pass
        assert (refused.value.code, refused.value.fields) == (
            "job-running",
            {"path": "/films/a.mov"},
        )
        with locks.film(tmp_path, "/films/b.mov"):
            pass
    with locks.film(tmp_path, "/films/a.mov"):
        pass


def test_a_film_is_one_film_by_whatever_way_it_is_reached(tmp_path):
    output = tmp_path / "films" / "film.mov"
    output.parent.mkdir()
    (tmp_path / "shortcut").symlink_to(output.parent)
    with locks.film(tmp_path, str(output)):
        for way in (
            tmp_path / "shortcut" / "film.mov",
            tmp_path / "films" / ".." / "films" / "film.mov",
        ):
            with pytest.raises(Refused), locks.film(tmp_path, str(way)):
                pass


def test_a_lock_is_held_against_other_processes_and_gone_with_its_holder(tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom core.storage import locks\n"
        "with locks.film(Path(sys.argv[1]), '/films/a.mov'):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as holder:  # fmt: skip
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Refused), locks.film(tmp_path, "/films/a.mov"):
            pass
        holder.kill()
        holder.wait(timeout=10)
        with locks.film(tmp_path, "/films/a.mov"):
            pass


def test_whether_somebody_is_at_work_can_be_asked_without_making_anything(tmp_path):
    assert not locks.held(tmp_path, "/films/a.mov")
    assert list(tmp_path.iterdir()) == []
    with locks.film(tmp_path, "/films/a.mov"):
        assert locks.held(tmp_path, "/films/a.mov")
        assert not locks.held(tmp_path, "/films/b.mov")
    assert not locks.held(tmp_path, "/films/a.mov")
    with locks.film(tmp_path, "/films/a.mov"):
        pass


def test_whether_somebody_is_at_work_is_asked_by_the_name_the_film_was_given_and_of_no_other_disk(
    tmp_path, monkeypatch
):
    (tmp_path / "films").mkdir()
    (tmp_path / "shortcut").symlink_to(tmp_path / "films")
    given = str(tmp_path / "shortcut" / "film.mov")
    with locks.film(tmp_path, given):
        monkeypatch.setattr(
            os.path, "realpath", lambda path: pytest.fail("a share that hangs would be asked")
        )
        assert locks.held(tmp_path, given)


def test_who_only_looks_keeps_nobody_from_beginning(tmp_path):
    with locks.film(tmp_path, "/films/a.mov"):
        pass
    (looked,) = (tmp_path / "locks").glob("*.busy")
    with looked.open("r+b") as handle:
        locks._lock(handle.fileno(), shared=True)  # in the very moment of a look
        assert not locks.held(tmp_path, "/films/a.mov"), "another that looks is nobody at work"
        began = threading.Event()
        worker = threading.Thread(target=lambda: _hold(tmp_path, began))
        worker.start()
        assert not began.wait(0.05)
    assert began.wait(10)
    worker.join()


def _hold(home: Path, began: threading.Event) -> None:
    with locks.film(home, "/films/a.mov"):
        began.set()
