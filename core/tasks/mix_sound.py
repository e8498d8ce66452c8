"""Mix a chunk of the sound track, exact to the sample.

Every sound is decoded from a little before its in-point (decoders of coded sound need a run-up),
cut at the sample, converted to the film's rate and channels, and added in double precision. 16-bit
and 24-bit sources without overlap come out bit for bit. Samples beyond full scale are clipped and
counted, so that the clipping can be reported.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import floor, gcd
from pathlib import Path

import av
import numpy as np
import xxhash

from core.graph.nodes import Sound
from core.media import container_check, hashes, packet_hashes, packets, rational, witness
from core.media.content import Marks
from core.media.layouts import layout_name
from core.media.media_errors import Changed, TooShort
from core.system import machine
from core.tasks.spec import Made, MixSound

_RUN_UP_S = Fraction(1, 10)
_PADDING_SAMPLES = 4096
"""Samples by which a source may end earlier than its container declares.

Coded sound ends in padding that tools count differently.
"""
_BLOCK = 1 << 14
"""Samples converted to integers at a time."""


def _floats(frame: av.AudioFrame) -> np.ndarray:
    """Return a frame as (channels, samples) doubles in -1..1.

    Double precision keeps every bit of 24-bit integers.
    """
    data = frame.to_ndarray()
    channels = frame.layout.nb_channels
    if not frame.format.is_planar:
        data = data.reshape(-1, channels).T
    kind = data.dtype
    if kind == np.uint8:
        return (data.astype(np.float64) - 128.0) / 128.0
    if np.issubdtype(kind, np.integer):
        return data.astype(np.float64) / float(1 << (kind.itemsize * 8 - 1))
    return data.astype(np.float64)


def _excerpt(
    container: av.container.InputContainer,
    stream: av.AudioStream,
    first: int,
    count: int,
    noted: packet_hashes.Noted,
) -> np.ndarray:
    """Return samples [first, first + count) of a stream at its own rate.

    They count from the container's start; samples before it are silent. The hashes of the coded
    content they were made of go to `noted`. Raises TooShort if more samples are missing at the end
    than padding explains.
    """
    uncompressed = stream.codec_context.name.startswith("pcm")
    begin, stop = first, first + count
    if uncompressed:  # in whole blocks, as it is hashed
        begin, stop = (
            begin // packet_hashes.BLOCK * packet_hashes.BLOCK,
            -(-stop // packet_hashes.BLOCK) * packet_hashes.BLOCK,
        )
    data, end = samples_of(container, stream, begin, stop - begin, noted)
    missing = first + count - max(end, first)
    if missing > (stream.codec_context.sample_rate // 500 if uncompressed else _PADDING_SAMPLES):
        raise TooShort(count, count - missing)
    if uncompressed:
        noted.marks, noted.unmarked = block_marks(data[:, : end - begin], begin), 0
    return data[:, first - begin : first - begin + count]


def samples_of(
    container: av.container.InputContainer,
    stream: av.AudioStream,
    first: int,
    count: int,
    noted: packet_hashes.Noted,
) -> tuple[np.ndarray, int]:
    """Return (channels, count) samples from `first` on, and the number after the last one found.

    Samples that the stream does not have are silent.
    """
    rate = stream.codec_context.sample_rate
    channels = stream.codec_context.channels
    start_s = packet_hashes.start_of(container)
    out = np.zeros((channels, count))
    place = _placing(rational.time_base(stream, Fraction(1, rate)), start_s, rate)
    # Matroska rounds time stamps to milliseconds, so samples are counted instead.
    rounded = "matroska" in container.format.name
    run_up_s = max(Fraction(0), Fraction(first, rate) - _RUN_UP_S)
    if run_up_s > 0 and not (rounded and stream.codec_context.name.startswith("pcm")):
        container.seek(floor((run_up_s + start_s) * 1_000_000), backward=True, any_frame=False)
    at: int | None = None
    end = first
    for frame in _frames(container, stream, noted):
        placed = place(frame.pts) if frame.pts is not None else at
        if at is None:
            at = placed if placed is not None else 0
            if rounded and frame.samples:
                zero = place(stream.start_time) if stream.start_time is not None else 0
                at = zero + round((at - zero) / frame.samples) * frame.samples
        elif placed is not None and abs(placed - at) > rate // 50:
            at = placed  # a real hole in the recording, not rounding
        begin, stop = max(at, first), min(at + frame.samples, first + count)
        if stop > begin:
            out[:, begin - first : stop - first] = _to_channels(_floats(frame), channels)[
                :, begin - at : stop - at
            ]
            end = stop
        at += frame.samples
        if at >= first + count:
            return out, first + count
    return out, end


def _placing(base: Fraction, start_s: Fraction, rate: int) -> Callable[[int], int]:
    """Return a function that maps a time stamp to the nearest sample.

    It computes in integers, because it is called for every packet.
    """
    tick, zero = base * rate, start_s * rate - Fraction(1, 2)
    below = tick.denominator * zero.denominator
    each, shift = tick.numerator * zero.denominator, zero.numerator * tick.denominator
    return lambda stamp: (stamp * each - shift) // below


def block_marks(data: np.ndarray, first: int) -> dict[int, int]:
    """Return the block hashes of (channels, count) samples that begin with a block.

    The last block is shorter where the stream ends.
    """
    blocks = range(0, data.shape[1], packet_hashes.BLOCK)
    return {
        (first + at) // packet_hashes.BLOCK: packet_hashes.mark(
            data[:, at : at + packet_hashes.BLOCK].tobytes()
        )
        for at in blocks
    }


def _frames(
    container: av.container.InputContainer, stream: av.AudioStream, noted: packet_hashes.Noted
) -> Iterator[av.AudioFrame]:
    for packet in container.demux(stream):
        if packet.size:
            noted.note(packet)
        yield from packet.decode()


def _resampled(data: np.ndarray, source_rate: int, rate: int, skip: int, count: int) -> np.ndarray:
    """Resample data that begins on a sample of both rates.

    Returns `count` samples at `rate` after dropping the first `skip`.
    """
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(data), format="dblp", layout=layout_name(data.shape[0])
    )
    frame.rate = source_rate
    resampler = av.AudioResampler(format="dblp", layout=layout_name(data.shape[0]), rate=rate)
    parts = [out.to_ndarray() for out in (*resampler.resample(frame), *resampler.resample(None))]
    joined = np.concatenate(parts, axis=1)[:, skip : skip + count]
    return np.pad(joined, ((0, 0), (0, count - joined.shape[1])))


def _to_channels(data: np.ndarray, channels: int) -> np.ndarray:
    """Convert sound to `channels` channels.

    Equal counts pass through. Mono goes to all channels, or to the centre from five channels up.
    Surround is mixed down. Any other combination keeps the channels that both have.
    """
    have = data.shape[0]
    if have == channels:
        return data
    out = np.zeros((channels, data.shape[1]))
    if have == 1:
        if channels >= 5:
            out[2] = data[0]
        else:
            out[:] = data[0]
    elif channels == 1:
        # The downmix to two channels keeps the centre, which has the dialogue.
        sides = _to_channels(data, 2) if have >= 5 else data
        out[0] = sides[: min(have, 2)].mean(axis=0)
    elif channels == 2 and have >= 5:
        half = 0.5**0.5
        out[0] = data[0] + half * data[2] + half * data[-2]
        out[1] = data[1] + half * data[2] + half * data[-1]
        out /= 1 + 2 * half
    elif (have, channels) == (8, 6):  # back and sides become one pair
        out[:4] = data[:4]
        out[4:] = (data[4:6] + data[6:8]) / 2
    else:
        shared = min(have, channels)
        out[:shared] = data[:shared]
    return out


def read(sound: Sound, sample_rate: int, channels: int) -> tuple[np.ndarray, Marks]:
    """Return (channels, samples) of one sound at the film's rate, and the hashes of its content.

    Raises TooShort, av.FFmpegError or OSError.
    """
    with packets.opened(sound.path) as container:
        stream = container.streams[sound.stream]
        assert isinstance(stream, av.AudioStream)
        places, header = (
            packet_hashes.places_of_sound(container, stream),
            packet_hashes.header_of(container, stream),
        )
        stable = packet_hashes.stable(container)
        noted = packet_hashes.Noted(stable)
        own = stream.codec_context.sample_rate
        if own == sample_rate:
            first = floor(sound.source_in_s * own + Fraction(1, 2))
            data = _excerpt(container, stream, first, sound.samples, noted)
        else:
            # Every `step` source samples, one coincides with a film sample.
            step = own // gcd(own, sample_rate)
            wanted_first = floor(sound.source_in_s * sample_rate + Fraction(1, 2))
            # Silence, because the file has not begun there.
            before = min(max(0, -wanted_first), sound.samples)
            first = max(0, floor(sound.source_in_s * own) - own // 20) // step * step
            skip, wanted = (
                max(0, wanted_first + before - first * sample_rate // own),
                sound.samples - before,
            )
            needed = (skip + wanted) * own // sample_rate
            count = needed + own // 20
            # A request beyond the end would return silence.
            if end := _end(stream, container):
                if first + needed - end > _PADDING_SAMPLES:
                    raise TooShort(
                        sound.samples, max(0, before + (end - first) * sample_rate // own - skip)
                    )
                count = min(count, max(1, end - first))
            data = _resampled(
                _excerpt(container, stream, first, count, noted), own, sample_rate, skip, wanted
            )
            data = np.pad(data, ((0, 0), (before, 0)))
    data = _chosen(data, sound)
    if not stable:
        noted.marks, noted.unmarked = {}, 1
    used = Marks(
        path=sound.path,
        stream=sound.stream,
        marks=noted.marks,
        places=places,
        unmarked=noted.unmarked,
        header=header,
    )
    return _to_channels(data, channels), used


def _end(stream: av.AudioStream, container: av.container.InputContainer) -> int:
    """Return the number of the sample after the last, counted from the container's start.

    Returns 0 if neither the stream nor the container declares a duration.
    """
    if stream.duration:
        begin_s = (
            0
            if stream.start_time is None
            else stream.start_time * rational.time_base(stream) - packet_hashes.start_of(container)
        )
        return int(
            (begin_s + stream.duration * rational.time_base(stream))
            * stream.codec_context.sample_rate
        )
    return int(Fraction(container.duration or 0, 1_000_000) * stream.codec_context.sample_rate)


def as_pcm(mixed: np.ndarray, bytes_per_sample: int) -> tuple[bytes, int]:
    """Convert (channels, samples) doubles to interleaved little-endian integers.

    Returns the bytes and the number of clipped samples.
    """
    full = float(1 << (bytes_per_sample * 8 - 1))
    blocks, clipped = [], 0
    for at in range(0, mixed.shape[1], _BLOCK):  # a whole chunk would take five times its memory
        scaled = np.rint(mixed[:, at : at + _BLOCK].T * full)
        clipped += int(np.count_nonzero((scaled > full - 1) | (scaled < -full)))
        whole = np.ascontiguousarray(np.clip(scaled, -full, full - 1).astype("<i4"))
        raw = whole.view(np.uint8).reshape(*whole.shape, 4)
        blocks.append(np.ascontiguousarray(raw[..., :bytes_per_sample]).tobytes())
    return b"".join(blocks), clipped


def _same_as_planned(order: MixSound) -> None:
    """Raise Changed if a file is no longer the one that the chunk's key names.

    Called after reading, so that it sees any change made before or during it.
    """
    for path, sound in {sound.path: sound for sound in order.sounds}.items():
        if hashes.fingerprint(path) != sound.fingerprint:
            raise Changed(sound.clip, path)


def _read_alone(
    sound: Sound, sample_rate: int, channels: int, program: str, to: str
) -> np.ndarray | None:
    """Return the sound as ffmpeg alone decodes it, through the file `to`.

    Returns None if ffmpeg meets a loss as well.
    """
    with packets.opened(sound.path) as container:
        stream = container.streams[sound.stream]
        assert isinstance(stream, av.AudioStream)
        own = stream.codec_context.channels
    try:
        begin_s = max(Fraction(0), sound.source_in_s)
        before = floor((begin_s - sound.source_in_s) * sample_rate)
        wanted = sound.samples - before
        heard = witness.of_sound(
            program,
            sound.path,
            sound.stream,
            begin_s,
            wanted,
            rate=sample_rate,
            channels=own,
            to=to,
        )
        data = (
            np.fromfile(to, dtype=np.float64).reshape(-1, own).T[:, :wanted]
            if heard.clean
            else np.zeros((own, 0))
        )
    finally:
        Path(to).unlink(missing_ok=True)
    if not heard.clean or wanted - data.shape[1] > _PADDING_SAMPLES:
        return None
    data = np.pad(data, ((0, 0), (before, wanted - data.shape[1])))
    return _to_channels(_chosen(data, sound), channels)


def _chosen(data: np.ndarray, sound: Sound) -> np.ndarray:
    """Return the channels that the clip uses."""
    if not sound.channels:
        return data
    return data[[channel for channel in sound.channels if channel < data.shape[0]] or [0]]


def mix(
    order: MixSound, on_samples: Callable[[int], None] = lambda samples: None, program: str = ""
) -> Made:
    """Write the chunk, flush it and return its hash.

    If our own reading complains about a sound, the sound comes from `program`, an independent
    ffmpeg, provided that it decodes the sound without a loss. The exception for a sound that could
    not be read carries the sound as `sound`.
    """
    mixed = np.zeros((order.channels, order.samples))
    used: list[Marks] = []
    for sound in order.sounds:
        try:
            try:
                data, marks = read(sound, order.sample_rate, order.channels)
                used.append(marks)
            except (TooShort, av.FFmpegError) as error:
                if not program or (
                    isinstance(error, av.FFmpegError)
                    and container_check.why(sound.path).errno is not None
                ):
                    raise
                alone = _read_alone(
                    sound, order.sample_rate, order.channels, program, f"{order.part}.raw"
                )
                if alone is None:
                    raise
                data = alone
                used.append(Marks(path=sound.path, stream=sound.stream, marks={}, unmarked=1))
            mixed[:, sound.at : sound.at + sound.samples] += data
            on_samples(sound.at + sound.samples)
        except Exception as error:
            error.sound = sound  # type: ignore[attr-defined]
            raise
    _same_as_planned(order)
    pcm, clipped = as_pcm(mixed, order.bytes_per_sample)
    started = machine.monotonic()
    digest = xxhash.xxh3_128_hexdigest(pcm)
    with Path(order.part).open("xb", buffering=0) as handle:
        view = memoryview(pcm)
        while view:
            view = view[handle.write(view) :]
        os.fsync(handle.fileno())
    samples = len(pcm) // (order.channels * order.bytes_per_sample)
    return Made(
        frames=samples,
        bytes=len(pcm),
        file_hash=digest,
        digest=digest,
        clipped=clipped,
        marks=tuple(used),
        checking_s=machine.monotonic() - started,
    )
