"""Replaced films, kept in our hidden folder beside the film.

The newest has the name under which a rollback finds it (`Workspace.kept`). Before another film
takes that name, the kept one is renamed with a number.

    film.mov.previous               the film that was replaced last
    film.mov.3.a0b1c2d3e4f5.kept    an older one: an increasing number, then the first digits
                                    of its hash on record
    film.mov.other                  a file that had the film's name but was not the film
                                    published there
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from core.storage.workspace import BESIDE, Workspace, flush_directory, take_place

_DIGITS = 12
UNKNOWN = "unknown"
"""Label of a file whose hash is not on record."""


class Kept(NamedTuple):
    """A kept film.

    `number` increases with time; the newest film has none (0). `label` is the first digits of its
    hash on record, or "" if only the journal has the hash.
    """

    path: Path
    number: int
    label: str


def kept_films(output: Path) -> list[Kept]:
    """Return everything that is kept of a film, newest first. Raises OSError."""
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
    """Move the file at `slot` to a numbered name, because another file is about to take its name.

    Raises OSError.
    """
    number = max((one.number for one in _numbered(output)), default=0) + 1
    label = film_hash.rpartition(":")[2][:_DIGITS] or UNKNOWN
    take_place(slot, slot.with_name(f"{output.name}.{number}.{label}.kept"))
    flush_directory(slot.parent)


def remove(kept: Kept) -> None:
    """Delete a kept film. Raises OSError."""
    kept.path.unlink(missing_ok=True)
