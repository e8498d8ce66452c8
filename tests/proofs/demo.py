"""The README's two commands from a fresh clone in a fresh environment, then two real timelines with what was installed.

    python -m tests.proofs.demo [--quick]

The second timeline runs ten minutes in 300 shots over sources of five codecs; every frame of the film is decoded and its
number read. `--quick` leaves out the README's test command and makes both timelines short.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.film.media import Movie, make_movie
from tests.film.reading import marks, samples
from tests.film.timelines import timeline
from tests.proofs import report

ROOT = Path(__file__).parents[2]
RATE = Fraction(24)
SIZE = (480, 270)


def readme_command(text: str, name: str) -> str:
    """The command between the marks `<!-- name -->` and `<!-- end -->`."""
    found = re.search(rf"<!-- {name} -->\s*```\n(.*?)```", text, re.DOTALL)
    if not found:
        raise AssertionError(f"README.md has no command {name}")
    return found.group(1).strip()


def _shell(command: str, folder: Path, home: Path) -> tuple[int, str, float]:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment |= {"HOTSPLICE_HOME": str(home), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    began = time.monotonic()
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=1800,
    )
    return done.returncode, done.stdout.decode(errors="replace"), time.monotonic() - began


def _sources(folder: Path, frames: int) -> list[Movie]:
    folder.mkdir()
    kinds = (
        ("prores", ".mov", "pcm"),
        ("dnxhr", ".mov", "pcm"),
        ("h264", ".mov", "pcm"),
        ("ffv1", ".mkv", "pcm"),
        ("mjpeg", ".mov", "pcm"),
    )
    return [
        make_movie(
            folder / f"{codec}{suffix}",
            source_id=n + 1,
            frames=frames,
            rate=RATE,
            size=SIZE,
            codec=codec,
            audio=sound,
        )
        for n, (codec, suffix, sound) in enumerate(kinds)
    ]


def _timeline(
    sources: list[Movie], shots: int, frames: int, path: Path, seed: int
) -> list[tuple[int, int]]:
    """A cut of so many shots and exactly so many frames; the (source, number) that every frame must show."""
    chance = random.Random(seed)
    lengths = [frames // shots + (n < frames % shots) for n in range(shots)]
    for _ in range(shots):  # lengthen one shot, shorten another: cuts are never regular
        a, b = chance.randrange(shots), chance.randrange(shots)
        moved = chance.randint(0, min(lengths[a] - 3, 20)) if a != b else 0
        lengths[a], lengths[b] = lengths[a] - moved, lengths[b] + moved
    line = timeline(RATE, name=path.stem)
    picture, sound = line.video("Video 1"), line.audio("Audio 1")
    expected: list[tuple[int, int]] = []
    for length in lengths:
        source = chance.choice([s for s in sources if s.frames >= length])
        first = chance.randint(0, source.frames - length)
        picture.clip(source, first, length)
        sound.clip(source, first, length)
        expected += [(source.source_id, first + n) for n in range(length)]
    line.save(path)
    return expected


def _assemble(clone: Path, path: Path, film: Path, home: Path) -> tuple[dict[str, Any], float]:
    code, said, took = _shell(
        f".venv/bin/hotsplice assemble '{path}' -o '{film}' --json", clone, home
    )
    summary = json.loads(said.strip().splitlines()[-1])
    if code != 0 or summary["exit_code"] != 0:
        raise AssertionError(f"assemble ended with {code}: {summary}")
    return summary, took


def main(arguments: list[str] | None = None) -> int:
    """Run it all; the exit code."""
    quick = report.quick(arguments)
    figures: dict[str, Any] = {}
    held = True
    with report.workplace("demo") as place:
        say = report.Say()
        clone, home = place / "clone", place / "home"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        text = (clone / "README.md").read_text(encoding="utf-8")
        code, said, took = _shell(
            readme_command(text, "demo").replace("python3", sys.executable), clone, home
        )
        demo_s = max(
            (float(found) for found in re.findall(r"^ *([\d.]+) s  ", said, re.MULTILINE)),
            default=0.0,
        )
        held &= code == 0 and "Complete and verified" in said and demo_s < 60
        figures |= {"demo_exit": code, "install_and_demo_s": took, "demo_s": demo_s}
        say(
            f"the demo command: exit {code}, {took:.0f} s with the installation, the demo itself {demo_s:.1f} s"
        )
        if code:
            print(said)
        sources = _sources(place / "media", 360 if quick else 1200)
        cuts = (
            [("reel", 24, 480, "film.mp4"), ("feature", 60, 720, "feature.mov")]
            if quick
            else [("reel", 40, 2400, "film.mp4"), ("feature", 300, 14400, "feature.mov")]
        )
        for name, shots, frames, film in cuts:
            expected = _timeline(sources, shots, frames, place / f"{name}.otio", seed=shots)
            summary, took = _assemble(clone, place / f"{name}.otio", place / film, home)
            seen = [(mark.source, mark.number) if mark else None for mark in marks(place / film)]
            wrong = sum(a != b for a, b in zip(seen, expected, strict=False)) + abs(
                len(seen) - len(expected)
            )
            heard = len(samples(place / film))
            good = wrong == 0 and heard == frames * 2000 and summary["shots"] >= shots - shots // 10
            held &= good
            figures |= {
                f"{name}_shots": summary["shots"],
                f"{name}_frames": len(seen),
                f"{name}_wrong": wrong,
                f"{name}_s": took,
            }
            say(
                f"{name}: {summary['shots']} shots, {len(seen)} frames in {took:.1f} s, {wrong} frames wrong, {heard} samples"
            )
        if not quick:
            code, said, took = _shell(
                readme_command(text, "test").replace("python3", sys.executable), clone, home
            )
            held &= code == 0
            closing = said.strip().splitlines()[-1] if said.strip() else ""
            figures |= {"tests_exit": code, "install_and_tests_s": took, "tests": closing}
            say(f"the test command: exit {code}, {took:.0f} s: {closing}")
            if code:
                print(said[-4000:])
    return report.close("demo", held, quick=quick, **figures)


if __name__ == "__main__":
    sys.exit(main())
