"""Nodes of the plan: what is rendered, copied or drawn, each under a content key.

A segment is the unit of work and of loss: it is rendered completely or not at all, and then gets a
checkpoint. Its key is a hash of everything that can change its pixels and of nothing else, not even
its place in the film, so an edit renders only what it changed.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from core.errors.failure import Lookalike
from core.system.codec import Value
from core.timeline.timeline import Format, Remark


class Fit(Value, frozen=True):
    """Placement of the picture in the frame, in pixels.

    The picture is scaled to width x height at (x, y), with bars around it.
    """

    width: int
    height: int
    x: int
    y: int


class Piece(Value, frozen=True):
    """Frames of a movie, from its `first_frame`, decoded and encoded again.

    `seek_s` is where the demuxer is asked to seek, a quarter of a frame early or more. Record frame
    k shows what the source shows at seek_s + phase_s + k/rate, counted from the container's start.
    `conform` means that the source's rate or time stamps differ from the film's.

    `run_up_s` is how much earlier decoding starts if the frames were not found there, because
    frames need others that come before them; 0 if none do. `complains` is true where the decoder is
    known to report errors in healthy streams in that case.

    `matrix` is the colour matrix (ITU-T H.273; 0 is RGB, 2 is unspecified and taken to be the
    film's). Packets shown before `from_s`, or from `until_s` on, are damaged and not decoded; both
    count as `seek_s` does.
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
    """Packets of a source that is already in the deliverable's format, from packet `first_frame`.

    A copy has no file of its own.
    """

    path: str
    fingerprint: str
    stream: int
    first_frame: int
    identity: str = ""


class Black(Value, frozen=True):
    """A gap."""


class Slate(Value, frozen=True):
    """A card in place of a shot that could not be rendered.

    `lines` are its text; the first is its title.
    """

    lines: tuple[str, ...]


class Earlier(Value, frozen=True):
    """An earlier good render that replaces a shot.

    It cannot be rendered again, and is used only while its file matches its checkpoint.
    """

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
    """An excerpt of an audio stream, placed at sample `at` of its chunk.

    `at` is at the film's sample rate. `source_in_s` counts from the file's first frame in seconds.
    `channels` selects channels of the stream; empty means all.
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
    """Return the identity of the content that is used.

    Values from before there were identities have only the fingerprint.
    """
    return used.identity or used.fingerprint


class Chunk(Value, frozen=True):
    """A stretch of the mixed sound track, from film sample `first_sample`."""

    key: str
    first_sample: int
    samples: int
    sounds: tuple[Sound, ...]


class Shot(Value, frozen=True):
    """A stretch of the film that shows one clip, or nothing. Numbered from 1 in record order.

    `timecode_s` is the timecode of its file's first frame in seconds, if it has one.
    """

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
    """Something found before rendering: a failure code with the data for its message.

    `shots` are the affected shots, `clips` the clips whose sound is affected. `heard` gives, for
    each of these clips, where in the film it would be heard (first frame, frames). `fingerprint` is
    the version of the file that was found, "" if there is none; `lookalikes` are files that
    resemble a missing one.
    """

    code: str
    path: str
    shots: tuple[int, ...]
    detail: str = ""
    clips: tuple[str, ...] = ()
    heard: tuple[tuple[int, int], ...] = ()
    fingerprint: str = ""
    lookalikes: tuple[Lookalike, ...] = ()


class Plan(Value, frozen=True):
    """Everything to render for one film.

    `signature` is the coded format that every segment must have.
    """

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
        """Whether the film has a sound track."""
        return bool(self.chunks)

    def made_of(self) -> dict[str, str]:
        """Return the fingerprint of every file that is seen or heard, by path."""
        seen = {
            s.picture.path: s.picture.fingerprint
            for s in self.segments
            if isinstance(s.picture, Piece | Still | Copy)
        }
        return seen | {
            sound.path: sound.fingerprint for chunk in self.chunks for sound in chunk.sounds
        }

    def identities(self) -> dict[str, str]:
        """Return the identity (`Source.identity`) of every file that is seen or heard, by path."""
        seen = {
            s.picture.path: content_of(s.picture)
            for s in self.segments
            if isinstance(s.picture, Piece | Still | Copy)
        }
        return seen | {
            sound.path: content_of(sound) for chunk in self.chunks for sound in chunk.sounds
        }

    def contents(self) -> dict[str, dict[str, str]]:
        """Return, by content key, the files of a segment or sound chunk, each with its identity."""
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
