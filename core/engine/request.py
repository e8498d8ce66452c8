"""The request for a film, and the services that its job needs."""

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
    )  # for annotations only: code that requests a film does not load the engine


def pack(raw: bytes) -> bytes:
    """Compress a timeline's bytes for a Request."""
    return zlib.compress(raw, 1)


@dataclass(frozen=True)
class Request:
    """The request for a film.

    `timeline` comes with the bytes that it was read from. They are compressed by `pack`, because
    those of a long timeline are megabytes and are needed only twice in hours. `output` is the
    film's path, `preset` its encoding, and `fallback` the preset to use if the encoder of `preset`
    does not work here.
    """

    timeline: Timeline
    packed: bytes
    timeline_path: str
    output: Path
    preset: Preset
    fallback: Preset | None = None
    replace_complete: bool = False
    """Allow an incomplete film to replace a complete one."""
    accept_folder: bool = False
    """Use the film's and the scratch folder as they are, even if they are not those on record."""

    @property
    def raw(self) -> bytes:
        """The timeline exactly as it was submitted."""
        return zlib.decompress(self.packed)


@dataclass(frozen=True)
class Services:
    """The services that a job needs.

    `hwaccel` is ffmpeg's name of the device that decodes sources, empty for none. `media_folders`
    are searched for missing media. `share` returns how many workers are allowed from now on;
    without it there are `workers` until the end. `ahead` are workers that are already running.
    """

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
    """Space that segments may take; None for no limit."""


@dataclass
class Listener:
    """Callbacks for steps before the job, events, progress and removals from scratch."""

    on_step: Callable[[str, int, int], None] = lambda step, done, total: None
    on_fact: Callable[[str, int, Fact], None] = lambda job, seq, fact: None
    on_tick: Callable[[Engine], None] = lambda engine: None
    on_collected: Callable[[Collected], None] = lambda collected: None
