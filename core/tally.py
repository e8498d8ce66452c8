"""What a run took."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Tally:
    """Seconds of this run: spent by the engine on records and renames, by workers on checking, and waiting for work."""

    started: float = 0.0
    recording_s: float = 0.0
    checking_s: float = 0.0
    working_s: float = 0.0
    rendered_frames: int = 0
