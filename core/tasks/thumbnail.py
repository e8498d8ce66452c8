"""Draw a small picture from a film or segment, for reports."""

from __future__ import annotations

import os
from fractions import Fraction

import av
from PIL import Image

from core.media import rational
from core.media.media_errors import TooShort
from core.tasks.spec import DrawThumbnail, Made

_QUALITY = 78


def draw(order: DrawThumbnail, rate: Fraction) -> Made:
    """Write the JPEG and flush it.

    Raises TooShort if the frame does not exist, and av.FFmpegError or OSError if the file cannot be
    read.
    """
    picture = _frame(order.path, order.frame, rate)
    picture.thumbnail((order.width, order.width))
    with open(order.part, "xb") as handle:
        picture.convert("RGB").save(handle, format="JPEG", quality=_QUALITY, optimize=True)
        handle.flush()
        os.fsync(handle.fileno())
    return Made(frames=1, bytes=os.path.getsize(order.part))


def _frame(path: str, number: int, rate: Fraction) -> Image.Image:
    with av.open(path) as container:
        stream = container.streams.video[0]
        base = rational.time_base(stream, 1 / rate)
        start = stream.start_time or 0
        wanted = start + round(number / rate / base)
        container.seek(wanted, stream=stream, backward=True)
        near = 1 / rate / base / 2
        seen = 0
        for frame in container.decode(stream):
            seen += 1
            if frame.pts is not None and frame.pts >= wanted - near:
                picture: Image.Image = frame.to_image()
                return picture
    raise TooShort(wanted=number + 1, seen=seen)
