"""The companion killed again and again while a job runs and a client watches, which starts it anew by itself.

    python -m tests.proofs.restarts [--quick]

What holds: every film is right, picture by picture; the client heard every event on record once and in order; each submission
is one job; nothing of a killed companion is left. Printed is the time from a kill to progress again, as the client sees it:
the first frame counted or segment sealed by the next companion. Goal: p95 below 5 seconds.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import statistics
import sys
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import psutil

from bridge.client.client import Client
from bridge.client.launch import start
from bridge.protocol import endpoint
from bridge.protocol.responses import Happened, Progressed
from bridge.services.locations import Locations
from bridge.settings.settings import Settings
from tests.bridge.companions import Companions, companions, kind, submission
from tests.film.barcode import Mark
from tests.film.comparing import shown
from tests.film.media import make_movie
from tests.film.timelines import timeline
from tests.proofs import report

SEED, GOAL_S = 11, 5.0
SHOTS, FRAMES = 24, 48
MOST_FILMS = 60


def killed(pid: int) -> list[psutil.Process]:
    """Kill -9; the processes that must end with it. Nobody is waited for: the client goes on meanwhile."""
    family = psutil.Process(pid).children(recursive=True)
    os.kill(pid, signal.SIGKILL)
    return family


def left_of(family: list[psutil.Process]) -> int:
    """How many still run; what has ended and is not buried yet does not."""
    alive = 0
    for process in psutil.wait_procs(family, timeout=5)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            alive += process.status() != psutil.STATUS_ZOMBIE
    return alive


def film(
    house: Companions, place: Path, number: int, source: Path, kills: int, chance: random.Random
) -> tuple[str, list[float], int]:
    """One film under at most so many kills: what is wrong, seconds from each kill to progress, processes left over."""
    line = timeline(Fraction(24))
    for track in (line.video(), line.audio()):
        for shot in range(SHOTS):
            track.clip(source, shot + number, FRAMES, media_frames=144)
    cut, target = place / f"{number}.otio", place / f"{number}.mp4"
    line.save(cut)
    seconds: list[float] = []
    heard: list[int] = []
    family: list[psutil.Process] = []
    at, ended, conversations = None, False, 0
    due = time.monotonic() + 1.0 + chance.random()
    with Client(
        house.home, program="proof", start=start(Locations(house.home, Settings()))
    ) as client:
        job = client.ask(*submission(cut, target, f"restarts-{number:04}")).job
        for said in client.watch(job):
            now = time.monotonic()
            if isinstance(said, Happened):
                heard.append(said.seq)
                ended = kind(said) == "JobFinished"
            going = (isinstance(said, Progressed) and not said.step) or (
                isinstance(said, Happened) and kind(said) == "SegmentSealed"
            )
            if (
                at is not None and going and client.connections > conversations
            ):  # no late word of the one before
                seconds.append(now - at)
                at, due = None, now + chance.random()
            if ended:
                break
            found = endpoint.read(house.home)
            if (
                at is None
                and len(seconds) < kills
                and now > due
                and found is not None
                and endpoint.alive(found)
            ):
                conversations = client.connections
                family += killed(found.pid)
                at = now
    left = left_of(family)
    if shown(target) != [
        Mark(1, shot + number + frame) for shot in range(SHOTS) for frame in range(FRAMES)
    ]:
        return "the film is not right", seconds, left
    if heard != house.seqs(job):
        return f"heard {heard}, on record are {house.seqs(job)}", seconds, left
    return "", seconds, left


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; its exit code."""
    quick, say, began = report.quick(arguments), report.Say(), time.monotonic()
    wanted, chance = (6 if quick else 50), random.Random(SEED)
    seconds: list[float] = []
    wrongs, left, films = [], 0, 0
    with report.workplace("restarts") as place, companions(place / "home") as house:
        os.environ["HOTSPLICE_HOME"] = str(house.home)
        source = make_movie(
            place / "reel.mov",
            source_id=1,
            frames=144,
            size=(960, 540),
            codec="prores",
            audio="pcm",
        ).path
        try:
            while len(seconds) < wanted and films < MOST_FILMS:
                wrong, some, more = film(house, place, films, source, wanted - len(seconds), chance)
                films, left = films + 1, left + more
                seconds += some
                wrongs += [wrong] if wrong else []
                say(f"film {films}: {wrong or 'right'}; {len(some)} kills, {len(seconds)} in all")
            one = len(house.jobs()) == films
        finally:
            found = endpoint.read(house.home)
            if found is not None and endpoint.alive(found):
                os.kill(found.pid, signal.SIGTERM)
    seconds.sort()
    p50, p95 = (
        statistics.median(seconds),
        seconds[min(len(seconds) - 1, round(0.95 * len(seconds)))],
    )
    say(
        f"from kill to progress: p50 {p50:.2f} s, p95 {p95:.2f} s, longest {seconds[-1]:.2f} s (goal: p95 below {GOAL_S:.0f} s)"
    )
    held = not wrongs and not left and one and len(seconds) >= wanted and p95 < GOAL_S
    return report.close(
        "restarts", held, quick=quick, seconds=time.monotonic() - began, kills=len(seconds), films=films, films_wrong=len(wrongs),
        left_over=left, one_job_each=one, p50_s=p50, p95_s=p95, longest_s=seconds[-1],
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
