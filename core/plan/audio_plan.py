"""Sample-accurate placement of all sounds in the sound track.

A clip sounds from the sample of its first record frame to the sample of the frame after its last.
Neighbouring clips share a boundary, so there is no gap and no overlap at any frame rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import floor
from typing import Protocol

import msgspec

from core.errors.failure import Failure
from core.graph import content_key
from core.graph.nodes import Chunk, Sound
from core.graph.preset import Preset
from core.plan.policy import Policy
from core.timeline import flatten
from core.timeline.source import AudioFacts, Source
from core.timeline.timeline import Clip, Format, Timeline
from core.timeline.timing import nearest_frame, sample_at

_PACKET_SAMPLES = 2048
"""Samples in the longest packet of coded sound that cameras and editors write.

AAC has 1024 or 2048 samples, MP2 and MP3 1152, AC-3 1536.
"""


class Notes(Protocol):
    """Callback that records a problem."""

    def __call__(
        self, code: str, path: str, detail: str, *, shot: int | None = None, clip: str = ""
    ) -> None: ...


def lay_sounds(
    timeline: Timeline,
    sources: Mapping[str, Source | Failure],
    form: Format,
    preset: Preset,
    policy: Policy,
    problem: Notes,
) -> tuple[tuple[Chunk, ...], int]:
    """Return the chunks of the sound track and its length in samples.

    There are no chunks, and the length is 0, if nothing is audible.
    """
    clips = flatten.heard(timeline)
    if not clips:
        return (), 0
    samples = sample_at(timeline.frames, form.rate, form.sample_rate)
    sounds = [sound for clip in clips for sound in _sounds(clip, sources, form, problem)]
    length = policy.chunk_s * form.sample_rate
    chunks = []
    for first in range(0, samples, length):
        count = min(length, samples - first)
        inside = tuple(
            part
            for sound in sounds
            if (part := _within(sound, first, count, form.sample_rate)) is not None
        )
        chunks.append(
            Chunk(
                key=content_key.chunk_key(inside, count, form, preset),
                first_sample=first,
                samples=count,
                sounds=inside,
            )
        )
    return tuple(chunks), samples


def _within(sound: Sound, first: int, count: int, sample_rate: int) -> Sound | None:
    begin, end = max(sound.at, first), min(sound.at + sound.samples, first + count)
    if end <= begin:
        return None
    return msgspec.structs.replace(
        sound,
        at=begin - first,
        samples=end - begin,
        source_in_s=sound.source_in_s + Fraction(begin - sound.at, sample_rate),
    )


def _sounds(
    clip: Clip, sources: Mapping[str, Source | Failure], form: Format, problem: Notes
) -> list[Sound]:
    path = clip.media.path or ""
    source = sources.get(path) if clip.media.kind == "file" else None
    if isinstance(source, Failure):
        problem(source.code, source.evidence.path or path, source.evidence.detail, clip=clip.id)
        return []
    if source is None:
        problem(
            "generator-not-rendered" if clip.media.kind == "generator" else "source-unnamed",
            path,
            clip.name,
            clip=clip.id,
        )
        return []
    if source.short_bytes:
        problem("sound-file-incomplete", path, f"{source.short_bytes} bytes", clip=clip.id)
    patched: dict[int, list[int]] = {}
    for track, channel in clip.channels or ((0, -1),):
        patched.setdefault(track, []).append(channel)
    sounds = []
    for track, channels in patched.items():
        stream = source.audio_stream(track)
        if stream is None:
            problem("source-no-sound", path, clip.name, clip=clip.id)
            continue
        wanted = tuple(channel for channel in channels if channel >= 0)
        if stream.begins_anew:
            problem("source-begins-anew", source.path, "", clip=clip.id)
            continue
        picked = tuple(channel for channel in wanted if channel < stream.channels)
        if len(picked) < len(wanted):
            problem("source-no-sound", path, clip.name, clip=clip.id)
        if wanted and not picked:  # an empty choice would mean all channels
            continue
        if picked == tuple(range(stream.channels)):
            picked = ()
        sounds.append(_sound(clip, source, stream, picked, form, problem))
    return [sound for sound in sounds if sound.samples > 0]


def _sound(
    clip: Clip,
    source: Source,
    stream: AudioFacts,
    channels: tuple[int, ...],
    form: Format,
    problem: Notes,
) -> Sound:
    at = sample_at(clip.record_in, form.rate, form.sample_rate)
    samples = sample_at(clip.record_out, form.rate, form.sample_rate) - at
    # Source time starts at the picture's first frame, for the sound too, so that they stay in sync.
    begin_s = flatten.source_offset(clip, source) + (
        source.video.start_s if source.video and not source.video.still else Fraction(0)
    )
    # Rounded down, so that rounding does not drop the first existing sample.
    late = min(
        samples,
        max(
            0,
            floor(stream.start_s * form.sample_rate)
            - nearest_frame(begin_s, Fraction(form.sample_rate)),
        ),
    )
    if late > _unsaid(stream, form):
        problem("sound-begins-late", source.path, f"{late}/{samples}", clip=clip.id)
    at, samples, begin_s = at + late, samples - late, begin_s + Fraction(late, form.sample_rate)
    if stream.samples:
        end_s = stream.start_s + Fraction(stream.samples, stream.sample_rate)
        # Round each end to its nearest sample: rounded together, an in-point between two samples
        # would drop the last one.
        there = max(
            0,
            nearest_frame(end_s, Fraction(form.sample_rate))
            - nearest_frame(begin_s, Fraction(form.sample_rate)),
        )
        if there < samples:
            if samples - there > form.sample_rate / form.rate:
                code = "speed-runs-out" if flatten.at_normal_speed(clip) else "sound-too-short"
                problem(code, source.path, f"{there} of {samples} samples", clip=clip.id)
            samples = there
    return Sound(
        clip=clip.id,
        shot_name=clip.name,
        path=source.path,
        fingerprint=source.fingerprint,
        identity=source.identity,
        stream=stream.stream,
        source_in_s=begin_s,
        at=at,
        samples=samples,
        channels=channels,
    )


def _unsaid(stream: AudioFacts, form: Format) -> Fraction:
    """Return how many samples late a sound may start without being reported.

    This is one frame of the film, as at the sound's end. What encoders put before the sound (the
    priming of AAC and MP3, B-frames that delay the picture) makes it start before the picture,
    never after it: MOV, MP4 with and without an edit list, MXF, WAV, MP3, Matroska and transport
    streams written by ffmpeg have no delay. A file that was cut without decoding contains only
    whole packets. Its coded sound may start up to a packet late, which can be longer than a frame
    from 24 frames per second on.
    """
    frame = form.sample_rate / form.rate
    packet = Fraction(_PACKET_SAMPLES * form.sample_rate, stream.sample_rate or form.sample_rate)
    return frame if stream.codec.startswith("pcm") else max(frame, packet)
