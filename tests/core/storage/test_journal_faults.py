"""A journal that cannot be written is not a damaged one: real disks, real permissions, and the codes that SQLite gives."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.errors.refusal import Refused
from core.job.events import JobAccepted, RunInterrupted
from core.storage import journal_faults
from core.storage.journal import Journal
from core.storage.journal_view import JournalView, open_for_reading
from tests.faults.volumes import mounted, why_no_mount

ROOT = Path(__file__).parents[3]
mounts = pytest.mark.skipif(bool(why_no_mount()), reason=why_no_mount() or "mounts")
ASKED = JobAccepted(
    digest="d", timeline_path="/t.otio", timeline_name="T", output="/films/a.mov", preset="h264"
)


def journal_at(home: Path, *, open_too: bool = False) -> Journal | None:
    """A journal with one job, closed unless it shall stay open."""
    journal = Journal(home / "journal.db")
    journal.accept("job1", ASKED, b"timeline", 1.0)
    if open_too:
        return journal
    journal.close()
    return None


@contextmanager
def volume(home: Path, *words: str) -> Iterator[None]:
    home.mkdir(exist_ok=True)
    with mounted(home, "-t", "tmpfs", "-o", "size=2m", *words, "hotsplice-test"):
        yield


def fill(home: Path) -> None:
    """Write until the disk takes no more byte."""
    with (home / ".filler").open("wb", buffering=0) as handle:
        for size in (1 << 16, 4096, 1):
            try:
                while handle.write(b"x" * size):
                    pass
            except OSError as error:
                assert error.errno == errno.ENOSPC


def code_of(home: Path) -> str:
    with pytest.raises(Refused) as refused:
        Journal(home / "journal.db")
    return refused.value.code


@mounts
def test_a_full_disk_is_a_full_disk_and_the_journal_can_still_be_read(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with volume(home):
        journal_at(home)
        fill(home)
        assert code_of(home) == "data-folder-full"
        view = open_for_reading(home / "journal.db")
        assert isinstance(view, JournalView) and [job for job, _ in view.jobs()] == ["job1"]
        view.check()
        with pytest.raises(Refused) as refused:
            view.append("job1", [RunInterrupted(reason="x")], 2.0)
        assert refused.value.code == "data-folder-full"
        copies = view.path.parent
        view.close()
        assert not copies.exists()
        (home / ".filler").unlink()
        again = Journal(home / "journal.db")
        assert [job for job, _ in again.jobs()] == ["job1"], (
            "with room again it goes on as if nothing had been"
        )
        again.close()


@mounts
def test_a_disk_that_fills_up_while_a_job_records(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with volume(home):
        journal = journal_at(home, open_too=True)
        assert journal is not None
        fill(home)
        with pytest.raises(sqlite3.Error) as failed:
            for _ in range(200):
                journal.append("job1", [RunInterrupted(reason="x" * 5000)], 2.0)
        found = journal_faults.fault(failed.value, journal.path)
        assert found is not None and found.code == "data-folder-full" and found.fields["free"] == 0
        journal.close()


@mounts
def test_a_read_only_disk(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with volume(home):
        journal_at(home)
        subprocess.run(["mount", "-o", "remount,ro", str(home)], check=True)
        assert code_of(home) == "data-folder-read-only"
        view = open_for_reading(home / "journal.db")
        assert [job for job, _ in view.jobs()] == ["job1"]
        view.close()


@mounts
def test_a_read_only_disk_with_a_write_ahead_log_that_was_never_merged(tmp_path: Path) -> None:
    """A killed process leaves its last facts in the log alone."""
    home = tmp_path / "home"
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom core.storage.journal import Journal\n"
        "from tests.core.storage.test_journal_faults import journal_at\n"
        "journal_at(Path(sys.argv[1]), open_too=True)\nos._exit(9)"
    )
    with volume(home):
        subprocess.run([sys.executable, "-c", code, str(home)], cwd=ROOT, check=False)
        assert (home / "journal.db-wal").stat().st_size > 0
        subprocess.run(["mount", "-o", "remount,ro", str(home)], check=True)
        assert code_of(home) == "data-folder-read-only"
        view = open_for_reading(home / "journal.db")
        assert view.request("job1")[1] == b"timeline"
        view.close()


def test_a_folder_of_another_user(tmp_path: Path) -> None:
    journal_at(tmp_path / "home")
    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "from core.storage.journal import Journal\nfrom core.storage.journal_view import open_for_reading\n"
        "from core.errors.refusal import Refused\n"
        "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "try: Journal(Path(sys.argv[1]))\nexcept Refused as error: print(error.code)\n"
        "print(len(open_for_reading(Path(sys.argv[1])).jobs()))\n"
    )
    for path in (tmp_path, *tmp_path.parents):  # the way there is open to everybody
        if path.owner() == tmp_path.owner() and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o055)
    os.chmod(tmp_path / "home", 0o555)
    os.chmod(tmp_path / "home" / "journal.db", 0o444)
    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "home" / "journal.db")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    os.chmod(tmp_path / "home", 0o755)
    assert said.stdout.split() == ["data-folder-no-permission", "1"], said.stderr


def test_a_lock_is_a_lock(tmp_path: Path) -> None:
    journal_at(tmp_path)
    other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(sqlite3.OperationalError) as failed:
            waiting = sqlite3.connect(tmp_path / "journal.db", timeout=0.01, isolation_level=None)
            waiting.execute("BEGIN IMMEDIATE")
    finally:
        other.close()
        waiting.close()
    found = journal_faults.fault(failed.value, tmp_path / "journal.db")
    assert found is not None and found.code == "journal-busy"


def failing(number: int, name: str) -> sqlite3.OperationalError:
    """What Python raises for one of SQLite's codes."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode, error.sqlite_errorname = number, name
    return error


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.EDQUOT, "data-folder-full"),
        (errno.ENOSPC, "data-folder-full"),
        (errno.EROFS, "data-folder-read-only"),
        (errno.EPERM, "data-folder-no-permission"),
        (errno.EIO, "data-folder-failing"),
        (errno.EMFILE, "journal-failing"),
    ],
)
@pytest.mark.parametrize(
    "name", ["SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC", "SQLITE_CANTOPEN", "SQLITE_FULL"]
)
def test_the_probe_says_more_than_sqlite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str, name: str
) -> None:
    """SQLite has one code for an exceeded quota, a full disk at the flush and a broken disk; the system's errno tells."""
    journal_at(tmp_path)

    def refused(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(journal_faults.os, "fsync", refused)
    found = journal_faults.fault(failing(getattr(sqlite3, name), name), tmp_path / "journal.db")
    assert found is not None and found.code == code
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal.db"], "no probe is left"


def test_without_a_sign_of_the_system_sqlite_is_believed(tmp_path: Path) -> None:
    journal_at(tmp_path)
    said = {
        name: journal_faults.fault(failing(getattr(sqlite3, name), name), tmp_path / "journal.db")
        for name in (
            "SQLITE_FULL",
            "SQLITE_IOERR_FSYNC",
            "SQLITE_READONLY",
            "SQLITE_READONLY_DBMOVED",
            "SQLITE_CANTOPEN",
        )
    }
    assert [found and found.code for found in said.values()] == [
        "data-folder-full", "data-folder-failing", "data-folder-read-only", "journal-replaced", "journal-failing",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["SQLITE_ERROR", "SQLITE_MISUSE", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_RANGE"]
)
def test_an_error_of_the_program_blames_no_disk(tmp_path: Path, name: str) -> None:
    journal_at(tmp_path)
    assert (
        journal_faults.fault(failing(getattr(sqlite3, name), name), tmp_path / "journal.db") is None
    )
    assert journal_faults.fault(ValueError("x"), tmp_path / "journal.db") is None


def test_a_file_that_cannot_be_read_to_its_end_is_a_disk_and_not_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal_at(tmp_path)
    error = failing(sqlite3.SQLITE_CORRUPT, "SQLITE_CORRUPT")
    found = journal_faults.fault(error, tmp_path / "journal.db")
    assert found is not None and found.code == "journal-damaged"
    monkeypatch.setattr(
        journal_faults, "_unreadable", lambda path: OSError(errno.EIO, "Input/output error")
    )
    found = journal_faults.fault(error, tmp_path / "journal.db")
    assert found is not None and found.code == "data-folder-failing"
