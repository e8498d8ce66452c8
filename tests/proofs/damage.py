"""No damaged picture or sound reaches a film unsaid, and damage is named to within one group of pictures.

    python -m tests.proofs.damage [--quick]

50 sources of each of H.264, ProRes, DNxHR and WAV are damaged at random (seeded; `defects`), and each is assembled as a
user does, against the film of the undamaged source: ProRes and DNxHR half rendered, half copied; films are lossless or
copies, so that every frame can be compared bit for bit. Columns:

cases      sources damaged so
differ     of these, frames or samples in the cut really decode to something else (the rest hit what nobody sees)
seen       every frame of the film that differs was reported, and the film called incomplete
named      seen, and no frame reported is further than one group from one that really differs
invisible  something that differs went into the film unreported, and a strict ffmpeg decodes the file without a word too:
           without a hash of the good file nobody can tell
with hash  the same damage again, where the source had been used once while it was good: every differing frame reported
WRONG      unreported although it can be seen, or although its hash was on record

The proof holds when nothing is WRONG.
"""

from __future__ import annotations

import json
import os
import queue
import random
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.film import reading
from tests.film.media import ffmpeg, make_movie, make_wav
from tests.film.timelines import timeline
from tests.proofs import differing, report
from tests.proofs.defects import DEFECTS
from tests.proofs.launch import Launcher

SEED, EACH, LANES = 5, 50, 2
RATE, LENGTH, FIRST, SHOWN, GOP = 24, 84, 7, 72, 12
NEAR = {"H.264": GOP, "ProRes": 1, "DNxHR": 1, "WAV": GOP}
"""How many frames one group has; half a second for sound."""
PARTLY = {"shot-mended", "sound-mended", "shot-unlike-record", "sound-unlike-record"}


@dataclass(frozen=True)
class Kind:
    """A codec of the source with the preset of the film: its own (copied) or a lossless one (rendered)."""

    codec: str
    preset: str
    file: str

    @property
    def film(self) -> str:
        """The film's name."""
        return "film.mkv" if self.preset == "ffv1" else "film.mov"

    @property
    def heard(self) -> bool:
        """Whether it is sound that is damaged."""
        return self.codec == "WAV"


KINDS = (
    Kind("H.264", "ffv1", "a.mp4"),
    Kind("ProRes", "prores-hq", "a.mov"),
    Kind("ProRes", "ffv1", "a.mov"),
    Kind("DNxHR", "dnxhr-hq", "a.mov"),
    Kind("DNxHR", "ffv1", "a.mov"),
    Kind("WAV", "prores-hq", "a.wav"),
)


@dataclass
class Ended:
    """How a run ended: exit code, its last line, and what of the film is not as in the good one (frame numbers)."""

    code: int
    summary: dict[str, Any]
    other: set[int]

    @property
    def reported(self) -> set[int]:
        """The frames of the damaged shot (counted from its first) that the report names."""
        if self.code not in (0, 1):
            return set(range(SHOWN))
        named: set[int] = set()
        for problem in self.summary["problems"]:
            if not problem["clips"] and 1 not in problem["shots"]:
                continue
            counted = re.search(r"(\d+) of \d+ (frames|samples)", problem["message"])
            if problem["code"] in PARTLY:
                named |= {
                    frame
                    for one in problem["places"]
                    for frame in range(one["first"], one["first"] + one["frames"])
                }
            elif counted:
                each = differing.SAMPLES_PER_FRAME if counted[2] == "samples" else 1
                named |= set(range(int(counted[1]) // each, SHOWN))
            else:
                named |= set(range(SHOWN))
        return named


class Stand:
    """A place with a source that can be damaged, a data folder that knows it, and one that does not."""

    def __init__(self, root: Path, kind: Kind) -> None:
        self.root, self.kind = root, kind
        root.mkdir(parents=True)
        self.source, self.film = root / kind.file, root / "out" / kind.film
        _make(self.source, kind)
        self.good = self.source.read_bytes()
        self.dates = (self.source.stat().st_atime_ns, self.source.stat().st_mtime_ns)
        other = make_movie(root / "other.mov", source_id=9, frames=24, rate=RATE, codec="prores")
        line = timeline(RATE, name="Damage")
        if kind.heard:
            line.video().clip(other, 0, 24)
            line.audio().clip(self.source, FIRST, SHOWN, media_frames=LENGTH)
        else:
            line.video().clip(self.source, FIRST, SHOWN, media_frames=LENGTH).clip(other, 0, 12)
        self.cut = line.save(root / "cut.otio")
        self.wanted: list[str] = []
        self.heard = differing.sound(self.source) if kind.heard else None
        self.seen = {} if kind.heard else differing.pictures(self.source, RATE)

    def prepare(self, launcher: Launcher) -> None:
        """The film of the good source, and the data folder that remembers it."""
        ended = self.run(launcher, "known")
        assert ended.code == 0, ended.summary
        self.wanted = _frames(self.film)
        self.sound = differing.sound(self.film)
        for path in (self.root / "known" / "scratch" / "store").rglob("*.*"):
            path.unlink()  # else the film is made of what was rendered of the good source, and nothing is tried
        shutil.move(self.root / "known", self.root / "known-saved")

    def run(self, launcher: Launcher, home: str) -> Ended:
        """Assemble with this data folder."""
        shutil.rmtree(self.root / "out", ignore_errors=True)
        self.film.parent.mkdir()
        argv = [
            "assemble",
            str(self.cut),
            "-o",
            str(self.film),
            "-p",
            self.kind.preset,
            "-j",
            "2",
            "--json",
        ]
        said = self.root / "said"
        code = launcher.wait(
            launcher.start(argv, {"HOTSPLICE_HOME": str(self.root / home)}, said), 120
        )
        text = said.read_text(encoding="utf-8")
        assert "Traceback" not in text, text
        summary = json.loads(text.rstrip().rpartition("\n")[2])
        return Ended(code, summary, self._other() if self.wanted and code in (0, 1) else set())

    def _other(self) -> set[int]:
        if self.kind.heard:
            return differing.other_samples(self.sound, differing.sound(self.film))
        found = _frames(self.film)
        assert len(found) == len(self.wanted), "a film of another length"
        return {
            number for number, (a, b) in enumerate(zip(found, self.wanted, strict=True)) if a != b
        }

    def put(self, data: bytes) -> None:
        """These bytes are the source now; its date does not say so."""
        self.source.write_bytes(data)
        os.utime(self.source, ns=self.dates)

    def differs(self) -> set[int]:
        """Frames of the shot that decode to something else than they did."""
        if self.heard is not None:
            numbers = differing.other_samples(self.heard, differing.sound(self.source))
        else:
            numbers = differing.other_frames(self.seen, differing.pictures(self.source, RATE))
        return {number - FIRST for number in numbers if FIRST <= number < FIRST + SHOWN}


def _make(path: Path, kind: Kind) -> None:
    if kind.heard:
        make_wav(path, source_id=3, samples=LENGTH * differing.SAMPLES_PER_FRAME)
        return
    codec: Any = {"H.264": "h264", "ProRes": "prores", "DNxHR": "dnxhr"}[kind.codec]
    whole = path.with_name(f"whole{path.suffix}")
    make_movie(whole, source_id=3, frames=LENGTH, rate=RATE, codec=codec, gop=GOP)
    ffmpeg(
        "-i", whole, "-map", "0:v", "-c", "copy", "-movflags", "+faststart", path
    )  # else every truncation is total
    whole.unlink()


def _frames(film: Path) -> list[str]:
    return [reading.frame_hash(frame) for frame in reading.frames(film)]


@dataclass
class Tally:
    """Counts by (codec, defect), and what was wrong in words."""

    counts: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def note(self, codec: str, defect: str, *columns: str) -> None:
        """Count one case in these columns."""
        self.counts.setdefault((codec, defect), Counter()).update(columns)

    def total(self, column: str) -> int:
        """Over all."""
        return sum(row[column] for row in self.counts.values())


def _judged(stand: Stand, ended: Ended, name: str, truth: set[int], tally: Tally) -> list[str]:
    """The columns of a run without a record."""
    reported, unsaid = ended.reported, ended.other - ended.reported
    columns = ["cases"]
    if truth or ended.other:
        columns.append("differ")
    if unsaid:
        if stand.kind.heard:  # what is wrong after the cut's last sample is nobody's business
            words = differing.complains(stand.source, SHOWN, FIRST)
        elif reported:
            words = differing.complains(stand.source, 1, FIRST + min(unsaid))
        else:
            words = differing.complains(stand.source, LENGTH)
        if words:
            tally.wrong.append(
                f"{name}: frames {sorted(unsaid)[:6]} unsaid, though ffmpeg says {words}"
            )
            return [*columns, "WRONG"]
        return [*columns, "invisible"]
    if not reported:
        return columns
    if ended.code == 0:
        tally.wrong.append(f"{name}: reported, but called complete")
        return [*columns, "WRONG"]
    if not (truth or ended.other):
        return [*columns, "strict"]
    columns.append("seen")
    near = NEAR[stand.kind.codec]
    far = [
        frame
        for frame in reported
        if all(abs(frame - other) > near for other in truth | ended.other)
    ]
    if not far:
        columns.append("named")
    return columns


def _case(stand: Stand, launcher: Launcher, number: int, defect: str, tally: Tally) -> None:
    kind = stand.kind
    name = f"{kind.codec} {defect} {number}"
    chance = random.Random(f"{SEED} {kind.codec} {number}")
    stand.put(DEFECTS[defect](stand.good, chance))
    truth = stand.differs()
    shutil.rmtree(stand.root / "new", ignore_errors=True)
    ended = stand.run(launcher, "new")
    columns = _judged(stand, ended, name, truth, tally)
    shutil.rmtree(stand.root / "known", ignore_errors=True)
    shutil.copytree(stand.root / "known-saved", stand.root / "known")
    again = stand.run(launcher, "known")
    if "differ" in columns:
        if again.other - again.reported:
            tally.wrong.append(
                f"{name}: frames {sorted(again.other - again.reported)[:6]} unsaid in spite of the record"
            )
            columns.append("WRONG")
        elif again.reported or not truth & again.other:
            columns.append("hash")
    tally.note(kind.codec, defect, *columns)


def prove(
    place: Path, say: report.Say, *, each: int, codecs: Sequence[str] = tuple(NEAR)
) -> tuple[bool, dict[str, Any]]:
    """`each` cases of every one of these codecs; whether it held, and the figures."""
    tally = Tally()
    launchers: queue.Queue[Launcher] = queue.Queue()
    for _ in range(LANES):
        launchers.put(Launcher())

    def work(kind: Kind) -> None:
        launcher = launchers.get()
        try:
            stand = Stand(place / f"{kind.codec}-{kind.preset}".replace(".", ""), kind)
            stand.prepare(launcher)
            twins = [other for other in KINDS if other.codec == kind.codec]
            defects = list(DEFECTS)
            for number in range(each):
                if number // len(defects) % len(twins) == twins.index(kind):
                    _case(stand, launcher, number, defects[number % len(defects)], tally)
            say(f"{kind.codec} to {kind.preset}: done")
        finally:
            launchers.put(launcher)

    with ThreadPoolExecutor(LANES) as pool:
        for done in [pool.submit(work, kind) for kind in KINDS if kind.codec in codecs]:
            done.result()
    while not launchers.empty():
        launchers.get().close()
    _table(tally, say)
    figures = {
        column: tally.total(column)
        for column in ("cases", "differ", "seen", "named", "strict", "invisible")
    }
    figures |= {"seen_with_a_hash_on_record": tally.total("hash"), "wrong": len(tally.wrong)}
    return not tally.wrong and tally.total("hash") == tally.total("differ"), figures


def _table(tally: Tally, say: report.Say) -> None:
    heads = ("cases", "differ", "seen", "named", "strict", "invisible", "hash", "WRONG")
    say(
        f"{'codec':8}{'defect':18}"
        + "".join(f"{'with hash' if head == 'hash' else head:>11}" for head in heads)
    )
    for (codec, defect), row in sorted(tally.counts.items()):
        say(f"{codec:8}{defect:18}" + "".join(f"{row[head]:11}" for head in heads))
    for text in tally.wrong:
        say(f"WRONG {text}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Damage, assemble, compare; print the table."""
    quick, say, began = report.quick(arguments), report.Say(), time.monotonic()
    with report.workplace("damage") as place:
        held, figures = prove(place, say, each=6 if quick else EACH)
    return report.close("damage", held, quick=quick, seconds=time.monotonic() - began, **figures)


if __name__ == "__main__":
    sys.exit(main())
