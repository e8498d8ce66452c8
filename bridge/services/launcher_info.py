"""How this program can be started by one that has only a standard library: a small file in the data folder.

It outlives the companion that wrote it, so that a script in an editor can start the next one. JSON.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from bridge.protocol.keys import write_private
from core.errors.refusal import Refused

FILE = "program.json"


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """`python`: our interpreter; `path`: where it looks for modules; `version` of the program."""

    python: str
    path: tuple[str, ...]
    version: str


def leave(home: Path, version: str) -> None:
    """Say how we were started. Refused(keys-unusable) when the data folder cannot be written to."""
    places = dict.fromkeys(os.path.abspath(place) for place in sys.path if place)
    here = Program(python=sys.executable, path=tuple(places), version=version)
    try:
        write_private(home / FILE, msgspec.json.encode(here))
    except OSError as error:
        raise Refused(
            "keys-unusable", path=str(home / FILE), detail=error.strerror or str(error)
        ) from error
