"""Media of the demo: small movies and a timeline of a dozen shots.

Each movie has burnt-in timecode and a tone.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import opentimelineio as otio
from PIL import Image, ImageDraw, ImageFont

from core.timeline.timing import timecode

RATE = 24
SIZE = (640, 360)
_SAMPLE_RATE = 48000


class Reel(NamedTuple):
    """One source: file name, encoders, pixel format, tone in Hz and background colour."""

    name: str
    encoder: str
    pixel_format: str
    sound: str
    tone_hz: int
    ground: tuple[int, int, int]


REELS = (
    Reel("A001.mov", "libx264", "yuv420p", "pcm_s16le", 220, (28, 60, 92)),
    Reel("B002.mov", "dnxhd", "yuv422p", "pcm_s24le", 277, (92, 52, 28)),
    Reel("C003.mov", "prores_ks", "yuv422p10le", "pcm_s24le", 330, (34, 84, 52)),
    Reel("D004.mp4", "libx264", "yuv420p", "aac", 440, (80, 36, 82)),
    Reel("E005.mov", "dnxhd", "yuv422p", "pcm_s16le", 554, (86, 78, 30)),
)
_OPTIONS = {
    "libx264": {"preset": "veryfast", "crf": "18", "g": "48"},
    "dnxhd": {"profile": "dnxhr_hq"},
    "prores_ks": {"profile": "3"},
}


def make_reel(folder: Path, reel: Reel, frames: int) -> Path:
    """Write one source of `frames` frames, starting at timecode 01:00:00:00."""
    path = folder / reel.name
    large, small = ImageFont.load_default(52), ImageFont.load_default(22)
    ground = Image.new("RGB", SIZE, reel.ground)
    pen = ImageDraw.Draw(ground)
    for x in range(0, SIZE[0], 40):
        pen.line((x, 0, x, SIZE[1]), fill=tuple(c + 10 for c in reel.ground))
    pen.text((32, 28), Path(reel.name).stem, font=large, fill=(240, 240, 240))
    with av.open(str(path), "w") as out:
        out.metadata["timecode"] = "01:00:00:00"
        video = out.add_stream(reel.encoder, rate=RATE, options=_OPTIONS[reel.encoder])
        audio = out.add_stream(reel.sound, rate=_SAMPLE_RATE)
        assert isinstance(video, av.VideoStream) and isinstance(audio, av.AudioStream)
        video.width, video.height, video.pix_fmt = *SIZE, reel.pixel_format
        audio.layout = "stereo"
        for number in range(frames):
            image = ground.copy()
            pen = ImageDraw.Draw(image)
            pen.text(
                (32, 250),
                timecode(RATE * 3600 + number, Fraction(RATE)),
                font=large,
                fill=(255, 220, 120),
            )
            pen.text((32, 315), f"frame {number}", font=small, fill=(200, 200, 200))
            x = 40 + (number * 6) % (SIZE[0] - 120)
            pen.ellipse((x, 130, x + 70, 200), fill=(230, 90, 70))
            frame = av.VideoFrame.from_image(image)
            frame.pts = number
            for packet in video.encode(frame):
                out.mux(packet)
        for packet in video.encode(None):
            out.mux(packet)
        _tone(out, audio, reel.tone_hz, frames * _SAMPLE_RATE // RATE)
    return path


def _tone(out: av.container.OutputContainer, audio: av.AudioStream, hz: int, samples: int) -> None:
    wave = 0.15 * np.sin(np.arange(samples) * (2 * np.pi * hz / _SAMPLE_RATE))
    kind = {"pcm_s16le": ("s16", 1 << 15, "<i2"), "pcm_s24le": ("s32", 1 << 31, "<i4")}.get(
        audio.codec_context.name
    )
    for first in range(0, samples, 1024):
        part = wave[first : first + 1024]
        if kind is None:
            frame = av.AudioFrame.from_ndarray(
                np.stack([part, part]).astype(np.float32), format="fltp", layout="stereo"
            )
        else:
            name, full, dtype = kind
            both = np.repeat((part * (full - 1)).astype(dtype), 2)[None, :]
            frame = av.AudioFrame.from_ndarray(both, format=name, layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = (
            _SAMPLE_RATE,
            first,
            Fraction(1, _SAMPLE_RATE),
        )
        for packet in audio.encode(frame):
            out.mux(packet)
    for packet in audio.encode(None):
        out.mux(packet)


def make_timeline(
    path: Path, shots: list[tuple[str, Path | None, int, int]], source_frames: int
) -> Path:
    """Write an .otio timeline.

    `shots` holds (name, media or None for a gap, first source frame, frames) in order. The picture
    track and the sound track are alike.
    """
    timeline = otio.schema.Timeline(
        name="Hotsplice demo", global_start_time=otio.opentime.RationalTime(86400, RATE)
    )
    for kind, name in (
        (otio.schema.TrackKind.Video, "Video 1"),
        (otio.schema.TrackKind.Audio, "Audio 1"),
    ):
        track = otio.schema.Track(name=name, kind=kind)
        for shot, media, first, frames in shots:
            length = otio.opentime.RationalTime(frames, RATE)
            if media is None:
                track.append(otio.schema.Gap(duration=length))
                continue
            start = otio.opentime.RationalTime(3600 * RATE, RATE)
            reference = otio.schema.ExternalReference(
                target_url=str(media),
                available_range=otio.opentime.TimeRange(
                    start, otio.opentime.RationalTime(source_frames, RATE)
                ),
            )
            track.append(
                otio.schema.Clip(
                    name=shot,
                    media_reference=reference,
                    source_range=otio.opentime.TimeRange(
                        start + otio.opentime.RationalTime(first, RATE), length
                    ),
                )
            )
        timeline.tracks.append(track)
    path.write_text(timeline.to_json_string(), encoding="utf-8")
    return path
