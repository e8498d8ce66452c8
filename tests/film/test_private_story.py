"""Who can read what a run leaves: every file and folder of real runs, walked and not listed, under lenient umasks."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.film.assembling import ROOT
from tests.film.media import make_movie
from tests.film.test_assemble_story import cut_of


def command(home: Path, mask: str, *words: str | Path) -> str:
    """What a command says that is run under a umask."""
    done = subprocess.run(
        ["sh", "-c", f'umask {mask}; exec "$@"', "sh", sys.executable, "-m", "bridge.cli.main", *map(str, words)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=ROOT, check=False,
        env={**os.environ, "HOTSPLICE_HOME": str(home), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def open_to_others(*folders: Path) -> list[str]:
    """Everything in these folders that anybody but its owner may read, write or enter."""
    found = []
    for path in [path for folder in folders for path in [folder, *folder.rglob("*")]]:
        with contextlib.suppress(
            FileNotFoundError
        ):  # SQLite removes its own when the journal is closed
            if not path.is_symlink() and stat.S_IMODE(path.lstat().st_mode) & 0o077:
                found.append(str(path))
    return found


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mask", ["022", "000"])
def test_everything_a_run_leaves_is_this_users_alone(mask: str, tmp_path: Path) -> None:
    reels = [
        make_movie(tmp_path / f"{n}.mov", source_id=n + 1, frames=48, codec="h264", audio="pcm")
        for n in range(2)
    ]
    home, scratch, films = tmp_path / "home", tmp_path / "scratch", tmp_path / "films"
    for folder in (scratch, films):  # the user's own, with modes of the user's choice
        folder.mkdir()
        folder.chmod(0o755)
    command(home, mask, "jobs")
    with (home / "settings.yaml").open("a") as settings:
        settings.write(f"\nscratch: {scratch}\n")
    film = films / "film.mp4"
    one = cut_of([(reels[0].path, 0, 24)], tmp_path / "one.otio")
    two = cut_of(
        [(reels[0].path, 0, 24), (reels[1].path, 0, 24), (tmp_path / "gone.mov", 0, 24)],
        tmp_path / "two.otio",
    )
    three = cut_of(
        [(reels[1].path, 0, 24)], tmp_path / "three.otio"
    )  # complete: the film before it is kept
    try:
        for number, timeline in enumerate((one, two, three)):
            command(home, mask, "submit", timeline, "-o", film, "--id", f"private-{number}")
        command(home, mask, "assemble", one, "-o", film)
        job = command(home, mask, "jobs", "--json").split('"job": "')[1][:6]
        command(home, mask, "report", job)
    finally:
        command(home, mask, "stop")
    hidden = films / ".hotsplice"
    assert len([path for path in home.rglob("*") if path.is_file()]) > 8 and any(
        (scratch / "store").rglob("*.mp4")
    )
    assert open_to_others(home, scratch / "store", scratch / "work", scratch / "owners") == []
    assert (
        mode(hidden) == 0o700 and [path for path in hidden.iterdir() if ".part" in path.name] == []
    )
    assert mode(film) == 0o666 & ~int(mask, 8), (
        "a published film is the user's, like any other file"
    )
    assert (mode(scratch), mode(films)) == (0o755, 0o755), (
        "folders that are not ours keep their modes"
    )

    for folder in (home, scratch):  # what an earlier version left
        for path in [path for path in folder.rglob("*") if "keys" not in path.parts]:
            with contextlib.suppress(
                FileNotFoundError
            ):  # SQLite removes its own when the companion has closed the journal
                path.chmod(0o777 if path.is_dir() else 0o666)
    home.chmod(0o755)
    command(home, mask, "jobs")  # reads alone
    command(home, mask, "assemble", one, "-o", film)
    assert open_to_others(home, scratch / "store", scratch / "work", scratch / "owners") == []
    assert mode(scratch) == 0o755


def test_a_group_that_shares_a_films_folder_shares_ours_in_it(tmp_path: Path) -> None:
    from core.system import private_files

    films = tmp_path / "films"
    (films / ".hotsplice").mkdir(parents=True)
    for above, wanted in ((0o755, 0o700), (0o775, 0o770), (0o777, 0o700)):
        films.chmod(above)
        private_files.share(films / ".hotsplice")
        assert mode(films / ".hotsplice") == wanted, oct(above)


def test_a_folder_that_holds_other_things_too_is_not_ours(tmp_path: Path) -> None:
    from core.system import private_files

    (tmp_path / "logs").mkdir(mode=0o755)
    (tmp_path / "logs" / "hotsplice.log").touch(0o644)
    (tmp_path / "letters").mkdir(mode=0o755)
    (tmp_path / "journal.db-wal").touch(0o644)
    tmp_path.chmod(0o755)
    private_files.repair_ours(tmp_path, tmp_path / "scratch")
    assert mode(tmp_path) == mode(tmp_path / "letters") == 0o755
    assert open_to_others(tmp_path / "logs", tmp_path / "journal.db-wal") == []
