"""The journal on a real disk: all or nothing, in order, by several processes, and honest about its own file."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors.refusal import Refused
from core.job.events import (
    Fact,
    FilmJoined,
    FilmPublished,
    FilmRolledBack,
    JobAccepted,
    JobFinished,
    RunInterrupted,
    RunStarted,
    SealBroken,
    SegmentSealed,
)
from core.storage import journal as journals
from core.storage.jobs import open_jobs
from core.storage.journal import Journal
from core.storage.journal_faults import JournalLost
from core.storage.schema import SCHEMAS

ROOT = Path(__file__).parents[3]


def accepted(output: str = "/films/a.mov", digest: str = "r1") -> JobAccepted:
    return JobAccepted(
        digest=digest,
        timeline_path="/cuts/a.otio",
        timeline_name="A",
        output=output,
        preset="prores-hq",
    )


def seal(key: str, **more: object) -> SegmentSealed:
    values = {
        "kind": "video",
        "shot": 1,
        "file": f"{key}.mov",
        "bytes": 10,
        "file_hash": "h",
        "frames": 24,
        "digest": "d",
        **more,
    }
    return SegmentSealed(key=key, **values)  # type: ignore[arg-type]


def published(film_hash: str, kept: str = "") -> FilmPublished:
    return FilmPublished(
        output="/films/a.mov",
        film_hash=film_hash,
        kept=kept,
        cut=f"cut {film_hash}",
        frames=48,
        samples=96000,
    )


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "home" / "journal.db")
    opened.accept("job1", accepted(), b"{timeline}", 100.0)
    yield opened
    opened.close()


def told(journal: Journal, job: str = "job1") -> list[Fact]:
    return [entry.fact for entry in journal.facts(job)]


def elsewhere(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Python code in another process."""
    script = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom core.storage.journal import Journal\n"
        "from core.job.events import *\n" + code
    )
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


# Facts ----------------------------------------------------------------------------------------------------------------


def test_what_happened_is_told_again_in_order_with_its_moment(journal):
    first = journal.append(
        "job1", [RunStarted(version="1", ffmpeg="9", workers=2), seal("v1")], 101.5
    )
    second = journal.append("job1", [RunInterrupted(reason="SIGINT")], 102.5)
    entries = journal.facts("job1")
    assert [type(entry.fact).__name__ for entry in entries] == [
        "JobAccepted",
        "RunStarted",
        "SegmentSealed",
        "RunInterrupted",
    ]
    assert [entry.at for entry in entries] == [100.0, 101.5, 101.5, 102.5]
    assert [entry.seq for entry in entries] == [1, 2, 3, 4]
    assert (first, second) == (3, 4), "the number of the last fact, by which a checkpoint is named"
    assert entries[2].fact == seal("v1")


def test_jobs_do_not_hear_of_each_other(journal):
    journal.accept("job2", accepted("/films/b.mov"), b"", 200.0)
    journal.append("job2", [seal("v2")], 201.0)
    assert told(journal) == [accepted()]
    assert told(journal, "job2") == [accepted("/films/b.mov"), seal("v2")]
    assert told(journal, "no-such-job") == []


def test_sequence_numbers_are_never_given_twice(journal, tmp_path):
    last = journal.append("job1", [seal("v1")], 1.0)
    journal.close()
    again = Journal(tmp_path / "home" / "journal.db")
    assert again.append("job1", [seal("v2")], 2.0) == last + 1
    again.close()


def test_all_facts_of_an_append_are_there_or_none(journal):
    def broken() -> Iterator[Fact]:
        yield seal("v1")
        yield published("f1")
        raise RuntimeError("cut here")

    with pytest.raises(RuntimeError, match="cut here"):
        journal.append("job1", broken(), 1.0)
    assert told(journal) == [accepted()]
    assert journal.seals(["v1"]) == {}
    assert journal.film("/films/a.mov") is None
    journal.append("job1", [seal("v2")], 2.0)
    assert told(journal)[-1] == seal("v2"), "nothing was left open"


def test_a_full_disk_takes_nothing_and_spoils_nothing(journal):
    (pages,) = journal._db.execute("PRAGMA page_count").fetchone()
    journal._db.execute(f"PRAGMA max_page_count={pages}")  # what SQLite meets on a full disk
    big = [seal(f"v{n}", digest="d" * 1000) for n in range(40)]
    with pytest.raises(sqlite3.OperationalError, match="full"):
        journal.append("job1", big, 1.0)
    assert told(journal) == [accepted()]
    journal._db.execute("PRAGMA max_page_count=1000000")
    journal.append("job1", big, 2.0)
    assert len(told(journal)) == 41


def test_a_job_of_that_name_is_accepted_once(journal):
    with pytest.raises(sqlite3.IntegrityError):
        journal.accept("job1", accepted(), b"other", 1.0)
    assert journal.request("job1") == (accepted(), b"{timeline}")
    assert told(journal) == [accepted()]


def test_facts_of_a_job_that_was_never_accepted_make_no_job(journal):
    journal.append("stranger", [seal("v1")], 1.0)
    assert journal.jobs() == [("job1", 100.0)]
    with pytest.raises(KeyError, match="stranger"):
        journal.request("stranger")


def test_the_newest_fact_of_some_kinds(journal):
    journal.append(
        "job1",
        [
            RunStarted(version="1", ffmpeg="9", workers=2),
            seal("v1"),
            RunInterrupted(reason="x"),
            seal("v2"),
        ],
        1.0,
    )
    found = journal.last("job1", "RunStarted", "RunInterrupted")
    assert found is not None
    assert found.fact == RunInterrupted(reason="x")
    assert journal.last("job1", "FilmJoined") is None


def test_jobs_that_can_be_taken_up_are_the_unfinished_and_the_failed_newest_first(journal):
    for number, outcome in enumerate(
        ["complete", "failed", "incomplete", "superseded", "unchanged", None], start=2
    ):
        journal.accept(f"job{number}", accepted(digest=f"r{number}"), b"", 100.0 + number)
        if outcome:
            journal.append(f"job{number}", [JobFinished(outcome=outcome)], 1.0)  # type: ignore[arg-type]
    journal.accept("elsewhere", accepted("/films/b.mov"), b"", 999.0)
    assert open_jobs(journal, "/films/a.mov") == [("job7", "r7"), ("job3", "r3"), ("job1", "r1")]
    journal.append("job3", [JobFinished(outcome="complete")], 2.0)
    assert open_jobs(journal, "/films/a.mov") == [("job7", "r7"), ("job1", "r1")], (
        "it failed once and ended well"
    )


# What facts imply -----------------------------------------------------------------------------------------------------


def test_a_seal_stands_until_it_is_broken_or_forgotten(journal):
    journal.append("job1", [seal("v1"), seal("v2"), seal("v3")], 1.0)
    assert journal.seals(["v1", "v2", "v9"]) == {"v1": seal("v1"), "v2": seal("v2")}
    journal.append("job1", [SealBroken(key="v1", reason="changed")], 2.0)
    journal.forget_seals(["v2"])
    assert journal.seals(["v1", "v2", "v3"]) == {"v3": seal("v3")}
    assert journal.all_seals() == [(seal("v3"), "job1")]


def test_a_seal_made_again_is_the_newer_one_and_its_jobs(journal):
    journal.accept("job2", accepted(), b"", 1.0)
    journal.append("job1", [seal("v1")], 1.0)
    journal.append("job2", [seal("v1", digest="other")], 2.0)
    assert journal.all_seals() == [(seal("v1", digest="other"), "job2")]


def test_a_film_is_known_by_its_place_with_the_one_it_replaced(journal):
    journal.append(
        "job1",
        [
            FilmJoined(cut="c", staged="s", bytes=1, film_hash="f1", frames=48, samples=96000),
            published("f1"),
        ],
        1.0,
    )
    film = journal.film("/films/a.mov")
    assert film is not None
    assert (film.film_hash, film.kept, film.kept_hash, film.cut, film.frames, film.samples) == (
        "f1",
        "",
        "",
        "cut f1",
        48,
        96000,
    )
    journal.append("job1", [published("f2", kept="/films/.hotsplice/a.mov.previous")], 2.0)
    film = journal.film("/films/a.mov")
    assert film is not None
    assert (film.film_hash, film.kept_hash) == ("f2", "f1")
    assert journal.films() == [film]


def test_a_film_that_replaced_a_stranger_knows_no_hash_of_it(journal):
    journal.append("job1", [published("f1", kept="/films/.hotsplice/a.mov.previous")], 1.0)
    film = journal.film("/films/a.mov")
    assert film is not None
    assert film.kept_hash == ""


def test_rolling_back_exchanges_the_two_and_claims_no_cut(journal):
    journal.append("job1", [published("f1"), published("f2", kept="k")], 1.0)
    journal.append(
        "job1", [FilmRolledBack(output="/films/a.mov", film_hash="f1", kept_hash="f2")], 2.0
    )
    film = journal.film("/films/a.mov")
    assert film is not None
    assert (film.film_hash, film.kept_hash, film.cut) == ("f1", "f2", ""), (
        "a cut that is not there would be taken for made"
    )


def test_clean_packets_are_remembered_by_source_stream_and_frame(journal):
    journal.add_decoded("source", 0, {0: 2**64 - 1, 1: 0, 500: 7})
    journal.add_decoded("source", 0, {1: 5})
    journal.add_decoded("source", 1, {1: 99})
    assert journal.decoded("source", 0, 0, 500) == {0: 2**64 - 1, 1: 5}
    assert journal.decoded("source", 0, 500, 1) == {500: 7}
    assert journal.decoded("another", 0, 0, 500) == {}


# The file -------------------------------------------------------------------------------------------------------------


def test_it_is_written_so_that_a_power_cut_loses_nothing_acknowledged(journal):
    settings = [
        journal._db.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "user_version")
    ]
    assert settings == ["wal", 2, len(SCHEMAS)], (
        "WAL with NORMAL loses rows, DELETE with FULL the last commit"
    )


def test_everything_is_there_after_closing_and_opening(journal, tmp_path):
    journal.append("job1", [seal("v1"), published("f1")], 1.0)
    before = told(journal)
    journal.close()
    again = Journal(tmp_path / "home" / "journal.db")
    assert (told(again), again.seals(["v1"])) == (before, {"v1": seal("v1")})
    again.close()


def test_a_fact_that_was_appended_survives_a_kill_in_the_next_instant(tmp_path):
    done = elsewhere(
        "journal = Journal(Path(sys.argv[1]))\n"
        "journal.accept('job1', JobAccepted(digest='d', timeline_path='', timeline_name='', output='', preset=''), b'raw', 1.0)\n"
        "journal.append('job1', [RunInterrupted(reason='first')], 2.0)\n"
        "journal._db.execute('BEGIN IMMEDIATE')\n"
        "journal._insert('job1', RunInterrupted(reason='never acknowledged'), 3.0)\n"
        "os.kill(os.getpid(), signal.SIGKILL)",
        tmp_path / "journal.db",
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    journal = Journal(tmp_path / "journal.db")
    assert [type(fact).__name__ for fact in told(journal)] == ["JobAccepted", "RunInterrupted"]
    assert told(journal)[1] == RunInterrupted(reason="first")
    journal.append("job1", [RunInterrupted(reason="second")], 4.0)
    journal.close()


def test_two_processes_write_and_nothing_is_lost_or_mixed(journal):
    code = (
        "journal = Journal(Path(sys.argv[1]))\n"
        "for n in range(100):\n"
        "    said = RunInterrupted(reason=f'{sys.argv[2]} {n}')\n"
        "    journal.append('job1', [said, said], 1.0)\n"
    )
    script = (
        "import sys\nfrom pathlib import Path\nfrom core.storage.journal import Journal\nfrom core.job.events import *\n"
        + code
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(journal.path), name],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for name in "ab"
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    reasons = [fact.reason for fact in told(journal)[1:]]
    assert len(reasons) == 400
    assert reasons[::2] == reasons[1::2], "what was appended together stands together"
    for name in "ab":
        assert [r for r in reasons[::2] if r.startswith(name)] == [
            f"{name} {n}" for n in range(100)
        ]


def test_a_journal_that_was_deleted_under_us_is_lost_though_sqlite_says_ok(journal):
    os.unlink(journal.path)
    with pytest.raises(JournalLost):
        journal.append("job1", [seal("v1")], 1.0)
    with pytest.raises(JournalLost):
        journal.accept("job2", accepted(), b"", 1.0)


def test_a_journal_that_was_replaced_under_us_is_lost(journal, tmp_path):
    other = tmp_path / "other.db"
    other.write_bytes(journal.path.read_bytes())
    os.replace(other, journal.path)
    with pytest.raises(JournalLost):
        journal.append("job1", [seal("v1")], 1.0)


def test_a_newer_journal_is_left_alone(journal):
    journal._db.execute(f"PRAGMA user_version={len(SCHEMAS) + 1}")
    journal.close()
    before = journal.path.read_bytes()
    with pytest.raises(Refused) as refused:
        Journal(journal.path)
    assert (refused.value.code, refused.value.fields["path"]) == (
        "journal-newer",
        str(journal.path),
    )
    assert journal.path.read_bytes() == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"this is no database, it is a letter of some length" * 100,
        lambda data: b"\0" * len(data),
        lambda data: data[:50],
        lambda data: data[:16] + b"\xff" * 84 + data[100:],
    ],
    ids=["text", "zeroes", "cut", "head"],
)
def test_a_damaged_journal_is_refused_and_kept_as_evidence(journal, damage):
    journal.close()
    broken = damage(journal.path.read_bytes())
    journal.path.write_bytes(broken)
    with pytest.raises(Refused) as refused:
        Journal(journal.path)
    assert refused.value.code == "journal-damaged"
    assert refused.value.fields["path"] == str(journal.path)
    assert journal.path.read_bytes() == broken, "nothing was mended behind anybody's back"


def test_an_empty_file_is_a_new_journal(tmp_path):
    (tmp_path / "journal.db").touch()
    journal = Journal(tmp_path / "journal.db")
    assert journal.jobs() == []
    journal.close()


def test_a_journal_in_a_place_that_cannot_be_used_is_refused(tmp_path):
    (tmp_path / "journal.db").mkdir()
    with pytest.raises(Refused) as refused:
        Journal(tmp_path / "journal.db")
    assert refused.value.code == "data-folder-unusable"


@pytest.fixture
def of_version(tmp_path, monkeypatch):
    """A journal as an older version of the program left it."""

    def made(version: int) -> Journal:
        monkeypatch.setattr(journals, "_VERSION", version)
        old = Journal(tmp_path / "old" / "journal.db")
        old.accept("job1", accepted(), b"", 1.0)
        monkeypatch.undo()
        return old

    return made


def test_an_older_journal_is_brought_up_to_date_with_all_it_holds(of_version):
    journal = of_version(1)
    journal.append("job1", [seal("v1"), published("f1")], 1.0)
    before = told(journal)
    journal.close()
    again = Journal(journal.path)
    assert again._db.execute("PRAGMA user_version").fetchone() == (len(SCHEMAS),)
    assert told(again) == before
    assert again.read("SELECT * FROM cures", ()) == []
    again.close()


def test_a_queue_of_version_4_keeps_its_jobs_and_their_order(of_version):
    journal = of_version(4)
    journal.accept("job2", accepted(), b"", 2.0)
    journal._db.execute("INSERT INTO queue (job, wish) VALUES ('job2', 'run'), ('job1', 'held')")
    journal.close()
    again = Journal(journal.path)
    assert again.read("SELECT job, wish, priority FROM queue ORDER BY place", ()) == [
        ("job2", "run", 0),
        ("job1", "held", 0),
    ]
    again.close()
