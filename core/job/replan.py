"""Replan a film after failures: insert slates, earlier renders and silence for missing media."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from core.graph import content_key
from core.graph.nodes import Earlier, Plan, Segment, Shot, Slate
from core.graph.preset import Preset
from core.job.events import PreviousUsed
from core.plan import planning
from core.plan.policy import Policy


def revised(
    made: Plan,
    slated: Mapping[int, tuple[str, ...]],
    silenced: frozenset[str],
    previous: Mapping[int, PreviousUsed],
    *,
    preset: Preset,
    policy: Policy,
    build: str,
) -> Plan:
    """Return the plan with slates, earlier renders and silence in it.

    `slated` maps shot numbers to the lines of their slates, `previous` maps shot numbers to earlier
    renders, and `silenced` names the clips whose sound is left out.
    """
    if not slated and not silenced and not previous:
        return made
    limit = planning.segment_frames(made.format, preset, policy)
    segments: list[Segment] = []
    done: set[int] = set()
    shots = {shot.number: shot for shot in made.shots}
    for segment in made.segments:
        if segment.shot not in slated and segment.shot not in previous:
            segments.append(segment)
        elif segment.shot not in done:
            done.add(segment.shot)
            shot = shots[segment.shot]
            if segment.shot in previous:
                segments += _earlier(shot, previous[segment.shot])
                continue
            for offset, length in planning.cuts(0, shot.frames, limit):
                picture = Slate(lines=slated[segment.shot])
                key = content_key.picture_key(picture, length, made.format, preset, build)
                segments.append(
                    Segment(
                        key=key,
                        shot=shot.number,
                        record_in=shot.record_in + offset,
                        frames=length,
                        picture=picture,
                    )
                )
    chunks = tuple(
        msgspec.structs.replace(
            chunk, sounds=kept, key=content_key.chunk_key(kept, chunk.samples, made.format, preset)
        )
        if len(kept := tuple(s for s in chunk.sounds if s.clip not in silenced)) < len(chunk.sounds)
        else chunk
        for chunk in made.chunks
    )
    again = msgspec.structs.replace(made, segments=tuple(segments), chunks=chunks)
    planning.check(again)
    return again


def _earlier(shot: Shot, used: PreviousUsed) -> list[Segment]:
    found, at = [], shot.record_in
    for seal in used.seals:
        picture = Earlier(job=used.job)
        found.append(
            Segment(
                key=seal.key, shot=shot.number, record_in=at, frames=seal.frames, picture=picture
            )
        )
        at += seal.frames
    return found
