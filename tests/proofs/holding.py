"""One point: kill a run there (once or several times), look what is left, run it again, look what came of it.

What must hold after a kill:
1. The kill fired, and no process of the family is left.
2. The film at its place is a complete one: the old or the new, by its hash; and no film that was there is lost.
3. The journal is sound, every seal on record has its file with that hash, and a film that was recorded as published
   stands there.
4. Sources, bystanders and the temporary folder are as they were.
And when the same was run again undisturbed:
5. It ends with the exit code of the undisturbed run and the same film, byte for byte or at least frame for frame and
   sample for sample; the film before it is kept, the records agree with the bytes, no job is left open.
6. No part file and no unrecorded file is left, only entries of the index for segments on record and films that are kept;
   nothing on record was made twice. Where another cut was made instead, a
   segment that was sealed but not recorded may lie in the store, and `clean` removes it.
7. `rollback` brings back exactly the film that was replaced.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.media.hashes import file_hash, tree_hash
from tests.film import reading
from tests.proofs import record
from tests.proofs.cases import Situation
from tests.proofs.stage import Ended, Lane, alive, bytes_hash, look

Blow = Callable[[Lane, Sequence[str]], tuple[str, Ended]]
"""Run a command and kill it somewhere; where (empty when the kill never fired), and how the run ended."""

_GENERATION = re.compile(r"\.hotsplice/.+\.\d+\.[0-9a-z]+\.kept")
"""A film that was replaced earlier and is still kept (`core.storage.kept_films`)."""

GONE_S = 5.0
"""So long a process of the family may be found after the kill."""


@dataclass
class Verdict:
    """What was found at one point. `fired` has the place of each kill."""

    situation: str
    fired: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    gone_s: float = 0.0
    seconds: float = 0.0
    identical: bool = False
    strays: list[str] = field(default_factory=list)

    def expect(self, held: bool, otherwise: str) -> None:
        """Note what does not hold."""
        if not held:
            self.wrong.append(otherwise)


def hold(
    lane: Lane,
    situation: Situation,
    sources: Path,
    blows: Sequence[Blow],
    *,
    turn: int = 0,
    survives: bool = False,
) -> Verdict:
    """Try one point. With `survives` only a part of the family is killed, and the engine has to finish by itself. Every
    other turn goes on with `resume` where there is a job to resume, instead of the same command."""
    verdict, began = Verdict(f"{situation.case.name} {situation.name}"), time.monotonic()
    lane.restore(situation.state)
    before = (look(sources), look(lane.root / "bystanders"))
    argv = situation.argv
    ended: Ended | None = None
    for blow in blows:
        place, ended = blow(lane, argv)
        if not place:  # there is no such point: the run came to its end
            ended = ended if situation.again == situation.argv else None
            argv = situation.again
            break
        verdict.fired.append(place)
        if survives:
            break
        _after_the_kill(verdict, lane, situation, before, sources, ended)
        argv, ended = situation.again, None
        if turn % 2 and situation.name == "publish" and record.read(lane.home).open_jobs:
            argv = ["resume", "--json", "-j", "2"]
    stood = bytes_hash(situation.case.standing(lane))
    if ended is None:
        ended = lane.run(argv)
    _at_the_end(verdict, lane, situation, before, sources, ended, stood)
    verdict.seconds = time.monotonic() - began
    return verdict


Looks = tuple[dict[str, tuple[int, int, str]], dict[str, tuple[int, int, str]]]


def _after_the_kill(
    verdict: Verdict, lane: Lane, situation: Situation, before: Looks, sources: Path, ended: Ended
) -> None:
    began = time.monotonic()
    while (left := alive(lane.mark)) and time.monotonic() - began < GONE_S:
        time.sleep(0.01)
    verdict.gone_s = max(verdict.gone_s, time.monotonic() - began)
    verdict.expect(not left, f"processes {left} outlived the kill")
    for pid in left:  # it fails the proof, and shall not stay for ever
        os.kill(pid, signal.SIGKILL)
    verdict.expect(ended.exit_code == -9, f"the killed run ended with {ended.exit_code}")
    film = situation.case.standing(lane)
    standing = bytes_hash(film)
    verdict.expect(
        standing in situation.may_stand,
        f"after the kill, neither the old nor the new film stands there: {standing}",
    )
    there = {bytes_hash(path) for path in (lane.root / "out").rglob("*")}
    verdict.expect(situation.must_remain <= there, "after the kill, a film is lost")
    said = record.read(lane.home)
    verdict.expect(said.sound, "after the kill, the journal is damaged")
    for file, digest in said.seals.items():
        path = lane.home / "scratch" / "store" / file
        verdict.expect(
            path.exists() and file_hash(path) == digest, f"on record, but not on disk: {file}"
        )
    if situation.name == "publish" and said.kinds["FilmPublished"] > 1:
        verdict.expect(
            tree_hash(film) == said.last_published,
            "a published film is on record but does not stand there",
        )
    _untouched(verdict, lane, before, sources)


def _untouched(verdict: Verdict, lane: Lane, before: Looks, sources: Path) -> None:
    verdict.expect(look(sources) == before[0], "a source was touched")
    verdict.expect(look(lane.root / "bystanders") == before[1], "a bystander was touched")
    left = sorted(path.name for path in (lane.root / "tmp").iterdir())
    verdict.expect(not left, f"left in the temporary folder: {left}")
    verdict.expect(
        {p.name for p in lane.root.iterdir()} == {"home", "out", "tmp", "bystanders"},
        "something new beside the home",
    )


def _at_the_end(
    verdict: Verdict,
    lane: Lane,
    situation: Situation,
    before: Looks,
    sources: Path,
    ended: Ended,
    stood: str,
) -> None:
    film, kept = situation.case.standing(lane), situation.case.kept(lane)
    said = record.read(lane.home)
    wanted, keeps = situation.ends_in, situation.keeps if situation.keeps is not None else stood
    code = wanted.exit_code
    if (
        situation.name == "rollback" and said.rolled_back % 2 == 0
    ):  # the killed one was whole: this one exchanged them back
        keeps, wanted_film = wanted.film, str(situation.keeps)
    else:
        wanted_film = wanted.film
    verdict.expect(
        ended.exit_code == code,
        f"run again, it ended with {ended.exit_code} instead of {code}: {ended.said[-600:]}",
    )
    found = bytes_hash(film)
    verdict.identical = found == wanted_film
    if not verdict.identical:
        same = (
            film.is_file()
            and tuple(reading.frame_hashes(film)) == wanted.frames
            and reading.audio_hash(film) == wanted.sound
        )
        verdict.expect(same, f"not the film of an undisturbed run stands there, but {found}")
    _nothing_left(verdict, lane, situation, said, keeps)
    verdict.expect(bytes_hash(kept) == keeps, "not the film that was replaced is kept")
    verdict.expect(not alive(lane.mark), "processes are left after the end")
    recorded = said.films.get(str(film), ("", ""))
    verdict.expect(
        film.is_file() and recorded[0] == tree_hash(film),
        "the record of the film is not of these bytes",
    )
    _untouched(verdict, lane, before, sources)
    if verdict.strays:
        _cleaned(verdict, lane)
    if keeps != "absent":
        back = lane.run(["rollback", str(film)])
        verdict.expect(
            back.exit_code == 0, f"rollback ended with {back.exit_code}: {back.said[-400:]}"
        )
        verdict.expect(
            (bytes_hash(film), bytes_hash(kept)) == (keeps, found),
            "rollback did not exchange the two films",
        )


def _nothing_left(
    verdict: Verdict, lane: Lane, situation: Situation, said: record.Record, keeps: str
) -> None:
    out = {str(p.relative_to(lane.root / "out")) for p in (lane.root / "out").rglob("*")}
    name = situation.case.film
    wanted = {name} if keeps == "absent" else {name, ".hotsplice", f".hotsplice/{name}.previous"}
    films = situation.may_stand | situation.must_remain
    wanted |= {
        file
        for file in out
        if _GENERATION.fullmatch(file) and bytes_hash(lane.root / "out" / file) in films
    }
    verdict.expect(
        out == wanted,
        f"left beside the film: {sorted(out - wanted)}, missing: {sorted(wanted - out)}",
    )
    scratch = lane.home / "scratch"
    files = {str(p.relative_to(scratch)) for p in scratch.rglob("*") if not p.is_dir()}
    keys = {Path(file).stem for file in said.seals}
    indexed = {
        file
        for file in files
        if file.startswith("index/") and Path(file).name.partition(".")[0] in keys
    }
    strays = files - {f"store/{file}" for file in said.seals} - indexed
    if (
        situation.argv != situation.again
    ):  # a segment that no later cut needs waits for `clean`, which spares young ones
        verdict.strays = sorted(file for file in strays if file.startswith("store/"))
        strays -= set(verdict.strays)
    verdict.expect(not strays, f"left in the scratch folder: {sorted(strays)}")
    folders = (
        {p.name for p in (scratch / "work").iterdir()} if (scratch / "work").is_dir() else set()
    )
    verdict.expect(not folders, f"left in the work folder: {sorted(folders)}")
    verdict.expect(said.open_jobs == 0, f"{said.open_jobs} jobs are left open")
    twice = [key for key, count in said.made.items() if count > 1]
    verdict.expect(not twice, f"made again although on record: {twice}")


def _cleaned(verdict: Verdict, lane: Lane) -> None:
    """Two hours later, `clean` removes what was left in the store."""
    strays = [lane.home / "scratch" / file for file in verdict.strays]
    for path in strays:
        os.utime(path, (path.stat().st_mtime - 7200,) * 2)
    done = lane.run(["clean"])
    verdict.expect(done.exit_code == 0, f"clean ended with {done.exit_code}: {done.said[-400:]}")
    verdict.expect(not any(path.exists() for path in strays), f"clean left {verdict.strays}")
