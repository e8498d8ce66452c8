"""A film that is made by a command in another terminal, beside a companion: it is said so, and nobody else begins it."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.client.connection import Declined
from bridge.protocol.requests import Describe, Resume
from core.storage import film_lock
from core.storage.workspace import BESIDE
from tests.bridge.companions import companions, listed, submission
from tests.bridge.test_commands_story import Desk, another_terminal
from tests.film.media import Movie, make_movie


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Movie:
    return make_movie(
        tmp_path_factory.mktemp("reel") / "reel.mov",
        source_id=5,
        frames=72,
        codec="prores",
        audio="pcm",
    )


@pytest.fixture
def desk(tmp_path: Path, reel: Movie) -> Iterator[Desk]:
    with companions(tmp_path / "home") as house:
        yield Desk(house, reel, tmp_path)


def test_what_another_terminal_makes_is_listed_so_and_not_taken_up(desk):
    with another_terminal(desk) as (job, ends):
        desk.house.start("-j", "1")
        with desk.house.client() as client:
            assert [(line.job, line.state) for line in listed(client)] == [(job, "elsewhere")]
            told = client.ask(Describe(request="d", job=job))
            assert (told.title, told.action) == ("Made in another terminal.", "")
            with pytest.raises(Declined) as declined:
                client.ask(Resume(request="r", job=job))
            assert declined.value.refusal.code == "job-running"
        assert "made elsewhere" in desk.say("jobs")[1]
        code, said = desk.say("resume", job)
        assert code == 2 and "Another hotsplice is assembling" in said
        assert ends() == (0, "complete")
    with desk.house.client() as client:
        assert [line.state for line in listed(client)] == ["complete"]
    assert desk.runs(job) == 1 and desk.right()


def test_a_companion_that_starts_does_not_begin_what_another_terminal_makes_by_then(desk):
    """The job is in its queue: it was submitted once more while the command worked."""
    with another_terminal(desk) as (job, ends):
        desk.house.start("-j", "1")
        with desk.house.client() as client:
            assert client.ask(*submission(desk.cut, desk.film, "again-0001")).job == job
            assert listed(client)[0].state == "elsewhere"
        desk.house.kill()
        desk.house.start("-j", "1")
        with desk.house.client() as client:
            assert listed(client)[0].state == "elsewhere"
        assert json.loads(desk.say("jobs", "--json")[1])["state"] == "elsewhere"
        assert ends() == (0, "complete")
    said = desk.house.said()
    assert "waits for another process" not in said and f"taking up {job}" not in said
    assert desk.runs(job) == 1 and desk.right()


def test_a_film_that_another_data_folder_makes_is_waited_for_without_a_process(desk, tmp_path):
    """Two data folders. The companion of the one that waits names the other, starts one process, and another one when the
    other data folder's is killed."""
    with (
        companions(tmp_path / "other home") as other,
        another_terminal(Desk(other, desk.reel, desk.folder)),
    ):
        desk.house.start("-j", "1")
        with desk.house.client() as client:
            job = client.ask(*submission(desk.cut, desk.film, "ours-0001")).job
            line = _until(client, lambda line: line.state == "elsewhere")
            assert (line.job, line.holder) == (job, str(other.home))
            told = client.ask(Describe(request="d", job=job))
            assert str(other.home) in told.message and told.job.holder == str(other.home)
            assert json.loads(desk.say("jobs", "--json")[1])["holder"] == str(other.home)
            until = (
                time.monotonic() + 2
            )  # the film is held for longer than the first three waits of a process that is begun again
            while time.monotonic() < until:
                assert listed(client)[0].state == "elsewhere"
            assert desk.house.said().count("waits for another process") == 1
            _, holder, _ = film_lock.file(str(desk.film), BESIDE).read_text().splitlines()
            os.kill(int(holder), signal.SIGKILL)
            _until(client, lambda line: line.state == "complete")
    assert desk.house.said().count("waits for another process") == 1 and desk.right()


def _until(client, fits):
    until = time.monotonic() + 40
    while True:
        (line,) = listed(client)
        if fits(line):
            return line
        assert time.monotonic() < until, line
        time.sleep(0.1)
