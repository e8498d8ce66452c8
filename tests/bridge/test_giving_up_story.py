"""A clerk or a teller that hangs or dies over what it is asked: given up with words, and nobody else waits for it. FIFOs that
nobody writes to stand for dead shares."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import psutil
import pytest

from bridge.client.client import Client
from bridge.daemon import daemon
from bridge.protocol import endpoint
from bridge.protocol.requests import Describe, Hello, List, Pictures
from bridge.protocol.wire import VERSION, encode
from bridge.services.locations import Locations
from bridge.settings.settings import Settings
from core.storage import artifacts
from tests.bridge.companions import PING, Stranger, companions, listed, submission, until_end
from tests.film.media import Movie, make_movie
from tests.film.timelines import timeline

PATIENCE_S = 3.0

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Movie:
    return make_movie(
        tmp_path_factory.mktemp("reel") / "reel.mov", source_id=5, frames=24, codec="prores"
    )


def cut_of(reel: Movie, path: Path) -> Path:
    line = timeline(Fraction(24))
    line.video().clip(reel.path, 0, 10, media_frames=24)
    line.save(path)
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A companion with little patience, in this process."""
    home = tmp_path / "home"
    monkeypatch.setenv("HOTSPLICE_HOME", str(home))
    monkeypatch.setattr(daemon, "CLERK_S", PATIENCE_S)
    monkeypatch.setattr(daemon, "TELLER_S", PATIENCE_S)
    stop = threading.Event()

    def work() -> None:
        where = Locations(home, Settings(language="en"))
        daemon.Daemon(
            where, workers=1, stopped=lambda: "test" if stop.is_set() else "", hear=lambda _: None
        ).run()

    thread = threading.Thread(target=work)
    thread.start()
    while endpoint.read(home) is None:
        assert thread.is_alive()
        time.sleep(0.02)
    yield home
    stop.set()
    thread.join(30)
    assert not thread.is_alive()


def frames_of(cut: Path, film: Path, name: str) -> list[bytes]:
    asked, data = submission(cut, film, name)
    return [encode(asked), data]


def greeted(home: Path) -> Stranger:
    """Who asks once, and waits."""
    stranger = Stranger(home)
    assert stranger.ask(Hello(request="h", version=VERSION))["is"] == "Welcome"
    return stranger


def hung_presets(home: Path) -> Path:
    fifo = home / "presets" / "dead-share.yaml"
    fifo.parent.mkdir(exist_ok=True)
    os.mkfifo(fifo)
    return fifo


def test_a_submission_over_which_the_clerk_hangs_is_given_up_and_all_others_are_answered(
    home, reel, tmp_path
):
    cut = cut_of(reel, tmp_path / "c.otio")
    with Client(home) as client, greeted(home) as stuck:
        made = client.ask(*submission(cut, tmp_path / "good.mp4", "good-0001")).job
        until_end(client, made)
        fifo = hung_presets(home)
        stuck.say(*frames_of(cut, tmp_path / "film.mp4", "hang-0001"))
        assert client.ask(Describe(request="d", job=made)).title == "Complete and verified.", (
            "told meanwhile"
        )
        assert client.ask(PING).re == "p"
        assert stuck.hear(0) is None
        refused = stuck.hear(30)
        assert (refused["is"], refused["code"], refused["re"]) == (
            "Refusal",
            "request-unanswered",
            "s",
        ) and refused["action"]
        fifo.unlink()
        again = client.ask(*submission(cut, tmp_path / "film.mp4", "hang-0001"))
        assert not again.again, "nothing was left of it"
        until_end(client, again.job)


def test_pictures_over_which_the_teller_hangs_are_given_up_and_a_submission_does_not_wait(
    home, reel, tmp_path
):
    with Client(home) as client, greeted(home) as stuck:
        job = client.ask(
            *submission(cut_of(reel, tmp_path / "c.otio"), tmp_path / "film.mp4", "good-0002")
        ).job
        until_end(client, job)
        assert list(client.ask(Pictures(request="p", job=job, shots=(1,))).pictures) == [1]
        (kept,) = (home / artifacts.PICTURES).glob("*.jpg")
        kept.unlink()
        os.mkfifo(kept)
        stuck.say(b'{"is":"Pictures","request":"stuck","job":"%s","shots":[1]}' % job.encode())
        other = client.ask(
            *submission(cut_of(reel, tmp_path / "d.otio"), tmp_path / "other.mp4", "good-0003")
        ).job
        assert [line.job for line in listed(client)] == [job, other]
        assert stuck.hear(0) is None, "a submission was answered while the picture was not"
        refused = stuck.hear(30)
        assert (refused["code"], refused["re"]) == ("request-unanswered", "stuck")
        assert client.ask(Describe(request="d", job=job)).job.job == job
        until_end(client, other)


def test_a_clerk_that_is_stopped_is_left_behind(home):
    """As a process in a dead share is: it does not even take a signal."""
    with Client(home) as client:
        assert client.ask(List(request="l")).jobs == ()
        (clerk,) = children_of(os.getpid(), "bridge.daemon.commands")
        clerk.send_signal(signal.SIGSTOP)
        with greeted(home) as asks:
            asks.say(b'{"is":"List","request":"later"}')
            answer = asks.hear(30)
        assert answer["is"] == "Jobs", "another clerk has done it"


def test_what_kills_its_clerk_twice_is_refused_and_the_companion_goes_on(reel, tmp_path):
    with companions(tmp_path / "home") as house:
        child = house.start("-j", "1")
        hung_presets(house.home)
        with house.client() as client, greeted(house.home) as asks:
            asks.say(
                *frames_of(cut_of(reel, tmp_path / "c.otio"), tmp_path / "film.mp4", "dies-0001")
            )
            killed: set[int] = set()
            answer = None
            while answer is None:
                for clerk in children_of(child.pid, "bridge.daemon.commands"):
                    killed.add(clerk.pid)
                    clerk.kill()
                answer = asks.hear(0.05)
            assert answer["code"] == "request-unanswered" and len(killed) in (2, 3), (
                "the first may have been killed over nothing"
            )
            (house.home / "presets" / "dead-share.yaml").unlink()
            assert client.ask(List(request="l")).jobs == ()


def children_of(pid: int, module: str) -> list[psutil.Process]:
    found = []
    for child in psutil.Process(pid).children():
        with contextlib.suppress(psutil.Error):
            found += (
                [child]
                if module in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE
                else []
            )
    return found
