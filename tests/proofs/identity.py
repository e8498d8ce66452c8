"""A file counts as the same only when the bytes that the film uses are proven equal.

    python -m tests.proofs.identity [--quick] [--seed N]

300 pairs of files of equal size (`equal_sizes`: six codecs; one packet, one frame or one second is changed). A film is made
of the first versions. Then every file meets one of the fates below, and the film is made again, with the same data folder
and a folder to search. The film is decoded by the system's ffmpeg; every frame must say the number and the version that the
timeline asks for, every sample must be that version's. The proof holds when

- no frame and no sample is that of a file that does not stand where the timeline points and is not proven to be the one that
  did ("wrong" counts those; a shot that the report names as missing is right, with the file that resembles it by its samples or
  its name);
- every file that was only moved, renamed, touched or restored is used without a question and without rendering it again;
- a new version at the place of the old one is used or named.

What the comparison costs is measured besides: processor seconds for each GiB that is compared with the record, of pictures and
of sound, and hashed as a media hash list asks; and the bytes that the search reads of each file of the right size.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import time
import wave
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from core.media import hashes, mhl, packet_hashes, packets
from core.media.content import CompareSource, Known
from core.tasks import compare_source
from core.tasks import mix_sound as samples
from tests.film.barcode import Mark
from tests.film.media import make_movie
from tests.film.timelines import timeline
from tests.proofs import equal_sizes, lowend, report
from tests.proofs.equal_sizes import PER_FRAME, RATE, Codec, Pair
from tests.proofs.fates import FATES, Shot
from tests.proofs.launch import Launcher

PAIRS, QUICK_PAIRS, EACH_ROUND, LANES = 300, 18, 25, 2
_SLOT = 10 * RATE
"""Frames of film for each sound: one chunk."""
_LIMIT_S = 300


# A round: many pairs in one film ----------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What became of the pairs: outcomes by fate, and everything that was wrong in words."""

    pairs: int = 0
    alike: int = 0
    frames: int = 0
    samples: int = 0
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    codecs: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)


class Round:
    """Pairs of which one film is made twice. Pictures stand in one row; each sound has a chunk of its own."""

    def __init__(self, place: Path, pairs: Sequence[tuple[Pair, str]], preset: str) -> None:
        self.place, self.preset = place, preset
        self.heard = pairs[0][0].codec.heard
        self.shots = [
            Shot(pair, place / "media" / f"{n:02}" / f"take{pair.codec.ending}", place / "found" / f"{n:02}" / f"take{pair.codec.ending}", fate)
            for n, (pair, fate) in enumerate(pairs)
        ]  # fmt: skip
        for shot in self.shots:
            shot.put(False, shot.path)
        (place / "found").mkdir()
        if self.heard:
            make_movie(
                place / "media" / "picture.mov",
                source_id=9,
                frames=RATE,
                rate=RATE,
                size=equal_sizes.SIZE,
            )

    def _cut(self, name: str) -> tuple[Path, list[tuple[Shot, bool]]]:
        """The timeline, and its shots in order; with whether it is the second of a pair."""
        line = timeline(RATE, name=name)
        row = [(shot, False) for shot in self.shots] + [
            (shot, True) for shot in self.shots if shot.second
        ]
        if self.heard:
            line.video().clip(self.place / "media" / "picture.mov", 0, RATE, media_frames=RATE)
        track = line.audio() if self.heard else line.video()
        for shot, second in row:
            path, pair = (shot.second if second else shot.path), shot.pair
            if self.heard:
                track.clip(path, pair.first, pair.shown, media_frames=pair.length).gap(
                    _SLOT - pair.shown
                )
            else:
                track.clip(path, pair.first, pair.shown, media_frames=pair.length)
        return line.save(self.place / f"{name}.otio"), row

    def play(self, launcher: Launcher, tally: Tally) -> None:
        """Make the film, let happen what happens, make it again, judge."""
        cut, row = self._cut("first")
        film, before = self._assemble(launcher, cut, "first")
        assert before[-1]["exit_code"] == 0, before[-1]
        _judge(self, film, row, before, tally, again=False)
        for shot in self.shots:
            FATES[shot.fate].happens(shot)
        cut, row = self._cut("second")
        film, after = self._assemble(launcher, cut, "second")
        _judge(self, film, row, after, tally, again=True)

    def _assemble(
        self, launcher: Launcher, cut: Path, name: str
    ) -> tuple[Path, list[dict[str, Any]]]:
        film = (self.place / "films" / name).with_suffix(
            {"ffv1": ".mkv", "h264": ".mp4"}.get(self.preset, ".mov")
        )
        film.parent.mkdir(exist_ok=True)
        said = self.place / f"{name}.said"
        argv = ["assemble", str(cut), "-o", str(film), "-p", self.preset, "-j", "1", "--json"]
        argv += ["--search", str(self.place / "found")]
        launcher.wait(
            launcher.start(argv, {"HOTSPLICE_HOME": str(self.place / "home")}, said), _LIMIT_S
        )
        text = said.read_text(encoding="utf-8")
        assert "Traceback" not in text, text[-4000:]
        return film, [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def _judge(
    played: Round,
    film: Path,
    row: list[tuple[Shot, bool]],
    events: list[dict[str, Any]],
    tally: Tally,
    *,
    again: bool,
) -> None:
    summary = events[-1]
    assert summary["exit_code"] in (0, 1), summary
    named = {problem["path"]: problem for problem in summary["problems"]}
    sealed = [
        event["body"]
        for event in events
        if event.get("kind") == "SegmentSealed" and not event["body"].get("reused")
    ]
    made = Counter(
        seal["shot"] for seal in sealed if seal["kind"] in ("video", "copy") and not played.heard
    )
    shown = _shown(played, film, row)
    tally.frames += 0 if played.heard else sum(shot.pair.shown for shot, _ in row)
    tally.samples += PER_FRAME * sum(shot.pair.shown for shot, _ in row) if played.heard else 0
    may_be_made = 0
    for number, ((shot, second), right) in enumerate(zip(row, shown, strict=True), 1):
        fate = FATES[shot.fate]
        path = shot.second if second else shot.path
        wanted = again and (fate.second_other if second else fate.other)
        problem = named.get(str(path))
        name = f"{shot.pair.codec.name}, {shot.pair.change}, {shot.fate}{' (second)' if second else ''}, {played.preset}, {path}"
        healed = again and fate.healed and not second
        may_be_made += not healed
        if not second and not again:
            tally.pairs += 1
            tally.alike += shot.pair.alike
            tally.codecs[shot.pair.codec.name] += 1
            tally.changes[shot.pair.change] += 1
        outcome = "right" if right(wanted) else "named" if problem else "WRONG"
        if again and fate.gone:
            there = fate.gone(shot)
            outcome = (
                "WRONG"
                if not problem or right(True)
                else "proposed"
                if str(there) in problem["message"]
                else "missing"
            )
            if outcome == "missing" and (shot.pair.alike or there.name == shot.path.name):
                outcome = "WRONG"
        if outcome == "WRONG":
            tally.wrong.append(
                f"{name}: a frame or sample of another file, or a file that is not named"
            )
        if healed and outcome == "right":
            outcome = (
                "healed"
                if not problem and not made[number]
                else "asked"
                if problem
                else "made again"
            )
            if outcome != "healed":
                tally.wrong.append(f"{name}: {outcome}")
        if again:
            tally.outcomes.setdefault(shot.fate, Counter())[
                outcome + (" (second)" if second else "")
            ] += 1
    chunks = sum(seal["kind"] == "audio" for seal in sealed)
    if again and played.heard and chunks > may_be_made:
        tally.wrong.append(
            f"{film}: {chunks} sounds were made again, at most {may_be_made} had to be"
        )


def _shown(played: Round, film: Path, row: list[tuple[Shot, bool]]) -> list[Callable[[bool], bool]]:
    """Of every shot in the film: whether it shows a version (the other or the first), wholly."""
    if played.heard:
        sound = equal_sizes.decoded_sound(film)
        return [_sounds(sound, shot.pair, n) for n, (shot, _) in enumerate(row)]
    marks, at, found = equal_sizes.decoded_marks(film), 0, []
    assert len(marks) == sum(shot.pair.shown for shot, _ in row), "the film has another length"
    for shot, _ in row:
        found.append(_shows(marks[at : at + shot.pair.shown], shot.pair))
        at += shot.pair.shown
    return found


def _shows(marks: list[Mark | None], pair: Pair) -> Callable[[bool], bool]:
    return lambda other: marks == pair.marks(other)


def _sounds(sound: Any, pair: Pair, number: int) -> Callable[[bool], bool]:
    begin = number * _SLOT * PER_FRAME
    heard = sound[begin : begin + pair.shown * PER_FRAME]
    return lambda other: (
        heard.shape == pair.sound(other).shape and bool(np.array_equal(heard, pair.sound(other)))
    )


def on_a_share(place: Path, bases: Path, say: report.Say) -> Tally:
    """Two pairs through sshfs, which keeps no change time: after the exchange the file has the size, dates, inode and samples that
    it had."""
    here, tally, chance = place / "share", Tally(), random.Random(1)
    fates = ("another version written in place with the old date", "restored with its old date")
    made = [
        (
            equal_sizes.make(
                equal_sizes.CODECS[0], "frame", here / ".kept" / str(n), bases, n, chance
            ),
            fate,
        )
        for n, fate in enumerate(fates)
    ]
    (here / "media").mkdir()
    launcher = Launcher()
    try:
        with lowend.sshfs(here / "media"):
            Round(here, made, "dnxhr-hq").play(launcher, tally)
    finally:
        launcher.close()
    say(f"a share without a change time: {dict(sum(tally.outcomes.values(), Counter()))}")
    return tally


# What it costs ----------------------------------------------------------------------------------------------------------


def cost(place: Path, size: int) -> dict[str, float]:
    """Processor seconds for each GiB, of files of about so many bytes: compared as pictures, as sound, and hashed whole."""
    folder = place / "cost"
    folder.mkdir()
    codec = equal_sizes.CODECS[2]
    equal_sizes.encode_bases(codec, folder, max(24, size // 73_728))
    pictures, sound = folder / f"{codec.name}-first.mov", folder / "sound.wav"
    with wave.open(str(sound), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(np.random.default_rng(1).bytes(size))
    marks = packet_hashes.of_pictures(str(pictures), 0, Fraction(0), Fraction(10**6), Fraction(0))
    with packets.opened(str(sound)) as container:
        stream = container.streams.audio[0]
        data, end = samples.samples_of(container, stream, 0, size // 4, packet_hashes.Noted())
        heard = Known(
            stream=0,
            header=packet_hashes.header_of(container, stream),
            marks=samples.block_marks(data[:, :end], 0),
        )
    found = {}
    for name, path, known in (
        ("pictures", pictures, Known(stream=0, header=marks.header, marks=marks.marks)),
        ("sound", sound, heard),
    ):
        order = CompareSource(path=str(path), fingerprint=hashes.fingerprint(path), known=(known,))
        began = time.process_time()
        compared = compare_source.compare(order, lambda done: None)
        assert compared.verdict == "same", name
        found[f"compare_{name}_s_per_gib"] = (time.process_time() - began) / compared.bytes * 2**30
    for algorithm in ("xxh64", "md5"):
        began = time.process_time()
        mhl.hash_of(str(pictures), algorithm)
        found[f"{algorithm}_s_per_gib"] = (
            (time.process_time() - began) / pictures.stat().st_size * 2**30
        )
    return found | {"search_bytes_per_file": hashes.sampled_bytes(2**40)}


# The proof --------------------------------------------------------------------------------------------------------------


def _rounds(pairs: int, seed: int) -> list[tuple[Codec, str, list[tuple[int, str, Any]]]]:
    """(codec, preset, [(number, fate, change)]): half of a codec's pairs in a film of its own kind, half in a lossless one."""
    rounds = []
    each = pairs // len(equal_sizes.CODECS)
    fates, changes = list(FATES), equal_sizes.CHANGES
    random.Random(seed).shuffle(fates)
    meetings = [
        (fate, changes[(n + turn) % len(changes)])
        for turn in range(len(changes))
        for n, fate in enumerate(fates)
    ]
    for place, codec in enumerate(equal_sizes.CODECS):
        chosen = [(n, *meetings[(n + place * each) % len(meetings)]) for n in range(each)]
        size = min(EACH_ROUND, each)
        for at in range(0, each, size):
            preset = codec.preset if at // size % 2 == (0 if each > size else place % 2) else "ffv1"
            rounds.append((codec, "prores-hq" if codec.heard else preset, chosen[at : at + size]))
    return rounds


def prove(
    place: Path, say: report.Say, *, pairs: int, seed: int = 1
) -> tuple[bool, dict[str, Any]]:
    """So many pairs; whether it held, and the figures."""
    tally = Tally()
    bases = place / ".bases"

    def work(number: int, codec: Codec, preset: str, chosen: list[tuple[int, str, Any]]) -> Tally:
        here, mine = place / f"{number:02}", Tally()
        chance = random.Random(f"{seed} {number}")
        made = [
            (equal_sizes.make(codec, change, here / ".kept" / str(n), bases, n, chance), fate)
            for n, fate, change in chosen
        ]
        launcher = Launcher()
        try:
            Round(here, made, preset).play(launcher, mine)
        finally:
            launcher.close()
        if not mine.wrong:
            shutil.rmtree(here)
        say(
            f"{codec.name} to {preset}: {len(made)} pairs"
            + "".join(f"\n          WRONG {text}" for text in mine.wrong)
        )
        return mine

    rounds, why_not = _rounds(pairs, seed), lowend.why_no_sshfs()
    with ThreadPoolExecutor(LANES) as pool:
        each = pairs // len(equal_sizes.CODECS)
        pictures = [codec for codec in equal_sizes.CODECS if not codec.heard]
        list(
            pool.map(
                lambda codec: equal_sizes.encode_bases(
                    codec, bases, equal_sizes.frames_needed(each)
                ),
                pictures,
            )
        )
        say("the encodings that pairs are cut from are made")
        jobs = [] if why_not else [pool.submit(on_a_share, place, bases, say)]
        jobs += [pool.submit(work, number, *one) for number, one in enumerate(rounds)]
        tallies = [job.result() for job in jobs]
    if why_not:
        say(f"a share without a change time was not tried: {why_not}")
    for one in tallies:
        tally.pairs += one.pairs  # with the two on a share
        tally.alike += one.alike
        tally.frames += one.frames
        tally.samples += one.samples
        tally.wrong += one.wrong
        tally.codecs += one.codecs
        tally.changes += one.changes
        for fate, outcomes in one.outcomes.items():
            tally.outcomes.setdefault(fate, Counter()).update(outcomes)
    for fate in FATES:
        say(
            f"{fate:52}"
            + ", ".join(
                f"{count} {what}"
                for what, count in sorted(tally.outcomes.get(fate, Counter()).items())
            )
        )
    figures: dict[str, Any] = {
        "pairs": tally.pairs,
        "alike": tally.alike,
        "frames": tally.frames,
        "samples": tally.samples,
    }
    figures |= dict(tally.codecs) | dict(tally.changes)
    for what in ("healed", "right", "proposed", "missing", "named"):
        figures[what] = sum(row[what] for row in tally.outcomes.values())
    return not tally.wrong, figures | {"wrong": len(tally.wrong)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Make pairs, films and films again; print what became of the pairs."""
    words = argparse.ArgumentParser(prog="python -m tests.proofs.identity")
    words.add_argument("--quick", action="store_true")
    words.add_argument("--seed", type=int, default=1)
    asked = words.parse_args(arguments)
    say, began = report.Say(), time.monotonic()
    with report.workplace("identity") as place:
        held, figures = prove(
            place, say, pairs=QUICK_PAIRS if asked.quick else PAIRS, seed=asked.seed
        )
        figures |= cost(place, (32 if asked.quick else 256) << 20)
    return report.close(
        "identity",
        held,
        quick=asked.quick,
        seed=asked.seed,
        seconds=time.monotonic() - began,
        **figures,
    )


if __name__ == "__main__":
    sys.exit(main())
