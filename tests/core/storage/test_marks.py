"""What contents were like where they were used: remembered by place, and held against a file of that content alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from core.job.events import RunInterrupted
from core.media.content import Known, Marks
from core.storage import history as memories
from core.storage.history import History, SourceRecord
from core.storage.journal import Journal

HUGE = (1 << 64) - 1
A = "/m/a.mov"


@pytest.fixture
def memory(tmp_path: Path) -> History:
    return History(Journal(tmp_path / "journal.db"))


def marks(places: dict[int, int], *, path: str = A, stream: int = 0, **more: object) -> Marks:
    return Marks(path=path, stream=stream, marks=places, **more)  # type: ignore[arg-type]


def seen(
    identity: str, *, path: str = A, inode: str = "1", modified_ns: int = 5, fingerprint: str = ""
) -> SourceRecord:
    return SourceRecord(
        path, 9, "m", fingerprint or f"state of {identity}", "", identity, inode, modified_ns
    )


def test_only_what_is_on_record_can_be_unlike(memory):
    assert memory.unlike("i", marks({1: 10, 2: 20})) == []
    memory.keep_marks([("i", marks({1: 10, 2: 20, -512: HUGE}))])
    assert memory.unlike("i", marks({1: 10, 2: 20, -512: HUGE, 3: 30})) == []
    assert memory.unlike("i", marks({2: 21, 1: 11, 3: 30})) == [1, 2]
    assert (
        memory.unlike("i", marks({1: 11}, stream=1)) == []
        and memory.unlike("j", marks({1: 11})) == []
    )
    assert memory.marks(A, "i", 0) == marks({1: 10, 2: 20, -512: HUGE})


def test_another_file_of_the_name_and_date_is_held_against_the_record_and_one_of_another_date_is_not(
    memory,
):
    memory.see([seen("i")])
    memory.keep_marks([("i", marks({1: 10}))])
    memory.see([seen("j", modified_ns=6)])
    assert memory.unlike("j", marks({1: 11})) == []
    memory.see([seen("k", modified_ns=6)])
    assert memory.unlike("k", marks({1: 11})) == [], "nothing of j was on record"
    memory.keep_marks([("k", marks({1: 12}))])
    memory.see([seen("l", modified_ns=6)])
    assert memory.unlike("l", marks({1: 11})) == [1]
    assert memory.known("l") is None, "what it was held against is not what was made of it"


def test_what_was_first_seen_stays(memory):
    """A second reading adds places and changes none."""
    memory.keep_marks([("i", marks({1: 10}))])
    memory.keep_marks([("i", marks({1: 99, 2: 20})), ("i", marks({}))])
    assert memory.marks(A, "i", 0).marks == {1: 10, 2: 20}


def test_nothing_is_known_of_a_content_never_used(memory):
    assert memory.marks(A, "never", 0) == marks({})
    assert memory.known("never") == ()


def test_all_that_was_read_is_known_also_what_decoding_began_with(memory):
    memory.keep_marks(
        [("i", marks({5: 50}, before={4: 40, 5: 51}, header=HUGE)), ("i", marks({7: 70}, stream=2))]
    )
    assert memory.known("i") == (
        Known(stream=0, header=HUGE, marks={4: 40, 5: 50}),
        Known(stream=2, header=0, marks={7: 70}),
    )


@pytest.mark.parametrize(
    "more", [{"unmarked": 1}, {"header": 8}], ids=["packets without a place", "another header"]
)
def test_where_something_was_used_of_which_there_is_no_record_nothing_can_be_compared(memory, more):
    memory.keep_marks([("i", marks({5: 50}, header=7))])
    assert memory.known("i")
    memory.keep_marks([("i", marks({6: 60}, **({"header": 7} | more)))])
    assert memory.known("i") is None


def test_what_a_person_vouches_for_is_not_held_against_and_cannot_be_compared(memory):
    memory.see([seen("i")])
    memory.keep_marks([("i", marks({5: 50}, header=7))])
    memory.forget_marks(A)
    assert memory.unlike("i", marks({5: 51})) == []
    memory.keep_marks([("i", marks({5: 51}, header=7))])
    assert memory.known("i") is None, "checkpoints of before are not told from those of after"


def test_one_file_has_a_content_at_a_time(memory):
    memory.see([seen("i"), seen("i", path="/m/link.mov")])
    assert {memory.seen(path).inode for path in (A, "/m/link.mov")} == {"1"}
    memory.see([seen("i", path="/n/copy.mov", inode="7")])
    assert sorted(memory.holders("i")) == [A, "/m/link.mov", "/n/copy.mov"]
    assert [memory.seen(path).inode for path in (A, "/m/link.mov", "/n/copy.mov")] == ["", "", "7"]


def test_contents_that_look_alike_are_known_the_last_used_first_and_not_for_ever(
    memory, monkeypatch
):
    monkeypatch.setattr(memories, "_MOST_CONTENTS", 10)
    for number in range(10):
        memory.see([seen(f"i{number}", path=f"/m/{number}", modified_ns=number + 1)])
        memory.keep_marks([(f"i{number}", marks({1: number}, header=7))])
    memory.see([seen("i0", path="/m/0", modified_ns=1)])
    assert (
        memory.alike(9, "m")[:2] == ["i0", "i9"]
        and memory.alike(8, "m") == memory.alike(9, "n") == []
    )
    assert memory.on_record("i1")
    memory.see([seen("one more", path="/m/x", modified_ns=99)])
    assert memory.alike(9, "m")[0] == "one more" and "i1" not in memory.alike(9, "m")
    assert not memory.on_record("i1") and memory.marks("/m/1", "i1", 0).marks == {}
    assert memory.known("i0"), "it was used again"


def test_marks_are_recorded_with_the_next_fact_or_not_at_all(tmp_path):
    journal, other = Journal(tmp_path / "journal.db"), History(Journal(tmp_path / "journal.db"))
    memory = History(journal)
    memory.keep_marks(
        [("i", marks({1: 10})), ("i", marks({2: 20})), ("j", marks({1: 12}, path="/m/b.mov"))]
    )
    assert other.marks(A, "i", 0).marks == {}
    journal.append("j1", [RunInterrupted(reason="test")], 5.0)
    assert other.marks(A, "i", 0) == marks({1: 10, 2: 20})
    assert other.marks("/m/b.mov", "j", 0).marks == {1: 12}
    memory.keep_marks([("i", marks({3: 30}))])
    with pytest.raises(sqlite3.Error):
        journal.write("INSERT INTO nothing VALUES (?)", [(1,)])
    journal.append("j1", [RunInterrupted(reason="test")], 6.0)
    assert other.marks(A, "i", 0).marks == {1: 10, 2: 20}, (
        "gone with what failed; nothing else is held up"
    )


def test_marks_of_before_there_were_identities_are_held_against_the_file_of_that_date(
    tmp_path, monkeypatch
):
    path = tmp_path / "journal.db"
    monkeypatch.setattr("core.storage.journal._VERSION", 5)
    old = Journal(path)
    old.write("INSERT INTO sources VALUES (?, 9, 'm', 'f', '')", [(A,)])
    old.write("INSERT INTO marked (path, modified_ns) VALUES (?, 5)", [(A,)])
    old.write("INSERT INTO marks SELECT file, 0, 1, ? FROM marked", [((10).to_bytes(8, "little"),)])
    old.close()
    monkeypatch.undo()
    memory = History(Journal(path))
    assert memory.modified_ns(A) == 5 and memory.alike(9, "m") == []
    memory.see([seen("i")])
    assert memory.unlike("i", marks({1: 11})) == [1]
    memory.see([seen("j", modified_ns=6)])
    assert memory.unlike("j", marks({1: 11})) == []


def test_a_content_is_of_one_file_at_a_time(memory):
    assert memory.holds(A, "i"), "nothing is on record of the path"
    memory.see([seen("i")])
    assert memory.holds(A, "i") and not memory.holds(A, "j")
    memory.see([seen("i", path="/m/moved.mov", inode="2")])
    assert memory.holds("/m/moved.mov", "i") and not memory.holds(A, "i")
    memory.see([seen("i", inode="2"), seen("i", path="/m/moved.mov", inode="2")])
    assert memory.holds(A, "i") and memory.holds("/m/moved.mov", "i"), "two names of one file"


def test_what_another_record_knew_of_sources_is_taken_over_where_nothing_is_known(memory):
    memory.see([seen("new")])
    memory.recall(
        [seen("old"), seen("b", path="/m/b.mov", modified_ns=6), seen("b", path="/m/b.mov")]
    )
    assert memory.seen(A) == seen("new") and memory.seen("/m/b.mov") == seen("b", path="/m/b.mov")
    assert memory.alike(9, "m") == ["b", "new"]
