"""What may happen between the choice of the script and its end. Real media, the real companion, a bare Python.

The whole story, with films compared frame by frame, is `tests/proofs/resolve_story.py`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bridge.protocol.requests import Pause
from core.storage.journal import Journal
from tests.bridge.companions import Companions, companions, listed
from tests.fake_resolve.running import Resolve, resolve
from tests.film.media import Movie, make_movie
from tests.film.timelines import timeline


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Movie:
    return make_movie(
        tmp_path_factory.mktemp("reel") / "reel.mov",
        source_id=5,
        frames=24,
        codec="prores",
        audio="pcm",
    )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Companions]:
    """A companion that begins nothing until it is told to."""
    with companions(tmp_path / "home") as made:
        made.start("-j", "1")
        pause(made, True)
        yield made


@pytest.fixture
def desk(tmp_path: Path, house: Companions, reel: Movie) -> Iterator[Resolve]:
    """The second of three shots is missing."""
    line = timeline(24)
    for track in (line.video(), line.audio()):
        track.clip(reel, 0, 10).clip(str(tmp_path / "gone.mov"), 0, 10).clip(reel, 8, 10)
    with resolve(tmp_path / "films", line.save(tmp_path / "t.otio"), home=house.home) as made:
        yield made


def pause(house: Companions, paused: bool) -> None:
    with house.client() as client:
        client.ask(Pause(request="p", paused=paused))


def until(desk: Resolve, words: str) -> None:
    """The Console says it."""
    limit = time.monotonic() + 60
    while not any(words in line for line in desk.console()):
        assert time.monotonic() < limit, desk.console()
        time.sleep(0.02)


def test_a_dialog_is_waited_for_before_markers_are_set(house, desk):
    desk.choose()
    until(desk, "is on record")
    desk.do("set", manners={"dialog": True})
    pause(house, False)
    until(desk, "The editor shows a dialog.")
    assert desk.markers() == {}
    desk.do("set", manners={"dialog": False})
    assert "1 marker in the timeline" in desk.ended()[-2]
    assert [(f, m["color"], m["duration"]) for f, m in desk.markers().items()] == [
        (10, "Red", 10.0)
    ]


@pytest.mark.long
def test_a_timeline_that_was_cut_shorter_meanwhile(house, desk, reel, tmp_path):
    desk.choose()
    until(desk, "is on record")
    desk.do(
        "load",
        otio=str(
            timeline(24).video().clip(reel, 0, 10).clip(reel, 0, 4).save(tmp_path / "shorter.otio")
        ),
    )
    pause(house, False)
    lines = desk.ended()
    assert any("The timeline was changed meanwhile." in line for line in lines)
    assert [(f, m["duration"]) for f, m in desk.markers().items()] == [(10, 4.0)], (
        "nothing stands beyond the end"
    )


@pytest.mark.long
def test_a_timeline_in_which_our_markers_stand_is_the_same_one(house, desk):
    pause(house, False)
    desk.run()
    lines = desk.run()
    assert len(desk.markers()) == 1 and not any(
        "The timeline was changed" in line for line in lines
    )
    journal = Journal(house.home / "journal.db")
    asked = [journal.request(job)[0].digest for job in house.jobs()]
    journal.close()
    assert len(asked) == 2 and len(set(asked)) == 1, (
        "the second asks for the very same, markers or not"
    )


def test_the_editor_is_closed_and_the_film_is_made(house, desk):
    desk.choose()
    until(desk, "is on record")
    desk.do("end")
    pause(house, False)
    with house.client() as client:
        limit = time.monotonic() + 60
        while (line := listed(client)[0]).state in ("waiting", "working"):
            assert time.monotonic() < limit
            time.sleep(0.05)
    assert line.state == "incomplete" and desk.film.exists() and desk.markers() == {}
    desk.run()
    assert list(desk.markers()) == [10], "chosen again it tells what was found"


def test_the_hand_dies_and_the_film_is_made(house, desk):
    desk.choose()
    until(desk, "is on record")
    (one,) = [p for p in psutil.process_iter(["cmdline", "environ"]) if _hand_of(p, house)]
    one.kill()
    lines = desk.ended()
    assert lines[-1].startswith(
        "Hotsplice's part of this script ended before its time. A film that was begun goes on by itself;"
    )
    desk.choose()
    until(
        desk, "Waiting for its turn"
    )  # while the first job waits: a finished film would be asked for again
    pause(house, False)
    desk.ended()
    assert len(house.jobs()) == 1 and list(desk.markers()) == [10]


def _hand_of(process: psutil.Process, house: Companions) -> bool:
    words, environment = process.info["cmdline"] or [], process.info["environ"] or {}
    return "bridge.resolve.main" in words and environment.get("HOTSPLICE_HOME") == str(house.home)


@pytest.mark.long
def test_a_job_that_waits_is_said_to_wait(house, desk):
    desk.choose()
    until(desk, "Waiting for its turn.")
    pause(house, False)
    assert any("Published, but incomplete." in line for line in desk.ended())


def test_chosen_twice_at_once_there_is_one_job_and_one_marker(house, desk, tmp_path):
    desk.choose()
    until(desk, "is on record")
    with resolve(tmp_path / "other", tmp_path / "t.otio", home=house.home) as other:
        other.environment["HOTSPLICE_FILMS"] = desk.environment["HOTSPLICE_FILMS"]
        other.choose()
        until(other, "is under work already")
        pause(house, False)
        desk.ended()
        other.ended()
        assert desk.markers() == other.markers() and len(house.jobs()) == 1


@pytest.mark.long
def test_the_settings_say_where_films_go_and_how_they_are_coded(house, desk, tmp_path):
    pause(house, False)
    (tmp_path / "mine").mkdir()
    (house.home / "settings.yaml").write_text(f"films: {tmp_path / 'mine'}\nfilms_preset: h264\n")
    desk.run(HOTSPLICE_FILMS="")
    assert (tmp_path / "mine" / "Harbour" / "Reel 1.mp4").exists()


def test_an_unknown_preset_is_refused_in_the_companions_words(house, desk):
    lines = desk.run(HOTSPLICE_PRESET="betamax")
    assert "betamax" in lines[1] and len(lines) == 3 and house.jobs() == []
