"""A film with slates beside the complete one, and what becomes of it when the slates are accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.film.media import Movie, make_movie
from tests.film.test_answers_story import Desk


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> list[Movie]:
    folder = tmp_path_factory.mktemp("reels")
    return [
        make_movie(folder / f"reel{n}.mov", source_id=n, frames=72, codec="mjpeg", audio="pcm")
        for n in (1, 2, 3)
    ]


def test_a_film_beside_becomes_the_film_when_its_slates_are_accepted(
    tmp_path: Path, three: list[Movie]
) -> None:
    desk = Desk(tmp_path, three)
    assert desk.assemble()[0] == 0
    complete, beside = desk.film.read_bytes(), tmp_path / "film.incomplete.mov"
    desk.there.unlink()
    code, job = desk.assemble()
    slates = beside.stat()
    assert code == 1 and desk.film.read_bytes() == complete
    again = desk.house.assemble(desk.cut, desk.film, "prores-hq")
    assert beside.stat().st_ino == slates.st_ino, "it is not joined again"
    assert again.code == 1 and again.summary["film"] == str(beside)
    code, said = desk.say("answer", job, "2", "skip")
    assert code == 0 and "Complete as you decided." in said and str(desk.film) in said
    assert desk.film.stat().st_ino == slates.st_ino and not beside.exists(), (
        "it was renamed, and not made again"
    )
    assert desk.say("check", desk.film)[0] == 0
    assert desk.say("rollback", desk.film)[0] == 0 and desk.film.read_bytes() == complete
