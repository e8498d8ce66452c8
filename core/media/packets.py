"""Read a media file packet by packet: counts, time stamps, payload digests, stream signature.

Reading packets costs about a thousandth of encoding them. With the digest, it finds every change of
a payload, while a full decode finds none of 30 flipped bits in ProRes. See docs/internals.md,
"Oracles".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import xxhash

from core.media import rational

_GLOBAL_HEADER_COUNTS = {"h264", "hevc", "ffv1", "av1", "vp9", "mpeg4"}
"""Codecs whose packets cannot be decoded without the stream header; headers must be equal."""
_HAS_DECODING_TIMES = "mov"
_PIXEL_FORMAT = re.compile(r"( \d+x\d+) \w+")


class Counted(NamedTuple):
    """Facts about a video stream.

    `reorder` is by how many packets decoding runs ahead of showing. `on_grid` tells whether the
    frames, sorted by time, lie on the rate's grid (within `tolerance` of a frame).
    """

    frames: int
    digest: str
    reorder: int
    on_grid: bool
    signature: str


class Length(NamedTuple):
    """The length of a stream according to its packets.

    `seconds` runs from the first time stamp to the end of the last packet; it is None if the
    packets carry no time stamps. `begins_anew` is true if decoding times jump back and continue
    from there; a single wrong stamp does not count.
    """

    packets: int
    seconds: Fraction | None
    begins_anew: bool


@dataclass
class _Stamps:
    packets: int = 0
    first: int | None = None
    end: int = 0
    decoded: tuple[int, ...] = ()
    until: int | None = None
    begins_anew: bool = False

    def note(self, packet: av.Packet[Any]) -> None:
        self.packets += 1
        at = packet.pts if packet.pts is not None else packet.dts
        if at is None:
            return
        self.first = at if self.first is None else min(self.first, at)
        self.end = max(self.end, at + (packet.duration or 0))
        if packet.dts is None:
            return
        if self.until is not None:
            self.begins_anew = self.begins_anew or packet.dts <= self.until
            self.until = None
        elif len(self.decoded) == 2 and packet.dts <= min(self.decoded):
            self.until = max(self.decoded)
        self.decoded = (*self.decoded, packet.dts)[-2:]


def lengths(path: str) -> dict[int, Length]:
    """Read all packets of a file and return each stream's length by stream number.

    Raises av.FFmpegError or OSError.
    """
    with av.open(path, options={"protocol_whitelist": "file"}) as container:
        found = {stream.index: _Stamps() for stream in container.streams}
        bases = {stream.index: rational.time_base(stream) for stream in container.streams}
        for packet in container.demux():
            if packet.size and packet.stream_index in found:
                found[packet.stream_index].note(packet)
    return {
        index: Length(
            one.packets,
            (one.end - one.first) * bases[index] if one.first is not None else None,
            one.begins_anew,
        )
        for index, one in found.items()
    }


def begins_anew(path: str, stream: int) -> bool:
    """Return True if a stream's time stamps jump back within the file; False if unreadable."""
    try:
        found = lengths(path).get(stream)
    except (av.FFmpegError, OSError):
        return False
    return found is not None and found.begins_anew


def opened(path: str) -> av.container.InputContainer:
    """Open a file for its packets, not its pictures.

    FFmpeg decodes the first picture of H.264 and HEVC to learn the pixel format, which takes longer
    than reading all packets of a shot. This function skips that, so the pixel format is None. Files
    without decoding times (Matroska) are opened in full, because FFmpeg needs the picture to guess
    them.
    """
    container = av.open(path, options={"protocol_whitelist": "file", "skip_frame": "all"})
    if _HAS_DECODING_TIMES in container.format.name.split(","):
        return container
    container.close()
    return av.open(path, options={"protocol_whitelist": "file"})


def agrees(stream: av.VideoStream, wanted: str) -> bool:
    """Return True if a stream has the signature `wanted`.

    For a file from `opened`, the pixel format is not compared: the stream header describes it.
    """
    if stream.codec_context.pix_fmt is None:
        wanted = _PIXEL_FORMAT.sub(r"\1", wanted)
    return signature(stream) == wanted


def signature(stream: av.VideoStream) -> str:
    """Return the coded format of a stream; equal for streams whose packets may share one track."""
    context = stream.codec_context
    header = ""
    if (
        context.name in _GLOBAL_HEADER_COUNTS
        or stream.codec_context.codec.canonical_name in _GLOBAL_HEADER_COUNTS
    ):
        header = xxhash.xxh3_64_hexdigest(context.extradata or b"")
    parts = (
        context.codec.canonical_name,
        str(context.profile or ""),
        f"{context.width}x{context.height}",
        context.pix_fmt or "",
        header,
    )
    return " ".join(part for part in parts if part)


def reorder_of(shown: list[int]) -> int:
    """Return by how many frames decoding must run ahead so that no frame is late.

    `shown` holds the pts of the frames in decoding order.
    """
    rank = {pts: place for place, pts in enumerate(sorted(shown))}
    return max((place - rank[pts] for place, pts in enumerate(shown)), default=0)


def stands_on_grid(ordered: list[int], frames_per_tick: Fraction, tolerance: Fraction) -> bool:
    """Return True if sorted time stamps are those of frames 0, 1, 2 and so on.

    Time stamps are in ticks and count from the first one. Each may deviate by `tolerance` of a
    frame. Computed in integers, because the check runs for every packet.
    """
    zero = ordered[0] if ordered else 0
    each, whole = frames_per_tick.numerator, frames_per_tick.denominator
    most, part = tolerance.numerator * whole, tolerance.denominator
    return all(
        abs((pts - zero) * each - place * whole) * part <= most for place, pts in enumerate(ordered)
    )


def count_video(
    path: str | Path, rate: Fraction, *, expected: str = "", tolerance: Fraction = Fraction(1, 8)
) -> Counted:
    """Read every video packet of a file and return the facts.

    If `expected` names the signature that the file should have, no picture needs to be decoded to
    confirm it. Raises av.FFmpegError or OSError if the file cannot be read.
    """
    if expected:
        with opened(str(path)) as container:
            if agrees(container.streams.video[0], expected):
                return _counted(container, rate, expected, tolerance)
    with av.open(str(path)) as container:
        return _counted(container, rate, "", tolerance)


def _counted(
    container: av.container.InputContainer, rate: Fraction, sign: str, tolerance: Fraction
) -> Counted:
    digest = xxhash.xxh3_128()
    shown: list[int] = []
    stream = container.streams.video[0]
    base = rational.time_base(stream)
    for packet in container.demux(stream):
        if packet.pts is None or packet.size == 0:
            continue
        digest.update(packet)
        shown.append(packet.pts)
    ordered = sorted(shown)
    on_grid = len(set(ordered)) == len(ordered) and stands_on_grid(ordered, base * rate, tolerance)
    return Counted(
        len(shown), digest.hexdigest(), reorder_of(shown), on_grid, sign or signature(stream)
    )
