"""The kernel takes the journal's mapped memory away for real: its file is cut to nothing, which brings the same SIGBUS as a drive
that is pulled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SIGBUS = getattr(signal, "SIGBUS", None)
pytestmark = pytest.mark.skipif(SIGBUS is None, reason="SQLite itself reports an error here")

BEFORE = """
import mmap, os, sys, threading
from pathlib import Path
from core.storage.journal import Journal
from core.storage.sigbus import report_lost_journal
home = Path(sys.argv[1])
journal = Journal(home / "journal.db")
def cut(name="journal.db-shm"):
    os.truncate(home / name, 0)
def say(error):
    print(type(error).__name__, error, getattr(error, "sqlite_errorname", ""), getattr(error, "folder_gone", ""))
    return 7
"""


def ended(code: str, home: Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of Python code with an open journal."""
    done = subprocess.run(
        [sys.executable, "-c", BEFORE + code, str(home)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout.strip(), done.stderr


def test_it_says_that_the_disk_fails_and_ends(tmp_path: Path) -> None:
    said = ended("with report_lost_journal(say):\n    cut()\n    journal.jobs()", tmp_path / "home")
    assert said == (7, "OperationalError disk I/O error SIGBUS", "")


@pytest.mark.parametrize(("instead", "gone"), [("", True), ("home.mkdir()", False)])
def test_it_says_that_the_folder_or_the_journal_is_gone(
    tmp_path: Path, instead: str, gone: bool
) -> None:
    away = f"with report_lost_journal(say):\n    cut()\n    home.rename(home.with_name('away'))\n    {instead}\n    journal.jobs()"
    code, said, wrong = ended(away, tmp_path / "home")
    assert (code, wrong) == (
        7,
        "",
    ) and said == f"JournalLost {tmp_path / 'home' / 'journal.db'}  {gone}"


def test_the_innermost_has_the_word(tmp_path: Path) -> None:
    inner = "with report_lost_journal(lambda error: 8):\n    with report_lost_journal(say):\n        pass\n    cut()\n    journal.jobs()"
    assert ended(inner, tmp_path / "home") == (8, "", "")


def test_threads_that_work_on_do_not_keep_it_from_speaking(tmp_path: Path) -> None:
    busy = (
        "def work():\n    while True:\n        sum(range(1000))\n"
        "for _ in range(3):\n    threading.Thread(target=work, daemon=True).start()\n"
        "with report_lost_journal(say):\n    cut()\n    journal.jobs()"
    )
    assert ended(busy, tmp_path / "home")[0] == 7


def test_words_that_fail_show_no_traceback(tmp_path: Path) -> None:
    assert ended(
        "with report_lost_journal(lambda error: 1 // 0):\n    cut()\n    journal.jobs()", tmp_path / "home"
    ) == (3, "", "")


@pytest.mark.parametrize(
    "code",
    [
        "file = home / 'other'\nfile.write_bytes(b'x')\nseen = mmap.mmap(os.open(file, os.O_RDWR), 1)\n"
        "with report_lost_journal(say):\n    cut('other')\n    seen[0]",
        "with report_lost_journal(say):\n    os.kill(os.getpid(), 7 if sys.platform == 'linux' else 10)",
        "with report_lost_journal(say):\n    pass\ncut()\njournal.jobs()",
    ],
    ids=["another mapped file", "sent from elsewhere", "afterwards"],
)
def test_what_is_not_of_the_journal_ends_the_process_as_ever(tmp_path: Path, code: str) -> None:
    assert SIGBUS is not None
    assert ended(code, tmp_path / "home") == (-SIGBUS, "", "")
