"""An editor's timeline before any media file is opened. Values only.

A reader in `otio_adapters/` creates a `Timeline`; `core.timeline.flatten` turns it into shots.
Record time is in frames at the timeline's rate, counted from its first frame. Source time is in
exact seconds, counted from the first frame of the media file.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from core.system.codec import Value

MediaKind = Literal["file", "generator", "sequence", "none"]


class Media(Value, frozen=True):
    """The media of a clip.

    `path` is absolute and exactly as the editor wrote it, except that `file:` URLs are decoded.

    Kind `file` is a movie, sound or still; `generator` a title or colour that only the editor can
    draw; `sequence` numbered pictures (`path` is the first); `none` a missing reference that names
    no file.
    """

    name: str
    kind: MediaKind = "file"
    path: str | None = None


Fields = dict[str, str | int | float]
"""Values for the placeholders of a sentence."""


class Remark(Value, frozen=True):
    """Something in the timeline that will not look as it does in the editor.

    `code` is a catalogue code. Severity `note` has no visible effect; `loss` means that the film
    differs from the timeline here. The catalogue's sentence is filled with `text` as its `name`,
    and with `fields` (`core.report.labels.remark_words`).
    """

    code: str
    severity: Literal["note", "loss"]
    text: str = ""
    record_in: int | None = None
    fields: Fields = {}

    def __hash__(self) -> int:
        """Hash without `fields`, which is not hashable. Equal remarks are reported once."""
        return hash((self.code, self.severity, self.text, self.record_in))


class Clip(Value, frozen=True):
    """A clip on a track.

    `source_in` is the wanted media time of the first frame in seconds. With `source_is_timecode` it
    counts from timecode zero of the media, because the timeline did not say where the media starts;
    otherwise from the media's first frame. `channels` are (audio stream, channel) pairs if the
    editor patched them; empty means all of the first stream.
    """

    id: str
    name: str
    media: Media
    record_in: int
    frames: int
    source_in: Fraction
    source_is_timecode: bool = False
    enabled: bool = True
    channels: tuple[tuple[int, int], ...] = ()
    remarks: tuple[Remark, ...] = ()

    def __post_init__(self) -> None:
        if self.frames <= 0 or self.record_in < 0:
            raise ValueError(f"clip {self.name!r}: {self.frames} frames at {self.record_in}")

    @property
    def record_out(self) -> int:
        """The first frame after the clip."""
        return self.record_in + self.frames


class Track(Value, frozen=True):
    """A track. Its clips are in record order and do not overlap."""

    kind: Literal["video", "audio"]
    name: str
    clips: tuple[Clip, ...]
    enabled: bool = True

    def __post_init__(self) -> None:
        end = 0
        for clip in self.clips:
            if clip.record_in < end:
                raise ValueError(f"track {self.name!r}: clip {clip.name!r} overlaps the one before")
            end = clip.record_out


class Timeline(Value, frozen=True):
    """An edited timeline.

    Tracks of each kind are ordered from the bottom up; `start_frame` is the record timecode of
    frame 0. Width, height, sample rate and channels are None if the timeline does not specify them;
    the first source then provides them.
    """

    name: str
    rate: Fraction
    start_frame: int
    frames: int
    tracks: tuple[Track, ...]
    drop_frame: bool = False
    width: int | None = None
    height: int | None = None
    sample_rate: int | None = None
    channels: int | None = None
    remarks: tuple[Remark, ...] = ()

    def __post_init__(self) -> None:
        if self.frames <= 0:
            raise ValueError("the timeline is empty")
        longest = max((c.record_out for t in self.tracks for c in t.clips), default=0)
        if longest > self.frames:
            raise ValueError(f"a clip ends at {longest}, after the timeline's end at {self.frames}")


Colour = tuple[int, int, int]
"""Primaries, transfer and matrix by their numbers in ITU-T H.273; 2 is unspecified, 1 is BT.709."""

UNSPECIFIED: Colour = (2, 2, 2)


class Format(Value, frozen=True):
    """Properties of every frame and sample of the film.

    These are pixels, frames per second, samples per second, channels and colour.
    """

    width: int
    height: int
    rate: Fraction
    sample_rate: int
    channels: int
    colour: Colour = (1, 1, 1)
