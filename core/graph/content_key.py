"""Content keys: hashes of everything that can change a segment's pixels or samples.

A key depends on nothing else. x264's output depends on the build, on the options and on the number
of threads (pinned to one). A source is named by its identity (`Source.identity`): one identity is
one content, proven by comparing the bytes that were used of it. A file that was moved or touched
keeps its identity if the comparison succeeds, and so its checkpoints stay valid.
"""

from __future__ import annotations

from typing import Any

import xxhash

from core.graph.nodes import (
    Black,
    Chunk,
    Copy,
    Earlier,
    Picture,
    Piece,
    Plan,
    Slate,
    Sound,
    Still,
    content_of,
)
from core.graph.preset import Preset
from core.system import codec
from core.timeline.timeline import Format

RECIPE = 4
"""Increased whenever this program makes other pixels or samples from the same values.

Checkpoints of older recipes are then not reused.
"""


def _key(kind: str, *facts: Any) -> str:
    return kind + xxhash.xxh3_128_hexdigest(codec.canonical([RECIPE, kind, *facts]))


def _beside_damage(piece: Piece) -> tuple[Any, ...]:
    """Return the bounds of the healthy packets, or nothing if no packets are left out.

    In the latter case, the piece keeps the key that it has always had.
    """
    return () if piece.from_s is None and piece.until_s is None else (piece.from_s, piece.until_s)


def picture_key(
    picture: Picture, frames: int, form: Format, preset: Preset, ffmpeg_build: str
) -> str:
    """Return the key of `frames` frames of a picture, coded for this film.

    Raises ValueError for an earlier render, which keeps its own key.
    """
    recipe = preset.video  # without its estimates, which do not change pixels
    coded = [
        form.width,
        form.height,
        form.rate,
        form.colour,
        recipe.encoder,
        recipe.pixel_format,
        recipe.options,
        preset.container,
        ffmpeg_build,
    ]
    match picture:
        case Piece() as p:
            return _key(
                "v",
                "piece",
                content_of(p),
                p.stream,
                p.first_frame,
                p.source_rate,
                p.seek_s,
                p.conform,
                p.phase_s,
                p.fit,
                p.matrix,
                p.alpha,
                p.run_up_s,
                p.complains,
                frames,
                coded,
                *_beside_damage(p),
            )
        case Still() as s:
            return _key("v", "still", content_of(s), s.fit, s.matrix, s.alpha, frames, coded)
        case Black():
            return _key("v", "black", frames, coded)
        case Slate() as slate:
            return _key("v", "slate", slate.lines, frames, coded)
        case Copy() as c:
            return _key("c", content_of(c), c.stream, c.first_frame, frames)
        case Earlier():
            raise ValueError("an earlier render has the key it was sealed under")


def chunk_key(sounds: tuple[Sound, ...], samples: int, form: Format, preset: Preset) -> str:
    """Return the key of a stretch of mixed sound."""
    laid = [[content_of(s), s.stream, s.source_in_s, s.at, s.samples, s.channels] for s in sounds]
    width = preset.audio.codec if preset.audio.pcm else "pcm_s24le"
    return _key("a", laid, samples, form.sample_rate, form.channels, width)


def track_key(chunks: tuple[Chunk, ...], form: Format, preset: Preset, ffmpeg_build: str) -> str:
    """Return the key of the whole sound track, encoded."""
    return _key(
        "t",
        [chunk.key for chunk in chunks],
        form.sample_rate,
        form.channels,
        preset.audio,
        ffmpeg_build,
    )


def cut_key(plan: Plan, preset: Preset) -> str:
    """Return the key of the whole composition, equal for plans that make the same film."""
    return _key(
        "f",
        [[segment.key, segment.frames] for segment in plan.segments],
        [chunk.key for chunk in plan.chunks],
        plan.start_frame,
        plan.drop_frame,
        plan.format,
        preset.container,
        preset.audio,
    )


def request_digest(timeline: bytes, preset: Preset, output: str) -> str:
    """Return the key of a request: the same timeline file, preset and output path."""
    return _key("r", xxhash.xxh3_128_hexdigest(timeline), preset, output)
