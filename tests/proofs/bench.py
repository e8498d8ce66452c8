"""Runs to compare: one plain ffmpeg command, Hotsplice, and cp, each with wall time, processor time and memory."""

from __future__ import annotations

import compileall
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import psutil

from tests.film.media import Movie, make_movie
from tests.film.timelines import timeline

RATE = Fraction(24)
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Cut:
    """Shots as (source, first frame, frames), and the same cut as a timeline file."""

    shots: tuple[tuple[Movie, int, int], ...]
    path: Path

    @property
    def frames(self) -> int:
        """Length in frames."""
        return sum(shot[2] for shot in self.shots)

    def with_one_shot_changed(self) -> Cut:
        """The same cut with another in-point in its middle shot."""
        shots = list(self.shots)
        source, first, frames = shots[len(shots) // 2]
        shots[len(shots) // 2] = (
            source,
            first + 3 if first + 3 + frames <= source.frames else first - 3,
            frames,
        )
        return _saved(tuple(shots), self.path.with_name("changed.otio"))


@dataclass
class Run:
    """What a run took. `work_s` is without starting the interpreter and opening the media."""

    wall_s: float
    cpu_s: float
    peak_mib: float = 0.0
    work_s: float = 0.0
    first_seal_s: float = 0.0
    summary: dict[str, Any] = field(default_factory=dict)


def make_sources(
    folder: Path, size: tuple[int, int], codec: str, count: int, frames: int
) -> list[Movie]:
    """Movies with sound, of one codec."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        make_movie(
            folder / f"S{n}.mov",
            source_id=n + 1,
            frames=frames,
            rate=RATE,
            size=size,
            codec=codec,
            audio="pcm",
        )
        for n in range(count)
    ]


def _saved(shots: tuple[tuple[Movie, int, int], ...], path: Path) -> Cut:
    line = timeline(RATE, name=path.stem)
    for track in (line.video("Video 1"), line.audio("Audio 1")):
        for source, first, frames in shots:
            track.clip(source, first, frames)
    line.save(path)
    return Cut(shots, path)


def make_cut(sources: Sequence[Movie], count: int, frames: int, path: Path, seed: int = 7) -> Cut:
    """`count` shots of about `frames` frames each (half to one and a half times), in-points at random."""
    chance = random.Random(seed)
    shots = []
    for _ in range(count):
        source = chance.choice(list(sources))
        length = chance.randint(max(1, frames // 2), frames + frames // 2)
        shots.append((source, chance.randint(0, source.frames - length), length))
    return _saved(tuple(shots), path)


def compile_all() -> None:
    """Byte code for the whole program, as an installation makes it: it is not what a run takes."""
    for package in ("core", "bridge", "otio_adapters"):
        compileall.compile_dir(ROOT / package, quiet=1)


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "HOTSPLICE_HOME": str(home), "PYTHONPATH": str(ROOT)}


def _children_cpu() -> float:
    usage = os.times()
    return usage.children_user + usage.children_system


class _Watch(threading.Thread):
    """Samples the memory of a process and all below it: each page counted once (PSS)."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_mib, self._pid, self.done = 0.0, pid, threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.1):
            try:
                family = [
                    psutil.Process(self._pid),
                    *psutil.Process(self._pid).children(recursive=True),
                ]
                total = sum(process.memory_full_info().pss for process in family)
            except psutil.Error:
                continue
            self.peak_mib = max(self.peak_mib, total / 2**20)


def hotsplice(
    cut: Cut,
    preset: str,
    place: Path,
    *,
    fresh: bool = False,
    kill_after: int = 0,
    watch: bool = False,
    bare: bool = False,
) -> Run:
    """Assemble a cut as a user would. `fresh` forgets all checkpoints; `kill_after` so many seals kills it (SIGKILL);
    `bare` is without what recovery costs (`bare/sitecustomize.py`)."""
    if fresh:
        shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True, exist_ok=True)
    suffix = {"h264": ".mp4", "ffv1": ".mkv"}.get(preset, ".mov")
    argv = [
        sys.executable,
        "-m",
        "bridge.cli.main",
        "assemble",
        str(cut.path),
        "-o",
        str(place / f"film{suffix}"),
        "--preset",
        preset,
        "--json",
    ]
    cpu, began = _children_cpu(), time.monotonic()
    environment = _environment(place / "home")
    if bare:
        environment["PYTHONPATH"] = os.pathsep.join(
            [str(Path(__file__).parent / "bare"), environment["PYTHONPATH"]]
        )
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment)
    watcher = _Watch(child.pid)
    if watch:
        watcher.start()
    assert child.stdout
    seals, first_seal_s, planned_s, last = 0, 0.0, 0.0, {}
    for line in child.stdout:
        last = json.loads(line)
        if last.get("kind") == "FilmPlanned":
            planned_s = time.monotonic() - began
        if last.get("kind") == "SegmentSealed" and not last["body"]["reused"]:
            seals += 1
            first_seal_s = first_seal_s or time.monotonic() - began
            if kill_after and seals >= kill_after:
                os.kill(child.pid, signal.SIGKILL)
                break
    code = child.wait()
    wall = time.monotonic() - began
    watcher.done.set()
    child.stdout.close()
    if not kill_after and (code != 0 or last.get("event") != "summary"):
        raise RuntimeError(f"Hotsplice ended with {code}: {last}")
    return Run(wall, _children_cpu() - cpu, watcher.peak_mib, wall - planned_s, first_seal_s, last)


def plain_ffmpeg(cut: Cut, preset: str, place: Path) -> Run:
    """The same cut through one command with a filter graph, as one would write it by hand."""
    from core.storage.preset_files import load_all

    recipe = load_all(None)[preset]
    place.mkdir(parents=True, exist_ok=True)
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-v", "error", "-y"]
    for source, first, frames in cut.shots:
        argv += [
            "-ss",
            f"{max(0.0, (first - 0.5) / 24):.6f}",
            "-t",
            f"{frames / 24:.6f}",
            "-i",
            str(source.path),
        ]
    pads = "".join(f"[{n}:v:0][{n}:a:0]" for n in range(len(cut.shots)))
    graph = (
        f"{pads}concat=n={len(cut.shots)}:v=1:a=1[v][a];[v]format={recipe.video.pixel_format}[w]"
    )
    options = [
        word for name, value in recipe.video.options.items() for word in (f"-{name}", str(value))
    ]
    sound = ["-c:a", recipe.audio.codec] + (
        ["-b:a", str(recipe.audio.bits_per_second)] if recipe.audio.bits_per_second else []
    )
    argv += [
        "-filter_complex",
        graph,
        "-map",
        "[w]",
        "-map",
        "[a]",
        "-c:v",
        recipe.video.encoder,
        *options,
        *sound,
        str(place / f"film{recipe.extension}"),
    ]
    cpu, began = _children_cpu(), time.monotonic()
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return Run(time.monotonic() - began, _children_cpu() - cpu)


def copy_bytes(film: Path, target: Path) -> Run:
    """`cp` of the film's bytes, then fsync: the floor for stream-copied assembly."""
    cpu, began = _children_cpu(), time.monotonic()
    subprocess.run(["cp", "--reflink=never", str(film), str(target)], check=True)
    with target.open("rb+") as handle:
        os.fsync(handle.fileno())
    run = Run(time.monotonic() - began, _children_cpu() - cpu)
    target.unlink()
    return run
