"""Media that was moved, as a user meets it: real files, the real command, nothing made twice, everything said."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import xxhash

from tests.film.assembling import Ended, House
from tests.film.barcode import Mark
from tests.film.comparing import shown
from tests.film.cutlist import SLATE
from tests.film.media import Movie, make_movie
from tests.film.test_assemble_story import cut_of


@pytest.fixture(scope="module")
def reels(tmp_path_factory: pytest.TempPathFactory) -> list[Movie]:
    folder = tmp_path_factory.mktemp("reels")
    return [
        make_movie(folder / f"{name}.mov", source_id=n, frames=72, codec="h264", audio="pcm")
        for n, name in enumerate("abc", 1)
    ]


class Studio:
    """Two of the reels stand in a folder each; the film uses both."""

    def __init__(self, root: Path, reels: list[Movie]) -> None:
        self.root, self.house, self.film = root, House(root / "home"), root / "film.mov"
        self.a, self.b = root / "day1" / "a.mov", root / "day2" / "b.mov"
        for path, reel in ((self.a, reels[0]), (self.b, reels[1])):
            path.parent.mkdir()
            shutil.copy2(reel.path, path)
        self.cut = cut_of([(self.a, 0, 20), (self.b, 10, 24)], root / "cut.otio")

    def run(self, *search: Path) -> Ended:
        return self.house.assemble(self.cut, self.film, search=search)

    def move(self, path: Path, to: str) -> Path:
        (self.root / to).parent.mkdir(parents=True, exist_ok=True)
        path.rename(self.root / to)
        return self.root / to


@pytest.fixture
def studio(tmp_path: Path, reels: list[Movie]) -> Studio:
    return Studio(tmp_path, reels)


def remarks(ended: Ended) -> dict[str, list[str]]:
    return {
        remark["code"]: remark["all"]
        for remark in ended.summary["remarks"]
        if remark["code"] != "search-cost"
    }


def test_a_source_that_moved_is_found_by_its_content_and_nothing_is_made_again(studio):
    assert (first := studio.run()).code == 0 and first.made == 44
    assert [event for event in first.events if event.get("step") == "find"] == [], (
        "nothing is missing, nothing is looked for"
    )
    to = studio.move(studio.b, "archive/2026/renamed take.mov")
    moved = studio.run(studio.root / "archive")
    assert (moved.code, moved.summary["outcome"], moved.made) == (0, "unchanged", 0)
    assert [(fact["path"], fact["to"], fact["how"]) for fact in moved.facts("SourceMoved")] == [
        (str(studio.b), str(to), "content")
    ]
    assert remarks(moved) == {
        "source-relinked": [f"{studio.b} is now {to} (the content is the same)."]
    }
    assert next(event["total"] for event in moved.events if event.get("step") == "find") == 1
    studio.film.unlink()
    again = studio.run()
    assert (again.code, again.summary["outcome"], again.made) == (0, "complete", 0), (
        "found where it was found last, unasked"
    )
    to.rename(studio.b)
    back = studio.run()
    assert (back.code, back.summary["outcome"], back.facts("SourceMoved"), remarks(back)) == (
        0,
        "unchanged",
        [],
        {},
    )


def test_a_copy_with_other_dates_costs_nothing(studio):
    studio.run()
    to = studio.move(studio.b, "day1/copy.mov")
    os.utime(to, (1, 1))
    moved = studio.run()
    assert (moved.code, moved.made) == (0, 0)
    assert shown(studio.film)[20] == Mark(2, 10)


def test_another_file_of_the_same_name_is_not_taken(studio, reels):
    studio.run()
    studio.b.unlink()
    other = studio.root / "archive" / "b.mov"
    other.parent.mkdir()
    shutil.copy2(reels[2].path, other)
    ended = studio.run(other.parent)
    assert (ended.code, ended.codes, ended.summary["shots_missing"]) == (1, {"source-missing"}, [2])
    assert shown(studio.film)[20] == Mark(2, 10), "the complete film keeps its place"
    assert shown(studio.film.with_name("film.incomplete.mov"))[19:21] == [Mark(1, 19), SLATE]
    (problem,) = ended.summary["problems"]
    assert str(other) in problem["message"] and "other content" in problem["message"]
    assert "source-unlike-record" in remarks(ended)


def test_a_card_that_was_never_seen_is_found_by_its_list(studio):
    """The first run of all: the timeline came from another machine, the card with its history lies elsewhere."""
    data = studio.b.read_bytes()
    card = studio.move(studio.b, "shuttle/day2/b.mov").parent
    (card / "ascmhl").mkdir()
    (card / "ascmhl" / "0001_day2_2026-01-17_143000Z.mhl").write_text(
        '<?xml version="1.0" encoding="UTF-8"?><hashlist version="2.0" xmlns="urn:ASC:MHL:v2.0"><hashes><hash>'
        f'<path size="{len(data)}">b.mov</path><xxh64 action="original">{xxhash.xxh64_hexdigest(data)}</xxh64>'
        "</hash></hashes></hashlist>",
        encoding="utf-8",
    )
    ended = studio.run(studio.root / "shuttle")
    assert (ended.code, ended.made) == (0, 44)
    assert [fact["how"] for fact in ended.facts("SourceMoved")] == ["mhl"]
    assert shown(studio.film)[20] == Mark(2, 10)
    damaged = bytearray(data)
    damaged[len(data) // 2] ^= 1
    (card / "b.mov").write_bytes(damaged)
    studio.film.unlink()
    shutil.rmtree(studio.house.home)
    ended = studio.run(studio.root / "shuttle")
    assert (ended.code, ended.codes, ended.facts("SourceMoved")) == (1, {"source-missing"}, []), (
        "the list knows better"
    )
    assert "source-unlike-record" in remarks(ended)


def test_folders_of_the_settings_are_searched_and_what_cannot_be_is_said(studio):
    studio.run()
    to = studio.move(studio.b, "archive/b.mov")
    nowhere = studio.root / "unplugged"
    (studio.house.home / "settings.yaml").write_text(
        f"media_folders: ['{nowhere}', '{to.parent}']\n", encoding="utf-8"
    )
    ended = studio.run()
    assert (ended.code, ended.made) == (0, 0)
    assert remarks(ended)["search-incomplete"] == [
        f"{nowhere} could not be searched: No such file or directory."
    ]


def test_a_persons_word_is_kept_for_the_next_run(studio, reels):
    studio.b.unlink()
    assert studio.run().code == 1
    other = studio.root / "archive" / "better.mov"
    other.parent.mkdir()
    shutil.copy2(reels[2].path, other)
    (job,) = [line["job"] for line in studio.house.run("jobs", "--json").events]
    said = studio.house.words("answer", job, "2", "relink", other)
    assert f"{studio.b} is now {other}, as you said." in said and "Complete and verified" in said
    assert shown(studio.film)[20] == Mark(3, 10)
    ended = studio.run()
    assert (ended.code, ended.summary["outcome"], ended.made) == (0, "unchanged", 0)
    assert [fact["how"] for fact in ended.facts("SourceMoved")] == ["person"]
    other.write_text("no media")
    ended = studio.run()
    (problem,) = ended.summary["problems"]
    assert (
        problem["code"].startswith("source-")
        and problem["path"] == str(other)
        and str(studio.b) in problem["message"]
    )


def test_the_film_never_takes_the_place_of_moved_media(studio):
    studio.run()
    to = studio.move(studio.b, "day1/b.mov")
    before = to.read_bytes()
    ended = studio.house.assemble(studio.cut, to)
    assert (ended.code, ended.summary["code"]) == (2, "output-is-source")
    ended = studio.house.assemble(studio.cut, studio.b)
    assert (ended.code, ended.summary["code"]) == (2, "output-is-source")
    assert to.read_bytes() == before and not studio.b.exists()


def test_people_read_what_was_done(studio):
    studio.run()
    to = studio.move(studio.b, "day1/b.mov")
    text = studio.house.words("assemble", studio.cut, "-o", studio.film)
    assert "Looking for 1 file" not in text, "a line for a terminal alone"
    assert f"Found again: {studio.b} → {to}" in text
    assert "Media found again" in text and "the content is the same" in text
    (job,) = {line["job"] for line in studio.house.run("jobs", "--json").events[-1:]}
    assert f"{studio.b} was found at {to}, known by its content." in studio.house.words("show", job)
