"""A lost journal costs no rendering: segments are found again by the index beside them. Real ffmpeg, the real command."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from core.storage.history import History
from core.storage.journal import Journal
from tests.film.assembling import House
from tests.film.media import Movie, make_movie
from tests.film.test_assemble_story import cut_of


@pytest.fixture(scope="module")
def reels(tmp_path_factory: pytest.TempPathFactory) -> list[Movie]:
    folder = tmp_path_factory.mktemp("reels")
    return [
        make_movie(folder / f"{n}.mov", source_id=n + 1, frames=72, codec="h264", audio="pcm")
        for n in range(2)
    ]


def lose(house: House) -> None:
    for path in house.home.glob("journal.db*"):
        path.unlink()


def test_without_its_journal_a_film_is_made_of_the_old_segments(
    reels: list[Movie], tmp_path: Path
) -> None:
    house, film = House(tmp_path / "home"), tmp_path / "film.mp4"
    cut = cut_of([(reels[0].path, 0, 40), (reels[1].path, 5, 30)], tmp_path / "one.otio")
    first = house.assemble(cut, film)
    marks = {reel.path: marks_of(house, reel.path) for reel in reels}
    assert (first.code, first.made) == (0, 70) and all(marks.values())
    lose(house)
    again = house.assemble(cut, film)
    assert (again.code, again.made) == (0, 0), again.summary
    assert again.facts("SegmentSealed") and all(
        seal["reused"] for seal in again.facts("SegmentSealed")
    )
    assert {reel.path: marks_of(house, reel.path) for reel in reels} == marks, (
        "what the sources were like is known again"
    )


@pytest.mark.parametrize(
    "pages", [(0,), (1, 2, 3, 5, 8, 13, 21)], ids=["the head", "pages here and there"]
)
def test_after_a_damaged_journal_was_moved_away_nothing_is_rendered_again(
    reels: list[Movie], tmp_path: Path, pages: tuple[int, ...]
) -> None:
    """What the second advice of journal-damaged promises, of a journal whose pages were overwritten for real."""
    house, film = House(tmp_path / "home"), tmp_path / "film.mp4"
    cut = cut_of([(reels[0].path, 0, 40)], tmp_path / "one.otio")
    assert house.assemble(cut, film).made == 40
    journal = house.home / "journal.db"
    with journal.open("r+b") as handle:
        for page in pages:
            handle.seek(page * 4096)
            handle.write(b"\x5a" * 4096)
    film.unlink()
    damaged = house.assemble(cut, film)
    assert damaged.summary["code"] == "journal-damaged" and not film.exists(), damaged.summary
    assert [action["safe"] for action in damaged.summary["actions"]] == [True, False]
    for path in house.home.glob("journal.db*"):
        path.rename(tmp_path / path.name)
    again = house.assemble(cut, film)
    assert (again.code, again.made) == (0, 0), again.summary


def marks_of(house: House, path: Path) -> dict[int, int]:
    journal = Journal(house.home / "journal.db")
    try:
        seen = History(journal).seen(str(path))
        return History(journal).marks(str(path), seen.identity, 0).marks if seen is not None else {}
    finally:
        journal.close()


def test_what_was_proven_before_the_journal_was_lost_needs_no_other_proof(
    reels: list[Movie], tmp_path: Path
) -> None:
    """A file that was renamed and touched keeps the identity that the index has of it."""
    house, film, media = House(tmp_path / "home"), tmp_path / "film.mp4", tmp_path / "a.mov"
    shutil.copy2(reels[0].path, media)
    cut = cut_of([(media, 0, 40)], tmp_path / "one.otio")
    assert house.assemble(cut, film).made == 40
    os.utime(media, (1, 1))
    assert house.assemble(cut, film).made == 0
    lose(house)
    assert house.assemble(cut, film).made == 0, "touched before the journal was lost"
    lose(house)
    os.utime(media, (2, 2))
    film.unlink()
    again = house.assemble(cut, film)
    assert (again.code, again.made) == (0, 0), (
        "touched since: compared with what the index has of it"
    )


def test_a_segment_that_is_not_what_the_index_says_is_made_again(
    reels: list[Movie], tmp_path: Path
) -> None:
    house, film = House(tmp_path / "home"), tmp_path / "film.mp4"
    cut = cut_of([(reels[0].path, 0, 40), (reels[1].path, 5, 30)], tmp_path / "one.otio")
    house.assemble(cut, film)
    lose(house)
    store = house.home / "scratch" / "store"
    first, second = sorted(path for path in store.rglob("v*.mp4"))
    data = bytearray(first.read_bytes())
    data[len(data) // 2] ^= 1
    first.write_bytes(data)
    entry = next((house.home / "scratch" / "index").rglob(f"{second.stem}.*"))
    entry.write_bytes(entry.read_bytes()[:50])  # torn by a power cut
    again = house.assemble(cut, film)
    assert (again.code, again.made) == (0, 70) and len(again.facts("SealBroken")) == 1


def test_a_source_that_changed_meanwhile_is_not_taken_for_the_old_one(
    reels: list[Movie], tmp_path: Path
) -> None:
    house, film, media = House(tmp_path / "home"), tmp_path / "film.mp4", tmp_path / "a.mov"
    shutil.copy2(reels[0].path, media)
    cut = cut_of([(media, 0, 40)], tmp_path / "one.otio")
    house.assemble(cut, film)
    lose(house)
    shutil.copy2(reels[1].path, media)
    again = house.assemble(cut, film)
    assert (again.code, again.made) == (0, 40)


def test_two_data_folders_in_one_scratch_folder_keep_each_others_segments(
    reels: list[Movie], tmp_path: Path
) -> None:
    """The same shot has the same key in both, and so the same file: one that cleans up leaves it to the other."""
    houses = []
    cut = cut_of([(reels[0].path, 0, 40)], tmp_path / "one.otio")
    for number in range(2):
        home = tmp_path / f"home{number}"
        home.mkdir()
        (home / "settings.yaml").write_text(f"scratch: {tmp_path / 'scratch'}\n")
        houses.append(House(home))
        assert houses[-1].assemble(cut, tmp_path / f"{number}.mp4").code == 0
    houses[0].run("clean")
    assert houses[1].run("check", tmp_path / "1.mp4").code == 0
    job = houses[1].run("jobs", "--json").events[0]["job"]
    assert houses[1].run("check", job).code == 0, "every checkpoint of the other data folder stands"
