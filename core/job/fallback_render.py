"""Find an earlier good render of a shot that fails now: same clip, frames and format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.graph.nodes import Piece, Plan, Shot, Still
from core.job.events import PreviousUsed, SegmentSealed


def earlier_render(
    shot: Shot, plan: Plan, earlier: Iterable[tuple[str, Plan]], sealed: Mapping[str, SegmentSealed]
) -> PreviousUsed | None:
    """Return the newest earlier render of a shot, or None.

    `earlier` are the previous plans of this film as (job, plan). A render counts when the shot is
    whole and all its segments are on record (`sealed`). Copied packets do not count: they are in
    the source, which is what is missing.
    """
    for job, old in earlier:
        if (old.signature, old.format) != (plan.signature, plan.format):
            continue
        for one in old.shots:
            if _same(one, shot):
                segments = [segment for segment in old.segments if segment.shot == one.number]
                made = all(
                    isinstance(s.picture, Piece | Still) and s.key in sealed for s in segments
                )
                if segments and made:
                    return PreviousUsed(
                        shot=shot.number, seals=tuple(sealed[s.key] for s in segments), job=job
                    )
    return None


def _same(one: Shot, other: Shot) -> bool:
    what = (one.kind, one.name, one.path, one.source_in_s, one.frames)
    return what == (other.kind, other.name, other.path, other.source_in_s, other.frames)
