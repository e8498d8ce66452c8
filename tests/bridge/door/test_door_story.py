"""The door as a user has it: the companion opens it by itself, and is killed while timelines lie in it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.bridge.companions import Companions, companions
from tests.bridge.test_companion_story import cut_of, right
from tests.film.media import Movie, make_movie


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Movie:
    return make_movie(tmp_path_factory.mktemp("reel") / "reel.mov", source_id=5, frames=72, codec="prores", audio="pcm")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Companions]:
    (tmp_path / "films").mkdir()
    with companions(tmp_path / "home") as made:
        made.home.mkdir()
        (made.home / "settings.yaml").write_text(f"films: {tmp_path / 'films'}\n")
        yield made


def until(so: Callable[[], object], most_s: float = 60) -> None:
    end = time.monotonic() + most_s
    while not so():
        assert time.monotonic() < end
        time.sleep(0.02)


def reply(inbox: Path, name: str) -> dict[str, object]:
    path = inbox / f"{name}.reply.json"
    return json.loads(path.read_bytes()) if path.exists() else {}


MOMENTS: list[Callable[[Path], object]] = [
    lambda inbox: True,
    lambda inbox: reply(inbox, "a.otio"),
    lambda inbox: not (inbox / "a.otio").exists(),
    lambda inbox: reply(inbox, "a.otio").get("state") == "working",
]


@pytest.mark.parametrize("moment", MOMENTS, ids=["dropped", "replied", "put away", "working"])
def test_a_companion_killed_while_a_timeline_lies_there_ends_in_one_film_and_a_right_reply(house, reel, tmp_path, moment):
    house.start("-j", "2")
    inbox = house.home / "door" / "inbox"
    until(inbox.is_dir)
    cut_of(reel, inbox / "a.otio.part").rename(inbox / "a.otio")
    until(lambda: moment(inbox))
    house.kill()
    house.start("-j", "2")
    until(lambda: reply(inbox, "a.otio").get("ended"))
    said = reply(inbox, "a.otio")
    assert house.jobs() == [said["job"]] and said["state"] == "complete"
    assert right(Path(str(said["film"]))) and Path(str(said["film"])) == tmp_path / "films" / "a.mov"


def test_the_door_ends_with_the_companion_and_comes_back_when_it_dies(house):
    child = house.start()

    def doors() -> list[psutil.Process]:
        alive = [one for one in psutil.Process(child.pid).children() if one.status() != psutil.STATUS_ZOMBIE]
        return [one for one in alive if "bridge.door" in " ".join(one.cmdline())]

    until(doors)
    (first,) = doors()
    first.kill()
    until(lambda: [one for one in doors() if one.pid != first.pid])
    (second,) = doors()
    house.kill()
    until(lambda: not second.is_running() or second.status() == psutil.STATUS_ZOMBIE)


def test_another_folder_is_taken_up_while_the_companion_runs(house, reel, tmp_path):
    house.start("-j", "2")
    until((house.home / "door" / "inbox").is_dir)
    other, films = tmp_path / "other", tmp_path / "elsewhere"
    films.mkdir()
    (house.home / "settings.yaml").write_text(f"door: {other}\nfilms: {films}\nfilms_preset: h264\n")
    until(other.is_dir)
    cut_of(reel, other / "b.otio", 1)
    until(lambda: reply(other, "b.otio").get("ended"))
    assert reply(other, "b.otio")["film"] == str(films / "b.mp4")
