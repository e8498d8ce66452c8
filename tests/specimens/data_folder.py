"""A data folder of an earlier version, as people have it when they update: `data_folder/` beside this file.

    python -m tests.specimens.data_folder         makes it with the code at hand; never run it again over one that is in use

It holds small media, two timelines and `home/`: settings, a journal (`journal.sql`), scratch, and a watch folder. One job was killed
in the middle, one was dropped into the watch folder and waits, one has ended. Paths begin with `ROOT` wherever they are text;
`restore` puts a copy into a folder and its path in their place.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from bridge.protocol.requests import Pause
from tests.bridge.companions import companions
from tests.film.media import Movie, make_movie
from tests.film.timelines import timeline

FOLDER = Path(__file__).parent / "data_folder"
PLACEHOLDER = "/ROOT"
HIDDEN, VISIBLE = ".hotsplice", "dot.hotsplice"
"""Our folder beside films, and its name here: the repository ignores the hidden one."""
SETTINGS = "language: de\njobs: 1\nmedia_folders: [{root}/media]\nfilms: {root}/films\nfilms_preset: h264\n"
SHOTS = 3
"""After so many shots of six a job is killed."""


def restore(place: Path) -> Path:
    """A copy of the data folder and all that it speaks of in `place`; its path."""
    shutil.copytree(FOLDER, place, dirs_exist_ok=True)
    (place / "films" / VISIBLE).rename(place / "films" / HIDDEN)
    home, script = place / "home", place / "home" / "journal.sql"
    for path in _texts(place):
        _replace(path, PLACEHOLDER, str(place))
    with closing(sqlite3.connect(home / "journal.db")) as db:
        db.executescript(script.read_text(encoding="utf-8"))
    script.unlink()
    return home


def _texts(place: Path) -> list[Path]:
    endings = {".sql", ".otio", ".yaml", ".json", ".lua"}
    return [
        path
        for path in place.rglob("*")
        if path.is_file() and (path.suffix in endings or "index" in path.parts)
    ]


def _replace(path: Path, old: str, new: str) -> None:
    """Also in the timelines of a journal, which are written as hexadecimal digits."""
    text = (
        path.read_text(encoding="utf-8")
        .replace(old, new)
        .replace(old.encode().hex().upper(), new.encode().hex().upper())
    )
    path.write_text(text, encoding="utf-8")


def make() -> None:
    """Make it anew."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary).resolve()
        _fill(root)
        _write_down(root)
        shutil.rmtree(FOLDER, ignore_errors=True)
        shutil.copytree(root, FOLDER)


def _fill(root: Path) -> None:
    home = root / "home"
    for name in ("media", "films", "home"):
        (root / name).mkdir()
    movies = [
        make_movie(
            root / "media" / f"A00{number}.mov", source_id=number, frames=24, codec="h264", gop=12, size=(320, 180),
            audio="aac" if number == 1 else None,
        )
        for number in (1, 2, 3)
    ]  # fmt: skip
    (home / "settings.yaml").write_text(SETTINGS.format(root=root), encoding="utf-8")
    _cut(
        root / "killed.otio",
        "Killed",
        [(movie, at) for at in (0, 12) for movie in movies],
        movies[0],
    )
    _cut(root / "ended.otio", "Ended", [(movies[0], 6)], movies[0])
    _assemble(root, "ended")
    _assemble(root, "killed", SHOTS)
    with companions(home) as house:
        house.start("-j", "1")
        with house.client() as client:
            client.ask(Pause(request="p"))
            inbox = home / "door" / "inbox"
            _until(inbox.is_dir)
            _cut(root / "dropped.otio", "Dropped", [(movies[1], 0), (movies[2], 4)], movies[0])
            (root / "dropped.otio").rename(inbox / "Dropped~preset=h264.otio")
            _until(
                lambda: [
                    path
                    for path in inbox.glob("*reply*")
                    if '"waiting"' in path.read_text(encoding="utf-8")
                ]
            )
        house.kill()


def _until(there: Callable[[], object]) -> None:
    until = time.monotonic() + 30
    while not there():
        assert time.monotonic() < until
        time.sleep(0.1)


def _cut(path: Path, name: str, clips: list[tuple[Movie, int]], heard: Movie) -> None:
    film = timeline(24, name=name)
    pictures = film.video()
    for movie, at in clips:
        pictures.clip(movie, at, 12)
    film.audio().clip(heard, 0, 12)
    film.save(path)


def _assemble(root: Path, name: str, shots: int = 99) -> None:
    """Make a film; the process is killed after so many shots."""
    words = [
        "assemble",
        str(root / f"{name}.otio"),
        "-o",
        str(root / "films" / f"{name}.mp4"),
        "--preset",
        "h264",
        "--json",
    ]
    environment = {**os.environ, "HOTSPLICE_HOME": str(root / "home")}
    with subprocess.Popen(
        [sys.executable, "-m", "bridge.cli.main", *words], stdout=subprocess.PIPE, env=environment
    ) as child:
        assert child.stdout
        for line in child.stdout:
            event = json.loads(line)
            shots -= event.get("kind") == "SegmentSealed" and event["body"]["kind"] == "video"
            if shots <= 0:
                child.send_signal(signal.SIGKILL)
                break


def _write_down(root: Path) -> None:
    """The journal as text, and every path of this machine replaced."""
    home = root / "home"
    (root / "films" / HIDDEN).rename(root / "films" / VISIBLE)
    with closing(sqlite3.connect(home / "journal.db")) as db:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        script = "\n".join([*db.iterdump(), f"PRAGMA user_version={version};", ""])
    (home / "journal.sql").write_text(script, encoding="utf-8")
    for lock in (root / "films" / VISIBLE).glob("*.lock"):
        lock.unlink()
    for name in (
        "logs",
        "keys",
        "locks",
        "run",
        "work",
        "program.json",
        "said.txt",
        *(f"journal.db{end}" for end in ("", "-wal", "-shm")),
    ):
        for path in (home / name, home / "scratch" / name):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(
                missing_ok=True
            )
    for path in _texts(root):
        _replace(path, str(root), PLACEHOLDER)


if __name__ == "__main__":
    make()
