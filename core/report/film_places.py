"""Positions in the film: runs of frames, counted from its first frame. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import ceil, floor

from core.graph.nodes import Copy, Piece, Plan, Segment, Slate
from core.job.damage_repair import source_frame
from core.job.events import ShotMended
from core.timeline.timeline import Format

Run = tuple[int, int]
"""(first frame, number of frames)."""


def joined(runs: Iterable[Run]) -> list[Run]:
    """Merge runs into the fewest runs that cover the same frames, sorted."""
    made: list[Run] = []
    for first, frames in sorted(runs):
        if made and first <= sum(made[-1]):
            made[-1] = (made[-1][0], max(sum(made[-1]), first + frames) - made[-1][0])
        elif frames > 0:
            made.append((first, frames))
    return made


def within(run: Run, runs: Iterable[Run]) -> bool:
    """Return whether one of the merged `runs` contains all of `run`."""
    return any(first <= run[0] and sum(run) <= first + frames for first, frames in runs)


def of_samples(first: int, samples: int, form: Format) -> Run:
    """Return the run of frames during which these samples of the film's sound are heard."""
    begin = floor(Fraction(first, form.sample_rate) * form.rate)
    return begin, ceil(Fraction(first + samples, form.sample_rate) * form.rate) - begin


def heard(plan: Plan) -> dict[str, Run]:
    """Return where each clip is heard, or would be if its sound were available, by clip id."""
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
    """Return the runs of a shot that were planned as slates."""
    return joined(
        (s.record_in, s.frames)
        for s in plan.segments
        if s.shot == shot and isinstance(s.picture, Slate)
    )


def mended(plan: Plan, fact: ShotMended) -> list[Run]:
    """Return the runs of frames that slates replace after a damage repair.

    The repaired segment may be a part that was split off a planned segment during the job. In that
    case the source frame number locates the first bad frame.
    """
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
    """Return the planned segment that shows a frame of the film."""
    return next(s for s in plan.segments if s.record_in <= frame < s.record_in + s.frames)
