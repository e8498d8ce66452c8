"""No exception of ours, and no odd file, makes Hotsplice blame media, a disk or a person.

    python -m tests.proofs.innocence [--quick]

Exceptions: every function that touches media (`raising.seams`, found in the code) raises, once and each time, in a small
real job: six kinds in turn, among them an OSError without a number and PyAV's PermissionError. A job in which it raised
once ends as it does without; one in which it raises each time ends with words about the program. Functions that no job
reaches are printed.

Files: healthy files that readers stumble over (`odd_files`) stand in a film each. None is accused; every frame that
Debian's ffmpeg decodes is in the film, or what is missing is named as not supported.

`--quick` tries every twentieth function and every third file. The environment decides the versions: run it with the Python
of an environment that has the oldest or the newest allowed ones (`python -m tests.proofs.versions`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.film import barcode
from tests.film.media import ffmpeg, make_movie, make_still
from tests.film.timelines import timeline
from tests.proofs import odd_files, raising, report
from tests.proofs.launch import ARMING, ROOT

LANES = 4
INNOCENT = {
    "program-fault", "source-not-handled", "read-failed-once", "unforeseen", "unknown", "worker-died", "program-error",
    "render-unlike", "shot-partly-made", "sound-partly-made", "nothing-to-show", "encoder-missing",
}  # fmt: skip
"""Codes that blame nobody but the program."""
UNSUPPORTED = {
    "source-not-handled",
    "source-begins-anew",
    "shot-partly-made",
    "sound-partly-made",
    "source-codec-unsupported",
}
_TOO_LONG_S = 240


class Ran:
    """A run of the command in a process of its own."""

    def __init__(self, home: Path, cut: Path, film: Path, preset: str, **orders: object) -> None:
        environment = {
            **os.environ,
            "HOTSPLICE_HOME": str(home),
            "PYTHONPATH": os.pathsep.join([str(ARMING), str(ROOT)]),
        }
        environment |= {"PYTHONDONTWRITEBYTECODE": "1"}
        if orders:
            environment["HOTSPLICE_RAISE"] = json.dumps(orders)
        words = [
            "assemble",
            str(cut),
            "-o",
            str(film),
            "--json",
            "--jobs",
            "1",
            "--preset",
            preset,
            "--wait",
            "2",
        ]
        command = [sys.executable, "-m", "bridge.cli.main", *words]
        try:
            done = subprocess.run(
                command,
                env=environment,
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
                timeout=_TOO_LONG_S,
            )
            self.code, self.said, self.errors = done.returncode, done.stdout, done.stderr
        except subprocess.TimeoutExpired:
            self.code, self.said, self.errors = -1, "", "no end"
        self.events = [json.loads(line) for line in self.said.splitlines() if line.startswith("{")]

    @property
    def codes(self) -> set[str]:
        """Every code that was said to anybody: of failures, problems, remarks and the end."""
        found = set()
        for event in self.events:
            body = event.get("body", event)
            found |= {body.get("code", ""), (body.get("failure") or {}).get("code", "")}
            found |= {
                one["code"]
                for one in (*body.get("problems", ()), *body.get("remarks", ()))
                if "code" in one
            }
        return found - {"", None}

    @property
    def traceback(self) -> bool:
        """Whether a person saw one."""
        return "Traceback" in self.said + self.errors


def pictures(path: Path, *, stream: str = "V:0") -> list[int | None]:
    """The numbers in the frames that Debian's ffmpeg decodes."""
    words = [
        "/usr/bin/ffmpeg",
        "-v",
        "quiet",
        "-i",
        str(path),
        "-map",
        f"0:{stream}",
        "-fps_mode",
        "passthrough",
    ]
    words += ["-vf", "scale=320:180", "-pix_fmt", "gray", "-f", "rawvideo", "-"]
    raw = subprocess.run(words, stdout=subprocess.PIPE, check=False).stdout
    frames = np.frombuffer(raw[: len(raw) // 57600 * 57600], np.uint8).reshape(-1, 180, 320)
    marks = [barcode.read(frame) for frame in frames]
    return [mark.number if mark is not None else None for mark in marks]


def loudness(path: Path) -> float:
    """How loud the sound is, as Debian's ffmpeg decodes it."""
    words = [
        "/usr/bin/ffmpeg",
        "-v",
        "quiet",
        "-i",
        str(path),
        "-map",
        "0:a:0",
        "-ac",
        "1",
        "-ar",
        "48000",
        "-f",
        "f32le",
        "-",
    ]
    raw = subprocess.run(words, stdout=subprocess.PIPE, check=False).stdout
    samples = np.frombuffer(raw[: len(raw) // 4 * 4], np.float32)
    return float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0


# Exceptions -----------------------------------------------------------------------------------------------------------


def _studio(place: Path) -> dict[str, tuple[Path, str]]:
    """Small jobs by name, with their presets: rendered, copied, and with a file that is damaged and one that is missing."""
    place.mkdir()
    mixed = make_movie(
        place / "a.mov", source_id=1, frames=24, codec="h264", audio="aac", gop=12
    ).path
    copied = make_movie(place / "b.mov", source_id=2, frames=24, codec="mjpeg", audio="pcm").path
    still = make_still(place / "c.png", (320, 180), 3)
    sound = place / "d.wav"
    ffmpeg("-f", "lavfi", "-i", "sine=d=2:r=44100", "-ac", "2", "-c:a", "pcm_s16le", sound)
    bad = Path(shutil.copy2(mixed, place / "bad.mov"))
    with bad.open("r+b") as handle:
        handle.seek(bad.stat().st_size // 2)
        handle.write(bytes(2000))
    jobs = {}
    for name, preset, files in (
        ("made", "mjpeg", ((mixed, 2, 12), (copied, 0, 12), (still, 0, 4))),
        ("lossy", "h264", ((copied, 4, 12),)),
        ("lacking", "mjpeg", ((bad, 0, 24), (place / "away.mov", 0, 6), (copied, 0, 6))),
    ):
        line = timeline(Fraction(24))
        for media, first, frames in files:
            line.video().clip(media, first, frames, media_frames=1 if media == still else 24)
        line.video().gap(2)
        if name != "lacking":
            line.audio().clip(mixed, 2, 12, media_frames=24).clip(sound, 0, 8, media_frames=48)
        jobs[name] = (line.save(place / f"{name}.otio"), preset)
    return jobs


def _film(preset: str) -> str:
    return "film.mp4" if preset == "h264" else "film.mov"


def _try(
    place: Path,
    seam: str,
    kind: str,
    *,
    once: bool,
    job: tuple[Path, str],
    right: Ran,
    shown: list[int | None],
) -> list[str]:
    """What is wrong with a job in which a function raised."""
    shutil.rmtree(place, ignore_errors=True)
    (place / "struck").mkdir(parents=True)
    film = place / _film(job[1])
    ran = Ran(
        place / "home",
        job[0],
        film,
        job[1],
        folder=str(place / "struck"),
        seam=seam,
        kind=kind,
        once=once,
    )
    wrong = []
    if blamed := ran.codes - right.codes - INNOCENT:
        wrong.append(f"blames: {', '.join(sorted(blamed))}")
    if ran.traceback or ran.code not in (0, 1, 2, 3, 130):
        wrong.append(f"ends with {ran.code}: {ran.errors.strip()[-200:]}")
    if ran.code == 0 and right.code == 0 and pictures(film) != shown:
        wrong.append("complete, and its pictures are not right")
    if once and ran.code != right.code and not ran.codes & INNOCENT:
        wrong.append(f"ends with {ran.code}, not {right.code}, and nobody says why")
    shutil.rmtree(place, ignore_errors=True)
    return wrong


def exceptions(place: Path, say: report.Say, *, every: int = 1) -> tuple[bool, dict[str, Any]]:
    """Each function raises once and each time."""
    jobs = _studio(place / "studio")
    right, shown, reached = {}, {}, dict[str, str]()
    for name, (cut, preset) in jobs.items():
        noted = place / f"noted-{name}"
        noted.mkdir()
        film = place / name / _film(preset)
        film.parent.mkdir()
        right[name] = Ran(place / name / "home", cut, film, preset, folder=str(noted))
        shown[name] = pictures(film)
        for path in noted.iterdir():
            reached.setdefault(path.name.replace("+", ":"), name)
        say(f"job “{name}”: exit {right[name].code}, {len(list(noted.iterdir()))} functions called")
    every_seam = raising.seams()
    chosen = [seam for seam in every_seam if seam in reached][::every]
    tries = [
        (seam, raising.KINDS[number % len(raising.KINDS)], once)
        for number, seam in enumerate(chosen)
        for once in (True, False)
    ]

    def attempt(one: tuple[int, tuple[str, str, bool]]) -> list[str]:
        number, (seam, kind, once) = one
        name = reached[seam]
        return _try(
            place / f"t{number}",
            seam,
            kind,
            once=once,
            job=jobs[name],
            right=right[name],
            shown=shown[name],
        )

    wrong = 0
    with ThreadPoolExecutor(LANES) as pool:
        for (seam, kind, once), faults in zip(
            tries, pool.map(attempt, enumerate(tries)), strict=True
        ):
            for fault in faults:
                wrong += 1
                say(f"WRONG {kind} {'once' if once else 'each time'} in {seam}: {fault}")
    unreached = [seam for seam in every_seam if seam not in reached]
    say(f"not reached by these jobs: {', '.join(unreached)}")
    figures = {
        "seams": len(every_seam),
        "reached": len(reached),
        "raised": len(tries),
        "blamed": wrong,
    }
    return not wrong and len(reached) > 100, figures


# Files ----------------------------------------------------------------------------------------------------------------


def _assembled(place: Path, master: Path, odd: odd_files.Odd) -> str:
    """Empty when a healthy file is in its film and blamed for nothing; else what is wrong."""
    place.mkdir()
    path = place / odd.name
    odd.make(master, path)
    there = pictures(path) if odd.pictures and not odd.still else []
    frames = 12 if odd.still or not odd.pictures else min(len(there), odd_files.FRAMES)
    rate = Fraction(25) if "mpeg2" in odd.name else Fraction(24)
    line = timeline(rate)
    if odd.pictures:
        line.video().clip(path, 0, frames, media_frames=1 if odd.still else max(frames, 1))
    else:
        line.audio().clip(path, 0, frames, media_frames=odd_files.FRAMES)
    film = place / "film.mkv"
    ran = Ran(place / "home", line.save(place / "cut.otio"), film, "ffv1")
    problems = [
        one for event in ran.events if event["event"] == "summary" for one in event["problems"]
    ]
    codes = ran.codes & _accusing()
    if codes:
        return f"accused: {', '.join(sorted(codes))} (exit {ran.code})"
    if ran.code not in (0, 1) or ran.traceback:
        return (
            ""
            if ran.codes & UNSUPPORTED
            else f"ends with {ran.code}: {', '.join(sorted(ran.codes)) or ran.errors[-200:]}"
        )
    if problems:
        named = {one["code"] for one in problems}
        return "" if named <= UNSUPPORTED else f"named: {', '.join(sorted(named))}"
    if odd.sound:
        return (
            ""
            if loudness(film) > 0.2 * loudness(path)
            else f"loudness {loudness(film):.4f}, not {loudness(path):.4f}"
        )
    got = pictures(film)
    if len(got) != frames:
        return f"{len(got)} frames, not {frames}"
    wanted = [0] * 12 if odd.still else there[:frames]
    if odd.name.startswith(
        "vfr"
    ):  # what is shown is held: no number goes back, and all come from the file
        return (
            ""
            if set(got) <= set(there) and got == sorted(got, key=lambda n: -1 if n is None else n)
            else f"shows {got}"
        )
    off = [n for n, (a, b) in enumerate(zip(got, wanted, strict=True)) if a != b]
    return (
        f"{len(off)} frames differ, first {off[0]}: {got[off[0]]}, not {wanted[off[0]]}"
        if off
        else ""
    )


def _accusing() -> set[str]:
    """Codes whose class is damage or hardware, or that tell a person to bring another file."""
    from core.errors.failure import ErrorType
    from core.job.classification_table import TABLE

    guilty = {
        row.code
        for row in TABLE
        if row.type in (ErrorType.PERMANENT_FILE_CORRUPTION, ErrorType.HARDWARE_FAILURE)
    }
    partly = {"shot-mended", "sound-mended", "shot-unlike-record", "sound-unlike-record"}
    return guilty | partly | {"source-no-permission", "source-unlike-record", "sound-begins-late"}


def files(place: Path, say: report.Say, *, every: int = 1) -> tuple[bool, dict[str, Any]]:
    """A film of each odd file."""
    master = odd_files.master(place)
    wrong = Counter[str]()
    chosen = odd_files.ODD[::every]

    def attempt(odd: odd_files.Odd) -> str:
        return _assembled(place / re.sub(r"\W", "-", odd.name), master, odd)

    with ThreadPoolExecutor(LANES) as pool:
        for odd, fault in zip(chosen, pool.map(attempt, chosen), strict=True):
            if fault:
                wrong["accused" if fault.startswith("accused") else "wrong"] += 1
                say(f"WRONG {odd.name}: {fault}")
    return not wrong, {
        "odd_files": len(chosen),
        "accused": wrong["accused"],
        "otherwise_wrong": wrong["wrong"],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Both parts."""
    quick, say = report.quick(arguments), report.Say()
    say(f"Python {sys.version.split()[0]}, PyAV {av.__version__}, NumPy {np.__version__}")
    with report.workplace("innocence") as place:
        for part in ("exceptions", "files"):
            (place / part).mkdir()
        sound, of_files = files(place / "files", say, every=3 if quick else 1)
        held, of_seams = exceptions(place / "exceptions", say, every=20 if quick else 1)
    return report.close("innocence", held and sound, **of_seams, **of_files, pyav=av.__version__)


if __name__ == "__main__":
    raise SystemExit(main())
