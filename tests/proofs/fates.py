"""What happens to a file between two films: it is moved, renamed, touched, restored, or another version takes its place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.proofs.equal_sizes import Pair

_DATE = (1_700_000_000, 1_700_000_000)


@dataclass
class Shot:
    """A pair in a film. `path` is what the timeline names, `second` a path that only the second cut names."""

    pair: Pair
    path: Path
    found: Path
    fate: str
    second: Path | None = None

    def put(self, other: bool, to: Path) -> Path:
        """Write a version there as a new file, with the date that all of them have."""
        to.parent.mkdir(parents=True, exist_ok=True)
        new = to.with_name(f".{to.name}.new")
        shutil.copyfile(self.pair.other_version if other else self.pair.first_version, new)
        os.utime(new, _DATE)
        new.rename(to)
        return to


def _moved(shot: Shot) -> None:
    shot.found.parent.mkdir(parents=True)
    shot.path.rename(shot.found)


def _moved_for_other(shot: Shot) -> None:
    shot.path.unlink()
    shot.put(True, shot.found)


def _moved_beside_other(shot: Shot) -> None:
    shot.put(True, shot.found)
    shot.path.rename(shot.found.with_name(f"b {shot.found.name}"))


def _renamed(shot: Shot) -> None:
    shot.path.rename(shot.path.with_stem("A001_C002"))


def _renamed_for_other(shot: Shot) -> None:
    shot.path.unlink()
    shot.put(True, shot.path.with_stem("take_v2"))


def _touched(shot: Shot) -> None:
    os.utime(shot.path)


def _overwritten(shot: Shot) -> None:
    """In place: the inode stays."""
    shutil.copyfile(shot.pair.other_version, shot.path)


def _restored(shot: Shot) -> None:
    shot.path.unlink()
    shot.put(False, shot.path)


def _restored_other(shot: Shot) -> None:
    shot.path.unlink()
    shot.put(True, shot.path)


def _restored_other_in_place(shot: Shot) -> None:
    shutil.copyfile(shot.pair.other_version, shot.path)
    os.utime(shot.path, _DATE)


def _both(shot: Shot) -> None:
    shot.second = shot.put(True, shot.path.with_stem("take_v2"))


def _swapped(shot: Shot) -> None:
    """Each stands under the other's name."""
    shot.second = shot.path.with_stem("take_v2")
    shot.path.rename(shot.second)
    shot.put(True, shot.path)


@dataclass(frozen=True)
class Fate:
    """What happens, and what must be seen afterwards: whether the version at the path (and at the second path) is the other one;
    `gone`: no version may be shown, and the report names the file at the place that this gives. `healed`: without a question and
    without rendering."""

    happens: Callable[[Shot], None]
    other: bool = False
    gone: Callable[[Shot], Path] | None = None
    healed: bool = False
    second_other: bool = False


FATES = {
    "moved": Fate(_moved, healed=True),
    "moved, another version there": Fate(_moved_for_other, gone=lambda shot: shot.found),
    "moved beside another version": Fate(_moved_beside_other, healed=True),
    "renamed": Fate(_renamed, healed=True),
    "removed, another version beside it": Fate(
        _renamed_for_other, gone=lambda shot: shot.path.with_stem("take_v2")
    ),
    "touched": Fate(_touched, healed=True),
    "overwritten": Fate(_overwritten, other=True),
    "restored with its old date": Fate(_restored, healed=True),
    "another version with the old date": Fate(_restored_other, other=True),
    "another version written in place with the old date": Fate(
        _restored_other_in_place, other=True
    ),
    "both present": Fate(_both, healed=True, second_other=True),
    "names exchanged": Fate(_swapped, other=True),
}
