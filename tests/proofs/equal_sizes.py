"""Make pairs of files of equal size that differ in one packet, one frame or one second, in six codecs.

A pair is cut from two encodings of one length: the film as it was, and the film as it was changed. The changed packets are
exchanged in place. Codecs whose packets have no fixed size get packets padded as their formats allow: a comment segment in
JPEG, a filler unit in H.264, bytes after the last picture in ProRes. Every frame carries its source id and its number
(`tests.film.barcode`): the id tells the versions apart, the number tells the frame.
"""

from __future__ import annotations

import random
import struct
import subprocess
import wave
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Literal

import av
import numpy as np
from numpy.typing import NDArray

from core.media import hashes
from tests.film import barcode, picture
from tests.film.barcode import Mark
from tests.film.media import ffmpeg
from tests.film.sound import expected_audio

RATE, GOP, SIZE = 24, 12, (256, 144)
PER_FRAME = 2000
"""Samples of sound while a frame is shown."""
FIRST, CHANGED = 1, 2
"""Source ids of the two versions."""
Change = Literal["packet", "frame", "second"]
CHANGES: tuple[Change, ...] = ("packet", "frame", "second")
_STEP = GOP
_SHORT, _LONG = 168, 480
"""Frames of a file. In a long one a changed second lies between the samples of the content mark."""
_PACKET = 1024
"""Samples."""


@dataclass(frozen=True)
class Codec:
    """How a codec is encoded, what its file is called, and the preset that makes films of it. `least` is what every packet is
    padded to, in bytes; with `leans` a frame is decoded from the one before."""

    name: str
    ending: str
    preset: str
    layout: str = "yuv422p"
    arguments: tuple[str, ...] = ()
    pad: Callable[[bytes, int], bytes] | None = None
    least: int = 0
    leans: bool = False

    @property
    def heard(self) -> bool:
        """Whether it is a codec of sound."""
        return self.ending == ".wav"


def _in_jpeg(packet: bytes, size: int) -> bytes:
    """Comment segments after the start of the image."""
    more, left = b"", size - len(packet)
    while left:
        part = min(left, 60_000) if left - 60_000 not in range(1, 4) else 50_000
        more += b"\xff\xfe" + struct.pack(">H", part - 2) + bytes(part - 4)
        left -= part
    return packet[:2] + more + packet[2:]


def _in_h264(packet: bytes, size: int) -> bytes:
    """A filler data unit after the picture (ISO/IEC 14496-10, 7.3.2.7)."""
    left = size - len(packet) - 4
    return packet + struct.pack(">I", left) + b"\x0c" + b"\xff" * (left - 2) + b"\x80"


def _after(packet: bytes, size: int) -> bytes:
    return packet + bytes(size - len(packet))


_X264 = (
    "-c:v",
    "libx264",
    "-preset",
    "veryfast",
    "-qp",
    "18",
    "-bf",
    "0",
    "-g",
    str(GOP),
    "-keyint_min",
    str(GOP),
)
CODECS = (
    Codec("DNxHR", ".mov", "dnxhr-hq", arguments=("-c:v", "dnxhd", "-profile:v", "dnxhr_hq")),
    Codec(
        "ProRes", ".mov", "prores-hq", pad=_after,
        arguments=("-c:v", "prores_ks", "-profile:v", "3", "-vendor", "apl0", "-pix_fmt", "yuv422p10le"),
    ),
    Codec("uncompressed", ".mov", "ffv1", arguments=("-c:v", "rawvideo", "-pix_fmt", "uyvy422")),
    Codec(
        "H.264", ".mp4", "h264", "yuv420p", pad=_in_h264, least=24_000, leans=True,
        arguments=(*_X264, "-x264-params", "rc-lookahead=0:sync-lookahead=0:mbtree=0:scenecut=0"),
    ),
    Codec("MJPEG", ".mov", "mjpeg", "yuvj422p", ("-c:v", "mjpeg", "-q:v", "3"), pad=_in_jpeg, least=24_000),
    Codec("WAV", ".wav", "prores-hq"),
)  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """Two versions of a file. `changed` are the frames in which they differ (of sound `samples`, counted in the file); shown
    are `shown` frames from `first` on. `alike` tells that the two have one content mark."""

    first_version: Path
    other_version: Path
    codec: Codec
    change: Change
    offset: int
    changed: range
    samples: range
    length: int
    first: int
    shown: int
    alike: bool

    def marks(self, other: bool) -> list[Mark]:
        """What the shown frames of a version say of themselves."""
        numbers = range(self.first, self.first + self.shown)
        return [
            Mark(CHANGED if other and n in self.changed else FIRST, n + self.offset)
            for n in numbers
        ]

    def sound(self, other: bool) -> NDArray[np.int32]:
        """The shown samples of a version, full scale 2**23."""
        return _sound(self.offset, self.first, self.shown, self.samples if other else range(0))


def make(
    codec: Codec, change: Change, place: Path, bases: Path, number: int, chance: random.Random
) -> Pair:
    """The number-th pair of a codec, as `first` and `other` in a folder. `bases` keeps the encodings that pairs are cut from."""
    length = _LONG if change == "second" else _SHORT
    if codec.heard:
        length = 3 * _LONG if change == "second" else _LONG
    offset = number * _STEP
    count = {"packet": 1, "frame": 1, "second": RATE}[change]
    shown = 36
    unit = GOP if codec.leans else 1
    if codec.leans and change == "frame":
        count = GOP  # one frame and all that lean on it
    begin = _hidden(length, count, unit, _bytes_per_frame(codec, bases), chance)
    if codec.leans and change == "packet":
        begin += GOP - 1  # nothing leans on the last of a group
    samples = range(
        begin * PER_FRAME,
        begin * PER_FRAME + (_PACKET if change == "packet" else count * PER_FRAME),
    )
    first = max(0, min(length - shown, begin - chance.randrange(shown - count) - 1))
    place.mkdir(parents=True)
    ones = place / f"first{codec.ending}", place / f"other{codec.ending}"
    if codec.heard:
        sound = _sound(offset, 0, length, range(0))
        _write_wav(ones[0], sound)
        sound[samples.start : samples.stop] = _sound(offset, begin, count, samples)[: len(samples)]
        _write_wav(ones[1], sound)
    else:
        frames = range(begin, begin + count)
        _cut(
            codec, bases, ones, range(offset, offset + length), [n + offset for n in frames], change
        )
    assert ones[0].stat().st_size == ones[1].stat().st_size
    assert hashes.file_hash(ones[0]) != hashes.file_hash(ones[1])
    alike = hashes.content_mark(ones[0]) == hashes.content_mark(ones[1])
    return Pair(
        *ones,
        codec,
        change,
        offset,
        range(begin, begin + count),
        samples,
        length,
        first,
        shown,
        alike,
    )


def frames_needed(pairs: int) -> int:
    """How long the encodings must be for so many pairs of a codec."""
    return pairs * _STEP + _LONG


def _bytes_per_frame(codec: Codec, bases: Path) -> float:
    if codec.heard:
        return PER_FRAME * 4
    base = bases / f"{codec.name}-first.mov"
    return max(codec.least + 64, sum(map(len, _packets(base))) / len(_packets(base)))


def _hidden(length: int, count: int, unit: int, each: float, chance: random.Random) -> int:
    """A frame to begin the change at, such that it probably lies between the samples of the content mark."""
    size, span = length * each, length * each / 15
    places = [
        n
        for n in range(unit, length - count - 1, unit)
        if each * n > 1_200_000 and each * (n + count) < size - 1_200_000
    ]
    between = [
        n
        for n in places
        if (each * n) % span > 80_000 and (each * n) % span + count * each < span - 10_000
    ]
    return chance.choice(between or places)


# Pictures -------------------------------------------------------------------------------------------------------------


def encode_bases(codec: Codec, bases: Path, frames: int) -> None:
    """Encode all frames of the first version, all of the other, and (where frames lean on others) one in which only the last
    frame of each group is the other's."""
    bases.mkdir(parents=True, exist_ok=True)
    _encode(codec, bases / f"{codec.name}-first.mov", frames, lambda n: FIRST)
    _encode(codec, bases / f"{codec.name}-other.mov", frames, lambda n: CHANGED)
    if codec.leans:
        _encode(
            codec,
            bases / f"{codec.name}-last.mov",
            frames,
            lambda n: CHANGED if n % GOP == GOP - 1 else FIRST,
        )


def _encode(codec: Codec, path: Path, frames: int, version: Callable[[int], int]) -> None:
    raw = path.with_suffix(".raw")
    tall, full = codec.layout != "yuv420p", codec.layout.startswith("yuvj")
    black, white = (0, 255) if full else (16, 235)
    with raw.open("wb") as handle:
        for number, (luma, u, v) in enumerate(
            picture.raw_frames(frames, SIZE, 1, tall_chroma=tall, full_range=full)
        ):
            barcode.draw(luma, Mark(version(number), number), black=black, white=white)
            if version(number) == CHANGED:
                u[: SIZE[1] // 4] = 60  # and another colour above
            for plane in (luma, u, v):
                handle.write(plane.tobytes())
    ffmpeg(
        "-f", "rawvideo", "-pix_fmt", codec.layout, "-video_size", f"{SIZE[0]}x{SIZE[1]}", "-framerate", str(RATE),
        "-color_range", "pc" if full else "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
        "-i", raw, *codec.arguments, "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
        "-threads", "1", "-fflags", "+bitexact", "-flags", "+bitexact", path,
    )  # fmt: skip
    raw.unlink()


@lru_cache(maxsize=3)
def _packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def _cut(
    codec: Codec,
    bases: Path,
    ones: tuple[Path, Path],
    window: range,
    changed: list[int],
    change: Change,
) -> None:
    base = bases / f"{codec.name}-first.mov"
    donor = bases / f"{codec.name}-{'last' if codec.leans and change == 'packet' else 'other'}.mov"
    first, other = _packets(base), _packets(donor)
    sizes = {n: max(len(first[n]), len(other[n]), codec.least) + 64 for n in window}
    for path, taken in zip(ones, ([], changed), strict=True):
        rows = [(other if n in taken else first)[n] for n in window]
        if codec.pad is not None:
            rows = [codec.pad(row, sizes[n]) for row, n in zip(rows, window, strict=True)]
        _mux(base, path, rows)


def _mux(template: Path, path: Path, rows: list[bytes]) -> None:
    with (
        av.open(str(template)) as model,
        av.open(str(path), "w", options={"fflags": "+bitexact"}) as container,
    ):
        stream = container.add_stream_from_template(model.streams.video[0])
        stream.time_base = Fraction(1, RATE)
        for number, row in enumerate(rows):
            packet = av.Packet(row)
            packet.stream, packet.time_base = stream, Fraction(1, RATE)
            packet.pts = packet.dts = number
            packet.duration = 1
            packet.is_keyframe = template.name.startswith("H.264") is False or number % GOP == 0
            container.mux(packet)


# Sound ----------------------------------------------------------------------------------------------------------------


def _sound(offset: int, first: int, frames: int, changed: range) -> NDArray[np.int32]:
    begin = first * PER_FRAME
    sound = expected_audio(FIRST, offset * PER_FRAME + begin, frames * PER_FRAME, bits=16)
    low, high = max(changed.start, begin), min(changed.stop, begin + len(sound))
    if low < high:
        sound[low - begin : high - begin] = expected_audio(
            CHANGED, offset * PER_FRAME + low, high - low, bits=16
        )
    return sound


def _write_wav(path: Path, sound: NDArray[np.int32]) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes((sound >> 8).astype("<i2").tobytes())


# What the independent decoder says ------------------------------------------------------------------------------------

DECODER = "ffmpeg"
"""The system's own, found on PATH: not the bundled one, with which the films are made."""


def decoded_marks(path: Path, *, first: int = 0, frames: int | None = None) -> list[Mark | None]:
    """What every frame says of itself; of a film whose pictures are `SIZE`. AssertionError when ffmpeg complains."""
    some = (
        ["-vf", f"select=gte(n\\,{first})", "-frames:v", str(frames)] if frames is not None else []
    )
    luma = _decoded(
        path,
        "-map",
        "0:v:0",
        *some,
        "-fps_mode",
        "passthrough",
        "-pix_fmt",
        "gray16le",
        "-f",
        "rawvideo",
    )
    pictures = np.frombuffer(luma, "<u2").reshape(-1, SIZE[1], SIZE[0])
    return [barcode.read(one) for one in pictures]


def decoded_sound(path: Path) -> NDArray[np.int32]:
    """All samples of two channels, full scale 2**23."""
    return (
        np.frombuffer(_decoded(path, "-map", "0:a:0", "-ac", "2", "-f", "s32le"), "<i4").reshape(
            -1, 2
        )
        >> 8
    )


def _decoded(path: Path, *arguments: str) -> bytes:
    argv = [DECODER, "-nostdin", "-v", "error", "-i", str(path), *arguments, "-"]
    done = subprocess.run(argv, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    assert not done.returncode and not done.stderr, (
        f"{path}: {done.stderr.decode(errors='replace')}"
    )
    return done.stdout
