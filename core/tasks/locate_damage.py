"""Find which frames of a segment cannot be decoded from its source.

One pass through the decoder, as strict as rendering. A frame is bad if its packet is corrupt, does
not decode without a complaint, differs from the record, or is missing. Where frames depend on
others, these frames are bad as well, because a bad frame may have affected them:

- everything decoded after it, up to the next key frame
- frames shown before that key frame but decoded after it
- frames shown earlier that may depend on one of these
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
"""Number of pictures kept to find the last good one; decoders hold back fewer."""


@dataclass
class _Packet:
    """A packet; `at` is its time in seconds from the container's start."""

    at: Fraction
    key: bool
    bad: bool


def locate(order: LocateDamage, rate: Fraction, on_frames: Callable[[int], None]) -> Located:
    """Return the bad runs of frames.

    Raises OSError or Changed if nothing can be said, and av.FFmpegError if the file cannot even be
    read to the end of the segment.
    """
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
    """Yield (packet, frames, bad), from a frame before the segment on.

    `frames` are what the decoder returned for the packet, and `bad` tells whether something was
    wrong. The last item has no packet and holds what was still in the decoder.
    """
    context = stream.codec_context
    context.thread_count = 1  # with more threads, complaints about a packet would come later
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
            if bad:  # earlier frames in the decoder are good, but would be lost
                frames += _drained(context)
            yield packet, frames, bad
        yield None, _drained(context), False


def _drained(context: av.VideoCodecContext) -> list[av.VideoFrame]:
    """Drain the decoder and reset it, so that it can start anew.

    Frames that do not come out are found missing by their time.
    """
    try:
        return list(context.decode(None))
    except av.FFmpegError:
        return []
    finally:
        context.flush_buffers()


def _complained(said: list[Any], harmless: re.Pattern[str] | None) -> bool:
    return any(harmless is None or not harmless.search(f"[error] {line[-1]}") for line in said)


def _touched(packets: list[_Packet]) -> list[tuple[Fraction, bool]]:
    """Return (time, may be damaged) for every packet, sorted by time."""
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
    """Return (time, may be damaged) for each packet of a group.

    `group` is a key frame and the packets decoded up to the next one. `before` means that the group
    before it is damaged, which affects what is shown before the key frame.
    """
    key_s = group[0].at
    first = next((n for n, packet in enumerate(group) if packet.bad and packet.at >= key_s), None)
    if first is None:
        return [(p.at, p.bad or (before and p.at < key_s)) for p in group]
    first_s = min(packet.at for packet in group[first:])
    # Packets shown after the damage are not decoded either, so packets decoded after one of them
    # may depend on it. Extend the damage back to the earliest of these.
    while True:
        cut = next(n for n, packet in enumerate(group) if packet.at >= first_s)
        earlier = min(packet.at for packet in group[cut:])
        if earlier >= first_s:
            break
        first_s = earlier
    return [(p.at, p.at >= first_s or p.bad or (before and p.at < key_s)) for p in group]


def _miss(packets: list[_Packet], shown: set[Fraction], order: LocateDamage) -> None:
    """Mark packets as bad if no frame came out of them.

    Of two packets that hold one field each, one frame comes out; the second packet is not bad.
    """
    fields = Fraction(3, 4) / order.source_rate
    times = sorted(shown)
    for packet in packets:
        if packet.at not in shown:
            place = bisect_right(times, packet.at) - 1
            packet.bad = (
                packet.bad or order.conform or place < 0 or packet.at - times[place] > fields
            )


def _is_bad(order: LocateDamage, at_s: Fraction, packets: list[tuple[Fraction, bool]]) -> bool:
    """Return True if the picture shown at a time is damaged or missing."""
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
    """Write the last picture shown before a time and return its path.

    Returns "" if it cannot be written: the picture is only an aid, so that is no error.
    """
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
