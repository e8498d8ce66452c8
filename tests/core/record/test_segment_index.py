"""Entries beside the segments: written together, and never where the scratch folder is not."""

from __future__ import annotations

from pathlib import Path

from core.model.facts import SegmentSealed
from core.record.journal import Journal
from core.record.memory import Memory
from core.record.segment_index import SegmentIndex


def _seal(number: int) -> SegmentSealed:
    key = f"v{number:032x}"
    return SegmentSealed(key=key, kind="video", shot=1, file=f"0/{key}.mov", bytes=1, file_hash="h", digest="d", frames=1)


def test_every_entry_is_there_when_the_film_is_complete(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    scratch, memory = tmp_path / "scratch", Memory(journal)
    (scratch / "store").mkdir(parents=True)
    index, seals = SegmentIndex(scratch, tmp_path), [_seal(number) for number in range(20)]
    for seal in seals:
        index.add(seal, (), memory)
    index.complete(seals, {}, memory)
    assert sorted(entry.seal.key for entry in index.entries()) == [seal.key for seal in seals]
    assert not list(scratch.glob("index/*/*.part"))
    journal.close()


def test_nothing_is_made_on_an_empty_mount_point(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    index, memory = SegmentIndex(tmp_path / "scratch", tmp_path), Memory(journal)
    (tmp_path / "scratch").mkdir()
    index.add(_seal(1), (), memory)
    index.complete([], {}, memory)
    assert list((tmp_path / "scratch").iterdir()) == []
    journal.close()
