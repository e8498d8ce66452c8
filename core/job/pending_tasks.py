"""What is owed to a film: pieces of work, each with one name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

from core.graph.nodes import Chunk, Plan, Segment
from core.job.events import SegmentSealed

Kind = Literal["validate", "render", "copy", "locate", "mix", "track", "join", "publish", "finish"]


class PendingTask(NamedTuple):
    """Something owed: its kind, the key it is about, and the segment or chunk of that key."""

    kind: Kind
    key: str
    segment: Segment | None = None
    chunk: Chunk | None = None

    @property
    def name(self) -> str:
        """One name per piece of work, under which it is in flight."""
        return f"{self.kind}:{self.key}"


def one_mix_first(row: list[PendingTask], in_flight: Collection[str]) -> list[PendingTask]:
    """One worker mixes chunk after chunk, and alone needs the memory for it, while the others render. Further mixes come last,
    for when there are no pictures to make."""
    mixes = [need for need in row if need.kind == "mix"]
    if not any(name.startswith("mix:") for name in in_flight):
        mixes = mixes[1:]
    keys = {need.key for need in mixes}
    return [need for need in row if need.key not in keys] + mixes


def reusable(
    plan: Plan, track: str, seals: Mapping[str, SegmentSealed]
) -> dict[str, SegmentSealed]:
    """Of all seals on record those that this plan can use."""
    wanted = {s.key for s in plan.segments} | {c.key for c in plan.chunks} | {track}
    return {key: seal for key, seal in seals.items() if key in wanted}
