"""Standard jobs under random faults: how many reach the right film by themselves, and whether anything leaks.

    python -m tests.proofs.success [--quick]

A standard job: a dozen shots of half a second to two from five sources of three codecs, with sound, to ProRes or H.264; every job is
another cut. Faults come at random, twenty a minute instead of the one a minute that the promise speaks of, because jobs this
short would otherwise hardly meet one; `nemesis` says which. A job counts as a success when nobody helped it, the film is
complete, and every frame and sample in it is the one the cut asks for. One that is refused at the door because the disk is full
at that moment is asked for again, and counted apart. All jobs run in one long-lived process, as they will
in a companion: its memory, descriptors and children are compared between the tenth job and the last. After the 200 jobs under
faults come 800 tiny ones without, for the same comparison over a thousand. What a hang costs is
shortened from twenty seconds to three.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import psutil

from core.engine.assemble import Ended, assemble
from core.engine.request import Listener, Request, Services, pack
from core.errors.refusal import Refused
from core.job.events import AttemptFailed, Fact, GateClosed, GateOpened, JobFinished, SegmentSealed
from core.media import ffmpeg_binary
from core.messages.slate_phrases import slate_words
from core.plan.policy import Policy
from core.storage import preset_files
from core.storage.journal import Journal
from core.storage.workspace import Workspace
from otio_adapters.guard import bytes_of
from otio_adapters.read import timeline_from
from tests.film.comparing import coded_faults, pcm_faults, picture_faults, stamp_faults
from tests.film.cutlist import Cut
from tests.film.media import Codec, Movie, make_movie
from tests.proofs import report
from tests.proofs.nemesis import Nemesis, Volumes

MEAN_S = 3.0
JOBS, QUICK_JOBS, MOST = 200, 12, 1000
LEAK_MIB = 24.0
SEED = 7
PRESETS = ("prores-hq", "h264", "prores-hq", "ffv1")


class Held(NamedTuple):
    """What the process holds: MiB of memory, open files, children."""

    mib: float
    files: int
    children: int


def held() -> Held:
    """Now."""
    me = psutil.Process()
    return Held(me.memory_info().rss / 2**20, me.num_fds(), len(me.children(recursive=True)))


def make_sources(media: Path) -> list[Movie]:
    """Five sources on the media's volume."""
    codecs: tuple[Codec, ...] = ("prores", "h264", "mjpeg", "h264", "prores")
    return [
        make_movie(
            media / f"S{number}.mov",
            source_id=number,
            frames=120,
            codec=codec,
            audio="pcm",
            tone=True,
        )
        for number, codec in enumerate(codecs, start=1)
    ]


def make_cut(sources: list[Movie], chance: random.Random) -> Cut:
    """A dozen shots from everywhere, with their sound, and a gap."""
    cut = Cut(Fraction(24))
    picture, sound = cut.video(), cut.audio()
    for number in range(12):
        source, frames = chance.choice(sources), chance.randint(12, 48)
        first = chance.randint(0, source.frames - frames)
        picture.clip(source, first, frames)
        sound.clip(source, first, frames)
        if number == 5:
            picture.gap(6)
            sound.gap(6)
    return cut


def tiny_cut(sources: list[Movie], number: int) -> Cut:
    """One shot of six frames: a job that is over at once, of which there can be many."""
    cut = Cut(Fraction(24))
    cut.video().clip(sources[number % len(sources)], number * 7 % 110, 6)
    return cut


class Ward:
    """One long-lived process with its data folder, as a companion is."""

    def __init__(self, place: Path, volumes: Volumes, policy: Policy) -> None:
        self._place, self._known = place, preset_files.load_all(None)
        (place / "films").mkdir()
        self.house = Services(
            journal=Journal(place / "home" / "journal.db"),
            workspace=Workspace(place / "home", volumes.scratch),
            build=ffmpeg_binary.find(None),
            policy=policy,
            workers=2,
            version="proof",
            slate_words=slate_words(),
        )
        self.counts: Counter[str] = Counter()
        self.waits: list[float] = []
        self.recoveries: list[float] = []
        self._first_failed: dict[tuple[str, str], float] = {}

    def job(self, number: int, cut: Cut, nemesis: Nemesis) -> list[str]:
        """Assemble it while faults strike; what is wrong with the film, in words."""
        preset = self._known[PRESETS[number % len(PRESETS)]]
        film = self._place / "films" / f"film{number}{preset.extension}"
        path = cut.save(self._place / "cut.otio")
        raw = bytes_of(path)
        request = Request(
            timeline=timeline_from(raw, path),
            packed=pack(raw),
            timeline_path=str(path),
            output=film,
            preset=preset,
        )
        with nemesis.at_work():
            ended = self._asked_for(request)
        if not isinstance(ended.end, JobFinished) or ended.end.outcome != "complete":
            code = ended.end.code if isinstance(ended.end, JobFinished) else "interrupted"
            missing = ended.state.shots_missing() if ended.state else {}
            return [f"ended {getattr(ended.end, 'outcome', 'interrupted')} {code} {missing}"]
        sound = pcm_faults if preset.audio.pcm else coded_faults
        wrong = [*picture_faults(film, cut), *sound(film, cut), *stamp_faults(film, cut)]
        film.unlink()
        self._forget()
        return wrong

    def _asked_for(self, request: Request) -> Ended:
        """What is refused at the door, because the disk is full just then, is asked for again, as whoever sent it would."""
        deadline = time.monotonic() + 20.0
        while True:
            try:
                return assemble(
                    request, self.house, listener=Listener(on_fact=self._hear), stopped=lambda: ""
                )
            except Refused as refused:
                self.counts[f"refused: {refused.code}"] += 1
                if not refused.code.startswith("scratch-") or time.monotonic() > deadline:
                    raise
            time.sleep(0.5)

    def _forget(self) -> None:
        """The scratch disk is small, and no job of these shares a segment with another."""
        seals = [seal for seal, _ in self.house.journal.all_seals()]
        self.house.journal.forget_seals([seal.key for seal in seals])
        for seal in seals:
            if seal.file:
                self.house.workspace.remove_stored(seal.file)

    def _hear(self, job: str, seq: int, fact: Fact) -> None:
        now = time.monotonic()
        match fact:
            case AttemptFailed():
                self.counts[fact.failure.code] += 1
                self._first_failed.setdefault((job, fact.key), now)
            case SegmentSealed() if (job, fact.key) in self._first_failed:
                self.recoveries.append(now - self._first_failed.pop((job, fact.key)))
            case GateClosed():
                self.counts["gates closed"] += 1
            case GateOpened():
                self.waits.append(fact.closed_s)
            case _:
                pass


def prove(place: Path, say: report.Say, *, quick: bool) -> tuple[bool, dict[str, object]]:
    """Run the jobs; whether what was promised held, and the figures."""
    jobs = QUICK_JOBS if quick else JOBS
    volumes = Volumes(place)
    nemesis = Nemesis(volumes, SEED, MEAN_S)
    failed: dict[int, list[str]] = {}
    marks: list[Held] = []
    if not volumes.real:
        say(
            "NOT RUN: pulling the media's volume and filling the scratch disk, which need root and mount."
        )
    try:
        sources = make_sources(volumes.media)
        ward = Ward(place, volumes, Policy(stall_least_s=3.0, gate_patience_s=30.0))
        chance = random.Random(SEED)
        nemesis.start()
        for number in range(jobs):
            wrong = ward.job(number, make_cut(sources, chance), nemesis)
            if wrong:
                failed[number] = wrong
                say(f"job {number}: {'; '.join(wrong)[:300]}")
            marks.append(held())
            if (number + 1) % 20 == 0:
                say(
                    f"{number + 1} jobs, {sum(nemesis.struck.values())} faults, {len(failed)} failed, {marks[-1].mib:.0f} MiB"
                )
        nemesis.close()
        for number in range(jobs, QUICK_JOBS if quick else MOST):
            wrong = ward.job(number, tiny_cut(sources, number), nemesis)
            if wrong:
                failed[number] = wrong
            marks.append(held())
        ward.house.journal.close()
    finally:
        nemesis.close()
        volumes.close()
    return _judge(say, jobs, failed, marks, nemesis, ward)


def _judge(
    say: report.Say,
    jobs: int,
    failed: dict[int, list[str]],
    marks: list[Held],
    nemesis: Nemesis,
    ward: Ward,
) -> tuple[bool, dict[str, object]]:
    tenth, last = marks[min(9, len(marks) - 1)], marks[-1]
    early, late = (
        statistics.median(mark.mib for mark in some) for some in (marks[5:15] or marks, marks[-10:])
    )
    faults = sum(nemesis.struck.values())
    for name, count in sorted(nemesis.struck.items()):
        say(f"{count:4} times: {name}")
    for name, count in sorted(ward.counts.items()):
        say(f"{count:4} heard: {name}")
    ordered = sorted(ward.recoveries) or [0.0]
    p50, p95 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    success = 1 - len([n for n in failed if n < jobs]) / jobs
    say(
        f"success {success:.1%} of {jobs} jobs with {faults} faults; from a failure to its work being sealed: {p50:.1f} s, p95 {p95:.1f} s"
    )
    say(
        f"memory {early:.0f} to {late:.0f} MiB, open files {tenth.files} to {last.files}, children {tenth.children} to {last.children}"
    )
    flat = (
        late - early <= LEAK_MIB and last.files <= tenth.files and last.children <= tenth.children
    )
    return success >= 0.99 and flat and faults > 0 and all(n < jobs for n in failed), {
        "jobs": jobs, "jobs_in_all": len(marks), "failed": len(failed), "success": success, "faults": faults, "kinds": dict(nemesis.struck),
        "recovery_p50_s": p50, "recovery_p95_s": p95, "memory_early_mib": early, "memory_late_mib": late,
        "files_tenth": tenth.files, "files_last": last.files, "children_tenth": tenth.children, "children_last": last.children,
        "volumes_tried": nemesis.volumes_tried,
    }  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """The program; its exit code."""
    quick = report.quick(arguments)
    with report.workplace("success") as place:
        held_, figures = prove(place, report.Say(), quick=quick)
    return report.close("success", held_, quick=quick, **figures)


if __name__ == "__main__":
    sys.exit(main())
