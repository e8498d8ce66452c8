"""Packet hashes: hashes of a source's coded content, place by place, as a task used it.

Most damage to pictures with little redundancy (ProRes, DNxHR) and all damage to uncompressed sound
decodes without an error. Only a comparison with the earlier content reveals it. A packet hash costs
the reading of a packet, about a thousandth of encoding it.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil, floor
from typing import Any

import av
import xxhash

from core.media import hashes, nal, open_sources, rational
from core.media.content import WHOLE, Marks, Places

BLOCK = 4096
"""Samples per hashed block of uncompressed sound, counted from the first sample of the stream.

Blocks replace packets here, because its packets depend on where reading began.
"""
_LOW = (1 << 64) - 1


def mark(data: av.Packet[Any] | bytes) -> int:
    """Return the xxh3-64 hash of coded content."""
    return xxhash.xxh3_64_intdigest(data)


def start_of(container: av.container.InputContainer) -> Fraction:
    """Return the container's own start in seconds; times in tasks count from there."""
    return Fraction(container.start_time or 0, 1_000_000)


_CUT_BY_PARSER = {"mpeg", "h264", "hevc", "mpegvideo", "m4v", "vc1", "h263", "obu"}
"""Formats in which a packet begins wherever reading began.

After a seek, the first packet holds the end of the previous one, and its time stamp does not show
it.
"""


def stable(container: av.container.InputContainer) -> bool:
    """Return True if a time stamp names the same packet wherever reading began.

    Only then can the packet's hash be recorded.
    """
    return _CUT_BY_PARSER.isdisjoint(container.format.name.split(","))


def packets_between(
    container: av.container.InputContainer,
    stream: av.VideoStream | av.AudioStream,
    begin_s: Fraction,
    end_s: Fraction,
) -> Iterator[av.Packet[Any]]:
    """Yield packets in decoding order.

    Starts at the key frame at or before `begin_s` and ends with the last packet decoded before
    `end_s`. Both are seconds from the container's start.
    """
    base = rational.time_base(stream)
    start_s = start_of(container)
    # In ticks: fractions would take longer than reading the packets.
    end = ceil((end_s + start_s) / base)
    container.seek(floor((begin_s + start_s) / base), stream=stream, backward=True, any_frame=False)
    for packet in container.demux(stream):
        at = packet.dts if packet.dts is not None else packet.pts
        if at is None or not packet.size:
            continue
        if at >= end:
            return
        yield packet


class Noted:
    """Collect the packet hashes of one stream in one pass of reading."""

    def __init__(self, stable: bool = True) -> None:
        self._stable = stable
        self.marks: dict[int, int] = {}
        self.unmarked = 0

    def note(self, packet: av.Packet[Any]) -> None:
        """Record the hash of a packet, or count the packet if it has no place of its own.

        A packet has none if it carries no time stamp or the time stamp of another packet, or if its
        container is not `stable`.
        """
        self.unmarked += packet.pts is None or packet.pts in self.marks or not self._stable
        if packet.pts is not None and self._stable:
            self.marks[packet.pts] = mark(packet)


def of_pictures(
    path: str,
    stream: int,
    begin_s: Fraction,
    end_s: Fraction,
    early_s: Fraction,
    *,
    beside_damage: bool = False,
) -> Marks:
    """Return the hashes of the packets that frames between two times are made of.

    `early_s` is the time that the demuxer was asked for; packets from there to `begin_s` go into
    `before`. With `beside_damage`, packets shown at `end_s` or later are left out.

    Raises av.InvalidDataError if no encoder can have written one of the packets; av.FFmpegError or
    OSError if the file cannot be read.
    """
    noted, before = Noted(), Noted()
    with open_sources.source(path) as container:
        video = container.streams[stream]
        assert isinstance(video, av.VideoStream)
        if not stable(container):
            return Marks(path=path, stream=stream, marks={}, unmarked=1)
        size, hevc = nal.length_size(video), video.codec_context.codec.canonical_name == "hevc"
        base, start_s = rational.time_base(video), start_of(container)
        for packet in packets_between(container, video, begin_s, end_s):
            if beside_damage and packet.pts is not None and packet.pts * base - start_s >= end_s:
                continue
            if size and nal.malformed(bytes(packet), size, hevc=hevc):
                raise av.InvalidDataError(1094995529, "no encoder writes such a packet", path)
            noted.note(packet)
        for packet in (
            packets_between(container, video, early_s, begin_s) if early_s < begin_s else ()
        ):
            if packet.pts in noted.marks:
                break
            before.note(packet)
        header = header_of(container, video)
    return Marks(
        path=path,
        stream=stream,
        marks=noted.marks,
        before=before.marks,
        unmarked=noted.unmarked + before.unmarked,
        header=header,
    )


def of_whole(path: str) -> Marks:
    """Return the hash of a file that is used as a whole. Raises OSError."""
    digest = int(hashes.file_hash(path), 16)
    return Marks(path=path, stream=WHOLE, marks={0: digest >> 64, 1: digest & _LOW})


def header_of(
    container: av.container.InputContainer, stream: av.VideoStream | av.AudioStream
) -> int:
    """Hash what a container declares about a stream apart from its packets.

    Equal packets under another header are shown or heard differently. `container` must come from
    `packets.opened`, since a full opening declares more.
    """
    facts: list[Any] = [container.format.name, container.start_time, stream.index, stream.frames]
    facts += [stream.start_time, stream.duration]
    facts += [rational.time_base(stream), stream.codec_context.name, stream.codec_context.codec_tag]
    facts += [bytes(stream.codec_context.extradata or b"").hex()]
    if isinstance(stream, av.VideoStream):
        video = stream.codec_context
        facts += [
            rational.base_rate(stream),
            rational.average_rate(stream),
            rational.pixel_aspect(stream),
        ]
        facts += [video.width, video.height, int(video.color_range), int(video.colorspace)]
        facts += [int(video.color_primaries), int(video.color_trc)]
    else:
        audio = stream.codec_context
        facts += [audio.sample_rate, audio.channels, audio.layout.name]
    return xxhash.xxh3_64_intdigest(repr([str(fact) for fact in facts]).encode())


def places_of_sound(container: av.container.InputContainer, stream: av.AudioStream) -> Places:
    """Return when the blocks or packets of an audio stream are heard."""
    rate = stream.codec_context.sample_rate
    if stream.codec_context.name.startswith("pcm"):
        length_s = Fraction(BLOCK, rate)
        return Places(unit_s=length_s, zero_s=Fraction(0), lasts_s=length_s, touches=False)
    lasts_s = Fraction(stream.codec_context.frame_size or BLOCK, rate)
    return Places(
        unit_s=rational.time_base(stream, Fraction(1, rate)),
        zero_s=start_of(container),
        lasts_s=lasts_s,
        touches=True,
    )
