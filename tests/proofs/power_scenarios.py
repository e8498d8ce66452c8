"""What is under way when the power fails: a machine with one volume or three, the states it is in, and the commands.

`Rig` is a lane whose data folder, scratch folder and film folder are volumes that record every change. `one` has all three on
one volume, `apart` has one volume for each; sources lie elsewhere. `drives` has a volume for the sources as well.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tests.faults.crash_states import Disk, copy_of, disk_of, lay_out
from tests.faults.recorded import RecordedVolume
from tests.faults.recorder import Change
from tests.film import reading
from tests.film.media import make_movie, make_wav
from tests.film.timelines import timeline
from tests.proofs import report, strike
from tests.proofs.launch import ROOT
from tests.proofs.stage import Ended, Lane, bytes_hash

Layout = Literal["one", "apart", "drives"]


_VOLUMES: dict[Layout, tuple[str, ...]] = {
    "one": ("disk",), "apart": ("home", "scratch", "out"), "drives": ("home", "scratch", "out", "media"),
}  # fmt: skip


@dataclass(frozen=True)
class Cuts:
    """Timelines of the same film: `old`, `new`, and `lacking`, which asks for a file that is not there; `found` is that file."""

    old: Path
    new: Path
    lacking: Path
    found: Path


def make_cuts(folder: Path) -> Cuts:
    """Write the sources (320 x 180, ProRes with PCM and H.264 with AAC) and the timelines."""
    folder.mkdir()
    a = make_movie(folder / "a.mov", source_id=1, frames=48, codec="prores", audio="pcm")
    b = make_movie(folder / "b.mp4", source_id=2, frames=48, codec="h264", audio="aac")
    (folder / "card").mkdir()
    found = make_movie(folder / "card" / "found.mov", source_id=4, frames=24, codec="prores")
    wav = make_wav(folder / "c.wav", source_id=3, samples=240_000)
    old = timeline(24, name="old")
    old.video().clip(a, 0, 14).clip(b, 1, 10)
    old.audio().clip(a, 0, 14)
    new = timeline(24, name="new")
    new.video().clip(a, 4, 12).gap(5).clip(b, 5, 12).clip(a, 30, 10)
    new.audio().clip(wav, 24, 30)
    lacking = timeline(24, name="lacking")
    lacking.video().clip(a, 4, 12).clip(folder / "gone.mov", 0, 8).clip(b, 5, 12)
    lacking.audio().clip(wav, 24, 30)
    return Cuts(
        old.save(folder / "old.otio"),
        new.save(folder / "new.otio"),
        lacking.save(folder / "lacking.otio"),
        found.path,
    )


@dataclass
class Recording:
    """A command that ran undisturbed: the disks before it, every change in order as (volume, change), the lines that it said
    with their moment (CLOCK_MONOTONIC, ns), its exit code, and whether the data folder was on record before it."""

    disks: list[Disk]
    changes: list[tuple[int, Change]]
    lines: list[tuple[int, dict[str, Any]]]
    exit_code: int
    known: bool
    known_at: int
    """The moment (CLOCK_MONOTONIC, ns) since which the record of the data folder is as it is after the command."""

    def known_after(self, place: int) -> bool:
        """Whether the data folder is on record, on the system's own disk, after so many changes."""
        moment = self.changes[place][1].at if place < len(self.changes) else time.monotonic_ns()
        return self.known or 0 < self.known_at < moment


@dataclass
class Rig(Lane):
    """A machine with recording volumes. `root` holds the mount points, `back` what is behind them."""

    layout: Layout = "one"
    volumes: list[RecordedVolume] = field(default_factory=list)
    _numbers: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)
    _record: tuple[Path, bytes] = (Path(), b"")

    def __post_init__(self) -> None:
        back = self.root.with_name(f"{self.root.name}-back")
        self.records = self.root.with_name(f"{self.root.name}-records")
        """XDG_STATE_HOME of every run: on the system's own disk, whose power is never cut."""
        self.volumes = [
            RecordedVolume(self.root / name, back / name) for name in _VOLUMES[self.layout]
        ]

    def _inside(self, name: str) -> Path:
        return self.root / "disk" / name if self.layout == "one" else self.root / name

    @property
    def home(self) -> Path:
        """The data folder."""
        return self._inside("home")

    @property
    def out(self) -> Path:
        """The film's folder."""
        return self._inside("out")

    @property
    def scratch(self) -> Path:
        """Where segments are kept."""
        return self._inside("scratch")

    def behind(self, path: Path) -> Path:
        """Where a path of a volume lies on the disk behind it."""
        for volume in self.volumes:
            if path.is_relative_to(volume.place):
                return volume.behind / path.relative_to(volume.place)
        raise AssertionError(path)

    def _environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        return super()._environment({report.STATE: str(self.records), **extra})

    def known(self) -> Path | None:
        """The record that says on which drive the data folder is, if there is one."""
        return next(self.records.glob("*/data-folders/*"), None)

    # States -----------------------------------------------------------------------------------------------------------

    def clear(self) -> None:
        """An empty machine: settings that name the scratch folder, and files that are nobody's business."""
        self.unplug()
        for volume in self.volumes:
            shutil.rmtree(volume.behind, ignore_errors=True)
            volume.behind.mkdir(parents=True)
            volume.numbers = {}
        shutil.rmtree(self.records, ignore_errors=True)
        self.records.mkdir()
        shutil.rmtree(self.root, ignore_errors=True)
        (self.root / "tmp").mkdir(parents=True)
        for path in (self.home, self.scratch, self.out):
            self.behind(path).mkdir(exist_ok=True)
        settings = f"scratch: {json.dumps(str(self._inside('scratch')))}\n"
        self.behind(self.home / "settings.yaml").write_text(settings, encoding="utf-8")
        self.behind(self.out / "notes.txt").write_text("not to be touched\n", encoding="utf-8")
        self.plug()

    def plug(self) -> None:
        """Mount all volumes."""
        for volume in self.volumes:
            volume.mount()

    def unplug(self) -> None:
        """Unmount all volumes."""
        for volume in self.volumes:
            if volume.mounted:
                volume.unmount()
            shutil.rmtree(
                volume.place, ignore_errors=True
            )  # what an earlier trial left beneath is on record by then

    def save(self, name: str) -> None:
        """Keep this state to come back to."""
        self._states[name] = self.beside(f"state-{name.replace(' ', '-')}")
        for volume in self.volumes:
            shutil.copytree(volume.behind, self._states[name] / volume.place.name, symlinks=True)
            self._numbers[name, volume.place.name] = volume.numbered()
        shutil.copytree(self.records, self._states[name] / "records")

    def restore(self, name: str) -> None:
        """The saved state with its dates, on volumes that were mounted anew."""
        self.unplug()
        for volume in self.volumes:
            shutil.rmtree(volume.behind)
            shutil.copytree(self._states[name] / volume.place.name, volume.behind, symlinks=True)
            volume.numbers = self._numbers[name, volume.place.name]
        shutil.rmtree(self.records)
        shutil.copytree(self._states[name] / "records", self.records)
        self.plug()

    def become(self, disks: Sequence[Disk], *, known: bool) -> None:
        """These disks, mounted anew, as after a power cut; `known`: the data folder is on record."""
        self.unplug()
        record = self.known()
        if record is not None and not known:
            self._record = (record, record.read_bytes())
            record.unlink()
        elif known and record is None:
            path, said = self._record
            path.write_bytes(said)
        for volume, disk in zip(self.volumes, disks, strict=True):
            shutil.rmtree(volume.behind)
            volume.behind.mkdir()
            volume.numbers = lay_out(disk, volume.behind)
        self.plug()

    def disks(self) -> list[Disk]:
        """The content of all volumes as it is, all of it durable."""
        return [disk_of(volume.behind, volume.numbered()) for volume in self.volumes]

    # Runs -------------------------------------------------------------------------------------------------------------

    def record(self, argv: Sequence[str], disks: list[Disk]) -> Recording:
        """Run a command on freshly mounted volumes that hold these disks; remember everything."""
        known = self.known() is not None
        process = subprocess.Popen(
            [sys.executable, "-m", "bridge.cli.main", *argv], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env={**os.environ, **self._environment({}), "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        assert process.stdout
        alarm = threading.Timer(60, process.kill)
        alarm.start()
        lines = []
        for line in process.stdout:
            moment = time.monotonic_ns()
            try:
                lines.append((moment, json.loads(line)))
            except ValueError:
                lines.append((moment, {"event": "words", "words": line.decode(errors="replace")}))
        code = process.wait()
        alarm.cancel()
        process.stdout.close()
        return Recording(disks, self.changes(), lines, code, known, self.known_at())

    def known_at(self) -> int:
        """The moment (CLOCK_MONOTONIC, ns) at which the record of the data folder was written; 0 without one."""
        record = self.known()
        return (
            0
            if record is None
            else record.stat().st_mtime_ns - time.time_ns() + time.monotonic_ns()
        )

    def changes(self) -> list[tuple[int, Change]]:
        """What was changed on all volumes since they were mounted, in the order of time."""
        merged = [
            (place, change)
            for place, volume in enumerate(self.volumes)
            for change in volume.trace()
        ]
        return sorted(merged, key=lambda one: one[1].at)

    def close(self) -> None:
        """Leave nothing behind."""
        self.launcher.close()
        for volume in self.volumes:
            volume.close()


# What a machine looks like ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """All files of the film's folder with their hashes, the names in scratch, and what else lies in the data folder."""

    out: dict[str, str]
    scratch: frozenset[str]
    home: frozenset[str]


def look_at(rig: Rig) -> Look:
    """The machine as it is; the journal, logs and locks are judged elsewhere."""
    out, scratch, home = (rig.behind(path) for path in (rig.out, rig.scratch, rig.home))
    ours = ("journal.db", "logs/", "locks/", "settings.yaml", "pictures")
    return Look(
        {
            str(path.relative_to(out)): bytes_hash(path)
            for path in out.rglob("*")
            if not path.is_dir()
        },
        frozenset(
            str(path.relative_to(scratch)) for path in scratch.rglob("*") if not path.is_dir()
        ),
        frozenset(
            name
            for path in home.rglob("*")
            if not path.is_dir() and not (name := str(path.relative_to(home))).startswith(ours)
        ),
    )


@dataclass
class Scenario:
    """A command from a saved state. `before`, `after` and `twice` are the machine before it, after it and after it was run
    twice; `codes` are the exit codes of both. `frames` and `sound` are those of the film after it."""

    name: str
    film: str
    state: str
    argv: list[str]
    before: Look = Look({}, frozenset(), frozenset())
    after: Look = Look({}, frozenset(), frozenset())
    twice: Look = Look({}, frozenset(), frozenset())
    codes: tuple[int, int] = (0, 0)
    frames: tuple[str, ...] = ()
    sound: str = ""


def scenarios(rig: Rig, cuts: Cuts) -> list[Scenario]:
    """Make all states in a rig, and what is done from each."""

    def assemble(cut: Path, film: str = "film.mov", preset: str = "prores-hq") -> list[str]:
        return ["assemble", str(cut), "-o", str(rig.out / film), "-p", preset, "-j", "2", "--json"]

    def done(argv: list[str], state: str, *codes: int) -> Ended:
        ended = rig.run(argv)
        if ended.exit_code not in codes:
            raise RuntimeError(f"{argv[0]} ended with {ended.exit_code}: {ended.said[-1500:]}")
        rig.save(state)
        return ended

    rig.clear()
    rig.save("empty")
    done(assemble(cuts.old), "old", 0)
    done(assemble(cuts.new), "new", 0)
    rig.restore("old")
    points = rig.beside("points")
    rig.run(
        assemble(cuts.new),
        strike.order(points, rig.root, label="engine after-record SegmentSealed #1"),
    )
    if not strike.struck(points):
        raise RuntimeError("the run that is to be resumed was not interrupted")
    rig.save("interrupted")
    rig.restore("empty")
    lacking = done(assemble(cuts.lacking), "lacking", 1)
    rig.restore("empty")
    done(assemble(cuts.old, "film.mp4", "h264"), "old mp4", 0)
    job = str(lacking.summary["job"])
    return [
        Scenario("assemble", "film.mov", "empty", assemble(cuts.new)),
        Scenario("publish over a film", "film.mov", "old", assemble(cuts.new)),
        Scenario("publish H.264", "film.mp4", "old mp4", assemble(cuts.new, "film.mp4", "h264")),
        Scenario("resume", "film.mov", "interrupted", ["resume", "-j", "2", "--json"]),
        Scenario("roll back", "film.mov", "new", ["rollback", str(rig.out / "film.mov")]),
        Scenario("clean", "film.mov", "new", ["clean", "--superseded"]),
        Scenario(
            "answer relink",
            "film.mov",
            "lacking",
            ["answer", job, "all", "relink", str(cuts.found)],
        ),
        Scenario("answer skip", "film.mov", "lacking", ["answer", job, "all", "skip"]),
    ]


def record(rig: Rig, scenario: Scenario) -> Recording:
    """Run a scenario undisturbed, twice; the record of the first run."""
    rig.restore(scenario.state)
    scenario.before = look_at(rig)
    recording = rig.record(scenario.argv, rig.disks())
    scenario.after = look_at(rig)
    film = rig.behind(rig.out) / scenario.film
    scenario.frames, scenario.sound = tuple(reading.frame_hashes(film)), reading.audio_hash(film)
    again = rig.run(scenario.argv)
    scenario.twice = look_at(rig)
    if recording.exit_code not in (0, 1) or again.exit_code not in (0, 1, 2):
        raise RuntimeError(
            f"{scenario.name} ended with {recording.exit_code} and {again.exit_code}: {again.said[-800:]}"
        )
    scenario.codes = (recording.exit_code, again.exit_code)
    recording.disks = [copy_of(disk) for disk in recording.disks]
    return recording
