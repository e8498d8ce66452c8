"""The drive of the data folder is pulled while SQLite is in its mapped file: the kernel sends SIGBUS. Whoever waits for the film
reads the same as at any other moment. Real ffmpeg, the real command; the drive is a folder that is moved away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.film.assembling import House
from tests.film.media import Movie, make_movie
from tests.film.test_assemble_story import cut_of

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(
    not hasattr(signal, "SIGBUS"), reason="SQLite itself reports an error here"
)

PULLED = """
import os, sys
from pathlib import Path
from bridge.cli.main import main
from core.storage.journal import Journal
home, calls, look = Path(os.environ["HOTSPLICE_HOME"]), int(os.environ["PULLED_AT"]), getattr(Journal, sys.argv[1])
def pulled(self, *more):
    global calls
    found, calls = look(self, *more), calls - 1
    if calls == 0:
        os.truncate(home / "journal.db-shm", 0)
        home.rename(home.with_name("away"))
    return found
setattr(Journal, sys.argv[1], pulled)
sys.exit(main(sys.argv[2:]))
"""
"""The command, whose drive goes right after the n-th call of a method of the journal."""


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Movie:
    return make_movie(
        tmp_path_factory.mktemp("reels") / "1.mov",
        source_id=1,
        frames=72,
        codec="h264",
        audio="pcm",
    )


@pytest.fixture
def house(tmp_path: Path) -> House:
    home = tmp_path / "home"
    home.mkdir()
    (home / "settings.yaml").write_text("language: de\n")
    return House(home)


def pulled(
    house: House, method: str, call: int, *words: str | Path
) -> subprocess.CompletedProcess[str]:
    """A command whose drive goes."""
    environment = {
        **os.environ,
        "HOTSPLICE_HOME": str(house.home),
        "PYTHONPATH": str(ROOT),
        "PULLED_AT": str(call),
    }
    return subprocess.run(
        [sys.executable, "-c", PULLED, method, *map(str, words)], cwd=ROOT, env=environment, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


def back(house: House) -> None:
    """The drive is there again."""
    assert not house.home.exists(), "made again"
    house.home.with_name("away").rename(house.home)


def test_the_job_ends_with_the_reason_and_the_same_command_goes_on(
    house: House, reel: Movie, tmp_path: Path
) -> None:
    cut, film = (
        cut_of([(reel.path, 0, 20), (reel.path, 30, 20)], tmp_path / "one.otio"),
        tmp_path / "film.mp4",
    )
    words = ["assemble", cut, "-o", film, "-j", "1", "--json"]
    done = pulled(house, "still_ours", 4, *words)
    said = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, said["exit_code"], said["code"], done.stderr) == (
        3,
        3,
        "data-folder-gone",
        "",
    )
    assert (said["title"], said["message"]) == (
        "Datenordner fehlt.",
        f"Der Datenordner {house.home} ist nicht da.",
    )
    assert said["did"].startswith("An seiner Stelle wurde nichts geschrieben.")
    assert said["action"].startswith("Schließen Sie das Laufwerk an") and not film.exists()
    back(house)
    log = (house.home / "logs" / "hotsplice.log").read_text()
    assert "begins: hotsplice assemble" in log and "unforeseen" not in log
    again = house.run(*words)
    assert again.code == 0 and film.exists()


def test_a_person_reads_it_too(house: House, reel: Movie, tmp_path: Path) -> None:
    cut, film = cut_of([(reel.path, 0, 20)], tmp_path / "one.otio"), tmp_path / "film.mp4"
    done = pulled(house, "still_ours", 3, "assemble", cut, "-o", film, "-j", "1")
    assert (done.returncode, done.stderr) == (3, "")
    for words in (
        "Datenordner fehlt.",
        str(house.home),
        "An seiner Stelle wurde nichts geschrieben.",
        "→ Schließen Sie das Laufwerk an",
    ):
        assert words in done.stdout
    back(house)


@pytest.mark.parametrize("as_json", [True, False])
def test_a_command_that_reads_says_it_in_the_language_of_the_settings(
    house: House, as_json: bool
) -> None:
    assert house.run("jobs").code == 0
    done = pulled(house, "_migrate", 1, "jobs", *(["--json"] if as_json else []))
    said = json.loads(done.stdout.splitlines()[-1])["message"] if as_json else done.stderr
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert f"Der Datenordner {house.home} ist nicht da." in said
    back(house)


@pytest.mark.parametrize(
    ("sent", "code"),
    [("SIGINT", 130), ("SIGTERM", 130), ("SIGHUP", 130), ("SIGKILL", -9), ("SIGBUS", None)],
)
def test_signals_from_elsewhere_mean_what_they_meant(
    house: House, reel: Movie, tmp_path: Path, sent: str, code: int | None
) -> None:
    cut, film = cut_of([(reel.path, 0, 60)] * 4, tmp_path / "one.otio"), tmp_path / "film.mov"
    words = [
        sys.executable,
        "-m",
        "bridge.cli.main",
        "assemble",
        str(cut),
        "-o",
        str(film),
        "-j",
        "1",
        "--json",
    ]
    environment = {**os.environ, "HOTSPLICE_HOME": str(house.home), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout
        next(line for line in run.stdout if '"RunStarted"' in line)
        time.sleep(0.3)
        run.send_signal(getattr(signal, sent))
        rest = run.stdout.read()
    assert run.returncode == (-signal.SIGBUS if code is None else code), rest[-500:]
    assert house.run("resume").code == 0
