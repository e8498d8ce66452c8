"""What sources were like where they were used: remembered by place, and only of the file with that very date."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from core.model.facts import RunInterrupted
from core.model.orders import Marks
from core.record.journal import Journal
from core.record.memory import Memory

HUGE = (1 << 64) - 1


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(Journal(tmp_path / "journal.db"))


def marks(places: dict[int, int], *, path: str = "/m/a.mov", modified_ns: int = 5, stream: int = 0) -> Marks:
    return Marks(path=path, modified_ns=modified_ns, stream=stream, marks=places)


def test_only_what_is_on_record_can_be_unlike(memory):
    assert memory.unlike(marks({1: 10, 2: 20})) == []
    memory.keep_marks(marks({1: 10, 2: 20, -512: HUGE}))
    assert memory.unlike(marks({1: 10, 2: 20, -512: HUGE, 3: 30})) == []
    assert memory.unlike(marks({2: 21, 1: 11, 3: 30})) == [1, 2]
    assert memory.unlike(marks({1: 11}, stream=1)) == [] and memory.unlike(marks({1: 11}, path="/m/b.mov")) == []
    assert memory.marks("/m/a.mov", 0) == marks({1: 10, 2: 20, -512: HUGE})


def test_a_file_with_another_date_is_another_file(memory):
    memory.keep_marks(marks({1: 10, 2: 20}))
    assert memory.unlike(marks({1: 11}, modified_ns=6)) == []
    memory.keep_marks(marks({1: 11}, modified_ns=6))
    assert memory.marks("/m/a.mov", 0) == marks({1: 11}, modified_ns=6), "nothing of the old one is left"
    assert memory.unlike(marks({1: 10}, modified_ns=6)) == [1]


def test_what_was_first_seen_stays(memory):
    """A second reading adds places and changes none."""
    memory.keep_marks(marks({1: 10}))
    memory.keep_marks(marks({1: 99, 2: 20}))
    assert memory.marks("/m/a.mov", 0).marks == {1: 10, 2: 20}
    memory.keep_marks(marks({}))


def test_nothing_is_known_of_a_file_never_used(memory):
    assert memory.marks("/m/never.mov", 0) == Marks(path="/m/never.mov", modified_ns=0, stream=0, marks={})


def test_marks_are_recorded_with_the_next_fact_or_not_at_all(tmp_path):
    journal, other = Journal(tmp_path / "journal.db"), Memory(Journal(tmp_path / "journal.db"))
    memory = Memory(journal)
    memory.keep_marks(marks({1: 10}), marks({2: 20}), marks({1: 11}, modified_ns=6), marks({1: 12}, path="/m/b.mov"))
    assert other.marks("/m/a.mov", 0).marks == {}
    journal.append("j1", [RunInterrupted(reason="test")], 5.0)
    assert other.marks("/m/a.mov", 0) == marks({1: 10, 2: 20}), "what it became while it was used is another file"
    assert other.marks("/m/b.mov", 0).marks == {1: 12}
    memory.keep_marks(marks({3: 30}))
    with pytest.raises(sqlite3.Error):
        journal.write("INSERT INTO nothing VALUES (?)", [(1,)])
    journal.append("j1", [RunInterrupted(reason="test")], 6.0)
    assert other.marks("/m/a.mov", 0).marks == {1: 10, 2: 20}, "gone with what failed; nothing else is held up"
