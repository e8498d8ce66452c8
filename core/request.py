"""What is asked for, and what a job needs around it."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from core.decide.slating import SlateWords
from core.engine import Engine
from core.model.facts import Fact
from core.model.film import Timeline
from core.model.policy import Policy
from core.model.preset import Preset
from core.model.refusal import Refused
from core.perform import machine
from core.perform.build import Build
from core.perform.hiring import Hand
from core.record.journal import Journal
from core.record.workspace import LONGEST_ENDING, Workspace


def pack(raw: bytes) -> bytes:
    """A timeline's bytes for a Request."""
    return zlib.compress(raw, 1)


@dataclass(frozen=True)
class Request:
    """What is asked for: a timeline (with the bytes it was read from, `pack`ed: a long one is megabytes, and they are wanted
    twice in hours), where the film shall stand, and how coded; `fallback` is the recipe when this one's encoder does not work
    here."""

    timeline: Timeline
    packed: bytes
    timeline_path: str
    output: Path
    preset: Preset
    fallback: Preset | None = None

    @property
    def raw(self) -> bytes:
        """The timeline exactly as it was handed in."""
        return zlib.decompress(self.packed)


@dataclass(frozen=True)
class House:
    """What a job needs around it. `hwaccel` is ffmpeg's name of a device that sources are decoded with, empty for none;
    `media_folders` are searched for media that is missing. `share` is asked how many workers there may be from now on; without it
    there are `workers` to the end. `ahead` are workers that were started already."""

    journal: Journal
    workspace: Workspace
    build: Build
    policy: Policy
    workers: int
    version: str
    slate_words: SlateWords
    hwaccel: str = ""
    media_folders: tuple[str, ...] = ()
    share: Callable[[], int] | None = None
    ahead: list[Hand] = field(default_factory=list)


@dataclass
class Listener:
    """Who hears what happens: steps before the job, facts, progress."""

    on_step: Callable[[str, int, int], None] = lambda step, done, total: None
    on_fact: Callable[[str, int, Fact], None] = lambda job, seq, fact: None
    on_tick: Callable[[Engine], None] = lambda engine: None


def film_at(named: str) -> Path:
    """Where the film is that a person names. A link leads to it: the film stands, and its predecessor is kept, on the volume that
    the link was made for, and the link stays one."""
    path = Path(named).expanduser().absolute()
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def check_output(output: Path) -> None:
    """Refused when a film cannot stand there, before any work."""
    try:
        is_folder = output.is_dir()
    except OSError as error:  # ENAMETOOLONG
        raise Refused("output-name-too-long", path=str(output)) from error
    if is_folder:
        raise Refused("output-is-folder", path=str(output))
    if output.exists() and not output.is_file():  # a rename would put a film in the place of a pipe or a device
        raise Refused("output-no-file", path=str(output))
    if not output.parent.is_dir():
        raise Refused("output-folder-missing", path=str(output.parent))
    if len(os.fsencode(output.name)) + LONGEST_ENDING > machine.longest_name(output.parent):
        raise Refused("output-name-too-long", path=str(output))
    if not os.access(output.parent, os.W_OK | os.X_OK) or (output.exists() and not os.access(output, os.W_OK)):
        raise Refused("output-no-permission", path=str(output.parent))
