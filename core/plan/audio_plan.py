"""Where every sound lies in the sound track, to the sample.

A clip sounds from the sample of its first record frame to the sample of the frame after its last: neighbours share a
boundary, so there is no gap and no overlap at any frame rate.
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
"""The longest packet of coded sound that cameras and editors write (AAC 1024 or 2048 samples, MP2 and MP3 1152, AC-3 1536)."""


class Notes(Protocol):
    """Where problems go."""

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
    """The chunks of the sound track and its length in samples; no chunks when nothing is audible."""
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
        if wanted and not picked:  # nothing picked would be all of them
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
    # The picture's first frame is the zero of source time, for its sound too: they stay in step.
    begin_s = flatten.source_offset(clip, source) + (
        source.video.start_s if source.video and not source.video.still else Fraction(0)
    )
    # In whole samples below: the first that there is must not be the one that rounding takes.
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
        # Both ends to their nearest sample: rounded together, an in-point between two samples would cost the last one.
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
    """How many samples sound may begin after its clip without a word: a frame of the film, as at its end.

    What encoders put before the sound (the priming of AAC and MP3, B-frames that delay the picture) makes it begin before
    the picture, never after it: MOV, MP4 with and without an edit list, MXF, WAV, MP3, Matroska and transport streams as ffmpeg
    writes them are all late by nothing. A file that was cut without decoding has no parts of packets: its coded sound may
    begin up to a packet late, which from 24 frames a second on may be longer than a frame."""
    frame = form.sample_rate / form.rate
    packet = Fraction(_PACKET_SAMPLES * form.sample_rate, stream.sample_rate or form.sample_rate)
    return frame if stream.codec.startswith("pcm") else max(frame, packet)
