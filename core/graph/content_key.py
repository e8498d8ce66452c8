"""Content keys: a hash of everything that can change a segment's pixels or samples, and of nothing else.

x264's output depends on the build, on the options and on the number of threads (pinned to one). A source is named by its
identity (`Source.identity`): one identity is one content, proven by comparing the bytes that were used of it. A file that was
moved or touched keeps its identity when the comparison succeeds, and so its checkpoints.
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
"""Raised whenever this program makes other pixels or samples from the same values; old checkpoints are then not believed."""


def _key(kind: str, *facts: Any) -> str:
    return kind + xxhash.xxh3_128_hexdigest(codec.canonical([RECIPE, kind, *facts]))


def _beside_damage(piece: Piece) -> tuple[Any, ...]:
    """Nothing where nothing is left out, so that such pieces keep the keys they have always had."""
    return () if piece.from_s is None and piece.until_s is None else (piece.from_s, piece.until_s)


def picture_key(
    picture: Picture, frames: int, form: Format, preset: Preset, ffmpeg_build: str
) -> str:
    """The key of `frames` frames of a picture coded for this film."""
    recipe = preset.video  # its estimates are nobody's pixels
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
    """The key of a stretch of mixed sound."""
    laid = [[content_of(s), s.stream, s.source_in_s, s.at, s.samples, s.channels] for s in sounds]
    width = preset.audio.codec if preset.audio.pcm else "pcm_s24le"
    return _key("a", laid, samples, form.sample_rate, form.channels, width)


def track_key(chunks: tuple[Chunk, ...], form: Format, preset: Preset, ffmpeg_build: str) -> str:
    """The key of the whole sound track, encoded."""
    return _key(
        "t",
        [chunk.key for chunk in chunks],
        form.sample_rate,
        form.channels,
        preset.audio,
        ffmpeg_build,
    )


def cut_key(plan: Plan, preset: Preset) -> str:
    """The name of the whole composition: equal for plans that make the same film."""
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
    """The name of a request: the same timeline file, preset and place."""
    return _key("r", xxhash.xxh3_128_hexdigest(timeline), preset, output)
