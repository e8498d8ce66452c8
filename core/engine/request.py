"""What is asked for, and what a job needs around it."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.executors.worker_process import Hand
from core.graph.preset import Preset
from core.job.events import Fact
from core.job.scratch_budget import Budget, Collected
from core.media.ffmpeg_binary import FfmpegBinary
from core.plan.policy import Policy
from core.plan.slate_text import SlateWords
from core.storage.journal import Journal
from core.storage.workspace import Workspace
from core.timeline.timeline import Timeline

if TYPE_CHECKING:
    from core.engine.loop import (
        Engine,
    )  # only to name it: whoever asks for a film does not load the engine


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
    replace_complete: bool = False
    """An incomplete film may take the place of a complete one."""
    accept_folder: bool = False
    """The film's folder and the scratch folder are used as they are, though they are not the ones on record."""

    @property
    def raw(self) -> bytes:
        """The timeline exactly as it was handed in."""
        return zlib.decompress(self.packed)


@dataclass(frozen=True)
class Services:
    """What a job needs around it. `hwaccel` is ffmpeg's name of a device that sources are decoded with, empty for none;
    `media_folders` are searched for media that is missing. `share` is asked how many workers there may be from now on; without it
    there are `workers` to the end. `ahead` are workers that were started already."""

    journal: Journal
    workspace: Workspace
    build: FfmpegBinary
    policy: Policy
    workers: int
    version: str
    slate_words: SlateWords
    hwaccel: str = ""
    media_folders: tuple[str, ...] = ()
    share: Callable[[], int] | None = None
    ahead: list[Hand] = field(default_factory=list)
    scratch_budget: Budget | None = None
    """How much room segments may take; None for any."""


@dataclass
class Listener:
    """Who hears what happens: steps before the job, facts, progress, what was removed from scratch."""

    on_step: Callable[[str, int, int], None] = lambda step, done, total: None
    on_fact: Callable[[str, int, Fact], None] = lambda job, seq, fact: None
    on_tick: Callable[[Engine], None] = lambda engine: None
    on_collected: Callable[[Collected], None] = lambda collected: None
