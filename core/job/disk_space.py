"""Estimate how much disk space a job needs."""

from __future__ import annotations

from core.graph.nodes import Copy
from core.graph.preset import Preset
from core.job.state import JobState
from core.timeline.timeline import Format


def picture_bytes(form: Format, preset: Preset, frames: int) -> int:
    """Return the estimated bytes of `frames` encoded frames."""
    return int(form.width * form.height * frames * preset.video.bits_per_pixel / 8)


def sound_bytes(form: Format, preset: Preset, samples: int) -> int:
    """Return the bytes that `samples` samples take in the output."""
    if preset.audio.pcm:
        return samples * form.channels * 3
    return int(samples / max(1, form.sample_rate) * (preset.audio.bits_per_second or 320_000) / 8)


def scratch_bytes(state: JobState) -> int:
    """Return the scratch bytes for segments and audio chunks that have no checkpoint yet.

    Copied segments take none: their packets stay in the source.
    """
    plan = state.current
    have = state.believed.keys() | state.claimed.keys()
    pictures = sum(
        picture_bytes(plan.format, state.preset, segment.frames)
        for segment in state.work
        if segment.key not in have and not isinstance(segment.picture, Copy)
    )
    samples = sum(chunk.samples for chunk in plan.chunks if chunk.key not in have)
    return pictures + samples * plan.format.channels * 3


def film_bytes(state: JobState) -> int:
    """Return the bytes of the finished film.

    Segments that are already rendered count with their actual size.
    """
    plan = state.current
    seals = {**state.claimed, **state.believed}
    pictures = sum(
        seals[s.key].bytes
        if s.key in seals and seals[s.key].bytes
        else picture_bytes(plan.format, state.preset, s.frames)
        for s in plan.segments
    )
    return pictures + sound_bytes(plan.format, state.preset, plan.samples)
