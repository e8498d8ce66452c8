"""A cut that is written down once and then both saved as a timeline and foretold, frame by frame and sample by sample.

    cut = Cut(24)
    cut.video().clip(a, 10, 48).gap(12).clip(b, 0, 24)
    cut.audio().clip(a, 10, 48)
    cut.save(folder / "reel.otio")
    cut.pictures()      # [Mark(1, 10), Mark(1, 11), ... BLACK, ...]: what each frame of the film must show
    cut.sound()         # what each sample must be

The prediction knows only what was placed where; nothing of the product has a part in it. Its rules:

picture   the topmost enabled clip of an enabled track; record frame k of a clip that begins at t0 shows what its source
          shows at t0 + k / rate. Nothing there: black. A clip that cannot be shown (`lost`): a slate.
sound     frame n begins at sample n * sample_rate / rate, to the nearest, halves up; a clip's first sample is the source's
          nearest to t0; everything audible is added and rounded once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from math import floor
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.film import reading, timelines
from tests.film.barcode import Mark
from tests.film.footage import Card, Material, aspect, movie_of, shown_at
from tests.film.media import Movie
from tests.film.sound import FULL_SCALE, expected_audio

_CODED, _RESAMPLED = 4.0, FULL_SCALE / 500

Shown = Mark | Literal["black", "slate"]
BLACK: Literal["black"] = "black"
SLATE: Literal["slate"] = "slate"


class Placed(NamedTuple):
    """A clip on a track: `source_in` in frames of the media, the rest in record frames."""

    media: Material | None
    source_in: Fraction
    record_in: int
    frames: int
    enabled: bool
    lost: bool


class Mix(NamedTuple):
    """The sound that is expected: (samples, channels) with full scale 2**23, and by how much each sample may differ: not at
    all where sources are PCM of the film's rate, a last bit or two after a lossy coder, two thousandths after resampling."""

    samples: NDArray[np.float64]
    slack: NDArray[np.float64]


@dataclass
class Row:
    """One track, filled from left to right."""

    track: timelines.Track
    rate: Fraction
    placed: list[Placed] = field(default_factory=list)

    def clip(
        self,
        media: Material | None,
        source_in: Fraction | int,
        frames: int,
        *,
        enabled: bool = True,
        lost: bool = False,
        **options: Any,
    ) -> Row:
        """Add a shot of so many record frames. `lost`: a slate is expected. Options as `timelines.Track.clip` takes them."""
        self.placed.append(
            Placed(
                media,
                Fraction(source_in),
                self.track.length,
                frames,
                enabled,
                lost or media is None,
            )
        )
        if isinstance(media, Card):
            options = {"media_frames": 1, **options}
        written: Any = media.path if isinstance(media, Card) else movie_of(media) if media else None
        self.track.clip(written, source_in, frames, enabled=enabled, **options)  # type: ignore[arg-type]
        return self

    def gap(self, frames: int) -> Row:
        """Leave so many record frames empty."""
        if frames:
            self.track.gap(frames)
        return self


@dataclass
class Cut:
    """A film as asked for. Without `size`, `sample_rate` and `channels` the first source decides, as in the product."""

    rate: Fraction | int
    start: str | None = "01:00:00:00"
    size: tuple[int, int] | None = (320, 180)
    sample_rate: int = 48000
    channels: int = 2
    rows: list[tuple[str, bool, Row]] = field(default_factory=list)
    _film: timelines.Timeline = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.rate = Fraction(self.rate)
        self._film = timelines.timeline(self.rate, start=self.start, name="Proof")

    def video(self, *, enabled: bool = True) -> Row:
        """A new video track above the others."""
        return self._row("video", self._film.video(enabled=enabled), enabled)

    def audio(self, *, enabled: bool = True) -> Row:
        """A new audio track."""
        return self._row("audio", self._film.audio(enabled=enabled), enabled)

    def _row(self, kind: str, track: timelines.Track, enabled: bool) -> Row:
        row = Row(track, Fraction(self.rate))
        self.rows.append((kind, enabled, row))
        return row

    @property
    def frames(self) -> int:
        """The film's length."""
        return max(row.track.length for _, _, row in self.rows)

    @property
    def samples(self) -> int:
        """The film's length in samples; 0 when no track has sound."""
        return self._sample(self.frames) if self._heard() else 0

    def save(self, path: Path) -> Path:
        """Write the .otio, with what OTIO itself cannot say in its metadata."""
        written = self._film.build()
        settings: dict[str, Any] = {"sample_rate": self.sample_rate, "channels": self.channels}
        if self.size:
            settings |= {"width": self.size[0], "height": self.size[1]}
        if self.start and ";" in self.start:
            settings["drop_frame"] = True
        written.metadata["hotsplice"] = settings
        written.to_json_file(str(path))
        return path

    # The prediction -----------------------------------------------------------------------------------------------

    def on_top(self) -> list[tuple[Placed, int] | None]:
        """For every frame the clip that is seen and the frame's number within it; None is a gap."""
        film: list[tuple[Placed, int] | None] = [None] * self.frames
        for kind, enabled, row in self.rows:
            if kind == "video" and enabled:
                for placed in row.placed:
                    if placed.enabled:
                        for number in range(placed.frames):
                            film[placed.record_in + number] = (placed, number)
        return film

    def pictures(self) -> list[Shown]:
        """What every frame of the film must show."""
        found: list[Shown] = []
        for here in self.on_top():
            if here is None:
                found.append(BLACK)
            elif here[0].lost or here[0].media is None:
                found.append(SLATE)
            else:
                placed, number = here
                media = placed.media
                assert media is not None
                found.append(shown_at(media, self._begin_s(placed) + Fraction(number) / self.rate))
        return found

    def shapes(self) -> list[Fraction | None]:
        """For every frame width over height of the picture as seen; None for black and slates."""
        return [
            aspect(here[0].media) if here and here[0].media and not here[0].lost else None
            for here in self.on_top()
        ]

    def sound(self) -> Mix:
        """What every sample of the film must be."""
        mixed = np.zeros((self.samples, self.channels))
        slack = np.zeros(self.samples)
        for placed in self._heard():
            movie = movie_of(placed.media) if placed.media else None
            if placed.lost or movie is None:
                continue
            begin, end = (
                self._sample(placed.record_in),
                self._sample(placed.record_in + placed.frames),
            )
            first = floor(self._begin_s(placed) * self.sample_rate + Fraction(1, 2))
            there = floor(
                Fraction(movie.samples * self.sample_rate, movie.sample_rate) + Fraction(1, 2)
            )
            end = min(end, begin + there - first)
            mixed[begin:end] += on_channels(self._own(movie, first, end - begin), self.channels)
            if movie.sample_rate != self.sample_rate:
                slack[begin:end] += _RESAMPLED
                if first + end - begin == there:
                    slack[end - 2 : end] += (
                        FULL_SCALE  # the source ends between two samples of the film
                    )
            elif movie.audio == "aac":
                slack[begin:end] += _CODED
        return Mix(np.clip(np.rint(mixed), -FULL_SCALE, FULL_SCALE - 1), slack)

    def _own(self, movie: Movie, first: int, count: int) -> NDArray[np.float64]:
        """A source's own samples at the film's rate. Coded sound is what the bundled ffmpeg decodes, read as a whole."""
        if movie.audio == "aac" and movie.sample_rate == self.sample_rate:
            return (
                _decoded(movie.path, movie.path.stat().st_mtime_ns, movie.channels)[
                    first : first + count
                ].astype(np.float64)
                * FULL_SCALE
            )
        assert movie.tone or movie.sample_rate == self.sample_rate, (
            "only tones can be foretold at another sample rate"
        )
        return expected_audio(
            movie.source_id,
            first,
            count,
            movie.channels,
            bits=movie.bits,
            tone=movie.tone,
            sample_rate=self.sample_rate,
        ).astype(np.float64)

    def joins(self) -> list[int]:
        """The samples at which one audible clip ends or begins."""
        edges = {
            e
            for placed in self._heard()
            for e in (placed.record_in, placed.record_in + placed.frames)
        }
        return sorted(self._sample(edge) for edge in edges if 0 < edge < self.frames)

    def _heard(self) -> list[Placed]:
        return [
            p
            for kind, enabled, row in self.rows
            if kind == "audio" and enabled
            for p in row.placed
            if p.enabled
        ]

    def _begin_s(self, placed: Placed) -> Fraction:
        movie = movie_of(placed.media) if placed.media else None
        return placed.source_in / (movie.rate if movie else self.rate)

    def _sample(self, frame: int) -> int:
        return floor(Fraction(frame * self.sample_rate) / self.rate + Fraction(1, 2))


@lru_cache(maxsize=32)
def _decoded(path: Path, changed_ns: int, channels: int) -> NDArray[np.float32]:
    return reading.decoded(path, channels)


def on_channels(own: NDArray[np.float64], channels: int) -> NDArray[np.float64]:
    """A source's (samples, channels) on the film's channels: alike straight, mono everywhere (from five up in the
    centre), stereo to mono its mean, 5.1 to stereo by ITU-R BS.775 brought to unity, else channel by channel."""
    have = own.shape[1]
    out = np.zeros((len(own), channels))
    if have == channels:
        return own
    if have == 1 and channels >= 5:
        out[:, 2] = own[:, 0]
    elif have == 1:
        out[:] = own
    elif channels == 1:
        out[:, 0] = (own[:, 0] + own[:, 1]) / 2
    elif channels == 2 and have == 6:
        half, whole = np.sqrt(0.5), 1 + 2 * np.sqrt(0.5)
        out[:, 0] = (own[:, 0] + half * own[:, 2] + half * own[:, 4]) / whole
        out[:, 1] = (own[:, 1] + half * own[:, 2] + half * own[:, 5]) / whole
    else:
        shared = min(have, channels)
        out[:, :shared] = own[:, :shared]
    return out


def plain(frames: int, *sources: Movie, rate: Fraction | int | None = None) -> Cut:
    """The sources' first `frames` frames one after the other, picture and sound."""
    cut = Cut(rate or sources[0].rate)
    picture, sound = cut.video(), cut.audio()
    for source in sources:
        picture.clip(source, 0, frames)
        sound.clip(source, 0, frames, channels=source.channels)
    return cut
