"""Write OTIO timelines as a script, in the shape DaVinci Resolve exports them.

    film = timeline(24, name="Reel 1")
    film.video().clip(a, 10, 48).gap(12).clip(b, 0, 24)
    film.video("Titles").gap(20).clip(still, 0, 30, media_frames=1)
    film.audio().clip(a, 10, 48)
    film.save(folder / "reel.otio")

Record counts (`frames`, gaps, dissolves) are frames of the timeline; `source_in` counts frames of the media from its
first one. As in Resolve: Clip.2, bare absolute paths, source ranges absolute in the media's timecode but counted at the
timeline's rate, every track padded to the same length.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange

from tests.film.media import Movie
from tests.film.picture import frames_of_timecode

_KINDS = {"video": otio.schema.TrackKind.Video, "audio": otio.schema.TrackKind.Audio}


def timeline(
    rate: Fraction | int, *, start: str | None = "01:00:00:00", name: str = ""
) -> Timeline:
    """An empty timeline; `start` None leaves `global_start_time` out."""
    return Timeline(Fraction(rate), start, name)


@dataclass(slots=True)
class Timeline:
    """Tracks in the order they were added; `build` puts the video below the audio, as Resolve does."""

    rate: Fraction
    start: str | None
    name: str
    tracks: list[Track] = field(default_factory=list)
    pad: bool = True
    """Gaps at the ends of the shorter tracks."""

    def video(self, name: str | None = None, *, enabled: bool = True) -> Track:
        """A new video track above the others; a name already used is that track again."""
        return self._track("video", name, enabled)

    def audio(self, name: str | None = None, *, enabled: bool = True) -> Track:
        """A new audio track below the others; a name already used is that track again."""
        return self._track("audio", name, enabled)

    def build(self) -> otio.schema.Timeline:
        """The timeline as OTIO, made anew on every call."""
        start = (
            None
            if self.start is None
            else _at(frames_of_timecode(self.start, self.rate), self.rate)
        )
        film = otio.schema.Timeline(self.name, global_start_time=start)
        film.metadata["Resolve_OTIO"] = {"Resolve OTIO Meta Version": "1.0"}
        longest = max((track.length for track in self.tracks), default=0)
        for kind in _KINDS:
            film.tracks.extend(
                track.build(longest if self.pad else 0)
                for track in self.tracks
                if track.kind == kind
            )
        return film

    def save(self, path: str | Path) -> Path:
        """Write the .otio file."""
        self.build().to_json_file(str(path))
        return Path(path)

    def _track(self, kind: str, name: str | None, enabled: bool) -> Track:
        same = [track for track in self.tracks if track.kind == kind]
        name = name or f"{kind.title()} {len(same) + 1}"
        for track in same:
            if track.name == name:
                return track
        self.tracks.append(Track(self, kind, name, enabled))
        return self.tracks[-1]


@dataclass(slots=True)
class Track:
    """One track, filled from left to right. Each call returns it, and leads back to its timeline."""

    film: Timeline = field(repr=False)
    kind: str
    name: str
    enabled: bool
    length: int = 0
    """Record frames so far."""
    _items: list[otio.core.Composable] = field(default_factory=list, repr=False)

    def clip(
        self,
        media: Movie | str | Path | None,
        source_in: int,
        frames: int,
        *,
        enabled: bool = True,
        rate: Fraction | int | None = None,
        name: str | None = None,
        media_frames: int | None = None,
        media_start: str | None = None,
        available: bool = True,
        offline: bool = False,
        speed: float | None = None,
        channels: int = 2,
        metadata: dict[str, object] | None = None,
    ) -> Track:
        """Add a shot of `frames` record frames, from the media's frame `source_in` on.

        A `Movie` brings its rate, length and first timecode; for a path they are `rate` (else the timeline's),
        `media_frames` (else what the shot needs) and `media_start` (a timecode, else zero). None is a generator: a
        MissingReference that names no file. `offline` is one that does, as Resolve writes lost media. `available`
        False leaves `available_range` out. `speed` adds a LinearTimeWarp. `channels` are an audio clip's.
        """
        if isinstance(media, Movie):
            rate, media_frames = rate or media.rate, media_frames or media.frames
            media_start = media_start or media.start_timecode
        path = media.path if isinstance(media, Movie) else media
        media_rate, record = Fraction(rate or self.film.rate), self.film.rate
        first = frames_of_timecode(media_start, media_rate) if media_start else 0
        if media_frames is None:
            media_frames = source_in + -(-Fraction(frames) * media_rate // record)
        shot = otio.schema.Clip(
            name=name or (Path(path).name if path else "Generator"),
            media_reference=_reference(
                path,
                TimeRange(_at(first, media_rate), _at(media_frames, media_rate))
                if available
                else None,
                offline,
            ),
            source_range=TimeRange(
                _at((first + source_in) * record / media_rate, record), _at(frames, record)
            ),
            metadata={"Resolve_OTIO": {}} if metadata is None else metadata,
        )
        shot.enabled = enabled
        if self.kind == "audio" and metadata is None:
            sources = [
                {"Source Channel ID": channel, "Source Track ID": 0} for channel in range(channels)
            ]
            shot.metadata["Resolve_OTIO"]["Channels"] = sources
        if speed is not None:
            shot.effects.append(otio.schema.LinearTimeWarp(time_scalar=speed))
        return self._add(shot, frames)

    def gap(self, frames: int) -> Track:
        """Leave `frames` record frames empty."""
        nothing = TimeRange(_at(0, self.film.rate), _at(frames, self.film.rate))
        return self._add(otio.schema.Gap(source_range=nothing), frames)

    def dissolve(self, before: int, after: int) -> Track:
        """A dissolve over the cut reached so far, `before` and `after` it in record frames."""
        join = otio.schema.Transition(
            transition_type=otio.schema.TransitionTypes.SMPTE_Dissolve,
            in_offset=_at(before, self.film.rate),
            out_offset=_at(after, self.film.rate),
        )
        return self._add(join, 0)

    def video(self, name: str | None = None, *, enabled: bool = True) -> Track:
        """Go on with a video track of the same timeline."""
        return self.film.video(name, enabled=enabled)

    def audio(self, name: str | None = None, *, enabled: bool = True) -> Track:
        """Go on with an audio track of the same timeline."""
        return self.film.audio(name, enabled=enabled)

    def save(self, path: str | Path) -> Path:
        """Write the whole timeline."""
        return self.film.save(path)

    def build(self, length: int) -> otio.schema.Track:
        """The track as OTIO, padded with a gap to `length` record frames."""
        track = otio.schema.Track(self.name, kind=_KINDS[self.kind])
        track.enabled = self.enabled
        sound = {"Audio Type": "Stereo", "SoloOn": False} if self.kind == "audio" else {}
        track.metadata["Resolve_OTIO"] = {"Locked": False, **sound}
        track.extend(item.deepcopy() for item in self._items)
        if length > self.length:
            rest = TimeRange(_at(0, self.film.rate), _at(length - self.length, self.film.rate))
            track.append(otio.schema.Gap(source_range=rest))
        return track

    def _add(self, item: otio.core.Composable, frames: int) -> Track:
        self._items.append(item)
        self.length += frames
        return self


def _at(frames: Fraction | int, rate: Fraction) -> RationalTime:
    return RationalTime(float(frames), float(rate))


def _reference(
    path: str | Path | None, available: TimeRange | None, offline: bool
) -> otio.core.MediaReference:
    if path is None:
        return otio.schema.MissingReference()
    place = str(path) if offline else str(Path(path).absolute())
    if offline:
        lost = {"Resolve_OTIO": {"Media Url": place}}
        return otio.schema.MissingReference(
            name=Path(path).name, available_range=available, metadata=lost
        )
    return otio.schema.ExternalReference(target_url=place, available_range=available)
