"""Find which frames of a segment cannot be had from its source: one pass through the decoder, as strict as rendering.

A frame is bad when its packet is corrupt, does not decode without a word, is not what the record says, or is not there.
Where frames lean on others, so is everything decoded after it up to the next key frame, what is shown before that one but
decoded after it, and frames shown earlier that may lean on one of these: none is believed that a bad one may have touched.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from core.media import hashes, nal, packet_hashes, rational
from core.media.media_errors import Changed
from core.tasks import stream_copy
from core.tasks.spec import Located, LocateDamage

_THUMBNAIL = (480, 480)
_TENTH = Fraction(1, 10)
_KEPT = 24
"""Decoders hold back fewer pictures than this; so many are kept for the last good one."""


@dataclass
class _Packet:
    """`at` in seconds of the container's time."""

    at: Fraction
    key: bool
    bad: bool


def locate(order: LocateDamage, rate: Fraction, on_frames: Callable[[int], None]) -> Located:
    """The bad runs. OSError and Changed: nothing can be said. av.FFmpegError: it cannot even be read to the end."""
    if hashes.fingerprint(order.path) != order.fingerprint:
        raise Changed(order.key, order.path)
    packets: list[_Packet] = []
    shown: set[Fraction] = set()
    clean = True
    pictures: deque[tuple[Fraction, av.VideoFrame]] = deque(maxlen=_KEPT)
    with av.open(order.path, options={"protocol_whitelist": "file"}) as container:
        stream = container.streams[order.stream]
        assert isinstance(stream, av.VideoStream)
        base, start_s = rational.time_base(stream), packet_hashes.start_of(container)
        own_s = (stream.start_time or 0) * base - start_s if order.copied else Fraction(0)
        begin_s = order.begin_s + own_s
        end_s = begin_s + Fraction(order.frames) / rate
        for packet, frames, bad in _decoded(container, stream, order, begin_s, end_s):
            if packet is not None and packet.pts is not None:
                packets.append(_Packet(packet.pts * base - start_s, packet.is_keyframe, bad))
            for frame in frames:
                if frame.pts is not None:
                    at = frame.pts * rational.time_base(frame, base) - start_s
                    shown.add(at)
                    for one in packets[-_KEPT:]:
                        one.bad = one.bad or (bool(frame.is_corrupt) and one.at == at)
                    clean = clean and not any(one.bad for one in packets[-_KEPT:])
                    if clean:
                        pictures.append((at, frame))
            if len(packets) % 12 == 0:
                on_frames(min(order.frames, len(packets)))
    _miss(packets, shown, order)
    touched = _touched(packets)
    flags = [_is_bad(order, begin_s + Fraction(k) / rate, touched) for k in range(order.frames)]
    bad_runs = _runs(flags)
    first_s = begin_s + Fraction(bad_runs[0][0]) / rate if bad_runs else end_s
    return Located(
        bad=bad_runs, picture=_thumbnail(order.picture, pictures, first_s) if bad_runs else ""
    )


def _decoded(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    order: LocateDamage,
    begin_s: Fraction,
    end_s: Fraction,
) -> Iterable[tuple[av.Packet[Any] | None, list[av.VideoFrame], bool]]:
    """Every packet from a frame before the segment on, with what came out of the decoder when it went in, and whether
    something was wrong; at last, without a packet, what was still in the decoder."""
    context = stream.codec_context
    context.thread_count = 1  # or what is said of a packet would come later
    context.options = {"err_detect": "explode"}
    harmless = re.compile(order.harmless) if order.harmless else None
    known = order.known.marks if order.known is not None and packet_hashes.stable(container) else {}
    size = nal.length_size(stream)
    early_s = max(Fraction(0), begin_s - Fraction(5, 4) / order.source_rate)
    with stream_copy.complaints() as said:
        for packet in packet_hashes.packets_between(container, stream, early_s, end_s):
            heard = len(said)
            mark = packet_hashes.mark(packet) if known else 0
            bad = packet.is_corrupt or (
                packet.pts is not None and known.get(packet.pts, mark) != mark
            )
            bad = bad or nal.malformed(
                bytes(packet), size, hevc=stream.codec_context.codec.canonical_name == "hevc"
            )
            frames: list[av.VideoFrame] = []
            try:
                frames = list(packet.decode())
            except av.FFmpegError as error:
                if isinstance(error, OSError) and not isinstance(error, av.InvalidDataError):
                    raise
                bad = True
            bad = bad or _complained(said[heard:], harmless)
            if bad:  # what was decoded before it is still good, and would be lost with it
                frames += _drained(context)
            yield packet, frames, bad
        yield None, _drained(context), False


def _drained(context: av.VideoCodecContext) -> list[av.VideoFrame]:
    """What is still in the decoder; it can begin anew then. What does not come out is missed by its time."""
    try:
        return list(context.decode(None))
    except av.FFmpegError:
        return []
    finally:
        context.flush_buffers()


def _complained(said: list[Any], harmless: re.Pattern[str] | None) -> bool:
    return any(harmless is None or not harmless.search(f"[error] {line[-1]}") for line in said)


def _touched(packets: list[_Packet]) -> list[tuple[Fraction, bool]]:
    """(time, may be damaged) of every packet, by time."""
    found: list[tuple[Fraction, bool]] = []
    group: list[_Packet] = []
    before = False
    for packet in [*packets, None]:
        if (packet is None or packet.key) and group:
            found += _in_group(group, before)
            before = any(p.bad for p in group)
            group = []
        if packet is not None:
            group.append(packet)
    return sorted(found)


def _in_group(group: list[_Packet], before: bool) -> list[tuple[Fraction, bool]]:
    """`group` is a key frame and what is decoded up to the next; `before` tells that the group before it is damaged, which
    touches what is shown before the key frame."""
    key_s = group[0].at
    first = next((n for n, packet in enumerate(group) if packet.bad and packet.at >= key_s), None)
    if first is None:
        return [(p.at, p.bad or (before and p.at < key_s)) for p in group]
    first_s = min(packet.at for packet in group[first:])
    while True:  # what is decoded after a frame that is shown later than the damage may lean on it, and is not decoded either
        cut = next(n for n, packet in enumerate(group) if packet.at >= first_s)
        earlier = min(packet.at for packet in group[cut:])
        if earlier >= first_s:
            break
        first_s = earlier
    return [(p.at, p.at >= first_s or p.bad or (before and p.at < key_s)) for p in group]


def _miss(packets: list[_Packet], shown: set[Fraction], order: LocateDamage) -> None:
    """Packets of which nothing came out are bad. (Of two that hold a field each, one frame comes out.)"""
    fields = Fraction(3, 4) / order.source_rate
    times = sorted(shown)
    for packet in packets:
        if packet.at not in shown:
            place = bisect_right(times, packet.at) - 1
            packet.bad = (
                packet.bad or order.conform or place < 0 or packet.at - times[place] > fields
            )


def _is_bad(order: LocateDamage, at_s: Fraction, packets: list[tuple[Fraction, bool]]) -> bool:
    """Whether what is shown at a time is damaged or is not there."""
    slack_s = _TENTH / order.source_rate
    place = bisect_right(packets, (at_s + slack_s, True)) - 1
    if place < 0 or packets[place][1]:
        return True
    return not order.conform and at_s - packets[place][0] > Fraction(1, 2) / order.source_rate


def _runs(flags: list[bool]) -> tuple[tuple[int, int], ...]:
    runs: list[tuple[int, int]] = []
    for place, flag in enumerate(flags):
        if not flag:
            continue
        if runs and sum(runs[-1]) == place:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((place, 1))
    return tuple(runs)


def _thumbnail(
    path: str, pictures: Iterable[tuple[Fraction, av.VideoFrame]], before_s: Fraction
) -> str:
    """Write the last picture shown before a time; where it could not be written, empty: it is a help, no result."""
    good = [frame for at, frame in sorted(pictures, key=lambda p: p[0]) if at < before_s]
    if not path or not good:
        return ""
    try:
        image = good[-1].to_image()
        image.thumbnail(_THUMBNAIL)
        image.save(path, format="JPEG", quality=85)
    except (OSError, ValueError, av.FFmpegError):
        Path(path).unlink(missing_ok=True)
        return ""
    return path
