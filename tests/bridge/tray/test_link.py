"""The line to the companion: real companions, ended in all ways, and what the display is told of it. No Qt."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.protocol.requests import Cancel, Describe
from bridge.protocol.responses import Described, Happened, Jobs
from bridge.tray.link import Declining, Link, Linked
from tests.bridge.companions import Companions, companions, listed, submission, until_end
from tests.film.media import make_movie
from tests.film.timelines import timeline


class Ear:
    """A link, and everything it says."""

    def __init__(self, home: Path, begin: Callable[[], None] = lambda: None) -> None:
        self.heard: list[Any] = []
        self.begun = 0

        def begins() -> None:
            self.begun += 1
            begin()

        self.link = Link(home, "test", begins, self.heard.append, "en")
        self.link.start()

    def of(self, kind: type) -> list[Any]:
        return [one for one in self.heard if isinstance(one, kind)]

    def until(self, true: Callable[[], object], most_s: float = 40) -> None:
        end = time.monotonic() + most_s
        while not true():
            assert time.monotonic() < end, self.heard[-8:]
            time.sleep(0.02)

    @property
    def states(self) -> list[str]:
        return [one.state for one in self.of(Linked)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Companions]:
    with companions(tmp_path / "home") as made:
        yield made


@pytest.fixture
def listen() -> Iterator[Callable[..., Ear]]:
    made: list[Ear] = []

    def one(*arguments: Any) -> Ear:
        made.append(Ear(*arguments))
        return made[-1]

    yield one
    for ear in made:
        ear.link.close()


def test_jobs_are_listed_and_what_happens_is_heard(house, listen, tmp_path):
    house.start("-j", "1")
    ear = listen(house.home)
    ear.until(lambda: ear.of(Jobs))
    assert ear.states == ["here"]
    reel = make_movie(tmp_path / "reel.mov", source_id=5, frames=72, codec="prores", audio="pcm")
    line = timeline(24)
    line.video().clip(reel.path, 0, 20, media_frames=72)
    line.save(tmp_path / "c.otio")
    asked, data = submission(tmp_path / "c.otio", tmp_path / "film.mp4", "link-0001")
    ear.link.post(asked, data)
    ear.until(
        lambda: ear.heard and ear.of(Jobs)[-1].jobs and ear.of(Jobs)[-1].jobs[0].state == "complete"
    )
    job = ear.of(Jobs)[-1].jobs[0].job
    ear.until(lambda: [one.seq for one in ear.of(Happened)] == house.seqs(job))
    ear.link.post(Describe(request="describe-x", job=job))
    ear.until(lambda: ear.of(Described))


def test_a_refusal_is_told_in_words(house, listen):
    house.start("-j", "1")
    ear = listen(house.home)
    ear.link.post(Cancel(request="cancel", job="nothere"))
    ear.until(lambda: ear.of(Declining))
    said = ear.of(Declining)[0]
    assert said.request == "cancel" and said.title and said.message and said.action


def test_where_none_runs_one_is_started(house, listen, monkeypatch):
    monkeypatch.setenv("HOTSPLICE_HOME", str(house.home))
    ear = listen(house.home, lambda: house.start("-j", "1") if not house.running else None)
    ear.until(lambda: ear.of(Jobs))
    assert ear.begun >= 1 and ear.states[-1] == "here"


def test_one_that_was_killed_is_started_again(house, listen):
    house.start("-j", "1")
    ear = listen(house.home, lambda: house.start("-j", "1") if len(house.running) < 2 else None)
    ear.until(lambda: ear.of(Jobs))
    house.kill()
    ear.until(lambda: len(house.running) == 2)
    before = len(ear.of(Jobs))
    ear.until(lambda: len(ear.of(Jobs)) > before)
    assert ear.states[-1] == "here"


@pytest.mark.long
def test_one_that_was_ended_in_order_is_left_alone_until_a_person_wants_it(house, listen):
    house.start("-j", "1")
    ear = listen(house.home, lambda: house.start("-j", "1") if len(house.running) < 2 else None)
    ear.until(lambda: ear.of(Jobs))
    house.running[-1].terminate()
    house.running[-1].wait(20)
    ear.until(lambda: ear.states[-1] == "absent")
    heard = len(ear.heard)
    time.sleep(2.5)
    assert ear.begun == 0 and len(ear.heard) == heard, (
        "it neither starts one nor complains again and again"
    )
    ear.link.want()
    ear.until(lambda: ear.states[-1] == "here")
    assert len(house.running) == 2


@pytest.mark.long
def test_one_that_somebody_else_starts_is_found(house, listen):
    house.start("-j", "1")
    ear = listen(house.home)
    ear.until(lambda: ear.of(Jobs))
    house.running[-1].terminate()
    house.running[-1].wait(20)
    ear.until(lambda: ear.states[-1] == "absent")
    house.start("-j", "1")
    ear.until(lambda: ear.states[-1] == "here")


def test_what_happened_while_it_was_away_is_heard_once(house, listen, tmp_path):
    house.start("-j", "1")
    ear = listen(house.home, lambda: None)
    ear.until(lambda: ear.of(Jobs))
    reel = make_movie(tmp_path / "reel.mov", source_id=5, frames=72, codec="prores", audio="pcm")
    line = timeline(24)
    for number in range(8):
        line.video().clip(reel.path, number, 20, media_frames=72)
    line.save(tmp_path / "c.otio")
    with house.client() as client:
        job = client.ask(*submission(tmp_path / "c.otio", tmp_path / "film.mp4", "link-0002")).job
        ear.until(lambda: any(one.job == job for one in ear.of(Happened)))
        house.kill()
        house.start("-j", "1")
        until_end(client, job)
        assert listed(client)[0].state == "complete"
    ear.until(lambda: [one.seq for one in ear.of(Happened)] == house.seqs(job))


def test_a_place_that_cannot_be_used_is_told_and_asked_again(tmp_path, listen):
    """`begin` may find that nothing can be started there."""

    def no() -> None:
        raise OSError(13, "Permission denied")

    ear = listen(tmp_path / "none", no)
    ear.until(lambda: ear.states == ["absent"])
    ear.until(lambda: ear.begun >= 1)
