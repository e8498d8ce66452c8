"""Pending tasks of a film, each with a unique name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

from core.graph.nodes import Chunk, Plan, Segment
from core.job.events import SegmentSealed

Kind = Literal["validate", "render", "copy", "locate", "mix", "track", "join", "publish", "finish"]


class PendingTask(NamedTuple):
    """A task to do: its kind, the key it concerns, and the segment or chunk with that key."""

    kind: Kind
    key: str
    segment: Segment | None = None
    chunk: Chunk | None = None

    @property
    def name(self) -> str:
        """A unique name, under which the task is tracked while in flight."""
        return f"{self.kind}:{self.key}"


def one_mix_first(row: list[PendingTask], in_flight: Collection[str]) -> list[PendingTask]:
    """Move all but one mix to the end, so that a single worker mixes while the others render.

    Only that worker then needs the memory for mixing. Further mixes run when there are no pictures
    left to render.
    """
    mixes = [need for need in row if need.kind == "mix"]
    if not any(name.startswith("mix:") for name in in_flight):
        mixes = mixes[1:]
    keys = {need.key for need in mixes}
    return [need for need in row if need.key not in keys] + mixes


def reusable(
    plan: Plan, track: str, seals: Mapping[str, SegmentSealed]
) -> dict[str, SegmentSealed]:
    """Return the recorded checkpoints that this plan can use."""
    wanted = {s.key for s in plan.segments} | {c.key for c in plan.chunks} | {track}
    return {key: seal for key, seal in seals.items() if key in wanted}
