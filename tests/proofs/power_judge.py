"""One power cut: lay out what the disks hold after it, look, run the same command again, look again.

What must hold after the cut:
1. The film at its place is the one from before or the one that the command makes, whole; no film that stays is lost.
2. The journal is sound. Every fact that the command had told of is in it, word for word. A segment on record is there with its
   hash; the one that was on record last may be missing, never wrong.
3. After the command has returned, everything it did is there.
And after the same command again:
4. It ends as an undisturbed run does, with the same film: byte for byte, or frame for frame and sample for sample.
5. The folders hold what they hold after an undisturbed run, name for name: nothing half-written, nothing elsewhere. A segment
   that lost its record is removed by `clean` two hours later, no earlier, with its entry in the index. A lock or a mark beside
   the film, or a trial of the encoder in scratch, is removed by the next run for that film; where that run found nothing to do, by `clean`. The record of the film is of these bytes; no job and no
   process is left. What was on record was not made again.
6. No source is touched.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from core.media.hashes import file_hash, tree_hash
from tests.faults.crash_states import Disk, Model, copy_of
from tests.film import reading
from tests.proofs import record
from tests.proofs.holding import Verdict
from tests.proofs.launch import NotDone
from tests.proofs.power_scenarios import Look, Recording, Rig, Scenario, look_at
from tests.proofs.stage import Ended, alive, bytes_hash, look

Sources = dict[str, tuple[int, int, str]]


def try_cut(
    rig: Rig, scenario: Scenario, recording: Recording, place: int, models: Sequence[Model], chance: random.Random,
    sources: Path, before: Sources, *, twice: bool = False,
) -> Verdict:  # fmt: skip
    """Cut the power after the first `place` changes. With `twice` the run that follows loses its power as well, somewhere."""
    verdict, began = Verdict(scenario.name), time.monotonic()
    verdict.fired.append(_label(recording, place, models))
    rig.become(_after(recording, place, models, chance), known=recording.known_after(place))
    missing = _after_the_cut(verdict, rig, scenario, recording, place)
    rolled_back = record.read(rig.behind(rig.home)).rolled_back
    disks, known = rig.disks() if twice else [], rig.known() is not None
    runs = _runs(rig)
    ended = _again(verdict, rig, scenario)
    if twice and ended is not None:
        second = Recording(disks, rig.changes(), [], ended.exit_code, known, rig.known_at())
        if second.changes:
            at = chance.randint(0, len(second.changes) - 1)
            verdict.fired.append(_label(second, at, models))
            rig.become(_after(second, at, models, chance), known=second.known_after(at))
            missing += _after_the_cut(verdict, rig, scenario, second, at)
            rolled_back, runs = record.read(rig.behind(rig.home)).rolled_back, _runs(rig)
            ended = _again(verdict, rig, scenario)
    if ended is not None:
        _nothing_is_missing(verdict, rig, scenario, rolled_back)
        if _runs(rig) == runs:
            _clean_beside(verdict, rig)
        _at_the_end(verdict, rig, scenario, ended, rolled_back, missing)
    verdict.expect(look(sources) == before, "a source was touched")
    verdict.seconds = time.monotonic() - began
    return verdict


def _label(recording: Recording, place: int, models: Sequence[Model]) -> str:
    how = "/".join(dict.fromkeys(models))
    if not place:
        return f"before anything ({how})"
    _, change = recording.changes[place - 1]
    return f"{change.op} {change.path}, change {place} of {len(recording.changes)} ({how})"


def _after(
    recording: Recording, place: int, models: Sequence[Model], chance: random.Random
) -> list[Disk]:
    disks = []
    for number, (disk, model) in enumerate(zip(recording.disks, models, strict=True)):
        done = [change for volume, change in recording.changes[:place] if volume == number]
        crashed = copy_of(disk).after(done, model)
        crashed.cut(model, chance)
        disks.append(crashed)
    return disks


def _again(verdict: Verdict, rig: Rig, scenario: Scenario) -> Ended | None:
    try:
        return rig.run(
            [
                "1" if before == "-j" else word
                for before, word in zip(["", *scenario.argv], scenario.argv, strict=False)
            ]
        )
    except (NotDone, subprocess.TimeoutExpired) as error:
        verdict.wrong.append(f"run again, it came to no end: {error}")
        return None


def _after_the_cut(
    verdict: Verdict, rig: Rig, scenario: Scenario, recording: Recording, place: int
) -> int:
    """How many segments on record are missing."""
    out, name = rig.behind(rig.out), scenario.film
    standing = bytes_hash(out / name)
    may = {scenario.before.out.get(name, "absent"), scenario.after.out[name]}
    verdict.expect(
        standing in may, f"after the cut, neither the old nor the new film stands there: {standing}"
    )
    stay = set(scenario.before.out.values()) & set(scenario.after.out.values())
    films = {bytes_hash(path) for path in out.rglob("*")}
    verdict.expect(stay <= films, "after the cut, a film is lost")
    said = record.read(rig.behind(rig.home))
    verdict.expect(said.sound, "after the cut, the journal is damaged")
    moment = (
        recording.changes[place][1].at if place < len(recording.changes) else time.monotonic_ns()
    )
    told = [line for at, line in recording.lines if at < moment and line.get("event") == "fact"]
    facts = record.facts(rig.behind(rig.home))
    for line in told:
        there = (
            line["job"] in said.jobs
            if not line["seq"]
            else facts.get(line["seq"]) == (line["kind"], line["body"])
        )
        verdict.expect(there, f"told and lost: {line['kind']} {line['seq']}")
    if place == len(recording.changes):
        verdict.expect(
            standing == scenario.after.out[name],
            "the command had returned, and what it did is lost",
        )
    published = any(line["kind"] == "FilmPublished" for line in told)
    verdict.expect(
        not published or standing == scenario.after.out[name], "told as published, and not there"
    )
    missing = 0
    for file, digest in said.seals.items():
        path = rig.behind(rig.scratch) / "store" / file
        missing += not path.exists()
        verdict.expect(
            not path.exists() or file_hash(path) == digest, f"a segment on record is wrong: {file}"
        )
    verdict.expect(missing <= 1, f"{missing} segments on record are missing")
    return missing


def _wanted(scenario: Scenario, rolled_back: int) -> Look:
    return scenario.twice if scenario.name == "roll back" and rolled_back % 2 else scenario.after


def _nothing_is_missing(verdict: Verdict, rig: Rig, scenario: Scenario, rolled_back: int) -> None:
    """Looked at before any `clean` of the judge's own, which removes what the film stands in for."""
    for what, names, right in _folders(look_at(rig), _wanted(scenario, rolled_back)):
        verdict.expect(names >= right, f"missing in {what}: {sorted(right - names)}")


def _folders(found: Look, wanted: Look) -> list[tuple[str, frozenset[str], frozenset[str]]]:
    return [
        ("the film's folder", frozenset(found.out), frozenset(wanted.out)), ("scratch", found.scratch, wanted.scratch),
        ("the data folder", found.home, wanted.home),
    ]  # fmt: skip


def _at_the_end(
    verdict: Verdict, rig: Rig, scenario: Scenario, ended: Ended, rolled_back: int, missing: int
) -> None:
    wanted = _wanted(scenario, rolled_back)
    verdict.expect(
        ended.exit_code in scenario.codes,
        f"run again, it ended with {ended.exit_code} and not {scenario.codes}: {ended.said[-700:]}",
    )
    film = rig.behind(rig.out) / scenario.film
    _age_strays(verdict, rig)
    found = look_at(rig)
    verdict.identical = found.out.get(scenario.film) == wanted.out[scenario.film]
    if not verdict.identical:
        same = (
            film.is_file()
            and tuple(reading.frame_hashes(film)) == scenario.frames
            and reading.audio_hash(film) == scenario.sound
        )
        verdict.expect(same, "not the film of an undisturbed run stands there")
    for what, names, right in _folders(found, wanted):
        verdict.expect(names <= right, f"left in {what}: {sorted(names - right)}")
    others = {name: digest for name, digest in wanted.out.items() if name != scenario.film}
    wrong = [name for name, digest in others.items() if found.out.get(name, digest) != digest]
    verdict.expect(not wrong, f"other bytes than after an undisturbed run: {wrong}")
    said = record.read(rig.behind(rig.home))
    recorded = said.films.get(str(rig.out / scenario.film), ("", ""))
    verdict.expect(
        film.is_file() and recorded[0] == tree_hash(film),
        "the record of the film is not of these bytes",
    )
    verdict.expect(said.open_jobs == 0, f"{said.open_jobs} jobs are left open")
    again = sum(count - 1 for count in said.made.values())
    verdict.expect(again <= missing, f"{again} segments were made again, {missing} were missing")
    verdict.expect(not alive(rig.mark), "processes are left after the end")
    left = sorted(path.name for path in (rig.root / "tmp").iterdir())
    verdict.expect(not left, f"left in the temporary folder: {left}")


def _runs(rig: Rig) -> int:
    """How many runs have begun."""
    return record.read(rig.behind(rig.home)).kinds["RunStarted"]


def _clean_beside(verdict: Verdict, rig: Rig) -> None:
    """Where the run that followed had nothing to do for the film, `clean` removes the lock, the mark and the trial that the cut left."""
    beside = rig.out / ".hotsplice"
    left = [
        *beside.glob("*.lock"),
        *beside.glob("*.place"),
        *beside.glob("*.place.part"),
        *rig.scratch.glob("prove-*"),
    ]
    if left:
        ended = rig.run(["clean"])
        verdict.expect(
            ended.exit_code == 0, f"clean ended with {ended.exit_code}: {ended.said[-400:]}"
        )


def _age_strays(verdict: Verdict, rig: Rig) -> None:
    """Segments without a record, and their entries in the index: two hours later, `clean` removes them."""
    store, known = rig.scratch / "store", record.read(rig.behind(rig.home)).seals
    keys = {Path(file).stem for file in known}
    strays = [path for path in store.glob("*/*") if str(path.relative_to(store)) not in known]
    strays += [path for path in (rig.scratch / "index").glob("*/*") if path.stem not in keys]
    verdict.strays = [path.name for path in strays]
    for path in strays:
        os.utime(path, (path.stat().st_mtime - 7200,) * 2)
    if strays:
        ended = rig.run(["clean"])
        verdict.expect(
            ended.exit_code == 0, f"clean ended with {ended.exit_code}: {ended.said[-400:]}"
        )
