"""Drives that vanish under a running job and come back a moment later with the same content.

The drive of the film, of scratch, of the media or of the data folder goes at the n-th call of a run, in one of three ways:

    pulled    every call fails from then on; the mount point is an empty folder
    removed   the same, and the mount point itself is gone, as under /media and /Volumes
    ejected   what is open stays open, all names are gone; the mount point is an empty folder

What must hold:
1. While the drive is away nothing is written to its mount point, and a mount point that is gone is not made.
2. The job waits and ends right, or it ends with a reason; then the same command, right after the drive is back, ends right.
3. The film is that of an undisturbed run, nothing is left half-written or elsewhere, and no source is touched.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.faults.recorded import RecordedVolume
from tests.film import reading
from tests.proofs import record, report
from tests.proofs.launch import NotDone
from tests.proofs.power_scenarios import Look, Rig, look_at, make_cuts
from tests.proofs.stage import Ended, alive, look

How = Literal["pulled", "removed", "ejected"]
WAYS: tuple[How, ...] = ("pulled", "removed", "ejected")
DRIVES = ("out", "scratch", "media", "home")
AWAY_S = (0.8, 2.0)
LATEST_S = 120.0


@dataclass
class Return:
    """One drive that went and came back. `reasons` are the codes with which runs ended that did not end right."""

    drive: str
    how: How
    call: int
    fired: bool = False
    waited: bool = False
    reasons: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def expect(self, held: bool, otherwise: str) -> None:
        """Note what does not hold."""
        if not held:
            self.wrong.append(otherwise)


@dataclass
class Job:
    """The job that is disturbed: its command, what an undisturbed run leaves, and how many calls each drive gets in it."""

    argv: list[str]
    film: Path
    after: Look
    frames: tuple[str, ...]
    sound: str
    calls: dict[str, int]


def prepare(rig: Rig) -> Job:
    """Make the sources on their drive, publish an old film, and run the job undisturbed."""
    rig.clear()
    cuts = make_cuts(rig.root / "media" / "card")
    film = rig.out / "films" / "film.mov"
    film.parent.mkdir()

    def assemble(cut: Path) -> list[str]:
        return ["assemble", str(cut), "-o", str(film), "-p", "prores-hq", "-j", "2", "--json"]

    if rig.run(assemble(cuts.old)).exit_code != 0:
        raise RuntimeError("the old film was not made")
    rig.save("old")
    rig.restore("old")
    ended = rig.run(assemble(cuts.new))
    if ended.exit_code != 0:
        raise RuntimeError(
            f"the undisturbed run ended with {ended.exit_code}: {ended.said[-1000:]}"
        )
    calls = {volume.place.name: len(volume.trace()) for volume in rig.volumes}
    calls["media"] = 40
    at = rig.behind(film)
    return Job(
        assemble(cuts.new),
        film,
        look_at(rig),
        tuple(reading.frame_hashes(at)),
        reading.audio_hash(at),
        calls,
    )


def try_return(
    rig: Rig, job: Job, drive: str, how: How, call: int, chance: random.Random
) -> Return:
    """Take one drive away at a call of a run, and bring it back."""
    rig.restore("old")
    found = Return(drive, how, call)
    volume = next(one for one in rig.volumes if one.place.name == drive)
    sources = look(rig.behind(rig.root / "media"))
    volume.vanish_after(call, at_once=how != "ejected")
    pid, said = rig.start(job.argv, {})
    ended = _away(rig, found, volume, pid, said, chance)
    if ended is None:
        found.wrong.append(f"no end within {LATEST_S:.0f} s")
        return found
    found.waited = ended.exit_code == 0
    if ended.exit_code != 0:
        found.reasons.append(
            str(
                ended.summary.get("code")
                or ended.summary.get("outcome")
                or f"exit {ended.exit_code}"
            )
        )
        found.expect(
            ended.exit_code in (2, 3, 130), f"it ended with {ended.exit_code}: {_words(ended)}"
        )
        found.expect(
            bool(ended.summary.get("message")), f"it ended without a reason: {_words(ended)}"
        )
        try:
            ended = rig.run(job.argv)
        except (NotDone, subprocess.TimeoutExpired):
            found.wrong.append("the same command, right after the drive was back, came to no end")
            return found
        found.expect(
            ended.exit_code == 0,
            f"right after the drive was back it ended with {ended.exit_code}: {_words(ended)}",
        )
    _judge(rig, found, job, sources)
    return found


def _words(ended: Ended) -> str:
    return str(ended.summary.get("message") or ended.said[-300:])


def _away(
    rig: Rig, found: Return, volume: RecordedVolume, pid: int, said: Path, chance: random.Random
) -> Ended | None:
    """Follow the run while the drive goes and comes back; how it ended, or None."""
    with ThreadPoolExecutor(1) as pool:
        end = pool.submit(rig.launcher.wait, pid, LATEST_S)
        while not volume.gone and not end.done():
            time.sleep(0.002)
        if volume.gone:
            found.fired = True
            volume.forget()
            if found.how == "removed":
                found.expect(
                    not os.listdir(volume.place), "written beneath the mount point at once"
                )
                shutil.rmtree(volume.place)
            time.sleep(chance.uniform(*AWAY_S))
            if found.how == "removed":
                found.expect(not volume.place.exists(), "the mount point was made again")
            beneath = [str(path.relative_to(volume.place)) for path in volume.place.rglob("*")]
            found.expect(not beneath, f"written beneath the mount point: {beneath[:5]}")
            volume.mount()
        try:
            code = end.result()
        except NotDone:
            return None
    return rig.ended(code, said)


def _judge(rig: Rig, found: Return, job: Job, sources: dict[str, tuple[int, int, str]]) -> None:
    now, film = look_at(rig), rig.behind(job.film)
    name = str(job.film.relative_to(rig.out))
    if now.out.get(name) != job.after.out[name]:
        same = (
            film.is_file()
            and tuple(reading.frame_hashes(film)) == job.frames
            and reading.audio_hash(film) == job.sound
        )
        found.expect(same, "not the film of an undisturbed run stands there")
    for what, names, right in (
        ("the film's folder", set(now.out), set(job.after.out)), ("the data folder", now.home, job.after.home),
        ("scratch", _unkeyed(now), _unkeyed(job.after)),
    ):  # fmt: skip
        found.expect(names <= right, f"left in {what}: {sorted(names - right)}")
        found.expect(names >= right, f"missing in {what}: {sorted(right - names)}")
    said = record.read(rig.behind(rig.home))
    found.expect(said.open_jobs == 0, "a job is left open")
    _judge_segments(found, now, job, said)
    found.expect(look(rig.behind(rig.root / "media")) == sources, "a source was touched")
    elsewhere = {path.name for path in rig.root.iterdir()} - {
        "tmp",
        *(volume.place.name for volume in rig.volumes),
    }
    found.expect(not elsewhere, f"written elsewhere: {sorted(elsewhere)}")
    left = sorted(path.name for path in (rig.root / "tmp").iterdir())
    found.expect(not left, f"left in the temporary folder: {left}")
    deadline = time.monotonic() + 5
    while alive(rig.mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    found.expect(not alive(rig.mark), "processes are left")
    for volume in rig.volumes:
        volume.unmount()
        beneath = os.listdir(volume.place)
        found.expect(
            not beneath, f"hidden beneath the mount point {volume.place.name}: {beneath[:5]}"
        )


def _unkeyed(seen: Look) -> set[str]:
    """What lies in scratch and is not named after a content key."""
    return {name for name in seen.scratch if not name.startswith(("store/", "index/"))}


def _judge_segments(found: Return, now: Look, job: Job, said: record.Record) -> None:
    """Content keys of a source that no earlier run used differ between trials, since its file is another one after each
    `restore`. So segments, index entries and seals on record are compared with each other, and counted."""
    stored, indexed = (
        {name.partition("/")[2] for name in now.scratch if name.startswith(f"{what}/")}
        for what in ("store", "index")
    )
    sealed = {Path(file).stem for file in said.seals}
    found.expect(
        stored == set(said.seals),
        f"segments and seals on record differ: {sorted(stored ^ set(said.seals))}",
    )
    found.expect(
        {Path(name).stem for name in indexed} == sealed,
        f"index and seals on record differ: {sorted(indexed)}, {sorted(sealed)}",
    )
    count = sum(name.startswith("store/") for name in job.after.scratch)
    found.expect(len(stored) == count, f"{len(stored)} segments, after an undisturbed run {count}")


def prove_rig(place: Path, drives: Sequence[str], each: int, say: report.Say) -> list[Return]:
    """`each` returns of every drive in every way."""
    rig, chance = (
        Rig(place / f"drives-{drives[0]}", layout="drives"),
        random.Random(f"drives {drives}"),
    )
    found: list[Return] = []
    try:
        job = prepare(rig)
        for drive in drives:
            for how in WAYS:
                for number in range(each):
                    call = 1 + int(job.calls[drive] * (number + chance.random()) / each)
                    one = try_return(rig, job, drive, how, call, chance)
                    found.append(one)
                    for wrong in one.wrong:
                        say(f"WRONG  drive {drive} {how} at call {call}: {wrong}")
                here = [one for one in found if (one.drive, one.how) == (drive, how)]
                fired = [one for one in here if one.fired]
                ended = Counter(reason for one in fired for reason in one.reasons)
                say(
                    f"drive {drive:8} {how:8} {len(fired):3} of {len(here)} went, {sum(one.waited for one in fired):3} waited for, "
                    f"{sum(not one.wrong for one in fired):3} held; ended with {dict(ended)}"
                )
    finally:
        rig.close()
    return found


def prove(place: Path, say: report.Say, *, each: int) -> tuple[bool, dict[str, object]]:
    """Whether everything held, and the figures. A drive that was not touched at the call did not go, and proves nothing."""
    with ThreadPoolExecutor(2) as pool:
        running = [
            pool.submit(prove_rig, place, some, each, say) for some in (DRIVES[:2], DRIVES[2:])
        ]
        found = [one for some in running for one in some.result()]
    fired = [one for one in found if one.fired]
    return bool(fired) and not any(one.wrong for one in found), {
        "drives_gone": len(fired), "drives_waited_for": sum(one.waited for one in fired),
        "drives_failed": sum(bool(one.wrong) for one in found),
        "drives_reasons": dict(Counter(reason for one in fired for reason in one.reasons)),
    }  # fmt: skip
