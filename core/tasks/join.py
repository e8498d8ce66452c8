"""Join segments, source packets and sound into one film, and check the result as a whole.

Time stamps are rebuilt. ffmpeg's concat demuxer drifts (22 ms of sound at every cut) and exits 0
when a part is missing. This module places every packet by count instead, and compares each part's
digest with its checkpoint as the part passes through.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Any

import av
import xxhash

from core.media import hashes, packets, rational
from core.media.layouts import layout_name
from core.media.media_errors import Changed
from core.system import machine
from core.tasks import segment_reader, stream_copy
from core.tasks.segment_reader import Packet
from core.tasks.spec import JoinFilm, JoinVideo, Made, Refuted

_SOUND_STEP_S = Fraction(1, 2)
_OPEN_SOURCES = 16
_FLUSH_BYTES = 128 << 20
_HEARTBEAT_S = 5.0
_PRORES_TAGS = {
    "Proxy": "apco",
    "LT": "apcs",
    "Standard": "apcn",
    "HQ": "apch",
    "4444": "ap4h",
    "XQ": "ap4x",
}
_MOVIE_TIMESCALE_LIMIT = 1 << 20


class _Sources:
    """Keep the last few source files open, because cuts go back and forth between them."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, av.container.InputContainer] = OrderedDict()

    def get(self, path: str) -> av.container.InputContainer:
        container = self._open.pop(path, None) or packets.opened(path)
        self._open[path] = container
        while len(self._open) > _OPEN_SOURCES:
            self._open.popitem(last=False)[1].close()
        return container

    def close(self) -> None:
        for container in self._open.values():
            container.close()


def options_for(container: str, rate: Fraction, sample_rate: int) -> dict[str, str]:
    """Return muxer options that put every frame and sample boundary on a whole tick.

    The output has the same bytes on every run.
    """
    options = {"fflags": "+bitexact"}
    if container in ("mov", "mp4"):
        ticks = rate.numerator if rate.numerator >= 1000 else rate.numerator * 1000
        options["video_track_timescale"] = str(ticks)
        movie = lcm(sample_rate or 1000, rate.numerator)
        options["movie_timescale"] = str(
            movie if movie <= _MOVIE_TIMESCALE_LIMIT else sample_rate or 1000
        )
        options["movflags"] = "+write_colr" + ("+faststart" if container == "mp4" else "")
    return options


@contextmanager
def _reading(part: JoinVideo) -> Iterator[None]:
    """Attach the copied part to any exception, as its `part` attribute.

    A fault in reading a source is no fault of the film.
    """
    try:
        yield
    except Exception as error:
        error.part = part  # type: ignore[attr-defined]
        raise


def _video_packets(order: JoinFilm, sources: _Sources) -> Iterator[tuple[Packet, int]]:
    """Yield (packet, its pts in frames) for the whole film in decoding order.

    Each part's digest is checked at its end.
    """
    base = 0
    for part in order.video:
        if part.file:
            held = segment_reader.pictures(part, order.signature)
            rank = {
                pts: place for place, pts in enumerate(sorted(packet.pts or 0 for packet in held))
            }
            for packet in held:
                yield packet, base + rank[packet.pts or 0]
        else:
            with _reading(part):
                source = sources.get(part.source)
                copied = source.streams[part.stream]
                assert isinstance(copied, av.VideoStream)
                digest = xxhash.xxh3_128()
                for place, packet in enumerate(
                    stream_copy.frames_of(source, copied, part.first_frame, part.frames)
                ):
                    digest.update(packet)
                    yield packet, base + place
                if digest.hexdigest() != part.digest:
                    raise Changed(part.key, part.source)
        base += part.frames


def _pcm_packets(order: JoinFilm) -> Iterator[tuple[Packet, int]]:
    """Yield (packet, first sample) of the mixed sound, half a second each."""
    width = order.channels * (3 if order.pcm == "pcm_s24le" else 2)
    step = int(order.sample_rate * _SOUND_STEP_S)
    at = 0
    for part in order.sound:
        data = segment_reader.pcm(part)
        for begin in range(0, part.samples, step):
            count = min(step, part.samples - begin)
            packet = av.Packet(data[begin * width : (begin + count) * width])
            packet.duration = count
            yield packet, at
            at += count


def _template(order: JoinFilm, stack: list[av.container.InputContainer]) -> av.VideoStream:
    first = order.video[0]
    if first.file:
        with segment_reader.believing(first):
            stack.append(av.open(first.file))
            return stack[-1].streams.video[0]
    with _reading(first):
        stack.append(av.open(first.source, options={"protocol_whitelist": "file"}))
        stream = stack[-1].streams[first.stream]
        assert isinstance(stream, av.VideoStream)
        return stream


class _EarlyFlush:
    """Start flushing while the film is still being written, to shorten the final flush."""

    def __init__(self, path: str, beside: ThreadPoolExecutor) -> None:
        self._path, self._beside = path, beside
        self._since = 0
        self._running: Future[None] | None = None

    def wrote(self, size: int) -> None:
        """Count `size` more bytes sent to the muxer; start a flush when enough have gathered."""
        self._since += size
        if self._since >= _FLUSH_BYTES and (self._running is None or self._running.done()):
            self.settle()
            self._since, self._running = 0, self._beside.submit(self._flush)

    def settle(self) -> None:
        """Wait for the early flush and raise its error.

        The kernel reports a lost write once, so the final flush would not see it.
        """
        if self._running is not None:
            self._running.result()

    def _flush(self) -> None:
        with Path(self._path).open("rb") as handle:
            os.fsync(handle.fileno())


def write(
    order: JoinFilm,
    on_frames: Callable[[int], None],
    wrote: Callable[[int], None] = lambda size: None,
) -> None:
    """Write the film to its part file.

    Raises Damaged, Changed, NotContiguous, av.FFmpegError or OSError; IndexError or AssertionError
    for a source that no longer has its streams.
    """
    sources = _Sources()
    opened: list[av.container.InputContainer] = []
    out = av.open(
        order.part,
        "w",
        format=order.container,
        options=options_for(order.container, order.rate, order.sample_rate),
    )
    try:
        template = _template(order, opened)
        video = out.add_stream_from_template(template, opaque=True)
        video.time_base = 1 / order.rate
        # The muxer takes every ProRes stream for HQ unless told otherwise.
        if template.codec_context.name == "prores":
            video.codec_context.codec_tag = _PRORES_TAGS.get(
                str(template.codec_context.profile), "apch"
            )
        video.codec_context.framerate = order.rate  # without it the muxer writes no timecode track
        if order.timecode:
            out.metadata["timecode"] = order.timecode
        sound: Iterator[tuple[Packet, int]] = iter(())
        audio: av.AudioStream | None = None
        if order.sound and order.pcm:
            added = out.add_stream(
                order.pcm, rate=order.sample_rate, layout=layout_name(order.channels)
            )
            assert isinstance(added, av.AudioStream)
            audio = added
            sound = _pcm_packets(order)
        elif order.sound:
            with segment_reader.believing(order.sound[0]):
                opened.append(av.open(order.sound[0].file))
                audio = out.add_stream_from_template(opened[-1].streams.audio[0], opaque=True)
            sound = (
                (packet, packet.pts or 0)
                for packet in segment_reader.track(order.sound[0], opened[-1])
            )
        tick = 1 / order.rate
        ready = next(sound, None)
        count = 0

        def lay_sound(until_s: Fraction | None) -> None:
            nonlocal ready
            while ready is not None and (
                until_s is None or Fraction(ready[1], order.sample_rate) <= until_s
            ):
                packet, pts = ready
                assert audio is not None
                packet.stream = audio
                packet.time_base = Fraction(1, order.sample_rate)
                packet.pts = packet.dts = pts
                out.mux(packet)
                ready = next(sound, None)

        for packet, pts in _video_packets(order, sources):
            lay_sound(count * tick)
            packet.stream = video
            packet.time_base = tick
            packet.pts, packet.dts, packet.duration = pts, count - order.reorder, 1
            wrote(packet.size)
            out.mux(packet)
            count += 1
            if count % 48 == 0:
                on_frames(count)
        lay_sound(None)
        out.close()
        on_frames(count)
    finally:
        if not out.closed if hasattr(out, "closed") else False:
            out.close()
        for container in opened:
            container.close()
        sources.close()


def _check(order: JoinFilm, on_frames: Callable[[int], None]) -> Made | Refuted:
    """Check the written film through an independent read.

    Every part's packets must match its digest, and every time stamp must lie on the grid.
    """
    parts = iter(order.video)
    part: JoinVideo | None = next(parts, None)
    digest, sound_digest = xxhash.xxh3_128(), xxhash.xxh3_128()
    left = part.frames if part else 0
    shown: list[int] = []
    heard = 0
    with av.open(order.part) as container:
        video = container.streams.video[0]
        audio = container.streams.audio[0] if order.sound else None
        sign = packets.signature(video)
        base, end = rational.time_base(video), Fraction(0)
        for packet in container.demux([video, audio] if audio else [video]):
            if not packet.size or packet.pts is None:
                continue
            if audio is not None and packet.stream_index == audio.index:
                sound_digest.update(packet)
                heard += packet.size
                end = (packet.pts + (packet.duration or 0)) * rational.time_base(audio)
                continue
            shown.append(packet.pts)
            digest.update(packet)
            left -= 1
            if left == 0 and part is not None:
                if digest.hexdigest() != part.digest:
                    return Refuted(reason=f"pictures of {part.key} differ after writing")
                digest, part = xxhash.xxh3_128(), next(parts, None)
                left = part.frames if part else 0
            if len(shown) % 480 == 0:
                on_frames(len(shown))
        samples = round(end * order.sample_rate) if audio is not None else 0
        if order.sound and order.pcm:  # counted by bytes: Matroska's packets have no duration
            samples = heard // (order.channels * (3 if order.pcm == "pcm_s24le" else 2))
    zero = min(shown, default=0)
    tolerance = Fraction(1, 8) if order.container != "matroska" else Fraction(1, 2)
    on_grid = packets.stands_on_grid(sorted(shown), base * order.rate, tolerance)
    if order.sound and order.pcm:
        expected = xxhash.xxh3_128()
        for piece in order.sound:
            expected.update(Path(piece.file).read_bytes())
        if expected.digest() != sound_digest.digest():
            return Refuted(reason="the sound differs after writing")
    elif order.sound and (
        sound_digest.hexdigest() != order.sound[0].digest or samples < order.samples
    ):
        return Refuted(reason="the sound differs after writing")
    return Made(
        frames=len(shown),
        signature=sign,
        on_grid=on_grid and zero == 0,
        reorder=packets.reorder_of(shown),
        digest=str(samples),
    )


def join(order: JoinFilm, on_frames: Callable[[int], None]) -> Made | Refuted:
    """Write the film, flush it, open it again, check it and hash it.

    `Made.digest` is the number of samples found, `file_hash` the tree hash.
    """
    with ThreadPoolExecutor(1) as beside:
        early = _EarlyFlush(order.part, beside)
        write(order, on_frames, early.wrote)
        early.settle()
    started = machine.monotonic()
    with Path(order.part).open("rb+") as handle, ThreadPoolExecutor(2) as beside:
        # All three only read. No result counts before all three have ended.
        flushed = beside.submit(os.fsync, handle.fileno())
        hashed = beside.submit(hashes.tree_hash, order.part)
        found = _check(order, on_frames)
        both: list[Future[Any]] = [flushed, hashed]
        while wait(both, timeout=_HEARTBEAT_S).not_done:
            # Report progress: a slow disk may take long, and silence would be taken for a hang.
            on_frames(found.frames if isinstance(found, Made) else 0)
        flushed.result()
        tree = hashed.result()
    if isinstance(found, Refuted):
        return found
    return Made(
        frames=found.frames,
        signature=found.signature,
        on_grid=found.on_grid,
        reorder=found.reorder,
        digest=found.digest,
        bytes=os.path.getsize(order.part),
        file_hash=tree,
        checking_s=machine.monotonic() - started,
    )
