"""Render one segment, or the encoded sound track: run ffmpeg, then examine its output.

Exit code 0 proves nothing: ffmpeg exits 0 with half the frames, with a full disk, and with a source
that went away.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from fractions import Fraction
from math import floor
from pathlib import Path

import av
import msgspec
import xxhash

from core.errors.failure import Evidence
from core.media import container_check, ffmpeg, hashes, packet_hashes, packets, rational, witness
from core.media.content import Marks
from core.system import machine
from core.tasks import segment_reader
from core.tasks.spec import EncodeTrack, Made, Outcome, Proved, ProveEncoder, RenderSegment

_SMALL_BYTES = 4 << 20
_ABSENT = ": No such file or directory"
_NOTHING_CAME = re.compile(r"Nothing was written|Output file is empty")


def _flush(path: str) -> None:
    """Flush a file to the disk; ffmpeg never does.

    A failed flush is never tried again on the same file, because the kernel has forgotten the data
    by then (fsyncgate).
    """
    with Path(path).open("rb+") as handle:
        os.fsync(handle.fileno())


@contextmanager
def _flushing(path: str) -> Iterator[None]:
    """Flush a file in parallel with the body of the context, which may only read the file.

    An error of the flush takes precedence over every other error, because nothing read from the
    file counts then. A small file is flushed after the body: reading it takes no longer than
    starting a thread.
    """
    if os.path.getsize(path) < _SMALL_BYTES:
        try:
            yield
        finally:
            _flush(path)
        return
    with ThreadPoolExecutor(1) as beside:
        flushed = beside.submit(_flush, path)
        try:
            yield
        finally:
            flushed.result()


def _ours(ran: ffmpeg.Ran, part: str) -> bool:
    """Return True if writing failed, not reading."""
    # ffmpeg 9 names the side ([in#0], [out#0]), ffmpeg 5 the file. Empty output is the source's
    # fault.
    return any(
        ("[out#" in line and not _NOTHING_CAME.search(line))
        or part in line
        or "writing trailer" in line
        for line in ran.lines
    )


def _died(
    ran: ffmpeg.Ran, *, operation: str, argv: tuple[str, ...], part: str, source: str, wanted: int
) -> Evidence:
    source = "" if _ours(ran, part) else source
    # ffmpeg calls a packet corrupt if reading it failed, whatever the errno was.
    why = container_check.why(source) if source and ran.exit_code >= 0 else container_check.Why()
    if (
        source
        and why == container_check.Why()
        and any(line.endswith(_ABSENT) for line in ran.lines)
    ):
        why = container_check.Why(note="volume-gone", detail="it is there again")
    return Evidence(
        operation=operation,
        place="source" if source else "scratch",
        path=source or part,
        exit_code=ran.exit_code,
        errno=why.errno,
        note=why.note,
        detail=why.detail,
        stderr=ran.lines,
        argv=argv,
        frames_wanted=wanted,
        frames_seen=ran.frames,
        elapsed_s=ran.elapsed_s,
        **machine.around(source or part),
    )


class _Meanwhile:
    """Hash the packets of the source while ffmpeg is busy with it.

    Starts at ffmpeg's first frame, because no other thread may run while a program is started. Ends
    before the next program starts.
    """

    def __init__(self, order: RenderSegment, on_frames: Callable[[int], None]) -> None:
        self._order, self._on_frames = order, on_frames
        self._pool: ThreadPoolExecutor | None = None
        self._marks: Future[Marks] | None = None

    def on_frames(self, frames: int) -> None:
        """Start hashing at the first call, and pass the frame count on."""
        if self._marks is None and self._order.end_s:
            self._pool = ThreadPoolExecutor(1)
            self._marks = self._pool.submit(self._take)
        self._on_frames(frames)

    def settle(self) -> None:
        """Wait until the hashing thread has ended."""
        if self._pool is not None:
            self._pool.shutdown()

    def marks(self, *, again: bool) -> tuple[Marks, ...]:
        """Return the packet hashes of the source, or raise the exception that revealed damage.

        Empty without a source. `again` means that decoding began earlier in the final attempt.
        """
        if not self._order.source:
            return ()
        if not self._order.end_s:
            return (packet_hashes.of_whole(self._order.source),)
        return (
            self._marks.result()
            if self._marks is not None and not again
            else self._take(again=again),
        )

    def _take(self, *, again: bool = False) -> Marks:
        order = self._order
        early_s = max(Fraction(0), order.seek_s - (order.run_up_s if again else 0))
        return packet_hashes.of_pictures(
            order.source,
            order.stream,
            order.begin_s,
            order.end_s,
            early_s,
            beside_damage=order.beside_damage,
        )


def _complained(ran: ffmpeg.Ran) -> bool:
    return any("[error]" in line or "corrupt" in line for line in ran.lines)


def _plainly(argv: tuple[str, ...], run_up_s: Fraction) -> tuple[str, ...]:
    """Return the command without strict decoding and without a graphics device.

    Reading begins `run_up_s` seconds earlier. A picture of another size goes through the same
    filters, so that no frame is lost.
    """
    words, plain = iter(argv), list[str]()
    for word in words:
        if word in ("-err_detect", "-hwaccel"):
            next(words, "")
        elif word == "-ss" and run_up_s:
            early_s = Fraction(next(words)) - run_up_s
            plain += ["-ss", f"{float(early_s):.6f}"] if early_s > 0 else []
        elif word == "-i":
            plain += ["-reinit_filter", "0", word]
        else:
            plain.append(word)
    return tuple(plain)


def decodes_alone(
    order: RenderSegment, on_frames: Callable[[int], None] = lambda frames: None
) -> witness.Heard:
    """Return what ffmpeg alone reports about the pictures that a segment shows."""
    length_s = order.end_s - order.begin_s
    frames = floor(length_s * order.source_rate) if order.source_rate else int(length_s >= 1)
    return witness.of_pictures(
        order.argv[0],
        order.source,
        order.stream,
        order.begin_s,
        order.end_s,
        frames=frames,
        on_frames=on_frames,
    )


def render(
    order: RenderSegment, rate: Fraction, on_frames: Callable[[int], None], command_pipe: int | None
) -> Outcome:
    """Render one segment; return Made with all counts, or Evidence if ffmpeg failed.

    A source is blamed only if two readings failed, because one failed read on a drive or a share is
    not damage, and if ffmpeg alone fails on it as well. If ffmpeg alone succeeds, the segment is
    rendered without strict decoding.
    """
    if order.slate:
        from core.tasks import slate  # Pillow is needed for slates alone

        slate.draw(f"{order.part}.png", order.slate, order.width, order.height)
    argv, again, innocent, meanwhile = order.argv, False, False, _Meanwhile(order, on_frames)

    def badly() -> bool:
        loud = not order.beside_damage and _complained(ran)
        return ran.exit_code != 0 or ran.frames < order.frames or loud

    try:
        ran = ffmpeg.run(argv, on_frames=meanwhile.on_frames, command_pipe=command_pipe)
    finally:
        meanwhile.settle()
    if (
        badly()
        and ran.exit_code >= 0
        and (order.again or (order.source and not _ours(ran, order.part)))
    ):
        argv, again = order.again or argv, bool(order.again)
        ran = ffmpeg.run(argv, on_frames=on_frames, command_pipe=command_pipe)
    if badly() and ran.exit_code >= 0 and order.source and not _ours(ran, order.part):
        heard = decodes_alone(order, on_frames)
        innocent = heard.clean
        if not innocent and witness.misled(order.source):
            return Evidence(
                operation="render", place="source", path=order.source, note="begins-anew", argv=argv, stderr=ran.lines,
                elapsed_s=ran.elapsed_s, **machine.around(order.source),
            )  # fmt: skip
        if innocent:
            argv = _plainly(order.argv, heard.run_up_s)
            ran = ffmpeg.run(argv, on_frames=on_frames, command_pipe=command_pipe)
    if ran.exit_code != 0:
        died = _died(
            ran,
            operation="render",
            argv=argv,
            part=order.part,
            source=order.source,
            wanted=order.frames,
        )
        return _not_the_source(died) if innocent else died
    started = machine.monotonic()
    if order.source and hashes.fingerprint(order.source) != order.fingerprint:
        return Evidence(
            operation="render", place="source", path=order.source, note="source-changed", argv=argv, elapsed_s=ran.elapsed_s,
            **machine.around(order.source),
        )  # fmt: skip
    with _flushing(order.part):
        counted = packets.count_video(order.part, rate, expected=order.signature)
        if order.source and counted.frames < order.frames:
            short = _died(
                ran,
                operation="render",
                argv=argv,
                part=order.part,
                source=order.source,
                wanted=order.frames,
            )
            if innocent:
                return _not_the_source(msgspec.structs.replace(short, frames_seen=counted.frames))
            if short.errno is not None or short.note:
                return msgspec.structs.replace(short, frames_seen=counted.frames)
        file_hash = hashes.file_hash(order.part)
    marks: tuple[Marks, ...] = ()
    try:
        marks = meanwhile.marks(again=again)
    except av.InvalidDataError:  # packets that no encoder writes
        if not decodes_alone(order, on_frames).clean:
            raise
        marks = (Marks(path=order.source, stream=order.stream, marks={}, unmarked=1),)
    if innocent:  # decoding began at another place than the hashes
        marks = tuple(msgspec.structs.replace(one, unmarked=one.unmarked + 1) for one in marks)
    return Made(
        frames=counted.frames,
        signature=counted.signature,
        on_grid=counted.on_grid,
        log=ran.lines,
        bytes=os.path.getsize(order.part),
        file_hash=file_hash,
        digest=counted.digest,
        reorder=counted.reorder,
        again=again,
        innocent=innocent,
        marks=marks,
        making_s=ran.elapsed_s,
        checking_s=machine.monotonic() - started,
    )


def _not_the_source(seen: Evidence) -> Evidence:
    """Take the blame off a source that ffmpeg alone can decode.

    The fault is ours, unless it is the system's.
    """
    if seen.place != "source" or seen.errno is not None:
        return seen
    return msgspec.structs.replace(seen, place="program", note="not-made")


def prove(order: ProveEncoder, command_pipe: int | None) -> Outcome:
    """Encode one frame, to test whether this ffmpeg supports the preset and what it produces."""
    ran = ffmpeg.run(order.argv, command_pipe=command_pipe)
    if ran.exit_code != 0:
        return _died(ran, operation="prove", argv=order.argv, part=order.part, source="", wanted=1)
    counted = packets.count_video(order.part, Fraction(25))
    os.unlink(order.part)
    return Proved(signature=counted.signature)


def encode_track(
    order: EncodeTrack, on_frames: Callable[[int], None], command_pipe: int | None
) -> Outcome:
    """Encode the whole sound track in one pass, so that no join has priming or padding."""
    samples = (segment_reader.pcm(part) for part in order.inputs)
    ran = ffmpeg.run(order.argv, feed=samples, on_frames=on_frames, command_pipe=command_pipe)
    if ran.exit_code != 0:
        return _died(
            ran,
            operation="encode-track",
            argv=order.argv,
            part=order.part,
            source="",
            wanted=order.samples,
        )
    started = machine.monotonic()
    with _flushing(order.part):
        digest = xxhash.xxh3_128()
        with av.open(order.part) as container:
            stream = container.streams.audio[0]
            base = rational.time_base(stream)
            end = Fraction(0)
            for packet in container.demux(stream):
                if packet.size and packet.pts is not None:
                    digest.update(packet)
                    end = (packet.pts + (packet.duration or 0)) * base
            covered = int(end * stream.codec_context.sample_rate)
        file_hash = hashes.file_hash(order.part)
    return Made(
        frames=min(covered, order.samples),
        log=ran.lines,
        bytes=os.path.getsize(order.part),
        file_hash=file_hash,
        digest=digest.hexdigest(),
        checking_s=machine.monotonic() - started,
    )
