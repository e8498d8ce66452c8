"""Roll back on a drive that fails (EIO, through FUSE) at each call of each kind, once and for good.

What must hold after every fault: the complete old or the complete new film stands in its place, the other one is kept, and
the exit code says which: 0 or 3 with the older film in its place, 2 with everything as it was. There is no traceback, and the
same command works when the drive does.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.media.hashes import tree_hash
from tests.faults.volumes import faulty, why_no_fuse
from tests.film.assembling import House
from tests.film.media import make_movie
from tests.film.test_assemble_story import cut_of
from tests.proofs import report

CALLS = (
    "rename",
    "link",
    "unlink",
    "fsync",
    "fsyncdir",
    "open",
    "create",
    "read",
    "mkdir",
    "rmdir",
    "chmod",
)
MOST = 8
"""Calls of one kind, at most."""


@dataclass
class Scene:
    """A film, the film it replaced, and copies of the film's folder and of the data folder to begin from."""

    house: House
    out: Path
    old: str
    new: str

    @property
    def film(self) -> Path:
        """Where the film stands."""
        return self.out / "film.mov"

    def again(self) -> None:
        """Everything as it was before the roll back."""
        for folder in (self.out, self.house.home):
            shutil.rmtree(folder)
            shutil.copytree(folder.with_name(f"{folder.name}.before"), folder)

    def standing(self) -> tuple[str, set[str]]:
        """The film in its place, and everything that is kept."""
        kept = {tree_hash(path) for path in (self.out / ".hotsplice").iterdir() if path.is_file()}
        return tree_hash(self.film) if self.film.exists() else "", kept


def prepare(place: Path) -> Scene:
    """Make a film twice, of two cuts."""
    house, out = House(place / "home"), place / "out"
    out.mkdir()
    reel, made = (
        make_movie(place / "reel.mov", source_id=1, frames=48, codec="prores", audio="pcm"),
        [],
    )
    for number, first in enumerate((0, 5)):
        if (
            house.assemble(
                cut_of([(reel.path, first, 24)], place / f"{number}.otio"), out / "film.mov"
            ).code
            != 0
        ):
            raise RuntimeError("the films were not made")
        made.append(tree_hash(out / "film.mov"))
    for folder in (out, house.home):
        shutil.copytree(folder, folder.with_name(f"{folder.name}.before"))
    return Scene(house, out, *made)


def judge(scene: Scene, call: str, after: int, times: int) -> tuple[bool, int, list[str]]:
    """Fail a call; whether any was failed, the exit code, and what is wrong."""
    scene.again()
    with faulty(scene.out) as volume:
        volume.fail(call, errno=5, after=after, times=times)
        ended = scene.house._call("rollback", scene.film)
        fired = bool(volume.fired)
        volume.clear()
        now, kept = scene.standing()
        again = scene.house._call("rollback", scene.film)
    wrong = []
    if now not in (scene.old, scene.new) or {scene.old, scene.new} - {now, *kept}:
        wrong.append("a film is missing or half-written")
    if (ended.returncode in (0, 3)) != (now == scene.old) or ended.returncode not in (0, 2, 3):
        wrong.append(f"exit {ended.returncode} is not what happened")
    if "Traceback" in ended.stderr or not (ended.stdout + ended.stderr).strip():
        wrong.append("no words")
    if again.returncode != 0:
        wrong.append(f"the same command on a sound drive ended with {again.returncode}")
    return fired, ended.returncode, wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Every kind of call, every call of it."""
    quick, say = report.quick(arguments), report.Say()
    if why := why_no_fuse():
        say(why)
        return report.close("rollback_faults", False, why=why)
    faults, bad, ends = 0, 0, Counter[int]()
    with report.workplace("rollback-faults") as place:
        scene = prepare(place)
        for call in CALLS:
            for after in range(1 if quick else MOST):
                found = [judge(scene, call, after, times) for times in (1, 0)]
                for fired, code, wrong in found:
                    faults, bad = faults + fired, bad + bool(fired and wrong)
                    ends.update([code] if fired else [])
                    for what in wrong if fired else ():
                        say(f"WRONG  {call} {after}: {what}")
                if not any(fired for fired, _, _ in found):
                    break
            say(f"{call}: {faults} faults so far, {bad} wrong")
    return report.close(
        "rollback_faults", faults > 0 and not bad, faults=faults, wrong=bad, ends=dict(ends)
    )


if __name__ == "__main__":
    raise SystemExit(main())
