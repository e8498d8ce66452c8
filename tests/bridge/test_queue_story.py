"""Several jobs: side by side, one before the other, resting; with the machine shared among them. The real processes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import psutil
import pytest

from bridge.client.client import Client
from bridge.client.connection import Declined
from bridge.protocol.requests import Cancel, List, Pause, Prioritise
from bridge.protocol.responses import Happened
from tests.bridge.companions import Companions, companions, kind, listed, submission, until_end
from tests.command import hotsplice
from tests.film.barcode import Mark
from tests.film.comparing import shown
from tests.film.media import Movie, make_movie
from tests.film.timelines import timeline

FRAMES = 300


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Movie:
    return make_movie(
        tmp_path_factory.mktemp("reel") / "reel.mov",
        source_id=5,
        frames=FRAMES,
        codec="prores",
        audio="pcm",
    )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Companions]:
    with companions(tmp_path / "home") as made:
        yield made


class Desk:
    """Cuts and films in a folder, and a client that asks for them."""

    def __init__(self, reel: Movie, folder: Path, client: Client) -> None:
        self.reel, self.folder, self.client = reel, folder, client
        self.cuts = 0

    def film(self, name: str) -> Path:
        return self.folder / f"{name}.mp4"

    def submit(self, name: str, shots: int, first: int = 0) -> str:
        """Shots of ten frames, each from another place."""
        line = timeline(Fraction(24))
        for track in (line.video(), line.audio()):
            for number in range(shots):
                track.clip(self.reel.path, self.start(number, first), 10, media_frames=FRAMES)
        self.cuts += 1
        cut = self.folder / f"{name}-{self.cuts}.otio"
        line.save(cut)
        return str(
            self.client.ask(*submission(cut, self.film(name), f"queue-{name}-{self.cuts:04}")).job
        )

    @staticmethod
    def start(number: int, first: int) -> int:
        return (first + number * 7) % (FRAMES - 19)

    def right(self, name: str, shots: int, first: int = 0) -> bool:
        """Whether every picture is the one that the cut asks for."""
        asked = [
            Mark(5, self.start(number, first) + frame)
            for number in range(shots)
            for frame in range(10)
        ]
        return shown(self.film(name)) == asked

    def states(self) -> list[str]:
        return [line.state for line in listed(self.client)]

    def until(self, seen: Callable[[list[Happened]], bool]) -> list[Happened]:
        """Everything that happened, until this can be said of it."""
        heard, end = [], time.monotonic() + 60
        for said in self.client.watch():
            assert time.monotonic() < end, [(event.job, kind(event)) for event in heard]
            if isinstance(said, Happened):
                heard.append(said)
                if seen(heard):
                    return heard
        raise AssertionError("watching ended by itself")


@pytest.fixture
def desk(house: Companions, reel: Movie, tmp_path: Path) -> Iterator[Desk]:
    """Its companion is started by the test."""
    with house.client() as client:
        yield Desk(reel, tmp_path, client)


def so(house: Companions, **settings: object) -> None:
    house.home.mkdir(parents=True, exist_ok=True)
    (house.home / "settings.yaml").write_text(
        "".join(f"{name}: {value}\n" for name, value in settings.items())
    )


def said_of(heard: list[Happened], job: str) -> list[str]:
    return [kind(event) for event in heard if event.job == job]


def ended(*jobs: str) -> Callable[[list[Happened]], bool]:
    return lambda heard: {event.job for event in heard if kind(event) == "JobFinished"} >= set(jobs)


def under_way(*jobs: str) -> Callable[[list[Happened]], bool]:
    return lambda heard: (
        {event.job for event in heard if kind(event) == "SegmentSealed"} >= set(jobs)
    )


def words(process: psutil.Process) -> list[str]:
    """How it was started; nothing for one that has ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def beneath(pid: int, *, deep: bool = False) -> list[psutil.Process]:
    """Children of a process; none of one that has ended."""
    try:
        return psutil.Process(pid).children(recursive=deep)
    except psutil.NoSuchProcess:
        return []


def hands(pid: int) -> dict[str, list[psutil.Process]]:
    """Workers of each job."""
    jobs = {
        said[said.index("bridge.cli.job_process") + 2]: child.pid
        for child in beneath(pid)
        if "bridge.cli.job_process" in (said := words(child))
    }
    return {
        job: [one for one in beneath(child) if "core.executors.worker" in words(one)]
        for job, child in jobs.items()
    }


def eventually(seen: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not seen():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_two_films_are_made_side_by_side_and_the_hands_are_shared(house, desk):
    so(house, jobs_at_once=2)
    pid = house.start("-j", "3").pid
    one = desk.submit("one", 60)
    eventually(lambda: len(hands(pid).get(one, [])) == 3)
    two = desk.submit("two", 12, 3)
    eventually(
        lambda: {job: len(workers) for job, workers in hands(pid).items()} == {one: 2, two: 1}
    )
    assert desk.states() == ["working", "working"]
    heard = desk.until(ended(two))
    assert "JobFinished" not in said_of(heard, one), "both were under work"
    eventually(lambda: len(hands(pid).get(one, [])) == 3)
    desk.until(ended(one))
    assert desk.right("one", 60) and desk.right("two", 12, 3)


@pytest.mark.long
def test_a_higher_priority_comes_next_and_a_clearly_higher_one_at_once(house, desk):
    house.start("-j", "1")
    first = desk.submit("first", 40)
    desk.until(under_way(first))
    second, third, urgent = (desk.submit(name, 3, 3) for name in ("second", "third", "urgent"))
    for job, priority in ((third, 1), (urgent, 50)):
        assert desk.client.ask(Prioritise(request="p", job=job, priority=priority)).job == job
    heard = desk.until(ended(first, second, third, urgent))
    order = [event.job for event in heard if kind(event) == "JobFinished"]
    assert order == [urgent, third, first, second], "what was interrupted went back to its place"
    assert (
        said_of(heard, first).count("RunInterrupted") == 1
        and said_of(heard, urgent).count("RunStarted") == 1
    )
    assert [line.priority for line in listed(desk.client)] == [0, 0, 1, 50]
    assert desk.right("first", 40) and all(
        desk.right(name, 3, 3) for name in ("second", "third", "urgent")
    )


def test_paused_all_rest_across_a_kill_until_they_may_go_on(house, desk):
    so(house, jobs_at_once=2)
    house.start("-j", "2")
    jobs = [desk.submit("one", 40), desk.submit("two", 40, 3)]
    desk.until(under_way(*jobs))
    desk.client.ask(Pause(request="p"))
    heard = desk.until(lambda heard: all("RunInterrupted" in said_of(heard, job) for job in jobs))
    later = desk.submit("later", 2)
    eventually(lambda: desk.states() == ["waiting"] * 3)
    assert desk.client.ask(List(request="l")).paused
    house.kill()
    pid = house.start("-j", "2").pid
    assert (
        desk.client.ask(List(request="l")).paused
        and desk.states() == ["waiting"] * 3
        and not hands(pid)
    )
    assert not any(
        kind(event) == "RunStarted"
        for event in desk.until(lambda now: len(now) >= len(heard))[len(heard) :]
    )
    desk.client.ask(Pause(request="p", paused=False))
    desk.until(ended(*jobs, later))
    assert desk.right("one", 40) and desk.right("two", 40, 3) and desk.right("later", 2)


@pytest.mark.long
def test_of_two_cuts_that_wait_for_one_film_the_newer_is_made(house, desk):
    house.start("-j", "1")
    first = desk.submit("first", 20)
    desk.until(under_way(first))
    old, new = desk.submit("reel", 3), desk.submit("reel", 4, first=7)
    heard = desk.until(ended(first, old, new))
    assert "RunStarted" not in said_of(heard, old)
    assert desk.states() == ["complete", "superseded", "complete"] and desk.right(
        "reel", 4, first=7
    )


@pytest.mark.long
def test_a_newer_cut_waits_for_the_film_that_is_under_work(house, desk):
    so(house, jobs_at_once=2)
    house.start("-j", "2")
    old = desk.submit("reel", 20)
    desk.until(under_way(old))
    new = desk.submit("reel", 4, first=7)
    heard = desk.until(ended(old, new))
    assert [event.job for event in heard if kind(event) in ("RunStarted", "JobFinished")] == [
        old,
        old,
        new,
        new,
    ]
    assert desk.right("reel", 4, first=7)


@pytest.mark.long
def test_a_cancelled_job_of_two_stops_alone(house, desk):
    so(house, jobs_at_once=2)
    house.start("-j", "2")
    one, two = desk.submit("one", 60), desk.submit("two", 20, 3)
    desk.until(under_way(one, two))
    desk.client.ask(Cancel(request="c", job=one))
    heard = desk.until(ended(two))
    assert "RunInterrupted" not in said_of(heard, two) and desk.right("two", 20, 3)
    eventually(lambda: desk.states() == ["held", "complete"])


def test_nothing_of_several_jobs_is_left_when_the_companion_is_killed(house, desk):
    so(house, jobs_at_once=2)
    child = house.start("-j", "2")
    jobs = [desk.submit("one", 150), desk.submit("two", 150, 3)]
    desk.until(under_way(*jobs))

    def programs() -> set[str]:
        return {word for process in beneath(child.pid, deep=True) for word in words(process)}

    eventually(
        lambda: (
            programs()
            >= {"bridge.cli.job_process", "bridge.daemon.commands", "core.executors.worker"}
            and any("ffmpeg" in name for name in programs())
        )
    )
    family = psutil.Process(child.pid).children(recursive=True)
    assert len(family) >= 5, "a clerk, two jobs, two workers"
    house.kill()
    assert not psutil.wait_procs(family, timeout=10)[1]
    again = house.start("-j", "2")
    eventually(lambda: set(hands(again.pid)) == set(jobs))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other words for it")
def test_at_low_priority_all_that_works_lets_others_go_first_and_the_companion_answers(house, desk):
    so(house, low_priority="true")
    pid = house.start("-j", "1").pid
    desk.submit("one", 150)
    idle, seen = int(psutil.IOPRIO_CLASS_IDLE), set()

    def look() -> bool:
        for process in beneath(pid, deep=True):
            said = words(process)
            try:
                behind = process.nice() >= 10 and int(process.ionice().ioclass) == idle
            except psutil.NoSuchProcess:
                continue
            who = (
                "ffmpeg"
                if any("ffmpeg" in word for word in said[:1])
                else "".join(word for word in said if word.startswith(("bridge.", "core.")))
            )
            assert behind or who not in ("core.executors.worker", "ffmpeg"), (
                "its job had stepped back before it was started"
            )
            assert not behind or who != "bridge.daemon.commands", "who answers does not wait"
            seen.update({who} if behind else ())
        return {"bridge.cli.job_process", "core.executors.worker", "ffmpeg"} <= seen

    eventually(look)
    assert int(psutil.Process(pid).ionice().ioclass) != idle


def test_from_the_command_line_with_and_without_a_companion(house, desk):
    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return hotsplice(*words, environment=house.environment | {"LC_ALL": "C"})

    paused = call("pause")
    assert paused.returncode == 0 and "rests" not in paused.stdout, "there is none that could"
    assert paused.stdout.startswith(
        "No companion runs. One that starts begins no job until hotsplice unpause"
    )
    child = house.start("-j", "1")
    one, two = desk.submit("one", 3), desk.submit("two", 3)
    assert call("prioritise", two[:4], "7").stdout == f"Job {two} has priority 7 now.\n"
    told = call("jobs").stdout
    assert "waiting +7" in told and "The companion rests" in told
    assert [line.priority for line in listed(desk.client)] == [0, 7] and desk.states() == [
        "waiting"
    ] * 2
    child.terminate()
    child.wait(20)
    assert call("prioritise", one, "9").returncode == 0
    assert "No companion runs. One that starts begins no job" in call("jobs").stdout
    assert call("unpause").stdout == "No companion runs. One that starts begins its jobs.\n"
    house.start("-j", "1")
    heard = desk.until(ended(one, two))
    assert [event.job for event in heard if kind(event) == "JobFinished"] == [one, two]
    wrong = [
        call("prioritise", "zzz", "1"),
        call("prioritise", one, "101"),
        call("prioritise", one, "5"),
    ]
    assert [done.returncode for done in wrong] == [2, 2, 2] and "does not wait" in wrong[2].stdout
    with pytest.raises(Declined, match="job-not-queued"):
        desk.client.ask(Prioritise(request="p", job=one, priority=1))
    assert until_end(desk.client, one)
