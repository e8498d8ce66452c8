"""The small jobs that are killed, and the folders they are killed in.

A `Case` is a cut: an old one is published first, then the new one is made over it. A `Lane` is a place with a home, a
film's folder, and files that are nobody's business; it is put back to a known state before every point. Two lanes work
beside each other, each with its own paths, because a journal names films by their whole path.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xxhash

from tests.film import reading
from tests.film.media import make_movie, make_wav
from tests.film.timelines import timeline
from tests.proofs.launch import ARMING, ROOT, Launcher

_serial = itertools.count(1)


@dataclass(frozen=True)
class Case:
    """An old cut, a new one, and a third one for those who change their mind; all for the same film."""

    name: str
    preset: str
    film: str
    old: Path
    new: Path
    third: Path


@dataclass(frozen=True)
class Undisturbed:
    """What a run that nobody disturbs ends in."""

    exit_code: int
    film: str
    frames: tuple[str, ...]
    sound: str


@dataclass(frozen=True)
class Ended:
    """How a run ended: exit code (negative for a signal), its last line, all it said."""

    exit_code: int
    summary: dict[str, Any]
    said: str


@dataclass
class Lane:
    """`root` holds `home`, `out`, `bystanders`, `tmp`; saved states stand beside it."""

    root: Path
    sources: Path
    launcher: Launcher = field(default_factory=Launcher)
    states: dict[str, Path] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """What every run of this lane is given; MARK is found again in each of its processes."""
        return {"HOTSPLICE_HOME": str(self.root / "home"), "TMPDIR": str(self.root / "tmp"), "HOTSPLICE_PROOF": mark()}

    def film(self, case: Case) -> Path:
        """Where the film stands."""
        return self.root / "out" / case.film

    def kept(self, case: Case) -> Path:
        """Where the replaced film is kept."""
        return self.root / "out" / ".hotsplice" / f"{case.film}.previous"

    def assemble(self, case: Case, cut: Path, jobs: int = 2) -> list[str]:
        """The command line for a cut."""
        return ["assemble", str(cut), "-o", str(self.film(case)), "-p", case.preset, "-j", str(jobs), "--json"]

    def clear(self) -> None:
        """An empty lane but for the bystanders."""
        shutil.rmtree(self.root, ignore_errors=True)
        for name in ("home", "out", "tmp", "bystanders/a/b"):
            (self.root / name).mkdir(parents=True)
        for name in ("bystanders/film.mov", "bystanders/a/b/notes.txt", "bystanders/.hidden"):
            (self.root / name).write_text(f"not Hotsplice's: {name}\n", encoding="utf-8")

    def save(self, name: str) -> None:
        """Keep this state to come back to."""
        self.states[name] = self.root.with_name(f"{self.root.name}-{name}")
        shutil.copytree(self.root, self.states[name], symlinks=True)

    def restore(self, name: str) -> None:
        """The saved state, with its moments; nothing else."""
        shutil.rmtree(self.root)
        shutil.copytree(self.states[name], self.root, symlinks=True)

    def run(self, argv: Sequence[str], extra: dict[str, str] | None = None) -> Ended:
        """Run a command to its end."""
        said = self.root.with_name(f"{self.root.name}-said-{next(_serial)}")
        pid = self.launcher.start(argv, {**self.environment(), **(extra or {})}, said)
        return self.ended(self.launcher.wait(pid), said)

    def ended(self, code: int, said: Path) -> Ended:
        """Read what a run said, and forget the file."""
        text = said.read_text(errors="replace")
        said.unlink()
        last = text.rstrip().rpartition("\n")[2]
        try:
            summary = json.loads(last)
        except ValueError:
            summary = {}
        return Ended(code, summary if isinstance(summary, dict) else {}, text)

    def command(self, wrapper: Sequence[str], argv: Sequence[str], extra: dict[str, str] | None = None) -> Ended:
        """The real command line in a process of its own, behind a wrapper such as strace."""
        environment = {**os.environ, **self.environment(), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": f"{ARMING}:{ROOT}", **(extra or {})}
        said = self.root.with_name(f"{self.root.name}-said-{next(_serial)}")
        with said.open("wb") as out:
            done = subprocess.run(
                [*wrapper, sys.executable, "-m", "bridge.cli.main", *argv], env=environment, stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, timeout=60, check=False, cwd=ROOT,
            )
        return self.ended(done.returncode, said)


def mark() -> str:
    """What the environment of every process of this proof says."""
    return f"proof-{os.getpid()}"


def bytes_hash(path: Path) -> str:
    """XXH3-128 of a file's bytes; `absent` when there is none."""
    return xxhash.xxh3_128_hexdigest(path.read_bytes()) if path.is_file() else "absent"


def look(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Every file and folder below one: modification time (ns), size, hash."""
    found = {}
    for path in sorted(folder.rglob("*")):
        facts = path.lstat()
        found[str(path.relative_to(folder))] = (facts.st_mtime_ns, 0 if path.is_dir() else facts.st_size, bytes_hash(path))
    return found


def journal(home: Path, query: str) -> list[tuple[Any, ...]]:
    """Ask a copy of the journal as it lies there: opening the real one would tidy it up."""
    with tempfile.TemporaryDirectory() as copy:
        for path in home.glob("journal.db*"):
            shutil.copy(path, copy)
        if not Path(copy, "journal.db").exists():
            return []
        base = sqlite3.connect(Path(copy, "journal.db"))
        try:
            if not base.execute("SELECT 1 FROM sqlite_schema WHERE name = 'films'").fetchone():
                return []
            return base.execute(query).fetchall()
        finally:
            base.close()


def undisturbed(ended: Ended, film: Path) -> Undisturbed:
    """What to compare with."""
    return Undisturbed(ended.exit_code, bytes_hash(film), tuple(reading.frame_hashes(film)), reading.audio_hash(film))


def make_cases(folder: Path) -> list[Case]:
    """Sources and cuts. ProRes: six shots, of which one a gap, one without its media, two copied packet by packet and two
    encoded, with PCM. H.264: everything encoded, with AAC, which has a step of its own."""
    folder.mkdir()
    a = make_movie(folder / "a.mov", source_id=1, frames=60, codec="prores", audio="pcm")
    b = make_movie(folder / "b.mp4", source_id=2, frames=60, codec="h264", audio="aac")
    wav = make_wav(folder / "c.wav", source_id=3, samples=240_000)
    cuts = {}
    for name, first in (("old", 0), ("third", 20)):
        film = timeline(24, name=name)
        film.video().clip(a, first, 14).clip(b, first + 1, 10)
        film.audio().clip(a, first, 14)
        cuts[name] = film.save(folder / f"{name}.otio")
    film = timeline(24, name="new")
    film.video().clip(a, 4, 16).gap(9).clip(b, 5, 16).clip(folder / "gone.mov", 0, 11).clip(a, 30, 20).clip(b, 30, 18)
    film.audio().clip(a, 4, 16).gap(9).clip(wav, 24, 40)
    cuts["new"] = film.save(folder / "new.otio")
    film = timeline(24, name="review")
    film.video().clip(a, 2, 16).clip(b, 8, 12).gap(6)
    film.audio().clip(a, 2, 16).clip(b, 8, 12)
    cuts["review"] = film.save(folder / "review.otio")
    return [
        Case("prores-hq", "prores-hq", "film.mov", cuts["old"], cuts["new"], cuts["third"]),
        Case("h264", "h264", "film.mp4", cuts["old"], cuts["review"], cuts["third"]),
    ]
