"""Entries beside the segments: written together, and never where the scratch folder is not."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from core.job.events import JobAccepted, SegmentSealed
from core.storage import segment_index
from core.storage.history import History
from core.storage.journal import Journal
from core.storage.segment_index import SegmentIndex


def _seal(number: int) -> SegmentSealed:
    key = f"v{number:032x}"
    return SegmentSealed(
        key=key,
        kind="video",
        shot=1,
        file=f"0/{key}.mov",
        bytes=1,
        file_hash="h",
        digest="d",
        frames=1,
    )


def test_every_entry_is_there_when_the_film_is_complete(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    scratch, memory = tmp_path / "scratch", History(journal)
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
    index, memory = SegmentIndex(tmp_path / "scratch", tmp_path), History(journal)
    (tmp_path / "scratch").mkdir()
    index.add(_seal(1), (), memory)
    index.complete([], {}, memory)
    assert list((tmp_path / "scratch").iterdir()) == []
    journal.close()


@pytest.mark.parametrize("read", [True, False])
def test_a_removal_that_was_cut_is_undone_by_the_next_cleaning_and_a_lost_journal_is_not(
    tmp_path: Path, *, read: bool
) -> None:
    journal, seal = Journal(tmp_path / "journal.db"), _seal(1)
    scratch, memory = tmp_path / "scratch", History(journal)
    (scratch / "store" / "0").mkdir(parents=True)
    (scratch / "store" / seal.file).write_bytes(b"p")
    index = SegmentIndex(scratch, tmp_path)
    if read:
        index.begin(journal)
    index.add(seal, (), memory)
    index.complete([seal], {}, memory)
    accepted = JobAccepted(
        digest="r", timeline_path="", timeline_name="", output="/films/film.mov", preset=""
    )
    journal.accept("job1", accepted, b"", 1.0)
    journal.append("job1", [seal], 2.0)
    with contextlib.suppress(KeyboardInterrupt), index.removing(journal):
        journal.forget_seals([seal.key])
        raise KeyboardInterrupt
    index.undo_cut_removal(journal)
    assert journal.all_seals() == ([(seal, "job1")] if read else [])
    assert index.was_read(journal) == read
    journal.close()


@pytest.mark.skipif(
    os.stat not in os.supports_dir_fd, reason="folders are named by their paths alone"
)
def test_nothing_is_made_on_the_mount_point_of_a_drive_that_goes_while_the_store_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "journal.db")
    scratch, gone, stat = tmp_path / "scratch", tmp_path / "gone", os.stat
    (scratch / "store").mkdir(parents=True)

    def then_gone(path: str | Path, **how: int) -> os.stat_result:
        found = stat(path, **how)
        if Path(path).name == "store" and "store" in os.listdir(scratch):
            scratch.rename(gone)
            scratch.mkdir()
        return found

    index, memory = SegmentIndex(scratch, tmp_path), History(journal)
    monkeypatch.setattr(os, "stat", then_gone)
    index.add(_seal(1), (), memory)
    index.complete([], {}, memory)
    assert gone.is_dir() and list(scratch.iterdir()) == []
    journal.close()


def test_a_new_folder_of_the_index_is_flushed_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, flushed = Journal(tmp_path / "journal.db"), list[Path]()
    (tmp_path / "scratch" / "store").mkdir(parents=True)
    monkeypatch.setattr(segment_index, "flush_directory", flushed.append)
    index, memory = SegmentIndex(tmp_path / "scratch", tmp_path), History(journal)
    index.add(_seal(1), (), memory)
    index.complete([], {}, memory)
    assert {tmp_path / "scratch", tmp_path / "scratch" / "index"} <= set(flushed)
    journal.close()
