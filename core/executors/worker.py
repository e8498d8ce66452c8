"""Worker process: reads one task at a time from standard input, replies on standard output.

Tasks and replies are JSON lines. Only workers touch media, never the engine: a process that reads
from a dead share can hang beyond the reach of any signal, and a decoder may crash. The worker is
single-threaded when it starts ffmpeg, and dies with the engine.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import sys

import av
import msgspec

from core.errors.failure import PROGRAM, Evidence
from core.media import ffmpeg, open_sources, probe
from core.media.content import CompareSource
from core.system import codec, machine, process
from core.tasks import check_film, evidence, join, media_search, render, stream_copy, volume_probe
from core.tasks.spec import (
    Assignment,
    CheckFilm,
    DrawThumbnail,
    EncodeTrack,
    ExamineCopy,
    Examined,
    ExamineSource,
    FindSources,
    JoinFilm,
    LocateDamage,
    Made,
    MixSound,
    Order,
    Outcome,
    ProbePlace,
    Progress,
    ProveEncoder,
    RenderSegment,
    Reply,
    ValidateSeal,
)


def perform(assignment: Assignment, report: object = None) -> Outcome:
    """Perform one task and return its outcome.

    Raises only `ffmpeg.EngineGone`; every other error comes back as `Evidence`.
    """
    try:
        return _judged(assignment, report)
    except ffmpeg.EngineGone:
        raise
    except Exception as error:  # the evaluation itself failed, so no file is blamed
        order = assignment.order
        path = (
            getattr(order, "path", "") or getattr(order, "source", "") or getattr(order, "part", "")
        )
        words = f"{type(error).__name__}: {error}"[:400]
        return Evidence(operation="judge", place="program", path=path, note=PROGRAM, detail=words)


def _judged(assignment: Assignment, report: object) -> Outcome:
    """Perform a task and measure what it costs; double-check the evidence of a failure."""
    began, own = machine.monotonic(), machine.process_cpu()
    supervising = ffmpeg.Supervision.cpu_s
    outcome = _performed(assignment, report)
    if isinstance(outcome, Made):
        own, supervising = machine.process_cpu() - own, ffmpeg.Supervision.cpu_s - supervising
        return _counted(outcome, assignment.order, machine.monotonic() - began, own, supervising)
    if not isinstance(outcome, Evidence):
        return outcome
    open_sources.let_go()  # the next attempt reopens every source
    return evidence.checked(outcome, assignment.order, assignment.ffmpeg)


def _counted(
    made: Made, order: Order, elapsed_s: float, own_cpu_s: float, heard_cpu_s: float
) -> Made:
    """Add the share of recovery in a task's cost.

    ffmpeg renders the pictures, so everything that this process does besides supervising ffmpeg
    counts as checking (packet hashes, hashes, flushes, counts). For other tasks the measured
    checking time counts, and the same share of the processor time.
    """
    if isinstance(order, RenderSegment) and made.making_s > 0:
        checking_s = max(made.checking_s, elapsed_s - made.making_s)
        checking_cpu_s = max(0.0, own_cpu_s - heard_cpu_s)
    else:
        checking_s = made.checking_s
        checking_cpu_s = own_cpu_s * min(1.0, checking_s / elapsed_s) if elapsed_s > 0 else 0.0
    return msgspec.structs.replace(made, checking_s=checking_s, checking_cpu_s=checking_cpu_s)


def _performed(assignment: Assignment, report: object) -> Outcome:
    order, began, done = assignment.order, machine.monotonic(), 0

    def on_frames(frames: int) -> None:
        nonlocal done
        done = frames
        if callable(report):
            report(Progress(frames=frames))

    pipe = sys.stdin.fileno() if report is not None else None
    try:
        match order:
            case ExamineSource():
                return Examined(source=probe.examine(order.path, count=order.count))
            case FindSources():
                return media_search.find(order, on_frames)
            case CompareSource():
                from core.tasks import compare_source  # only needed if a file was moved or touched

                return compare_source.compare(order, on_frames)
            case ProveEncoder():
                return render.prove(order, pipe)
            case ValidateSeal():
                return check_film.validate(order)
            case RenderSegment():
                return render.render(order, assignment.rate, on_frames, pipe)
            case ExamineCopy():
                return stream_copy.examine(order, on_frames, assignment.ffmpeg)
            case LocateDamage():
                from core.tasks import locate_damage  # rarely needed, because damage is rare

                return locate_damage.locate(order, assignment.rate, on_frames)
            case MixSound():
                from core.tasks import (
                    mix_sound,
                )  # importing numpy takes a tenth of a second, and few workers mix

                try:
                    return mix_sound.mix(order, on_frames, assignment.ffmpeg)
                finally:
                    machine.give_memory_back()
            case EncodeTrack():
                return render.encode_track(order, on_frames, pipe)
            case JoinFilm():
                return join.join(order, on_frames)
            case CheckFilm():
                return check_film.check_film(order, on_frames, assignment.ffmpeg)
            case ProbePlace():
                return volume_probe.probe(order)
            case DrawThumbnail():
                from core.tasks import thumbnail  # films do not need Pillow

                return thumbnail.draw(order, assignment.rate)
    except ffmpeg.EngineGone:
        raise
    except (
        Exception
    ) as error:  # the boundary: every error becomes evidence and keeps its type and message
        seen = evidence.evidence_of(
            error, order, frames=done or None, elapsed_s=machine.monotonic() - began
        )
        return evidence.asked(seen)


def _heard(pipe: int) -> bytes:
    """Read what the engine sends next; close held sources after `IDLE_S` seconds of silence."""
    if open_sources.held() and not select.select([pipe], [], [], open_sources.IDLE_S)[0]:
        open_sources.let_go()
    return os.read(pipe, 1 << 20)


def main() -> int:
    """Serve tasks until standard input closes. Return 1 if the engine is gone, else 0."""
    process.die_with_parent(int(sys.argv[1]) if len(sys.argv) > 1 else None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.umask(0o077)  # segments, pictures and unfinished films are private to this user
    av.logging.set_level(av.logging.PANIC)
    # Imported objects never become garbage. Scanning them costs time, and memory as well, because
    # it unshares pages that are shared after a fork.
    gc.freeze()
    out = sys.stdout.buffer.raw if hasattr(sys.stdout.buffer, "raw") else sys.stdout.buffer
    last = 0.0

    def send(reply: Reply) -> None:
        nonlocal last
        if isinstance(reply, Progress):
            if machine.monotonic() - last < 0.1:
                return
            last = machine.monotonic()
        data = memoryview(codec.encode(reply) + b"\n")
        while data:
            data = data[os.write(out.fileno(), data) :]

    buffer = b""
    try:
        while data := _heard(sys.stdin.fileno()):
            buffer += data
            while b"\n" in buffer:
                line, buffer = buffer.split(b"\n", 1)
                try:
                    assignment = codec.decode(line, Assignment)
                except msgspec.DecodeError as error:  # the engine has another version
                    send(
                        Evidence(
                            operation="assignment",
                            place="program",
                            note="unexpected",
                            detail=str(error),
                        )
                    )
                    continue
                send(perform(assignment, send))
    except (ffmpeg.EngineGone, BrokenPipeError):
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
