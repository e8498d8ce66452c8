"""Films that were replaced, beside the film in our hidden folder. The newest stands under the name by which a roll back finds it
(`Workspace.kept`); before another one takes that name, it gets a number.

    film.mov.previous                     the film that was replaced last
    film.mov.3.a0b1c2d3e4f5.kept          one before; the number grows, then the first digits of its hash as it was on record
    film.mov.other                        a file that stood in the film's place and was not what was published there
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from core.storage.workspace import BESIDE, Workspace, flush_directory, take_place

_DIGITS = 12
UNKNOWN = "unknown"
"""Stands for the hash of a file that is not on record."""


class Kept(NamedTuple):
    """A film that is kept. `number` grows with time; the newest has none (0). `label` are the first digits of its hash as it was
    on record, empty where only the journal says it."""

    path: Path
    number: int
    label: str


def kept_films(output: Path) -> list[Kept]:
    """Everything that is kept of a film, newest first. OSError."""
    newest, other = Workspace.kept(output), Workspace.aside(output)
    found = [Kept(newest, 0, "")] if newest.exists() else []
    found += sorted(_numbered(output), key=lambda one: -one.number)
    return found + ([Kept(other, 0, UNKNOWN)] if other.exists() else [])


def _numbered(output: Path) -> list[Kept]:
    folder, name = (
        output.parent / BESIDE,
        re.compile(re.escape(output.name) + r"\.(\d+)\.([0-9a-z]+)\.kept"),
    )
    names = [
        (path, name.fullmatch(path.name)) for path in (folder.iterdir() if folder.is_dir() else ())
    ]
    return [Kept(path, int(said[1]), said[2]) for path, said in names if said]


def retire(slot: Path, output: Path, film_hash: str) -> None:
    """Give the file under a name that another one is about to take a number of its own. OSError."""
    number = max((one.number for one in _numbered(output)), default=0) + 1
    label = film_hash.rpartition(":")[2][:_DIGITS] or UNKNOWN
    take_place(slot, slot.with_name(f"{output.name}.{number}.{label}.kept"))
    flush_directory(slot.parent)


def remove(kept: Kept) -> None:
    """Delete a film that is kept. OSError."""
    kept.path.unlink(missing_ok=True)
