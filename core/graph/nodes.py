"""The plan's pieces: what is rendered, copied or drawn, each under a content key.

A segment is the unit of work and of loss: it is rendered whole or not at all, and sealed as a checkpoint.
Its key is a hash of everything that can change its pixels and of nothing else (not where it stands in the film),
so an edit renders only what it changed.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from core.errors.failure import Lookalike
from core.system.codec import Value
from core.timeline.timeline import Format, Remark


class Fit(Value, frozen=True):
    """Where the picture stands in the frame, in pixels: scaled to width x height at (x, y), bars around it."""

    width: int
    height: int
    x: int
    y: int


class Piece(Value, frozen=True):
    """Frames of a movie, from its `first_frame`, decoded and encoded again.

    `seek_s` is where the demuxer is asked to go, a quarter of a frame early or more. Record frame k shows what the source
    shows at seek_s + phase_s + k/rate, counted from the container's start; with `conform` its own rate or its time
    stamps are other than the film's. `run_up_s` is how much earlier decoding begins when the frames were not found
    there, because frames need others that stand before them; 0 where none do. `complains` where it is known that the
    decoder then finds fault with healthy streams. `matrix` is how its colours
    are coded (ITU-T H.273; 0 is RGB, 2 unspecified: taken to be the film's). Packets shown before `from_s` or from
    `until_s` on are not decoded, for they are damaged; counted as `seek_s` is.
    """

    path: str
    fingerprint: str
    stream: int
    first_frame: int
    source_rate: Fraction
    seek_s: Fraction
    fit: Fit
    conform: bool = False
    phase_s: Fraction = Fraction(0)
    matrix: int = 2
    alpha: bool = False
    run_up_s: Fraction = Fraction(0)
    complains: bool = False
    from_s: Fraction | None = None
    until_s: Fraction | None = None
    identity: str = ""

    @property
    def shown_s(self) -> Fraction:
        """The source's time at record frame 0."""
        return self.seek_s + self.phase_s


class Still(Value, frozen=True):
    """One picture held for the segment's length."""

    path: str
    fingerprint: str
    fit: Fit
    matrix: int = 0
    alpha: bool = False
    identity: str = ""


class Copy(Value, frozen=True):
    """Packets of a source that is already in the deliverable's format, from packet `first_frame`; no file of its own."""

    path: str
    fingerprint: str
    stream: int
    first_frame: int
    identity: str = ""


class Black(Value, frozen=True):
    """A gap."""


class Slate(Value, frozen=True):
    """A card in place of a shot that could not be made; `lines` are what it says, the first as its title."""

    lines: tuple[str, ...]


class Earlier(Value, frozen=True):
    """An earlier good render that stands in for a shot; it cannot be made again, only used while its file is as sealed."""

    job: str


Picture = Piece | Still | Copy | Black | Slate | Earlier


class Segment(Value, frozen=True):
    """`frames` pictures at record frame `record_in`, part of shot `shot` (1-based)."""

    key: str
    shot: int
    record_in: int
    frames: int
    picture: Picture


class Sound(Value, frozen=True):
    """An excerpt of an audio stream, to be laid at sample `at` of its chunk (film sample rate).

    `source_in_s` counts from the file's first frame in seconds. `channels` picks channels of the stream, empty for all.
    """

    clip: str
    shot_name: str
    path: str
    fingerprint: str
    stream: int
    source_in_s: Fraction
    at: int
    samples: int
    channels: tuple[int, ...] = ()
    identity: str = ""


def content_of(used: Piece | Still | Copy | Sound) -> str:
    """The name of the content that is used; of values from before there were identities the fingerprint."""
    return used.identity or used.fingerprint


class Chunk(Value, frozen=True):
    """A stretch of the mixed sound track, from film sample `first_sample`."""

    key: str
    first_sample: int
    samples: int
    sounds: tuple[Sound, ...]


class Shot(Value, frozen=True):
    """A stretch of the film on which one clip, or nothing, is visible. Numbered from 1 in record order. `timecode_s` is the
    timecode of its file's first frame in seconds, where it has one."""

    number: int
    name: str
    record_in: int
    frames: int
    kind: Literal["clip", "gap", "slate"]
    clip: str = ""
    path: str = ""
    source_in_s: Fraction = Fraction(0)
    timecode_s: Fraction | None = None


class Problem(Value, frozen=True):
    """Something found before rendering: a failure code with what the message needs. `shots` are those it touches, `clips` those
    whose sound it touches; `heard` says of each of these where in the film it would be heard (first frame, frames).
    `fingerprint` is the version of the file that was found, empty where there is none; `lookalikes` are files that resemble
    a missing one."""

    code: str
    path: str
    shots: tuple[int, ...]
    detail: str = ""
    clips: tuple[str, ...] = ()
    heard: tuple[tuple[int, int], ...] = ()
    fingerprint: str = ""
    lookalikes: tuple[Lookalike, ...] = ()


class Plan(Value, frozen=True):
    """Everything that is to be made for one film. `signature` is the coded format that every segment must have."""

    name: str
    format: Format
    preset: str
    signature: str
    start_frame: int
    drop_frame: bool
    frames: int
    samples: int
    shots: tuple[Shot, ...]
    segments: tuple[Segment, ...]
    chunks: tuple[Chunk, ...]
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @property
    def audible(self) -> bool:
        """Whether the film has a sound track at all."""
        return bool(self.chunks)

    def made_of(self) -> dict[str, str]:
        """Path to fingerprint of every file that is seen or heard."""
        seen = {
            s.picture.path: s.picture.fingerprint
            for s in self.segments
            if isinstance(s.picture, Piece | Still | Copy)
        }
        return seen | {
            sound.path: sound.fingerprint for chunk in self.chunks for sound in chunk.sounds
        }

    def identities(self) -> dict[str, str]:
        """Path to identity (`Source.identity`) of the same files."""
        seen = {
            s.picture.path: content_of(s.picture)
            for s in self.segments
            if isinstance(s.picture, Piece | Still | Copy)
        }
        return seen | {
            sound.path: content_of(sound) for chunk in self.chunks for sound in chunk.sounds
        }

    def contents(self) -> dict[str, dict[str, str]]:
        """By content key the files that a segment or a chunk of sound is made of, each with its identity."""
        shown = [(s.key, s.picture) for s in self.segments]
        found = {
            key: {seen.path: content_of(seen)}
            for key, seen in shown
            if isinstance(seen, Piece | Still | Copy)
        }
        return found | {
            chunk.key: {sound.path: content_of(sound) for sound in chunk.sounds}
            for chunk in self.chunks
        }
