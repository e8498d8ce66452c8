"""A frame number and a source id that live in the picture itself and survive coding, scaling and bars.

The code is 16 x 4 blocks of black and white luma (64 bits), placed by fractions of the picture, so it scales with it:

    row 0   sync 10100110   source id (8 bits)
    row 1   number, bits 23..8
    row 2   number, bits 7..0   CRC-16 of source and number, high byte
    row 3   CRC low byte        sync inverted 01011001

The sync blocks give the levels of black and white, whatever the range and the bit depth. A block that is neither
(a dissolve between two frames, a smear), wrong sync or a wrong CRC all read as None, never as another frame.

Where the picture stands is found from the bars: they are darker than `_DARK` of the brightest luma, and the picture
outside the code never is (`tests.film.picture`).
"""

from __future__ import annotations

from binascii import crc_hqx
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEFT, TOP, RIGHT, BOTTOM = 0.10, 0.62, 0.90, 0.94
"""The code's edges, as fractions of the picture's width and height."""

NUMBERS, SOURCES = 1 << 24, 1 << 8

_COLUMNS, _ROWS = 16, 4
_SYNC = 0b10100110
_SYNC_BITS = np.unpackbits(np.array([_SYNC, _SYNC ^ 0xFF], np.uint8))
_SPREAD = (-0.2, 0.0, 0.2)
"""Where a block is sampled, from its centre, in blocks; three by three points."""
_UNSURE = 0.35
"""How far a block may be from black or white, as a fraction of the distance between them."""
_DARK = 0.2


class Mark(NamedTuple):
    """What a frame says it is: source id 0..255, frame number 0..2**24-1 counted from the source's first frame."""

    source: int
    number: int


class Rectangle(NamedTuple):
    """A part of a frame, in pixels."""

    x: int
    y: int
    width: int
    height: int


def place(width: int, height: int) -> Rectangle:
    """Where the code stands in a picture of this size, in whole pixels. Colour there should be neutral."""
    columns, rows = _blocks((height, width))
    return Rectangle(
        int(columns[0]), int(rows[0]), int(columns[-1] - columns[0]), int(rows[-1] - rows[0])
    )


def draw(
    luma: NDArray[np.unsignedinteger], mark: Mark, *, black: int = 16, white: int = 235
) -> None:
    """Draw the code into `luma` (height, width), in place. ValueError when the mark does not fit its bits."""
    columns, rows = _blocks((luma.shape[0], luma.shape[1]))
    levels = np.where(_encode(mark), white, black).astype(luma.dtype).reshape(_ROWS, _COLUMNS)
    wide = levels[:, np.repeat(np.arange(_COLUMNS), np.diff(columns))]
    for row in range(_ROWS):
        luma[rows[row] : rows[row + 1], columns[0] : columns[-1]] = wide[row]


def read(
    luma: NDArray[np.unsignedinteger], fit: tuple[int, int, int, int] | None = None
) -> Mark | None:
    """The mark in a decoded frame's luma (height, width), of any bit depth; None when there is none to be trusted.

    `fit` is where the picture stands, as (x, y, width, height) in pixels. Without it the whole frame is tried, then
    what is left of it inside dark bars.
    """
    if fit is not None:
        return _read_at(luma, Rectangle(*fit))
    whole = Rectangle(0, 0, luma.shape[1], luma.shape[0])
    if (mark := _read_at(luma, whole)) is not None:
        return mark
    picture = active_picture(luma)
    return _read_at(luma, picture) if picture not in (None, whole) else None


def active_picture(luma: NDArray[np.unsignedinteger]) -> Rectangle | None:
    """The picture inside dark bars, within a pixel; None when the whole frame is evenly dark."""
    across, down = luma[::4].max(axis=0), luma[:, ::4].max(axis=1)
    limit = across.max() * _DARK
    columns, rows = np.flatnonzero(across > limit), np.flatnonzero(down > limit)
    if not len(columns) or not len(rows):
        return None
    x, y = int(columns[0]), int(rows[0])
    return Rectangle(x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y)


def _encode(mark: Mark) -> NDArray[np.bool_]:
    """The 64 blocks in reading order; True is white."""
    if not (0 <= mark.source < SOURCES and 0 <= mark.number < NUMBERS):
        raise ValueError(f"{mark} does not fit in 8 and 24 bits")
    payload = bytes([mark.source]) + mark.number.to_bytes(3, "big")
    code = (
        bytes([_SYNC])
        + payload
        + crc_hqx(payload, 0xFFFF).to_bytes(2, "big")
        + bytes([_SYNC ^ 0xFF])
    )
    return np.unpackbits(np.frombuffer(code, np.uint8)).astype(bool)


def _read_at(luma: NDArray[np.unsignedinteger], fit: Rectangle) -> Mark | None:
    rows, columns = _points((luma.shape[0], luma.shape[1]), fit)
    blocks = luma[rows, columns].astype(np.float32).mean(axis=1)
    sync = np.concatenate((blocks[:8], blocks[-8:]))
    black, white = float(sync[_SYNC_BITS == 0].mean()), float(sync[_SYNC_BITS == 1].mean())
    if white - black <= white / 2:
        return None
    levels = (blocks - black) / (white - black)
    bits = levels > 0.5
    if np.abs(levels - bits).max() > _UNSURE:
        return None
    code = np.packbits(bits).tobytes()
    if (
        code[0] != _SYNC
        or code[7] != _SYNC ^ 0xFF
        or crc_hqx(code[1:5], 0xFFFF) != int.from_bytes(code[5:7], "big")
    ):
        return None
    return Mark(source=code[1], number=int.from_bytes(code[2:5], "big"))


@lru_cache(maxsize=64)
def _blocks(shape: tuple[int, int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pixel edges of the 16 columns (17 values) and 4 rows (5 values) in a picture of (height, width)."""
    height, width = shape
    columns = np.rint(np.linspace(LEFT, RIGHT, _COLUMNS + 1) * width).astype(np.intp)
    rows = np.rint(np.linspace(TOP, BOTTOM, _ROWS + 1) * height).astype(np.intp)
    return columns, rows


@lru_cache(maxsize=64)
def _points(shape: tuple[int, int], fit: Rectangle) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column of every sampled pixel, each (64 blocks, 9 points)."""
    centre_x, centre_y = np.arange(_COLUMNS) + 0.5, np.arange(_ROWS) + 0.5
    spread = np.array(_SPREAD)
    x = fit.x + fit.width * (LEFT + (centre_x[:, None] + spread) * (RIGHT - LEFT) / _COLUMNS)
    y = fit.y + fit.height * (TOP + (centre_y[:, None] + spread) * (BOTTOM - TOP) / _ROWS)
    columns = np.clip(x.astype(np.intp), 0, shape[1] - 1)
    rows = np.clip(y.astype(np.intp), 0, shape[0] - 1)
    full = (_ROWS, _COLUMNS, len(spread), len(spread))
    return (
        np.broadcast_to(rows[:, None, :, None], full).reshape(_ROWS * _COLUMNS, -1),
        np.broadcast_to(columns[None, :, None, :], full).reshape(_ROWS * _COLUMNS, -1),
    )
