"""Keep the good part of a damaged source and fill the rest with slates of exact length. Pure.

A segment that failed for good is searched for damage (`PendingTask("locate")`). Where bad frames
are found, pieces of the good frames and slates replace the segment (`ShotMended`). Where none are
found, the segment is split in two halves (`SegmentParted`), down to the single frame that cannot be
rendered. Every such event leaves shorter pieces or fewer frames to render, so the process
terminates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import floor

import msgspec

from core.errors.failure import Failure
from core.graph import content_key
from core.graph.nodes import Chunk, Copy, Picture, Piece, Plan, Segment, Shot, Slate, Sound
from core.graph.preset import Preset
from core.job.events import SegmentParted, ShotMended, SoundSilenced
from core.plan.slate_text import SlateWords, slate_lines, stretch
from core.timeline.timing import showing_frame, timecode

LOCATE = "damage located"
"""The change recorded with a failure whose bad frames are searched for."""
MOST_PIECES = 100
"""How many more segments than planned a shot may have; beyond that it is given up."""
_LEAST_S = Fraction(1, 4)
"""Shortest good stretch worth keeping, in seconds; a shot without one is given up as a whole."""
IN_PART = {
    "source-damaged", "source-truncated", "source-too-short", "source-unlike-record", "sound-damaged", "ffmpeg-crashed",
    "worker-died", "program-hung", "source-not-handled",
}  # fmt: skip
"""Faults that may be caused by some frames or samples alone."""
SOUND_IN_PART = IN_PART | {"program-fault"}
"""Faults of sound that cost no more than the clip within one chunk."""

Runs = Sequence[tuple[int, int]]


@dataclass
class Damage:
    """The damage found so far.

    `mends` and `parted` have the repairs and the splits by the key of their segment; `shown` has
    the shots that show it (equal shots share a key); `shots` has the repaired shots with the
    reason; `silences` has the stretches of silence.
    """

    mends: dict[str, ShotMended] = field(default_factory=dict)
    shown: dict[str, set[int]] = field(default_factory=dict)
    shots: dict[int, Failure] = field(default_factory=dict)
    parted: dict[str, int] = field(default_factory=dict)
    silences: list[SoundSilenced] = field(default_factory=list)

    def fold(self, fact: ShotMended | SegmentParted | SoundSilenced) -> None:
        """Apply a recorded event."""
        match fact:
            case ShotMended():
                self.mends.setdefault(fact.key, fact)
                self.shown.setdefault(fact.key, set()).add(fact.shot)
                self.shots[fact.shot] = fact.failure
            case SegmentParted():
                self.parted[fact.key] = fact.at
            case SoundSilenced():
                self.silences.append(fact)

    def forget(self, shot: int) -> None:
        """Discard the repairs of a shot and of all shots that show the same segment."""
        for key in [key for key, shots in self.shown.items() if shot in shots]:
            self.mends.pop(key, None)
            del self.shown[key]
        still = {number for shots in self.shown.values() for number in shots}
        self.shots = {number: failure for number, failure in self.shots.items() if number in still}

    def applied(self, made: Plan, *, preset: Preset, build: str, slate_words: SlateWords) -> Plan:
        """Return the plan with all repairs, splits and silences applied."""
        pictured = mended(
            made, self.mends, self.parted, preset=preset, build=build, slate_words=slate_words
        )
        return hushed(pictured, self.silences, preset=preset)


def locatable(segment: Segment | None, failure: Failure) -> bool:
    """Return whether the failure may be caused by only some frames of the segment."""
    return (
        segment is not None
        and isinstance(segment.picture, Piece | Copy)
        and failure.code in IN_PART
    )


def divisible(segment: Segment) -> bool:
    """Return whether a segment can be split in two halves."""
    return isinstance(segment.picture, Piece | Copy) and segment.frames > 1


def good_runs(bad: Runs, frames: int) -> list[tuple[int, int]]:
    """Return the runs (offset, length) between the bad ones."""
    edges = [(0, 0), *bad, (frames, 0)]
    runs = [(a + n, b - a - n) for (a, n), (b, _) in pairwise(edges)]
    return [(offset, length) for offset, length in runs if length > 0]


def source_frame(picture: Picture, offset: int, rate: Fraction) -> int:
    """Return the number, in its file, of the source frame that a segment shows at `offset`."""
    if isinstance(picture, Copy):
        return picture.first_frame + offset
    if not isinstance(picture, Piece):
        return 0
    return picture.first_frame + showing_frame(Fraction(offset) / rate, picture.source_rate)


def source_timecode(shot: Shot, picture: Picture, frame: int, rate: Fraction) -> str:
    """Return the timecode of a source frame in its own file.

    Counts from zero where the file has no timecode.
    """
    own = picture.source_rate if isinstance(picture, Piece) else rate
    return timecode(round((shot.timecode_s or Fraction(0)) * own) + frame, own)


def keeps_enough(made: Plan, shot: int) -> bool:
    """Return whether a shot still has a stretch without slates that is worth showing."""
    longest = run = 0
    for segment in made.segments:
        if segment.shot == shot:
            run = 0 if isinstance(segment.picture, Slate) else run + segment.frames
            longest = max(longest, run)
    return longest >= _LEAST_S * made.format.rate


def mended(
    made: Plan,
    mends: Mapping[str, ShotMended],
    parted: Mapping[str, int],
    *,
    preset: Preset,
    build: str,
    slate_words: SlateWords,
) -> Plan:
    """Return the plan with repaired and split segments, applied recursively.

    `mends` and `parted` are keyed by segment. A repaired segment becomes its good pieces and
    slates; a split one becomes two halves.
    """
    if not mends and not parted:
        return made
    mender = _Repairer(made, mends, parted, preset, build, slate_words)
    return msgspec.structs.replace(
        made, segments=tuple(part for segment in made.segments for part in mender.parts(segment))
    )


class _Repairer:
    def __init__(
        self,
        made: Plan,
        mends: Mapping[str, ShotMended],
        parted: Mapping[str, int],
        preset: Preset,
        build: str,
        slate_words: SlateWords,
    ) -> None:
        self._plan, self._mends, self._parted = made, mends, parted
        self._preset, self._build, self._words = preset, build, slate_words
        self._shots = {shot.number: shot for shot in made.shots}

    def parts(self, segment: Segment) -> Iterable[Segment]:
        """Yield the segments that now replace a segment."""
        mend, at = self._mends.get(segment.key), self._parted.get(segment.key)
        if mend is not None:
            bad = set(mend.bad)
            for offset, length in sorted([*mend.bad, *good_runs(mend.bad, segment.frames)]):
                if (offset, length) in bad:
                    yield self._segment(
                        segment, offset, length, self._slate(segment, offset, length, mend.failure)
                    )
                else:
                    picture = narrowed(segment, offset, length, self._plan.format.rate, alone=True)
                    yield from self.parts(self._segment(segment, offset, length, picture))
        elif at is not None:
            for offset, length in ((0, at), (at, segment.frames - at)):
                picture = narrowed(segment, offset, length, self._plan.format.rate)
                yield from self.parts(self._segment(segment, offset, length, picture))
        else:
            yield segment

    def _segment(self, segment: Segment, offset: int, length: int, picture: Picture) -> Segment:
        key = content_key.picture_key(picture, length, self._plan.format, self._preset, self._build)
        return Segment(
            key=key,
            shot=segment.shot,
            record_in=segment.record_in + offset,
            frames=length,
            picture=picture,
        )

    def _slate(self, segment: Segment, offset: int, length: int, failure: Failure) -> Slate:
        plan, words, shot = self._plan, self._words, self._shots[segment.shot]
        rate = plan.format.rate
        first = plan.start_frame + segment.record_in + offset
        where = stretch(words, first, length, rate, drop_frame=plan.drop_frame)
        frame = source_frame(segment.picture, offset, rate)
        source = (
            f"{words.source_frame} {frame}, {source_timecode(shot, segment.picture, frame, rate)}"
        )
        return Slate(lines=slate_lines(words, shot, failure.code, where, source))


def narrowed(
    segment: Segment, offset: int, length: int, rate: Fraction, *, alone: bool = False
) -> Picture:
    """Return the picture of `length` frames of a segment, starting at `offset`.

    `alone`: the frames next to them are damaged and are not decoded. In that case, frames that
    depend on others start at a key frame, so no run-up is needed.
    """
    picture = segment.picture
    if isinstance(picture, Copy):
        return msgspec.structs.replace(picture, first_frame=picture.first_frame + offset)
    assert isinstance(picture, Piece)
    half_s = Fraction(1, 2) / picture.source_rate
    shown_s = picture.shown_s + Fraction(offset) / rate
    narrow = msgspec.structs.replace(picture, first_frame=source_frame(picture, offset, rate))
    if offset:
        early_s = max(picture.phase_s, half_s / 2)
        seek_s = max(Fraction(0), Fraction(floor((shown_s - early_s) * 1_000_000), 1_000_000))
        narrow = msgspec.structs.replace(narrow, seek_s=seek_s, phase_s=shown_s - seek_s)
    if alone and offset:
        narrow = msgspec.structs.replace(narrow, from_s=shown_s - half_s, run_up_s=Fraction(0))
    if alone and offset + length < segment.frames:
        narrow = msgspec.structs.replace(
            narrow, until_s=picture.shown_s + Fraction(offset + length) / rate - half_s
        )
    return narrow


def hushed(made: Plan, silences: Sequence[SoundSilenced], *, preset: Preset) -> Plan:
    """Return the plan with silence in place of the given stretches of clips' sounds."""
    if not silences:
        return made
    chunks = []
    for chunk in made.chunks:
        kept = tuple(
            part
            for sound in chunk.sounds
            for part in _without(sound, chunk, silences, made.format.sample_rate)
        )
        if kept != chunk.sounds:
            key = content_key.chunk_key(kept, chunk.samples, made.format, preset)
            chunk = msgspec.structs.replace(chunk, sounds=kept, key=key)
        chunks.append(chunk)
    return msgspec.structs.replace(made, chunks=tuple(chunks))


def _without(
    sound: Sound, chunk: Chunk, silences: Sequence[SoundSilenced], sample_rate: int
) -> list[Sound]:
    parts = [sound]
    for silence in silences:
        if silence.clip == sound.clip:
            begin = silence.first_sample - chunk.first_sample
            parts = [
                rest
                for part in parts
                for rest in _around(part, begin, begin + silence.samples, sample_rate)
            ]
    return parts


def _around(sound: Sound, begin: int, end: int, sample_rate: int) -> Iterable[Sound]:
    """Yield what is left of a sound before and after samples [begin, end) of its chunk."""
    stop = sound.at + sound.samples
    if end <= sound.at or begin >= stop:
        yield sound
        return
    if begin > sound.at:
        yield msgspec.structs.replace(sound, samples=begin - sound.at)
    if end < stop:
        later_s = Fraction(end - sound.at, sample_rate)
        yield msgspec.structs.replace(
            sound, at=end, samples=stop - end, source_in_s=sound.source_in_s + later_s
        )


def silences(chunk: Chunk, failure: Failure) -> list[SoundSilenced]:
    """Return the silences for the sounds of a chunk that cannot be mixed.

    These are the stretches that the evidence names, or else the whole clip that it names, within
    this chunk. Evidence that names no clip silences all of them, because a worker that crashed
    cannot name the one at fault.
    """
    seen = failure.evidence
    found = []
    for clip in dict.fromkeys(sound.clip for sound in chunk.sounds):
        if seen.clip in ("", clip):
            own = [sound for sound in chunk.sounds if sound.clip == clip]
            begin, end = min(s.at for s in own), max(s.at + s.samples for s in own)
            inside = [(max(a, begin), min(a + n, end)) for a, n in seen.bad if seen.clip]
            for first, stop in [(a, b) for a, b in inside if b > a] or [(begin, end)]:
                at = chunk.first_sample + first
                found.append(
                    SoundSilenced(clip=clip, failure=failure, first_sample=at, samples=stop - first)
                )
    return found
