"""A small file in the data folder that says how to start this program.

A program that has only a standard library can read it, because it is JSON. The file outlives the
daemon that wrote it, so that a script in an editor can start the next one.
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
    """How to start the program.

    `python` is our interpreter, `path` the folders that it searches for modules, and `version` the
    program's version.
    """

    python: str
    path: tuple[str, ...]
    version: str


def leave(home: Path, version: str) -> None:
    """Write how this program was started.

    Raises Refused(keys-unusable) if the data folder cannot be written.
    """
    places = dict.fromkeys(os.path.abspath(place) for place in sys.path if place)
    here = Program(python=sys.executable, path=tuple(places), version=version)
    try:
        write_private(home / FILE, msgspec.json.encode(here))
    except OSError as error:
        raise Refused(
            "keys-unusable", path=str(home / FILE), detail=error.strerror or str(error)
        ) from error
