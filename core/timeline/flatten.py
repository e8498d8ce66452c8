"""Flattens tracks to one row of shots: the topmost enabled clip is visible, gaps are black.

A title or generator, which only the editor can draw, does not cover a picture below it: a film
without its title is more useful than a slate in place of the picture. Either way it is reported.
"""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import NamedTuple

from core.timeline.source import Source
from core.timeline.timeline import Clip, Remark, Timeline


class Visible(NamedTuple):
    """A range of record frames that shows one clip, or a gap (None)."""

    record_in: int
    frames: int
    clip: Clip | None


def visible(timeline: Timeline) -> tuple[list[Visible], list[Remark]]:
    """Return the row of shots and remarks about titles that are lost over pictures.

    The row has no holes from frame 0 to the end.
    """
    layers = [
        [clip for clip in track.clips if clip.enabled]
        for track in timeline.tracks
        if track.kind == "video" and track.enabled
    ]
    edges = sorted(
        {
            0,
            timeline.frames,
            *(edge for clips in layers for c in clips for edge in (c.record_in, c.record_out)),
        }
    )
    cursors = [0] * len(layers)
    row: list[Visible] = []
    hidden_titles: dict[str, Clip] = {}
    for begin, end in itertools.pairwise(edges):
        here: list[Clip] = []
        for number, clips in enumerate(layers):
            while cursors[number] < len(clips) and clips[cursors[number]].record_out <= begin:
                cursors[number] += 1
            if cursors[number] < len(clips) and clips[cursors[number]].record_in <= begin:
                here.append(clips[cursors[number]])
        pictures = [clip for clip in here if clip.media.kind != "generator"]
        top = pictures[-1] if pictures else here[-1] if here else None
        above = here[here.index(top) + 1 :] if top is not None else []
        hidden_titles.update({clip.id: clip for clip in above})
        if row and row[-1].clip is top:
            row[-1] = Visible(row[-1].record_in, end - row[-1].record_in, top)
        else:
            row.append(Visible(begin, end - begin, top))
    remarks = [
        Remark(code="title-not-rendered", severity="loss", text=clip.name, record_in=clip.record_in)
        for clip in hidden_titles.values()
    ]
    return row, remarks


def heard(timeline: Timeline) -> list[Clip]:
    """Return every enabled clip of every enabled audio track, in record order."""
    clips = [
        c for t in timeline.tracks if t.kind == "audio" and t.enabled for c in t.clips if c.enabled
    ]
    return sorted(clips, key=lambda clip: (clip.record_in, clip.id))


def wanted_paths(timeline: Timeline) -> list[str]:
    """Return every media file that the film needs, once, in the order of first use."""
    row, _ = visible(timeline)
    clips = [v.clip for v in row if v.clip is not None] + heard(timeline)
    return list(
        dict.fromkeys(c.media.path for c in clips if c.media.path and c.media.kind == "file")
    )


def at_normal_speed(clip: Clip) -> bool:
    """Return whether the clip's speed change is ignored.

    The clip may then need more than its media has.
    """
    return any(one.code == "speed-change-unsupported" for one in clip.remarks)


def source_offset(clip: Clip, source: Source) -> Fraction:
    """Return the seconds from the media's first frame to the clip's in-point.

    If the timeline gave only a timecode and the file has its own, this is their difference.
    """
    if not clip.source_is_timecode:
        return clip.source_in
    if source.timecode_s is not None and clip.source_in >= source.timecode_s - Fraction(1, 2):
        return max(Fraction(0), clip.source_in - source.timecode_s)
    return clip.source_in
