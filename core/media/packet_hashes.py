"""Marks: hashes of a source's coded content, place by place, as it was when a piece of work was made of it.

Most damage of pictures with little redundancy (ProRes, DNxHR) and all damage of uncompressed sound decodes without a word.
It can only be told by what was once there. A mark costs the reading of a packet, about a thousandth of encoding it.
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
"""Uncompressed sound is marked by blocks of so many samples, counted from the stream's first: its packets depend on where
reading began."""
_LOW = (1 << 64) - 1


def mark(data: av.Packet[Any] | bytes) -> int:
    """The hash of some coded content."""
    return xxhash.xxh3_64_intdigest(data)


def start_of(container: av.container.InputContainer) -> Fraction:
    """The container's own start in seconds: times in orders count from there."""
    return Fraction(container.start_time or 0, 1_000_000)


_CUT_BY_PARSER = {"mpeg", "h264", "hevc", "mpegvideo", "m4v", "vc1", "h263", "obu"}
"""Formats in which a packet begins where reading began: after a seek the first one holds the end of the one before, and
the time stamp does not tell them apart."""


def stable(container: av.container.InputContainer) -> bool:
    """Whether a time stamp names the same packet wherever reading began, so that its hash can stand on record."""
    return _CUT_BY_PARSER.isdisjoint(container.format.name.split(","))


def packets_between(
    container: av.container.InputContainer,
    stream: av.VideoStream | av.AudioStream,
    begin_s: Fraction,
    end_s: Fraction,
) -> Iterator[av.Packet[Any]]:
    """Packets in decoding order from the key frame at or before a time on, to the last that is decoded before `end_s`."""
    base = rational.time_base(stream)
    start_s = start_of(container)
    end = ceil(
        (end_s + start_s) / base
    )  # in ticks: fractions would take longer than reading the packets
    container.seek(floor((begin_s + start_s) / base), stream=stream, backward=True, any_frame=False)
    for packet in container.demux(stream):
        at = packet.dts if packet.dts is not None else packet.pts
        if at is None or not packet.size:
            continue
        if at >= end:
            return
        yield packet


class Noted:
    """Collect the hashes of packets of one stream in one pass of reading."""

    def __init__(self, stable: bool = True) -> None:
        self._stable = stable
        self.marks: dict[int, int] = {}
        self.unmarked = 0

    def note(self, packet: av.Packet[Any]) -> None:
        """A packet without a time stamp, or with that of another packet, has no place of its own: it is counted. So is every
        packet of a container that is not `stable`."""
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
    """Marks of the packets that frames between two times are made of, where the demuxer was asked for `early_s`;
    `beside_damage` without those that are shown later.
    av.InvalidDataError when one of them cannot be what an encoder wrote; av.FFmpegError, OSError."""
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
    """Marks of a file that is used as a whole; OSError."""
    digest = int(hashes.file_hash(path), 16)
    return Marks(path=path, stream=WHOLE, marks={0: digest >> 64, 1: digest & _LOW})


def header_of(
    container: av.container.InputContainer, stream: av.VideoStream | av.AudioStream
) -> int:
    """Hash what a container says of a stream apart from its packets: equal packets under another header are shown or heard
    otherwise. `container` comes from `packets.opened`, since a full opening tells more."""
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
    """When the blocks or packets of a sound stream are heard."""
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
