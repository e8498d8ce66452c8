"""Material that is not a plain movie: stills, recordings without pictures, and movies of another shape or time.

Everything a cut can hold answers the same few questions, so that a prediction needs to know nothing else: which frame
stands there at a time (`shown_at`), how wide it looks beside its height (`aspect`), and what it sounds like.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

import av

from tests.film.barcode import Mark
from tests.film.media import Movie, ffmpeg, make_still, make_wav

_EARLY = Fraction(1, 10)
"""A frame counts as there a tenth of its length before its time, because time stamps in files are rounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A still picture."""

    path: Path
    source_id: int
    size: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A movie's own frames in another file: `shape` as they are to be seen, `times` in seconds by frame number where
    they are not on the grid (numbers that are missing were dropped)."""

    movie: Movie
    path: Path
    shape: Fraction
    times: tuple[tuple[int, Fraction], ...] = ()


Material = Movie | Card | Variant


def movie_of(material: Material) -> Movie | None:
    """The movie with the path that is to be used; None for a still."""
    if isinstance(material, Variant):
        return dataclasses.replace(material.movie, path=material.path)
    return material if isinstance(material, Movie) else None


def aspect(material: Material) -> Fraction:
    """Width over height as seen."""
    return material.shape if isinstance(material, Variant) else Fraction(*material.size)


def shown_at(material: Material, time_s: Fraction) -> Mark:
    """The frame on screen at a time counted from the first one."""
    if isinstance(material, Card):
        return Mark(material.source_id, 0)
    if isinstance(material, Variant) and material.times:
        early = _EARLY / material.movie.rate
        there = [number for number, begins_s in material.times if begins_s <= time_s + early]
        return Mark(material.movie.source_id, there[-1] if there else material.times[0][0])
    movie = material.movie if isinstance(material, Variant) else material
    return Mark(movie.source_id, floor(time_s * movie.rate + _EARLY))


def card(path: Path, source_id: int, size: tuple[int, int] = (320, 180)) -> Card:
    """A still in the format of its suffix."""
    return Card(path=make_still(path, size, source_id), source_id=source_id, size=size)


def recording(
    path: Path,
    source_id: int,
    frames: int,
    rate: Fraction | int,
    *,
    sample_rate: int = 48000,
    channels: int = 2,
    bits: int = 24,
    tone: bool = False,
) -> Movie:
    """A WAV as long as so many frames; a movie without pictures, to a cut."""
    made = Movie(
        path=path,
        source_id=source_id,
        frames=frames,
        rate=Fraction(rate),
        size=(0, 0),
        codec="prores",
        audio="pcm",
        sample_rate=sample_rate,
        channels=channels,
        bits=bits,
        tone=tone,
        start_timecode=None,
    )
    make_wav(
        path,
        source_id=source_id,
        samples=made.samples,
        sample_rate=sample_rate,
        channels=channels,
        bits=bits,
        tone=tone,
    )
    return made


def turned(movie: Movie, path: Path, degrees: int) -> Variant:
    """The same packets under a display matrix: players turn the picture by so many degrees clockwise. The barcode then
    lies on its side; frames are told apart by `upright` material of the other shape (see `stored_on_its_side`)."""
    ffmpeg("-display_rotation", str(-degrees), "-i", movie.path, "-map", "0", "-c", "copy", path)
    width, height = movie.size
    return Variant(
        movie=movie,
        path=path,
        shape=Fraction(height, width) if degrees % 180 else Fraction(width, height),
    )


def stored_on_its_side(movie: Movie, path: Path, *, clockwise: bool = True) -> Variant:
    """A phone's way: pictures stored turned by a quarter, and a display matrix that sets them upright again."""
    turn, back = ("cclock", "-90") if clockwise else ("clock", "90")
    plain = path.with_name(f"plain-{path.name}")
    ffmpeg("-i", movie.path, "-map", "0", "-vf", f"transpose={turn}", "-c:v", "libx264", "-crf", "10", "-pix_fmt", "yuv420p",
           "-c:a", "copy", plain)  # fmt: skip
    ffmpeg("-display_rotation", back, "-i", plain, "-map", "0", "-c", "copy", path)
    plain.unlink()
    return Variant(movie=movie, path=path, shape=Fraction(*movie.size))


def squeezed(movie: Movie, path: Path, shape: Fraction) -> Variant:
    """The same pictures with pixels that are not square: seen with `shape`, width over height (anamorphic)."""
    ffmpeg("-i", movie.path, "-map", "0", "-vf", f"setdar={shape.numerator}/{shape.denominator}", "-c:v", "libx264", "-crf", "10",
           "-pix_fmt", "yuv420p", "-c:a", "copy", path)  # fmt: skip
    return Variant(movie=movie, path=path, shape=shape)


def odd_sized(movie: Movie, path: Path, size: tuple[int, int]) -> Variant:
    """The same pictures scaled to a size that may be odd (4:4:4, whose colour allows it)."""
    ffmpeg("-i", movie.path, "-map", "0", "-vf", f"scale={size[0]}:{size[1]},setsar=1", "-c:v", "ffv1", "-pix_fmt", "yuv444p", "-c:a", "copy",
           path)  # fmt: skip
    return Variant(movie=movie, path=path, shape=Fraction(*size))


def uneven(movie: Movie, path: Path, dropped: Iterable[int], *, jitter: float = 0.0) -> Variant:
    """A phone's recording: some frames were never written, the others come up to `jitter` of a frame early or late."""
    lost = sorted(set(dropped))
    keep = "*".join(f"not(eq(n,{number}))" for number in lost) or "1"
    moved = f"PTS+{jitter}*sin(PTS*TB*40)/(FRAME_RATE*TB)" if jitter else "PTS"
    ffmpeg("-i", movie.path, "-map", "0:v", "-vf", f"settb=1/90000,select='{keep}',setpts='{moved}'", "-fps_mode", "passthrough",
           "-enc_time_base", "1:90000", "-c:v", "libx264", "-bf", "2", "-crf", "10", "-pix_fmt", "yuv420p", "-video_track_timescale", "90000",
           path)  # fmt: skip
    numbers = [number for number in range(movie.frames) if number not in set(lost)]
    with av.open(str(path)) as container:
        stream: Any = container.streams.video[0]
        stamps = sorted(packet.pts for packet in container.demux(stream) if packet.pts is not None)
        times = [(stamp - stamps[0]) * stream.time_base for stamp in stamps]
    return Variant(
        movie=movie,
        path=path,
        shape=Fraction(*movie.size),
        times=tuple(zip(numbers, times, strict=True)),
    )
