"""Pictures made in numpy: a coloured pattern that drifts, the barcode, and for people a name and a running timecode.

Frames are planar 8-bit YUV, ready for a rawvideo pipe. Luma outside the barcode stays well above black, so that bars
around the picture can be told from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import opentimelineio as otio
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tests.film import barcode

Luma = NDArray[np.uint8]

_MIDDLE, _SWING, _INK = 110, 38, 235


def raw_frames(
    count: int, size: tuple[int, int], source_id: int, *, tall_chroma: bool, full_range: bool
) -> Iterator[tuple[Luma, Luma, Luma]]:
    """Y, U and V of frames 0..count-1, each (height, width) of its plane; the same arrays, drawn over every time.

    Chroma is half as wide; `tall_chroma` (4:2:2) keeps its full height, else (4:2:0) it is half as high.
    """
    width, height = size
    if width % 2 or height % 2:
        raise ValueError(f"{width} x {height}: subsampled colour needs even sizes")
    period = max(8, width // 5 // 4 * 4)
    step = 2 + 2 * (source_id % 3)
    half_size = (height if tall_chroma else height // 2, width // 2)
    ground, u_ground, v_ground = _texture(size, period, source_id, half_size[0])
    black, white = (0, 255) if full_range else (16, 235)
    luma, u, v = (
        np.empty((rows, across), np.uint8) for rows, across in ((height, width), *2 * (half_size,))
    )
    code = barcode.place(half_size[1], half_size[0])
    grey = np.s_[code.y : code.y + code.height + 1, code.x : code.x + code.width + 1]
    for number in range(count):
        shift = number * step % period
        luma[:] = ground[:, shift : shift + width]
        barcode.draw(luma, barcode.Mark(source_id, number), black=black, white=white)
        for plane, colour in ((u, u_ground), (v, v_ground)):
            plane[:] = colour[:, shift // 2 : shift // 2 + width // 2]
            plane[grey] = (
                128  # no colour under the code: black or white with colour would be clipped in RGB
            )
        yield luma, u, v


def _texture(
    size: tuple[int, int], period: int, source_id: int, chroma_height: int
) -> tuple[Luma, Luma, Luma]:
    """Y, U, V one `period` wider than the picture, which repeats across it: a slice of it is the drifted picture."""
    width, height = size
    x = np.arange(width + period) * (2 * np.pi / period)
    y = np.linspace(0, 2 * np.pi, height)[:, None]
    luma = _MIDDLE + _SWING * np.sin(x + y + source_id) * np.cos(0.5 * y)
    chroma_x, chroma_y = x[::2], np.linspace(0, 2 * np.pi, chroma_height)[:, None]
    hue = source_id * 2.39996  # the golden angle: neighbouring ids are far apart in colour
    wave = 0.5 * np.sin(chroma_x - chroma_y)
    u, v = 128 + 34 * np.cos(hue + wave), 128 + 34 * np.sin(hue + wave)
    return np.rint(luma).astype(np.uint8), np.rint(u).astype(np.uint8), np.rint(v).astype(np.uint8)


class Caption:
    """A name and a timecode burnt into the upper half, drawn once as glyphs and pasted into every frame."""

    def __init__(
        self,
        size: tuple[int, int],
        name: str,
        rate: Fraction,
        start_frame: int,
        *,
        drop_frame: bool,
    ) -> None:
        width, height = size
        self._rate, self._start, self._drop = rate, start_frame, drop_frame
        self._name = _written(name, max(9, height // 12))[: height // 4, : width - width // 8]
        self._glyphs = {letter: _written(letter, max(12, height // 6)) for letter in "0123456789:;"}
        widths = {letter: glyph.shape[1] for letter, glyph in self._glyphs.items()}
        digit = max(widths[letter] for letter in "0123456789")
        self._advance = {
            letter: digit if letter.isdigit() else width for letter, width in widths.items()
        }

    def paste(self, luma: Luma, number: int) -> None:
        """Burn the caption of frame `number` into `luma` (height, width), in place."""
        height, width = luma.shape
        _burn(luma, self._name, width // 16, height // 14)
        text = timecode(self._start + number, self._rate, drop_frame=self._drop)
        x, y = (width - sum(self._advance[letter] for letter in text)) // 2, height // 4
        for letter in text:
            glyph = self._glyphs[letter]
            _burn(luma, glyph, max(0, x + (self._advance[letter] - glyph.shape[1]) // 2), y)
            x += self._advance[letter]


def timecode(frame: int, rate: Fraction, *, drop_frame: bool = False) -> str:
    """SMPTE timecode of a frame counted from 00:00:00:00."""
    return str(
        otio.opentime.to_timecode(
            otio.opentime.RationalTime(frame, float(rate)), float(rate), drop_frame
        )
    )


def frames_of_timecode(text: str, rate: Fraction) -> int:
    """The inverse of `timecode`; `;` before the frames means drop-frame."""
    return round(float(otio.opentime.from_timecode(text, float(rate)).value))


def _written(text: str, height: int) -> Luma:
    """Text as coverage 0..255, one line high."""
    font = ImageFont.load_default(height)
    left, _, right, _ = font.getbbox(text)
    image = Image.new("L", (max(1, round(right - min(0, left))), round(height * 1.3)))
    ImageDraw.Draw(image).text((-min(0, left), 0), text, font=font, fill=255)
    return np.asarray(image)


def _burn(luma: Luma, glyph: Luma, x: int, y: int) -> None:
    part = luma[y : y + glyph.shape[0], x : x + glyph.shape[1]]
    cover = glyph[: part.shape[0], : part.shape[1]].astype(np.uint16)
    part[:] = (part * (255 - cover) + _INK * cover) // 255
