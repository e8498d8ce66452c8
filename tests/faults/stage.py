"""A place in which one fault after the other is tried: sources, an old film, and what a run that nobody disturbs ends in."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.running import Run
from tests.film import reading
from tests.film.media import make_movie, make_wav
from tests.film.timelines import timeline
from tests.proofs.stage import bytes_hash

PATIENCE = {
    "stall_s": 4.0,
    "stall_least_s": 1.5,
    "stall_factor": 5.0,
    "probe_stall_s": 2.0,
    "free_margin_bytes": 1 << 20,
}
"""How soon silence is a hang, and how much room is left: shorter than usual, because faults wait for it. All delays after a
fault, and how often a place is looked at, are the product's own."""


@dataclass
class Stage:
    """`root` holds media, home, scratch and out; its saved state stands beside it."""

    root: Path
    asked: dict[str, Any] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    truth: tuple[tuple[str, ...], str] = ((), "")
    old: str = ""

    @property
    def media(self) -> Path:
        """The sources: one.mov (DNxHR, PCM), two.mp4 (H.264, AAC), voice.wav."""
        return self.root / "media"

    @property
    def scratch(self) -> Path:
        """Where segments are kept."""
        return self.root / "scratch"

    @property
    def out(self) -> Path:
        """The film's folder."""
        return self.root / "out"

    @property
    def film(self) -> Path:
        """Where the film stands."""
        return self.out / "film.mov"

    @property
    def home(self) -> Path:
        """The data folder."""
        return self.root / "home"

    @property
    def saved(self) -> Path:
        """The state before every fault."""
        return self.root.with_name(f"{self.root.name}.saved")

    def prepare(self) -> None:
        """Make the sources and both cuts, publish the old film, learn what the new one is, and save the state before it."""
        for folder in (self.media, self.home, self.scratch, self.out):
            folder.mkdir(parents=True)
        one = make_movie(
            self.media / "one.mov",
            source_id=1,
            frames=72,
            size=(480, 270),
            codec="dnxhr",
            audio="pcm",
            bits=16,
        )
        two = make_movie(
            self.media / "two.mp4",
            source_id=2,
            frames=72,
            size=(480, 270),
            codec="h264",
            audio="aac",
            gop=12,
        )
        voice = make_wav(self.media / "voice.wav", source_id=3, samples=480_000)
        old = timeline(24, name="old")
        old.video().clip(one, 0, 12)
        old.save(self.root / "old.otio")
        new = timeline(24, name="new")
        new.video().clip(one, 4, 24).clip(two, 10, 24).gap(4).clip(one, 40, 16).clip(two, 50, 16)
        new.audio().clip(voice, 0, 48).gap(4).clip(one, 40, 16)
        new.save(self.root / "new.otio")
        self._begin("old")
        self.run().end()
        self.old = bytes_hash(self.film)
        shutil.copytree(self.root, self.saved, symlinks=True)
        self._begin("new")
        if self.run().end() != 0:
            raise RuntimeError(
                f"the undisturbed run failed: {self.runs[-1].faults()} {self.runs[-1].said()[-800:]}"
            )
        self.truth = self.pictures()
        self.close()

    def _begin(self, cut: str) -> None:
        self.asked = {
            "timeline": str(self.root / f"{cut}.otio"), "output": str(self.film), "home": str(self.home), "policy": dict(PATIENCE),
        }  # fmt: skip

    def restore(self) -> None:
        """The saved state with its dates."""
        self.close()
        shutil.rmtree(self.root)
        shutil.copytree(self.saved, self.root, symlinks=True)
        self._begin("new")

    def run(self, *, wrapper: Sequence[str] = (), **more: Any) -> Run:
        """Begin a run; `policy` in `ask` adds to the usual one."""
        self.runs.append(Run(self.asked, self.root, wrapper=wrapper, **more))
        return self.runs[-1]

    def pictures(self) -> tuple[tuple[str, ...], str]:
        """The film as it is seen and heard."""
        return tuple(reading.frame_hashes(self.film)), reading.audio_hash(self.film)

    def close(self) -> None:
        """End all runs."""
        for run in self.runs:
            run.close()
        self.runs.clear()
