"""Convert an OTIO timeline to the tracks and clips of `core.timeline.timeline.Timeline`.

Positions are exact seconds until the last step, which moves each boundary to the nearest frame of
the timeline's rate. The length of a clip is the distance between its boundaries, so neighbours
meet, nothing overlaps, and rounding errors do not accumulate: the 10,000th cut is as near to its
true time as the first.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import opentimelineio as otio

from core.errors.refusal import Part
from core.timeline.timeline import Clip, Remark, Timeline, Track
from core.timeline.timing import nearest_frame
from otio_adapters import otio_times, resolve_dialect
from otio_adapters.effects import effect_remarks
from otio_adapters.media import media_of
from otio_adapters.nesting import Note, Piece, Strip, lay, trimmed, window
from otio_adapters.refuse import TimelineRefused, invalid, named, plainly
from otio_adapters.settings import frame_rate, settings_of

_KINDS: dict[str, Literal["video", "audio"]] = {"video": "video", "audio": "audio"}


class _Place(NamedTuple):
    """The timeline's rate and the folder of its file."""

    rate: Fraction
    folder: Path


def timeline_of(written: otio.schema.Timeline, *, folder: Path, stem: str) -> Timeline:
    """Convert the whole timeline.

    `stem` is its name when it has no other; `folder` resolves relative media paths.

    Raises TimelineRefused: `timeline-invalid` for contradictions, `timeline-empty` where there is
    no frame to show.
    """
    stack = written.tracks
    if (
        stack is None or stack.parent() is not None
    ):  # with a parent, the tracks would contain themselves
        raise invalid(why="no-tracks")
    settings = settings_of(written)
    found, remarks = _tracks(stack)
    if not any(strip.length_s for _, _, strip in found):
        raise _empty()
    rate, rate_remarks = frame_rate(written)
    frames = max(nearest_frame(strip.length_s, rate) for _, _, strip in found)
    if frames <= 0:
        raise _empty()
    place, tracks, counts = _Place(rate, folder), [], {"video": 0, "audio": 0}
    for kind, item, strip in found:
        counts[kind] += 1
        clips, too_short = _clips(strip, f"{kind[0]}{counts[kind]}", kind, place)
        tracks.append(Track(kind=kind, name=item.name, clips=clips, enabled=item.enabled))
        if item.enabled:
            remarks += [_remark(note, rate) for note in strip.notes] + too_short
    start = written.global_start_time
    return Timeline(
        name=written.name.strip() or (settings.name or "").strip() or stem,
        rate=rate,
        start_frame=nearest_frame(otio_times.exact(start, Part(kind="start")), rate)
        if start is not None
        else 0,
        frames=frames,
        tracks=tuple(tracks),
        drop_frame=settings.drop_frame,
        width=settings.width,
        height=settings.height,
        sample_rate=settings.sample_rate,
        channels=settings.channels,
        remarks=rate_remarks
        + tuple(sorted(dict.fromkeys(remarks), key=lambda remark: remark.record_in or 0)),
    )


def _empty() -> TimelineRefused:
    return TimelineRefused("timeline-empty", why="empty")


def _tracks(
    stack: otio.schema.Stack,
) -> tuple[list[tuple[Literal["video", "audio"], Any, Strip]], list[Remark]]:
    """Return kind, item and strip of every track, and remarks on the whole.

    OTIO allows items in the stack without a track around them; each is a picture track of its own.
    """
    found: list[tuple[Literal["video", "audio"], Any, Strip]] = []
    remarks = list(effect_remarks(stack, "Timeline"))
    span = (
        otio_times.span(stack.source_range, Part(kind="timeline"))
        if stack.source_range is not None
        else None
    )
    for item in stack:
        if isinstance(item, otio.schema.Transition):
            continue
        kind = _KINDS.get(item.kind.lower() if isinstance(item, otio.schema.Track) else "video")
        if kind is None:
            if item.enabled and len(item):
                text = f"Track {named(item.name)} is of kind {named(item.kind)}, which a film does not have."
                remarks.append(Remark(code="track-kind-unsupported", severity="loss", text=text))
            continue
        strip = lay(item, kind)
        found.append((kind, item, window(strip, *span) if span else strip))
    return found, remarks


def _clips(
    strip: Strip, prefix: str, kind: str, place: _Place
) -> tuple[tuple[Clip, ...], list[Remark]]:
    """Return a strip's pieces as clips, and remarks on those too short for a frame of their own."""
    clips: list[Clip] = []
    too_short: list[Remark] = []
    for piece in strip.pieces:
        record_in, record_out = (
            nearest_frame(piece.start_s, place.rate),
            nearest_frame(piece.end_s, place.rate),
        )
        if record_out > record_in:
            clips.append(
                _clip(
                    piece,
                    f"{prefix}c{len(clips) + 1}",
                    record_in,
                    record_out - record_in,
                    kind,
                    place,
                )
            )
        elif piece.enabled:
            text = f"{named(piece.clip.name)} is too short for a frame of its own."
            too_short.append(
                Remark(code="clip-too-short", severity="note", text=text, record_in=record_in)
            )
    return tuple(clips), too_short


def _clip(
    piece: Piece, clip_id: str, record_in: int, frames: int, kind: str, place: _Place
) -> Clip:
    written = piece.clip
    media, remarks = media_of(written, place.folder)
    source_in, is_timecode = _source_in(piece, place.rate)
    remarks += effect_remarks(written)
    if source_in < 0 and media.kind == "file" and kind == "video":
        # For sound, the audio plan counts the missing samples.
        text = f"{named(written.name)} begins {float(-source_in):.3f} seconds before its media."
        remarks += (Remark(code="source-before-media", severity="loss", text=text),)
    return Clip(
        id=clip_id,
        name=written.name or media.name,
        media=media,
        record_in=record_in,
        frames=frames,
        source_in=source_in,
        source_is_timecode=is_timecode,
        enabled=piece.enabled,
        channels=resolve_dialect.channels(written) if kind == "audio" else (),
        remarks=tuple(_at(remark, record_in) for remark in remarks),
    )


def _source_in(piece: Piece, rate: Fraction) -> tuple[Fraction, bool]:
    """Return where the first frame is in the media, and whether that is a timecode.

    The position is in seconds. Editors write both ranges in the media's timecode, each at its own
    rate, so only their difference in seconds is meaningful (a file from 86400@24 used from 90032@25
    begins at 1.28 s). Without an available range the start of the media is unknown: a source range
    from 0 then means its first frame, any other is a timecode.
    """
    reference = piece.clip.media_reference
    available = reference.available_range if reference is not None else None
    start_s = trimmed(piece.clip).start_s
    if available is None:
        return start_s + piece.skipped_s, start_s != 0
    media_s = otio_times.exact(
        available.start_time, Part(kind="media", name=plainly(piece.clip.name))
    )
    source_in = start_s - media_s + piece.skipped_s
    # Resolve writes 87399@24 at 25 as 91046.625, others round it to a frame.
    rounded = -Fraction(1, 2) / rate < source_in < 0
    return Fraction(0) if rounded else source_in, False


def _remark(note: Note, rate: Fraction) -> Remark:
    return Remark(
        code=note.code, severity="loss", text=note.text, record_in=nearest_frame(note.start_s, rate)
    )


def _at(remark: Remark, record_in: int) -> Remark:
    return msgspec.structs.replace(remark, record_in=record_in)
