"""What changes beside a companion: its settings while it runs, the files of its jobs while it is away, what it left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import psutil
import pytest

from bridge.client.client import Client
from bridge.daemon import orphans
from bridge.protocol.requests import Cancel
from bridge.protocol.responses import Happened, Noticed
from tests.bridge.companions import Companions, companions, kind, listed, submission, until_end
from tests.film.media import Movie, make_movie
from tests.film.timelines import timeline


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Movie:
    return make_movie(
        tmp_path_factory.mktemp("reel") / "reel.mov",
        source_id=5,
        frames=300,
        codec="prores",
        audio="pcm",
    )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Companions]:
    with companions(tmp_path / "home") as made:
        made.environment |= {"LC_ALL": "C"}
        made.home.mkdir()
        yield made


def write(house: Companions, text: str) -> None:
    (house.home / "settings.yaml").write_text(text)


def notice(
    client: Client, code: str, fits: Callable[[Noticed], bool] = lambda said: True, job: str = ""
) -> Noticed:
    until = time.monotonic() + 20
    for said in client.watch(job):
        assert time.monotonic() < until, f"no {code}"
        if isinstance(said, Noticed) and said.code == code and fits(said):
            return said
    raise AssertionError("watching ended by itself")


def told(house: Companions) -> list[str]:
    """What who comes now is told."""
    with house.client() as client:
        heard = []
        for said in client.watch():
            if said is None:
                return heard
            heard += [said.code] if isinstance(said, Noticed) else []
    raise AssertionError("watching ended by itself")


def cut_of(folder: Path, name: str, *sources: Path, shots: int = 100) -> Path:
    line = timeline(Fraction(24))
    track = line.video()
    for number in range(shots):
        track.clip(sources[number % len(sources)], number, 10, media_frames=300)
    line.save(folder / f"{name}.otio")
    return folder / f"{name}.otio"


# Settings -------------------------------------------------------------------------------------------------------------


def test_changed_settings_are_taken_over_and_said_and_a_mistake_leaves_the_old_ones(
    house, reel, tmp_path
):
    house.start("-j", "2")
    with house.client() as client:
        one = client.ask(
            *submission(cut_of(tmp_path, "one", reel.path), tmp_path / "one.mp4", "change-0001")
        ).job
        two = client.ask(
            *submission(
                cut_of(tmp_path, "two", reel.path, shots=2), tmp_path / "two.mp4", "change-0002"
            )
        ).job
        write(house, "jobs_at_once: 2\nwait: 5\n")
        said = notice(client, "settings-taken")
        assert (
            said.message == "jobs_at_once = 2 at once; wait = 5.0 for jobs that begin from now on."
        )
        until_end(client, two)
        assert {line.job: line.state for line in listed(client)} == {
            one: "working",
            two: "complete",
        }, "side by side"
        write(house, "jobs_at_once: 2\njobs: many\n")
        wrong = notice(client, "settings-invalid")
        assert (
            "line 2, column 7" in wrong.message
            and "The settings before it hold." in wrong.message
            and "Correct" in wrong.action
        )
        with house.client() as late:
            assert notice(late, "settings-invalid") == wrong, "who comes later is told as well"
        client.ask(Cancel(request="c", job=one))
        write(house, "jobs_at_once: 2\nlanguage: de\n")
        assert notice(client, "settings-taken").title == "Einstellungen neu gelesen"
        write(house, "language: tlh\n")
        assert notice(client, "settings-invalid").title == "Einstellungen unklar"
        write(house, "# mended\njobs_at_once: 2\nlanguage: de\n")
        until = time.monotonic() + 20
        while told(house):
            assert time.monotonic() < until, "a mistake that was mended is not told any more"
    assert house.said().count("Settings not understood") == 1, "a mistake is said once"


def test_a_job_that_begins_reads_the_settings_as_they_are_then(house, reel, tmp_path):
    """The file was asked for in a folder that only the new settings name."""
    house.start("-j", "1")
    kept = tmp_path / "archive" / "reel.mov"
    kept.parent.mkdir()
    mine = tmp_path / "mine.mov"
    mine.write_bytes(reel.path.read_bytes())
    cut = cut_of(tmp_path, "cut", mine, shots=2)
    with house.client() as client:
        until_end(client, client.ask(*submission(cut, tmp_path / "one.mp4", "begins-0001")).job)
        os.replace(mine, kept)
        write(house, f"media_folders: [{kept.parent}]\n")
        events = until_end(
            client, client.ask(*submission(cut, tmp_path / "two.mp4", "begins-0002")).job
        )
    assert "SourceMoved" in [kind(event) for event in events]


# While it was away ----------------------------------------------------------------------------------------------------


def test_it_says_how_a_job_was_left_and_what_became_of_its_files(house, reel, tmp_path):
    sources = []
    for name in ("kept", "gone", "changed"):
        sources.append(tmp_path / f"{name}.mov")
        sources[-1].write_bytes(reel.path.read_bytes())
    film = tmp_path / "film.mp4"
    house.start("-j", "1")
    with house.client() as client:
        until_end(
            client,
            client.ask(
                *submission(cut_of(tmp_path, "first", reel.path, shots=1), film, "away-0000")
            ).job,
        )
        job = client.ask(*submission(cut_of(tmp_path, "cut", *sources), film, "away-0001")).job
        sealed, until = 0, time.monotonic() + 30
        for said in client.watch(job):
            assert time.monotonic() < until
            sealed += isinstance(said, Happened) and kind(said) == "SegmentSealed"
            if sealed == 4:
                break
        house.kill()
        sources[1].unlink()
        sources[2].write_bytes(reel.path.read_bytes()[:-1])
        film.unlink()
        house.start("-j", "1")
        said = notice(client, "job-taken-up", lambda said: "since" in said.message, job)
    assert (
        said.job == job
        and f"gone since: {sources[1]}, {film}; changed since: {sources[2]}." in said.message
    )
    assert "it was cut off; " in said.message and str(sources[0]) not in said.message
    assert (
        f"taking up {job}: cut off, " in house.said() and "pieces made, 100 shots" in house.said()
    )


# What is left over ----------------------------------------------------------------------------------------------------


@pytest.fixture
def leftovers() -> Iterator[Callable[..., psutil.Process]]:
    """Processes that look like ours, of an owner who is no parent of theirs: what Linux itself does not leave over."""
    started: list[subprocess.Popen[bytes]] = []

    def start(module: str, owner: int) -> psutil.Process:
        program = "import subprocess, sys, time; subprocess.Popen(['sleep', '60']); print(flush=True); time.sleep(60)"
        argv = [sys.executable, "-c", program, "-m", module, str(owner), "k7m2xq"]
        started.append(subprocess.Popen(argv, stdout=subprocess.PIPE))
        assert started[-1].stdout and started[-1].stdout.readline()
        return psutil.Process(started[-1].pid)

    yield start
    for child in started:
        for process in psutil.Process(child.pid).children() if child.poll() is None else ():
            process.kill()
        child.kill()
        child.wait()
        assert child.stdout
        child.stdout.close()


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_orphans_are_ended_with_all_they_started_and_nobody_else(leftovers):
    nobody = subprocess.Popen(["true"])
    nobody.wait()
    lost = leftovers("bridge.cli.job_process", nobody.pid)
    family = [lost, *lost.children()]
    others = [
        leftovers("bridge.cli.job_process", os.getpid()),
        leftovers("bridge.cli.main", nobody.pid),
    ]
    assert len(family) == 2
    assert {process.pid for process in family} <= set(orphans.reap())
    psutil.wait_procs(family, timeout=5)
    assert all(map(gone, family)) and not any(map(gone, others))


def test_a_companion_that_follows_a_killed_one_ends_what_it_left(house, leftovers):
    """Any companion on this machine ends such a process. Then another one is left for ours."""
    for _ in range(5):
        killed = house.start("-j", "1")
        lost = leftovers("core.executors.worker", killed.pid)
        house.kill()
        house.start("-j", "1")
        until = time.monotonic() + 20
        while not gone(lost):
            assert time.monotonic() < until
            time.sleep(0.01)
        until = time.monotonic() + 2
        while time.monotonic() < until and "processes that were left over" not in house.said():
            time.sleep(0.01)
        if "processes that were left over" in house.said():
            return
        house.kill()
    raise AssertionError(house.said())
