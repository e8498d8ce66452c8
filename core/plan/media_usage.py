"""Which parts of its media files a film uses, according to the plan."""

from __future__ import annotations

from fractions import Fraction

from core.graph.nodes import Copy, Piece, Plan, Still
from core.media.content import WHOLE, Use


def used(plan: Plan) -> dict[str, tuple[Use, ...]]:
    """Return, for each path, the stretches of its streams that are shown or played.

    A copied stretch is counted from the stream's start, so this requires a plan without copies
    (made with an empty signature). Raises ValueError for a plan with copies.
    """
    uses: dict[str, list[Use]] = {}
    rate = plan.format.rate
    for segment in plan.segments:
        picture = segment.picture
        if isinstance(picture, Piece):
            end_s = picture.shown_s + Fraction(segment.frames) / rate
            uses.setdefault(picture.path, []).append(
                Use(stream=picture.stream, begin_s=picture.shown_s, end_s=end_s)
            )
        elif isinstance(picture, Still):
            uses.setdefault(picture.path, []).append(Use(stream=WHOLE))
        elif isinstance(picture, Copy):
            raise ValueError("a plan without copies is needed")
    for chunk in plan.chunks:
        for sound in chunk.sounds:
            end_s = sound.source_in_s + Fraction(sound.samples, plan.format.sample_rate)
            uses.setdefault(sound.path, []).append(
                Use(stream=sound.stream, begin_s=sound.source_in_s, end_s=end_s)
            )
    return {path: tuple(dict.fromkeys(row)) for path, row in uses.items()}
