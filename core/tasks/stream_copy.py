"""Copy packets of a source that is already in the deliverable's format.

Finds packets by frame number, hashes them, and decodes those that have never decoded cleanly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from math import floor
from typing import Any

import av
import xxhash

from core.media import container_check, hashes, packet_hashes, packets, rational, witness
from core.media.content import Marks
from core.media.media_errors import Changed, NotContiguous
from core.system import machine
from core.tasks.spec import ExamineCopy, Made


def frames_of(
    container: av.container.InputContainer, stream: av.VideoStream, first: int, count: int
) -> Iterator[av.Packet[Any]]:
    """Yield the packets of frames [first, first + count) of a stream, in order.

    The stream must be intra-only and of constant rate. Raises NotContiguous.
    """
    # Not the average rate: with one frame of a different length, every number far into a long file
    # would be one too small.
    rate = rational.base_rate(stream) or rational.average_rate(stream) or Fraction(25)
    base = rational.time_base(stream)
    start = stream.start_time or 0
    container.seek(
        start + floor(Fraction(first) / rate / base), stream=stream, backward=True, any_frame=False
    )
    at = first
    for packet in container.demux(stream):
        if packet.pts is None or packet.size == 0:
            continue
        number = round((packet.pts - start) * base * rate)
        if number < first:
            continue
        if number != at or not packet.is_keyframe:
            break
        yield packet
        at += 1
        if at == first + count:
            return
    raise NotContiguous(count, at - first)


@contextmanager
def complaints(*, of_all_threads: bool = False) -> Iterator[list[Any]]:
    """Capture what decoders log as errors while the context is open.

    An FFV1 slice with a wrong checksum is reported nowhere else.
    """
    level = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture(local=not of_all_threads) as said:
            yield said
    finally:
        av.logging.set_level(level)


def examine(order: ExamineCopy, on_frames: Callable[[int], None], program: str = "") -> Made:
    """Return the digest of the packets and the hashes of those that were decoded now.

    Raises Changed or NotContiguous, and PyAV's error for damage that `program`, an independent
    ffmpeg, meets as well.
    """
    started = machine.monotonic()
    try:
        sign, digest, fresh, noted = _read(order, on_frames, strict=True)
    except av.FFmpegError:
        if (
            not program
            or container_check.why(order.path).errno is not None
            or not decodes_alone(order, program, on_frames).clean
        ):
            raise
        sign, digest, fresh, noted = _read(order, on_frames, strict=False)
    # Checked after reading, so that a change made before or during it is seen.
    if hashes.fingerprint(order.path) != order.fingerprint:
        raise Changed(order.key, order.path)
    with packets.opened(order.path) as container:
        copied = container.streams[order.stream]
        assert isinstance(copied, av.VideoStream)
        header = packet_hashes.header_of(container, copied)
    used = Marks(
        path=order.path,
        stream=order.stream,
        marks=noted.marks,
        unmarked=noted.unmarked,
        header=header,
    )
    return Made(
        frames=order.frames,
        signature=sign,
        digest=digest,
        known=fresh,
        marks=(used,),
        checking_s=machine.monotonic() - started,
    )


def decodes_alone(
    order: ExamineCopy, program: str, on_frames: Callable[[int], None] = lambda frames: None
) -> witness.Heard:
    """Return what ffmpeg alone reports about the frames that would be copied."""
    with av.open(order.path, options={"protocol_whitelist": "file"}) as container:
        stream = container.streams[order.stream]
        assert isinstance(stream, av.VideoStream)
        rate = rational.base_rate(stream) or rational.average_rate(stream) or Fraction(25)
        own_s = (stream.start_time or 0) * rational.time_base(stream) - packet_hashes.start_of(
            container
        )
    begin_s = max(Fraction(0), own_s + (order.first_frame - Fraction(1, 2)) / rate)
    end_s = own_s + (order.first_frame + order.frames - Fraction(1, 2)) / rate
    return witness.of_pictures(
        program, order.path, order.stream, begin_s, end_s, frames=order.frames, on_frames=on_frames
    )


def _read(
    order: ExamineCopy, on_frames: Callable[[int], None], *, strict: bool
) -> tuple[str, str, dict[int, int], packet_hashes.Noted]:
    """Return (signature, digest, fresh, noted).

    `fresh` maps frame numbers to the hashes of packets decoded now; `noted` holds the hashes of all
    packets.

    Unless `strict`, only frames that do not come or come corrupt count as damage.
    """
    digest = xxhash.xxh3_128()
    fresh: dict[int, int] = {}
    with (
        av.open(order.path, options={"protocol_whitelist": "file"}) as container,
        complaints() as said,
    ):
        stream = container.streams[order.stream]
        assert isinstance(stream, av.VideoStream)
        context = stream.codec_context
        context.thread_count = 1
        if strict:
            context.options = {"err_detect": "explode"}
        sign, noted = (
            packets.signature(stream),
            packet_hashes.Noted(packet_hashes.stable(container)),
        )
        for count, packet in enumerate(
            frames_of(container, stream, order.first_frame, order.frames), start=1
        ):
            digest.update(packet)
            mark = packet_hashes.mark(packet)
            noted.note(packet)
            if order.known.get(order.first_frame + count - 1) != mark:
                pictures = packet.decode()
                if len(pictures) != 1 or pictures[0].is_corrupt or (strict and said):
                    raise av.InvalidDataError(1094995529, "corrupt decoded frame", order.path)
                fresh[order.first_frame + count - 1] = mark
                if len(fresh) % 12 == 0:
                    on_frames(count)
    return sign, digest.hexdigest(), fresh, noted
