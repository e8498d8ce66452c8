"""`hotsplice tray` on a real desktop: an X server with a tray, a real companion, a real film. Skipped without those programs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from bridge.protocol import endpoint
from bridge.tray.style import ROLES
from tests.bridge.companions import ROOT, Companions, companions, listed, submission, until_end
from tests.bridge.tray.desktop import Desktop, desktop
from tests.film.media import make_movie
from tests.film.timelines import timeline

IDLE = "#aab2bc"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Companions]:
    with companions(tmp_path / "home") as made:
        yield made
        found = endpoint.read(made.home)
        if found is not None and found.pid not in [
            child.pid for child in made.running
        ]:  # a display began it
            with contextlib.suppress(ProcessLookupError):
                os.kill(found.pid, signal.SIGTERM)


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Desktop]:
    with desktop(tmp_path) as made:
        yield made


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Desktop]:
    with desktop(tmp_path, tray=False) as made:
        yield made


def start(on: Desktop, house: Companions, *words: str) -> subprocess.Popen[bytes]:
    """A display; whatever becomes of the test, it ends with the other programs of the house."""
    with on.log.open("ab") as said:
        argv = [sys.executable, "-m", "bridge.cli.main", "tray", *words]
        environment = {**on.environment, "HOTSPLICE_HOME": str(house.home), "PYTHONPATH": str(ROOT)}
        house.running.append(
            subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=said, stderr=said)
        )
    return house.running[-1]


def end(child: subprocess.Popen[bytes], by: signal.Signals = signal.SIGTERM) -> int:
    child.send_signal(by)
    return child.wait(20)


def film(tmp_path: Path, name: str, missing: bool = False) -> tuple[Path, Path]:
    reel = make_movie(tmp_path / f"{name}.mov", source_id=5, frames=72, codec="prores", audio="pcm")
    line = timeline(Fraction(24))
    for track in (line.video(), line.audio()):
        for number in range(6):
            gone = missing and number == 2
            track.clip(
                tmp_path / "gone.mov" if gone else reel.path, number * 5, 10, media_frames=72
            )
    line.save(tmp_path / f"{name}.otio")
    return tmp_path / f"{name}.otio", tmp_path / f"{name}.mp4"


def test_the_icon_stands_in_the_tray_and_tells_what_happens(screen, house, tmp_path):
    house.start("-j", "1")
    shown = start(screen, house)
    screen.until(lambda: screen.shows(IDLE))
    assert not screen.windows("Hotsplice"), "it does not push itself forward"
    with house.client() as client:
        job = client.ask(*submission(*film(tmp_path, "well"), "tray-0001")).job
        until_end(client, job)
        screen.until(lambda: screen.shows(ROLES["good"]))
        job = client.ask(*submission(*film(tmp_path, "short", missing=True), "tray-0002")).job
        until_end(client, job)
        screen.until(lambda: screen.shows(ROLES["warn"]))
    screen.click_tray()
    screen.until(lambda: screen.windows("Hotsplice"))
    assert end(shown) == 0


def test_started_twice_it_is_one_and_opens_its_window(screen, house):
    house.start("-j", "1")
    first = start(screen, house)
    screen.until(lambda: screen.shows(IDLE))
    second = start(screen, house)
    assert second.wait(20) == 0
    screen.until(lambda: screen.windows("Hotsplice"))
    assert end(first) == 0


def test_without_a_tray_the_window_opens_and_the_companion_is_started(bare, house):
    shown = start(bare, house)
    bare.until(lambda: bare.windows("Hotsplice"))

    def answers() -> bool:
        with house.client(patience_s=0.5) as client:
            return listed(client) == []

    bare.until(lambda: (house.home / "run" / "companion.json").exists())
    assert answers()
    assert end(shown) == 0
    assert answers(), "the display is gone, the companion goes on"


def test_killed_in_the_middle_of_a_film_it_costs_the_film_nothing(bare, house, tmp_path):
    house.start("-j", "1")
    shown = start(bare, house, "--window")
    bare.until(lambda: bare.windows("Hotsplice"))
    with house.client() as client:
        job = client.ask(*submission(*film(tmp_path, "well"), "tray-0003")).job
        assert end(shown, signal.SIGKILL) == -signal.SIGKILL
        until_end(client, job)
        assert [(line.job, line.state) for line in listed(client)] == [(job, "complete")]
    again = start(bare, house)
    bare.until(lambda: bare.windows("Hotsplice"))
    assert end(again) == 0


@pytest.mark.parametrize(
    ("display", "said"), [("", "There is no screen to show anything on."), (":979", "No display.")]
)
def test_without_a_screen_that_is_said_and_nothing_else(house, display, said):
    others = ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "DISPLAY")
    environment = {name: value for name, value in house.environment.items() if name not in others}
    environment |= {"DISPLAY": display} if display else {}
    done = subprocess.run(
        [sys.executable, "-m", "bridge.cli.main", "tray"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (
        done.returncode == 2
        and said in done.stdout
        and "hotsplice watch" in done.stdout.replace("\n", " ")
    )
    assert "Traceback" not in done.stdout + done.stderr and "Aborted" not in done.stderr
