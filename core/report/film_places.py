"""Where in the film something is: runs of frames, counted from its first. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import ceil, floor

from core.graph.nodes import Copy, Piece, Plan, Segment, Slate
from core.job.damage_repair import source_frame
from core.job.events import ShotMended
from core.timeline.timeline import Format

Run = tuple[int, int]
"""(first frame, how many)."""


def joined(runs: Iterable[Run]) -> list[Run]:
    """The same frames, in order, in as few runs as there can be."""
    made: list[Run] = []
    for first, frames in sorted(runs):
        if made and first <= sum(made[-1]):
            made[-1] = (made[-1][0], max(sum(made[-1]), first + frames) - made[-1][0])
        elif frames > 0:
            made.append((first, frames))
    return made


def within(run: Run, runs: Iterable[Run]) -> bool:
    """Whether one of these (joined) holds all of a run."""
    return any(first <= run[0] and sum(run) <= first + frames for first, frames in runs)


def of_samples(first: int, samples: int, form: Format) -> Run:
    """The frames during which samples of the film's sound are heard."""
    begin = floor(Fraction(first, form.sample_rate) * form.rate)
    return begin, ceil(Fraction(first + samples, form.sample_rate) * form.rate) - begin


def heard(plan: Plan) -> dict[str, Run]:
    """Where every clip is heard, or would be if its sound could be had, by the clips' ids."""
    found = {
        clip: place
        for problem in plan.problems
        for clip, place in zip(problem.clips, problem.heard, strict=False)
    }
    samples: dict[str, Run] = {}
    for chunk in plan.chunks:
        for sound in chunk.sounds:
            run = (chunk.first_sample + sound.at, sound.samples)
            samples[sound.clip] = (
                joined([run, samples[sound.clip]])[0] if sound.clip in samples else run
            )
    return {clip: of_samples(*run, plan.format) for clip, run in samples.items()} | found


def slates(plan: Plan, shot: int) -> list[Run]:
    """What of a shot was planned as a slate."""
    return joined(
        (s.record_in, s.frames)
        for s in plan.segments
        if s.shot == shot and isinstance(s.picture, Slate)
    )


def mended(plan: Plan, fact: ShotMended) -> list[Run]:
    """The frames for which slates stand after a mend. Its segment may be a part of a planned one, made on the way: then the
    first bad frame is known by its number in the source."""
    mine = [segment for segment in plan.segments if segment.shot == fact.shot]
    whole = next((segment.record_in for segment in mine if segment.key == fact.key), None)
    first = (
        whole + fact.bad[0][0]
        if whole is not None and fact.bad
        else _showing(mine, fact.source_frame, plan)
    )
    if first is None or not fact.bad:
        return []
    return [(first + offset - fact.bad[0][0], length) for offset, length in fact.bad]


def _showing(segments: list[Segment], wanted: int, plan: Plan) -> int | None:
    for segment in segments:
        if isinstance(segment.picture, Piece | Copy):
            for offset in range(segment.frames):
                if source_frame(segment.picture, offset, plan.format.rate) == wanted:
                    return segment.record_in + offset
    return None


def planned_at(plan: Plan, frame: int) -> Segment:
    """The planned segment that shows a frame of the film."""
    return next(s for s in plan.segments if s.record_in <= frame < s.record_in + s.frames)
