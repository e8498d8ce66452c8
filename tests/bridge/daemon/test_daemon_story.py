"""Films made by the companion, and all the ways it can be ended meanwhile. Real media, real ffmpeg, the real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import msgspec
import psutil
import pytest

from bridge.client.client import Client
from bridge.protocol import endpoint
from bridge.protocol.keys import Keys
from bridge.protocol.requests import Cancel, Hello, List, Resume, Stop
from bridge.protocol.responses import Happened, Progressed
from bridge.protocol.wire import VERSION
from core.errors.refusal import Refused
from tests.bridge.companions import (
    PING,
    ROOT,
    Companions,
    Stranger,
    companions,
    kind,
    listed,
    submission,
    until_end,
)
from tests.film.barcode import Mark
from tests.film.comparing import shown
from tests.film.media import Movie, make_movie
from tests.film.timelines import timeline

SHOTS = 12


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
def house(tmp_path: Path) -> Iterator[Companions]:
    with companions(tmp_path / "home") as made:
        yield made


def cut_of(reel: Movie, path: Path, shots: int = SHOTS) -> Path:
    """Shots of ten frames, each from another place."""
    line = timeline(Fraction(24))
    for track in (line.video(), line.audio()):
        for number in range(shots):
            track.clip(reel.path, number * 5, 10, media_frames=72)
    line.save(path)
    return path


def right(film: Path, shots: int = SHOTS) -> bool:
    """Whether every picture is the one that the cut asks for."""
    return shown(film) == [
        Mark(5, number * 5 + frame) for number in range(shots) for frame in range(10)
    ]


def follow(client: Client, job: str, until: str, after: int = 0) -> list[Happened]:
    """Events until one of this kind."""
    heard = []
    for said in client.watch(job, after=after):
        if isinstance(said, Happened):
            heard.append(said)
            if kind(said) == until:
                break
    return heard


def test_a_film_is_made_and_told_of(house, reel, tmp_path):
    house.start("-j", "2")
    film = tmp_path / "film.mp4"
    with house.client() as client:
        job = client.ask(*submission(cut_of(reel, tmp_path / "c.otio"), film, "story-0001")).job
        snapshots, events = [], []
        for said in client.watch(job):
            snapshots += [said] if isinstance(said, Progressed) else []
            events += [said] if isinstance(said, Happened) else []
            if events and kind(events[-1]) == "JobFinished":
                break
    assert right(film)
    assert [event.seq for event in events] == house.seqs(job)
    assert (
        kind(events[0]) == "JobAccepted"
        and msgspec.json.decode(events[-1].fact)["outcome"] == "complete"
    )
    assert all(said.job == job for said in snapshots)


@pytest.mark.long
def test_who_comes_back_hears_exactly_what_he_missed(house, reel, tmp_path):
    house.start("-j", "1")
    with house.client() as first:
        job = first.ask(
            *submission(cut_of(reel, tmp_path / "c.otio"), tmp_path / "film.mp4", "story-0002")
        ).job
        begun = follow(first, job, "SegmentSealed")
    with house.client() as nobody:  # away while the rest happens
        until_end(nobody, job)
    with house.client() as again:
        rest = until_end(again, job, after=begun[-1].seq)
    assert [event.seq for event in begun + rest] == house.seqs(job)


def test_killed_during_a_job_the_film_is_right_and_the_watcher_heard_everything_once(
    house, reel, tmp_path
):
    film, heard, kills = tmp_path / "film.mp4", [], 0
    house.start("-j", "1")
    with house.client() as client:
        job = client.ask(*submission(cut_of(reel, tmp_path / "c.otio"), film, "story-0003")).job
        for said in client.watch(job):
            if not isinstance(said, Happened):
                continue
            heard.append(said)
            by_this_one = (
                client.connections == kills + 1
            )  # what the one before said may still be on its way
            if (
                kind(said) == "SegmentSealed"
                and by_this_one
                and kills < 3
                and sum(kind(e) == "SegmentSealed" for e in heard) > 2 * kills
            ):
                house.kill()
                kills += 1
                house.start("-j", "1")
            if kind(said) == "JobFinished":
                break
        assert client.connections == kills + 1
    assert kills == 3 and right(film)
    assert [event.seq for event in heard] == house.seqs(job)
    assert house.jobs() == [job]
    assert house.said().count("taking up") == 3


def test_nothing_of_a_killed_companion_goes_on_by_itself(house, reel, tmp_path):
    child = house.start("-j", "1")
    with house.client() as client:
        job = client.ask(
            *submission(cut_of(reel, tmp_path / "c.otio"), tmp_path / "film.mp4", "story-0004")
        ).job
        follow(client, job, "SegmentSealed")
    family = psutil.Process(child.pid).children(recursive=True)
    assert len(family) >= 2
    house.kill()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive
    assert not endpoint.alive(endpoint.read(house.home))


def test_a_job_that_is_killed_is_taken_up_and_the_companion_goes_on(house, reel, tmp_path):
    child = house.start("-j", "1")
    film = tmp_path / "film.mp4"
    with house.client() as client:
        job = client.ask(*submission(cut_of(reel, tmp_path / "c.otio"), film, "story-0005")).job
        begun = follow(client, job, "SegmentSealed")
        (process,) = [
            p
            for p in psutil.Process(child.pid).children()
            if "bridge.cli.job_process" in p.cmdline()
        ]
        process.send_signal(signal.SIGKILL)
        rest = until_end(client, job, after=begun[-1].seq)
    assert right(film) and sum(kind(event) == "RunStarted" for event in begun + rest) == 2


def test_the_clerk_can_be_killed_at_any_time(house, reel, tmp_path):
    child = house.start("-j", "1")
    with house.client() as client:
        for number in range(4):
            for clerk in [
                p
                for p in psutil.Process(child.pid).children()
                if "bridge.daemon.commands" in p.cmdline()
            ]:
                clerk.send_signal(signal.SIGKILL)
            assert client.ask(List(request=f"l{number}")).jobs == ()
        assert client.ask(PING).re == "p"


@pytest.mark.long
def test_jobs_are_made_one_after_the_other_in_order(house, reel, tmp_path):
    house.start("-j", "1")
    with house.client() as client:
        jobs = [
            client.ask(
                *submission(
                    cut_of(reel, tmp_path / f"{n}.otio", n + 2),
                    tmp_path / f"{n}.mp4",
                    f"order-000{n}",
                )
            ).job
            for n in range(3)
        ]
        ended = []
        for said in client.watch():
            if isinstance(said, Happened) and kind(said) == "JobFinished":
                ended.append(said.job)
                if len(ended) == 3:
                    break
        assert [line.job for line in listed(client)] == jobs == ended
        assert [line.state for line in listed(client)] == ["complete"] * 3
    assert all(right(tmp_path / f"{n}.mp4", n + 2) for n in range(3))


@pytest.mark.long
def test_a_cancelled_job_stops_and_can_be_taken_up(house, reel, tmp_path):
    house.start("-j", "1")
    film = tmp_path / "film.mp4"
    with house.client() as client:
        first = client.ask(*submission(cut_of(reel, tmp_path / "c.otio"), film, "cancel-0001")).job
        second = client.ask(
            *submission(
                cut_of(reel, tmp_path / "d.otio", 3), tmp_path / "second.mp4", "cancel-0002"
            )
        ).job
        follow(client, first, "SegmentSealed")
        client.ask(Cancel(request="c1", job=first))
        until_end(client, second)
        assert [line.state for line in listed(client)] == ["held", "complete"] and not film.exists()
        client.ask(Resume(request="r1", job=first))
        until_end(client, first)
    assert right(film)


def test_stopped_in_order_it_says_goodbye_and_goes_on_at_the_next_start(house, reel, tmp_path):
    child = house.start("-j", "1")
    film = tmp_path / "film.mp4"
    with house.client() as client:
        job = client.ask(*submission(cut_of(reel, tmp_path / "c.otio"), film, "stop-0001")).job
        begun = follow(client, job, "SegmentSealed")
        client.ask(Stop(request="s"))
        assert child.wait(20) == 0
        assert endpoint.read(house.home) is None
        house.start("-j", "1")
        rest = until_end(client, job, after=begun[-1].seq)
    assert right(film) and "RunInterrupted" in [kind(event) for event in rest]
    assert f"taking up {job}: interrupted" in house.said()


def test_there_is_only_one(house):
    house.start()
    second = subprocess.run(
        [sys.executable, "-m", "bridge.cli.main", "companion"],
        env=house.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 2 and "Companion runs already" in second.stdout


@pytest.mark.parametrize("again", [False, True], ids=["removed", "replaced"])
def test_whose_data_folder_is_taken_away_ends(house, again):
    child = house.start()
    with house.client() as client:
        client.ask(PING)
    elsewhere = house.home.with_name("elsewhere")
    house.home.rename(elsewhere)
    if again:
        (house.home / "locks").mkdir(parents=True)
        (house.home / "locks" / "companion").touch()
    assert child.wait(20) == 0
    said = (elsewhere / "said.txt").read_text()
    assert ("the data folder was replaced" if again else "the data folder is gone") in said
    assert "Traceback" not in said


def test_the_commands_start_a_companion_submit_follow_and_stop(house, reel, tmp_path):
    cut, film = cut_of(reel, tmp_path / "c.otio", 3), tmp_path / "film.mp4"

    def call(*words: str | Path) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "bridge.cli.main", *map(str, words)]
        return subprocess.run(
            argv,
            env=house.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    made = call("submit", cut, "-o", film, "--id", "command-0001", "--json")
    found = endpoint.read(house.home)
    try:
        assert made.returncode == 0, made.stdout + made.stderr
        lines = [json.loads(line) for line in made.stdout.splitlines()]
        assert (lines[0]["event"], lines[-2]["kind"], lines[-1]["event"]) == (
            "accepted",
            "JobFinished",
            "summary",
        )
        assert lines[-1]["exit_code"] == 0 and right(film, 3)
        assert (
            json.loads(
                call("submit", cut, "-o", film, "--id", "command-0001", "--json", "--detach").stdout
            )["again"]
            is True
        )
        assert call("watch", lines[0]["job"]).returncode == 0
        refused = call("submit", tmp_path / "none.otio", "-o", film)
        assert refused.returncode == 2 and "none.otio" in refused.stdout
    finally:
        assert call("stop").returncode == 0
    assert found is not None
    until = time.monotonic() + 20
    while endpoint.alive(found) and time.monotonic() < until:
        time.sleep(0.05)
    assert not endpoint.alive(found)
    assert call("stop").returncode == 2


def test_an_endpoint_that_was_left_behind_leads_to_nobody(house):
    house.start()
    house.kill()
    with house.client(patience_s=0.5) as client, pytest.raises(Refused, match="companion-absent"):
        client.ask(PING)
    assert os.path.exists(endpoint.folder(house.home) / endpoint.FILE)


def test_a_listener_whose_companion_was_killed_says_no_goodbye(tmp_path):
    """A watcher that hears one does not start another companion."""
    words = [sys.executable, "-P", "-m", "bridge.daemon.listener", str(os.getpid()), "0", "en", ""]
    environment = {**os.environ, "HOTSPLICE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    key = Keys(tmp_path).prepare().public.decode()
    listener = subprocess.Popen(
        [*words, str(256 << 20)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    assert listener.stdin and listener.stdout
    ready = json.loads(listener.stdout.readline())
    here = endpoint.Endpoint(
        address=ready["address"], public_key=key, pid=listener.pid, version="t", protocol=VERSION
    )
    endpoint.write(tmp_path, here)
    with Stranger(tmp_path) as client:
        assert client.ask(Hello(request="h", version=VERSION))["is"] == "Welcome"
        listener.stdin.close()  # as the kernel does when the companion is gone
        assert client.hear(2.0) is None
        assert listener.wait(10) == 0
