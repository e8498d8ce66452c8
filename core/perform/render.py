"""Make one segment, or the encoded sound track: run ffmpeg, then look at what it left. Exit code 0 proves nothing:
ffmpeg exits 0 with half the frames, with a full disk, with a source that went away."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import xxhash

from core.model.failure import Evidence
from core.model.orders import EncodeTrack, Made, Outcome, Proved, ProveEncoder, RenderSegment
from core.perform import ffmpeg, hashing, machine, marking, packets, sealed

_NOTHING_CAME = re.compile(r"Nothing was written|Output file is empty")


def _flush(path: str) -> None:
    """To the platter; ffmpeg never does. A failed flush is never tried again on the same file: the kernel has
    forgotten the data by then (fsyncgate)."""
    with Path(path).open("rb+") as handle:
        os.fsync(handle.fileno())


def _died(ran: ffmpeg.Ran, *, operation: str, argv: tuple[str, ...], part: str, source: str, wanted: int) -> Evidence:
    # ffmpeg 9 names the side ([in#0], [out#0]), ffmpeg 5 the file. That nothing came to be written is the source's fault.
    ours = any(
        ("[out#" in line and not _NOTHING_CAME.search(line)) or part in line or "writing trailer" in line for line in ran.lines
    )
    source = "" if ours else source
    return Evidence(
        operation=operation,
        place="source" if source else "scratch",
        path=source or part,
        exit_code=ran.exit_code,
        stderr=ran.lines,
        argv=argv,
        frames_wanted=wanted,
        frames_seen=ran.frames,
        free_bytes=machine.free_bytes(part),
        network=bool(source) and machine.on_network(source),
        elapsed_s=ran.elapsed_s,
    )


def _complained(ran: ffmpeg.Ran) -> bool:
    return any("[error]" in line or "corrupt" in line for line in ran.lines)


def render(order: RenderSegment, rate: Fraction, on_frames: Callable[[int], None], command_pipe: int | None) -> Outcome:
    """Made with everything that was counted, or Evidence when ffmpeg did not end well."""
    if order.slate:
        from core.perform import slate  # Pillow is needed for slates alone

        slate.draw(f"{order.part}.png", order.slate, order.width, order.height)
    argv = order.argv
    ran = ffmpeg.run(argv, on_frames=on_frames, command_pipe=command_pipe)
    again = bool(order.again) and ran.exit_code >= 0 and (ran.exit_code != 0 or ran.frames < order.frames or _complained(ran))
    if again:
        argv = order.again
        ran = ffmpeg.run(argv, on_frames=on_frames, command_pipe=command_pipe)
    if ran.exit_code != 0:
        return _died(ran, operation="render", argv=argv, part=order.part, source=order.source, wanted=order.frames)
    started = machine.monotonic()
    if order.source and hashing.fingerprint(order.source) != order.fingerprint:
        return Evidence(operation="render", place="source", path=order.source, note="source-changed", elapsed_s=ran.elapsed_s)
    _flush(order.part)
    counted = packets.count_video(order.part, rate)
    used = (marking.of_pictures(order.source, order.stream, order.begin_s, order.end_s),) if order.end_s else ()
    return Made(
        frames=counted.frames,
        signature=counted.signature,
        on_grid=counted.on_grid,
        log=ran.lines,
        bytes=os.path.getsize(order.part),
        file_hash=hashing.file_hash(order.part),
        digest=counted.digest,
        reorder=counted.reorder,
        again=again,
        marks=used,
        checking_s=machine.monotonic() - started,
    )


def prove(order: ProveEncoder, command_pipe: int | None) -> Outcome:
    """Encode the one frame that tells whether this ffmpeg can make the preset at all, and what comes out."""
    ran = ffmpeg.run(order.argv, command_pipe=command_pipe)
    if ran.exit_code != 0:
        return _died(ran, operation="prove", argv=order.argv, part=order.part, source="", wanted=1)
    counted = packets.count_video(order.part, Fraction(25))
    os.unlink(order.part)
    return Proved(signature=counted.signature)


def encode_track(order: EncodeTrack, on_frames: Callable[[int], None], command_pipe: int | None) -> Outcome:
    """One encoder over the whole sound track, so that no join has priming or padding."""
    samples = (sealed.pcm(part) for part in order.inputs)
    ran = ffmpeg.run(order.argv, feed=samples, on_frames=on_frames, command_pipe=command_pipe)
    if ran.exit_code != 0:
        return _died(ran, operation="encode-track", argv=order.argv, part=order.part, source="", wanted=order.samples)
    started = machine.monotonic()
    _flush(order.part)
    digest = xxhash.xxh3_128()
    with av.open(order.part) as container:
        stream = container.streams.audio[0]
        base = stream.time_base or Fraction(1)
        end = Fraction(0)
        for packet in container.demux(stream):
            if packet.size and packet.pts is not None:
                digest.update(packet)
                end = (packet.pts + (packet.duration or 0)) * base
        covered = int(end * stream.codec_context.sample_rate)
    return Made(
        frames=min(covered, order.samples),
        log=ran.lines,
        bytes=os.path.getsize(order.part),
        file_hash=hashing.file_hash(order.part),
        digest=digest.hexdigest(),
        checking_s=machine.monotonic() - started,
    )
