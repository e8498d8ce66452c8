"""Under which name a film is asked for: the same wish is the same job while it is under work, and a new one after its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.client.client import Client
from bridge.protocol.requests import Cancel, Lacking, Pause
from bridge.resolve import submit
from core.job.events import JobFinished
from tests.bridge.companions import Companions, companions, listed
from tests.film.media import Movie, make_movie
from tests.film.timelines import timeline

SAID = Lacking(name="Reel", width=320, height=180, editor="E", editor_version="20.3.2.9")


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Movie:
    return make_movie(
        tmp_path_factory.mktemp("reel") / "reel.mov", source_id=5, frames=24, codec="prores"
    )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Companions]:
    with companions(tmp_path / "home") as made:
        made.start("-j", "1")
        yield made


@pytest.fixture
def otio(tmp_path: Path, reel: Movie) -> bytes:
    return timeline(24).video().clip(reel, 0, 12).save(tmp_path / "t.otio").read_bytes()


def ask(client: Client, otio: bytes, film: Path, lacking: Lacking = SAID) -> submit.Asked:
    return submit.ask(client, otio, output=str(film), preset="", lacking=lacking)


def test_while_it_is_under_work_it_is_the_same_and_after_its_end_another(house, otio, tmp_path):
    film = tmp_path / "film.mov"
    with house.client() as client:
        client.ask(Pause(request="p"))
        first, again = ask(client, otio, film), ask(client, otio, film)
        assert (first.again, again.again) == (False, True) and first.job == again.job
        other = ask(client, otio, tmp_path / "other.mov")
        assert other.job != first.job and not other.again
        client.ask(Pause(request="p", paused=False))
        ends = [submit.follow(client, one, lambda said: None) for one in (first, again, other)]
        assert all(isinstance(end, JobFinished) and end.outcome == "complete" for end in ends)
        later = ask(client, otio, film)
        assert later.job != first.job and not later.again
        end = submit.follow(client, later, lambda said: None)
        assert isinstance(end, JobFinished) and end.outcome == "unchanged"


def test_an_editor_that_was_updated_meanwhile_is_no_hindrance(house, otio, tmp_path):
    with house.client() as client:
        client.ask(Pause(request="p"))
        ask(client, otio, tmp_path / "film.mov")
        ask(
            client,
            otio,
            tmp_path / "film.mov",
            Lacking(name="Reel", editor="E", editor_version="21.1"),
        )


def test_one_that_was_stopped_goes_on_when_it_is_asked_for_again(house, otio, tmp_path):
    with house.client() as client:
        client.ask(Pause(request="p"))
        first = ask(client, otio, tmp_path / "film.mov")
        client.ask(Cancel(request="c", job=first.job))
        assert [line.state for line in listed(client)] == ["held"]
        client.ask(Pause(request="p", paused=False))
        again = ask(client, otio, tmp_path / "film.mov")
        assert again.job == first.job and again.again
        end = submit.follow(client, again, lambda said: None)
        assert isinstance(end, JobFinished) and end.outcome == "complete"


def test_one_that_was_stopped_elsewhere_is_not_followed_for_ever(house, otio, tmp_path):
    with house.client() as client, house.client() as elsewhere:
        client.ask(Pause(request="p"))
        asked, heard = ask(client, otio, tmp_path / "film.mov"), []
        elsewhere.ask(Cancel(request="c", job=asked.job))
        end = submit.follow(client, asked, heard.append)
        assert end.reason == "cancelled" and end in heard  # type: ignore[union-attr]


def test_a_failed_one_is_tried_again_and_its_old_end_is_not_taken_for_the_new(
    house, otio, tmp_path
):
    film = tmp_path / "film.mov"
    with house.client() as client:
        client.ask(Pause(request="p"))
        first = ask(client, otio, film)
        film.mkdir()
        client.ask(Pause(request="p", paused=False))
        end = submit.follow(client, first, lambda said: None)
        assert isinstance(end, JobFinished) and end.outcome == "failed"
        film.rmdir()
        again = ask(client, otio, film)
        assert again.job == first.job
        end = submit.follow(client, again, lambda said: None)
        assert isinstance(end, JobFinished) and end.outcome == "complete" and film.exists()
