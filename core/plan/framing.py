"""The film's format, and the placement of pictures of other sizes in its frame."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from core.errors.failure import Failure
from core.graph.nodes import Fit
from core.graph.preset import Preset
from core.timeline import flatten
from core.timeline.source import Source, VideoFacts
from core.timeline.timeline import Format, Timeline

_DEFAULT_SIZE = (1920, 1080)


class FormatRefused(ValueError):
    """The preset does not support the film's format; the message says why."""


def display_size(video: VideoFacts) -> tuple[Fraction, Fraction]:
    """Return width and height as displayed: with square pixels, upright."""
    width, height = Fraction(video.width) * video.pixel_aspect, Fraction(video.height)
    return (height, width) if video.rotation % 180 else (width, height)


def fit(video: VideoFacts, form: Format) -> Fit:
    """Return the largest centred placement that keeps the picture's proportions.

    Sizes and offsets are even, as subsampled colour requires. A picture of exactly the film's size
    fills the frame.
    """
    wide, high = display_size(video)
    scale = min(form.width / wide, form.height / high)
    width = min(form.width, max(2, round(wide * scale / 2) * 2))
    height = min(form.height, max(2, round(high * scale / 2) * 2))
    if (
        (video.width, video.height) == (form.width, form.height)
        and not video.rotation
        and video.pixel_aspect == 1
    ):
        width, height = form.width, form.height
    return Fit(
        width=width,
        height=height,
        x=(form.width - width) // 4 * 2,
        y=(form.height - height) // 4 * 2,
    )


def format_of(
    timeline: Timeline, sources: Mapping[str, Source | Failure], preset: Preset
) -> Format:
    """Return the film's format.

    Values that the timeline does not specify come from the first source, otherwise the default is
    HD, 48 kHz, stereo. Without any audible clip, the film has no sound track: 0 channels. Raises
    FormatRefused.
    """
    row, _ = flatten.visible(timeline)
    seen = [sources.get(v.clip.media.path or "") for v in row if v.clip is not None]
    videos = [s.video for s in seen if isinstance(s, Source) and s.video is not None]
    first = next((v for v in videos if not v.still), videos[0] if videos else None)
    shown = display_size(first) if first else _DEFAULT_SIZE
    width, height = timeline.width or round(shown[0]), timeline.height or round(shown[1])
    if preset.even:
        width, height = width - width % 2, height - height % 2
    if width < preset.minimum[0] or height < preset.minimum[1]:
        raise FormatRefused(
            f"{preset.name} needs at least {preset.minimum[0]} x {preset.minimum[1]}, the film is {width} x {height}"
        )
    clips = flatten.heard(timeline)
    heard = [sources.get(clip.media.path or "") for clip in clips]
    streams = [s.audio[0] for s in heard if isinstance(s, Source) and s.audio]
    sample_rate = timeline.sample_rate or (streams[0].sample_rate if streams else 48000) or 48000
    channels = timeline.channels or (min(8, streams[0].channels) if streams else 2)
    colour = (
        first.colour
        if first is not None and not first.still and first.colour[2] != 0
        else (1, 1, 1)
    )
    return Format(
        width=width,
        height=height,
        rate=timeline.rate,
        sample_rate=sample_rate,
        channels=channels if clips else 0,
        colour=colour,
    )
