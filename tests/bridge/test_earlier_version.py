"""A data folder of an earlier version (`tests.specimens.data_folder`): it opens, shows, and goes on where it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bridge.protocol.requests import Pause
from tests.bridge.companions import companions
from tests.film import reading
from tests.film.barcode import Mark
from tests.specimens import data_folder

KILLED = [Mark(number, at + frame) for at in (0, 12) for number in (1, 2, 3) for frame in range(12)]
DROPPED = [Mark(2, frame) for frame in range(12)] + [Mark(3, 4 + frame) for frame in range(12)]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return data_folder.restore(tmp_path)


def said(home: Path, *words: str) -> str:
    """What a command prints; it ends with 0."""
    environment = {**os.environ, "HOTSPLICE_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "bridge.cli.main", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def jobs(home: Path) -> dict[str, dict[str, str]]:
    """All jobs, by the names of their films."""
    listed = [json.loads(line) for line in said(home, "jobs", "--json").splitlines()]
    return {Path(job["output"]).name: job for job in listed}


def test_jobs_are_listed_and_told(home):
    listed = jobs(home)
    assert {name: job["state"] for name, job in listed.items()} == {
        "ended.mp4": "complete", "killed.mp4": "unfinished", "Dropped.mp4": "accepted"
    }  # fmt: skip
    for job in listed.values():
        told = said(home, "show", job["job"])
        assert "Verlangt wurde" in told, "in the language of the settings"
    assert "ended.mp4" in said(
        home,
        "assemble",
        str(home.parent / "ended.otio"),
        "-o",
        str(home.parent / "films" / "ended.mp4"),
        "-p",
        "h264",
    )


def test_a_job_that_was_killed_goes_on_from_its_checkpoints(home):
    films = home.parent / "films"
    events = [
        json.loads(line)
        for line in said(home, "resume", jobs(home)["killed.mp4"]["job"], "--json").splitlines()
    ]
    sealed = [
        event["body"]
        for event in events
        if event.get("kind") == "SegmentSealed" and event["body"]["kind"] == "video"
    ]
    assert [one["reused"] for one in sorted(sealed, key=lambda one: int(one["shot"]))] == [
        True
    ] * 3 + [False] * 3
    assert reading.marks(films / "killed.mp4") == KILLED
    assert reading.marks(films / "ended.mp4") == [Mark(1, 6 + frame) for frame in range(12)], (
        "nothing happened to it"
    )


def test_a_timeline_in_the_watch_folder_becomes_a_film_with_the_next_companion(home):
    inbox = home / "door" / "inbox"
    (path,) = inbox.glob("*.reply.json")
    assert json.loads(path.read_bytes())["state"] == "waiting"
    with companions(home) as house:
        house.start("-j", "1")
        with house.client() as client:
            client.ask(Pause(request="u", paused=False))
            until = time.monotonic() + 60
            while json.loads(path.read_bytes())["state"] != "complete":
                assert time.monotonic() < until, path.read_text()
                time.sleep(0.05)
    assert reading.marks(home.parent / "films" / "Dropped.mp4") == DROPPED
