"""Sound in which every sample says which source, channel and instant it is.

Two signals, both functions of (source id, channel, sample index) alone, so any excerpt can be computed again:

noise   a hash of the sample index at -12 dBFS; exact through PCM, and a single displaced sample shows
tone    three sines that no lossy codec minds; compare with `lag`

All values are int32 on the scale of 24 bits: full scale is 2**23, whatever the depth in the file.
"""

from __future__ import annotations

import wave
from fractions import Fraction
from math import floor
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

FULL_SCALE = 1 << 23

_NOISE_BITS = 22
_TONE_LEVEL = 0.08 * FULL_SCALE
_CHUNK = 1 << 20


def expected_audio(
    source_id: int,
    start_sample: int,
    count: int,
    channels: int = 2,
    *,
    bits: int = 24,
    tone: bool = False,
    sample_rate: int = 48000,
) -> NDArray[np.int32]:
    """Samples [start, start + count) of a source as (count, channels); `bits` 16 leaves the low byte zero."""
    index = np.arange(start_sample, start_sample + count, dtype=np.int64)
    sound = np.empty((count, channels), np.int32)
    for channel in range(channels):
        sound[:, channel] = (
            _tone(source_id, channel, index, sample_rate)
            if tone
            else _noise(source_id, channel, index)
        )
    return sound if bits == 24 else sound & ~0xFF


def samples_of(frames: int, rate: Fraction, sample_rate: int) -> int:
    """How many samples `frames` last, to the nearest sample, halves up."""
    return floor(Fraction(frames * sample_rate) / rate + Fraction(1, 2))


def locate(
    excerpt: ArrayLike,
    source_id: int,
    *,
    channel: int = 0,
    bits: int = 24,
    within: int = 48000 * 600,
) -> int | None:
    """The sample index in a source's noise at which a one-channel excerpt begins, of those up to `within`; or None.

    Eight samples are enough to be sure. For messages such as "this is source 3, but 1024 samples late".
    """
    wanted = np.asarray(excerpt)
    probe = min(len(wanted), 8)
    for start in range(0, within, _CHUNK):
        row = _noise(
            source_id,
            channel,
            np.arange(start, min(within, start + _CHUNK) + probe, dtype=np.int64),
        )
        row = row if bits == 24 else row & ~0xFF
        found = np.flatnonzero(row[:-probe] == wanted[0])
        for offset in range(1, probe):
            found = found[row[found + offset] == wanted[offset]]
        if len(found):
            return start + int(found[0])
    return None


def lag(heard: ArrayLike, expected: ArrayLike) -> tuple[int, float]:
    """How many samples one channel is late against what was expected (negative: early), and how alike they then are.

    Likeness is the correlation coefficient at that lag, 1.0 for the same signal at any level. Give it a tenth of a
    second or more of `tone`.
    """
    a, b = np.asarray(heard, np.float64), np.asarray(expected, np.float64)
    size = 1 << (len(a) + len(b)).bit_length()
    products = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    peak = int(np.argmax(products))
    late = peak if peak < size // 2 else peak - size
    first, last = max(0, late), min(len(a), len(b) + late)
    a, b = a[first:last], b[first - late : last - late]
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return late, float(a @ b) / norm if norm else 0.0


def make_wav(
    path: str | Path,
    *,
    source_id: int,
    samples: int,
    sample_rate: int = 48000,
    channels: int = 2,
    bits: int = 24,
    tone: bool = False,
) -> Path:
    """Write a PCM WAV of `samples` samples per channel."""
    sound = expected_audio(
        source_id, 0, samples, channels, bits=bits, tone=tone, sample_rate=sample_rate
    )
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, bits // 8, sample_rate, samples, "NONE", ""))
        file.writeframes(packed(sound, bits))
    return Path(path)


def packed(sound: NDArray[np.int32], bits: int) -> bytes:
    """Interleaved little-endian PCM of 24 or 16 bits from (count, channels) on the scale of 24 bits."""
    if bits == 16:
        return (sound >> 8).astype("<i2").tobytes()
    if bits == 24:
        return np.ascontiguousarray(sound, "<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    raise ValueError(f"PCM of {bits} bits is not made here")


def _noise(source_id: int, channel: int, index: NDArray[np.int64]) -> NDArray[np.int32]:
    """Murmur3's finishing mix over the index and a key: neighbours differ, and so do sources and channels."""
    x = index.astype(np.uint32)
    x *= np.uint32(0x9E3779B1)
    x += np.uint32((source_id * 0x01000193 + channel * 0x27D4EB2F + 0x165667B1) & 0xFFFFFFFF)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    return (x >> np.uint32(32 - _NOISE_BITS)).astype(np.int32) - (1 << (_NOISE_BITS - 1))


def _tone(
    source_id: int, channel: int, index: NDArray[np.int64], sample_rate: int
) -> NDArray[np.int32]:
    """Three sines without a common period: only one lag fits."""
    base_hz = 200 + 3 * source_id + 17 * channel
    turns = index * (2 * np.pi / sample_rate)
    total = np.zeros(len(index))
    for ratio in (1.0, 1.618, 2.718):
        total += np.sin(turns * (base_hz * ratio))
    return np.rint(total * _TONE_LEVEL).astype(np.int32)
