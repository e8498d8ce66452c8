"""A worker process: takes one order at a time from standard input, answers on standard output, both JSON lines.

Media is only ever touched here, never in the engine: a process that reads from a dead share can hang beyond any
signal, and a decoder may crash. The worker is single-threaded when it starts ffmpeg and dies with the engine.
"""

from __future__ import annotations

import errno
import os
import signal
import sys

import av
import msgspec

from core.model import codec
from core.model.failure import Evidence, Place
from core.model.orders import (
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
from core.perform import checking, copying, ffmpeg, finding, hashing, join, machine, probe, process, render, volumes, wholeness
from core.perform.wrong import Changed, Damaged, NotContiguous, NotMedia, NotStarted, TooShort


def _where(order: Order) -> tuple[str, Place, str]:
    """(operation, place, path) to name in evidence when an order itself does not know better."""
    match order:
        case ExamineSource():
            return "examine", "source", order.path
        case FindSources():
            return "find", "source", ""
        case ExamineCopy():
            return "examine-copy", "source", order.path
        case LocateDamage():
            return "locate", "source", order.path
        case RenderSegment():
            return "render", "scratch", order.part
        case MixSound():
            return "mix", "scratch", order.part
        case EncodeTrack():
            return "encode-track", "scratch", order.part
        case JoinFilm():
            return "join", "output", order.part
        case ValidateSeal():
            return "validate", "scratch", order.path
        case CheckFilm():
            return "check", "output", order.path
        case ProveEncoder():
            return "prove", "scratch", order.part
        case ProbePlace():
            return "probe", "scratch" if order.write else "source", order.path
        case DrawThumbnail():
            return "draw-thumbnail", "output", order.path


def evidence_of(error: Exception, order: Order, *, frames: int | None = None, elapsed_s: float = 0.0) -> Evidence:
    """An exception as evidence: its errno, the sound, part or file it concerns, counts where it has them. `frames` were done when
    it came, after so many seconds."""
    operation, place, path = _where(order)
    clip, note, wanted, seen = "", "", None, None
    concerned = getattr(error, "sound", None)
    if concerned is not None and not (isinstance(error, OSError) and error.filename == path):
        place, path, clip = "source", concerned.path, concerned.clip
    copied = getattr(error, "part", None)
    if copied is not None:
        place, path, clip = "source", copied.source, copied.key
    number = error.errno if isinstance(error, OSError) else None
    lines: tuple[str, ...] = ()
    detail = f"{type(error).__name__}: {error}"
    match error:
        case NotMedia():
            note, detail = error.note, error.detail
        case TooShort() | NotContiguous():
            note, wanted, seen = "too-few-frames", error.wanted, error.seen
        case Changed():
            place, path, note, clip = "source", error.path, "source-changed", error.key
        case Damaged():
            place, path, note, clip = "scratch", error.path, "seal-damaged", error.key
        case NotStarted():
            place, path, note = "program", str(error.filename), "not-started"
        case av.InvalidDataError():
            note = "invalid-data"
        case av.FFmpegError():
            number = error.errno if 0 < (error.errno or 0) < 4096 else None
            note = "" if number else "media-error"
        case MemoryError():
            note = "out-of-memory"
        case ValueError() if operation == "examine" and "null" in str(error):
            note = "name-invalid"
        case OSError() if isinstance(order, RenderSegment) and error.filename == order.source:
            place, path = "source", order.source
        case OSError():
            pass
        case _:
            note = "unexpected"
    if isinstance(error, av.FFmpegError) and getattr(error, "filename", None) and place != "source":
        named = str(error.filename)
        if named != path and not named.endswith(".part"):
            place, path = "source", named
    if isinstance(error, av.FFmpegError) and error.log:
        lines = (f"[{error.log[1]}] {error.log[2].strip()}",)  # type: ignore[misc]
    return Evidence(
        operation=operation,
        place=place,
        path=path,
        errno=number,
        note=note,
        stderr=lines,
        detail=detail[:400],
        frames_wanted=wanted,
        frames_seen=seen if seen is not None else frames,
        clip=clip,
        elapsed_s=elapsed_s,
        fingerprint=_version(order, error),
        **machine.around(path),
    )


def _version(order: Order, error: Exception) -> str:
    """Which version of a source could not be opened: a decision about it holds until there is another."""
    return hashing.version_of(order.path, readable=not isinstance(error, OSError)) if isinstance(order, ExamineSource) else ""


def _asked(seen: Evidence) -> Evidence:
    """The same, with what the source itself says of why it could not be used."""
    if seen.place != "source" or seen.note not in ("invalid-data", "media-error", "too-few-frames"):
        return seen
    why = wholeness.why(seen.path)
    return msgspec.structs.replace(
        seen,
        errno=why.errno,
        note="" if why.errno is not None else why.note or seen.note,
        detail=f"{seen.detail}; {why.detail}" if why.detail else seen.detail,
    )


def _unless_there(seen: Evidence) -> Evidence:
    """The same, unless a source that was missed is there again: it was away with its volume."""
    if seen.place == "source" and not seen.note and seen.errno in (errno.ENOENT, errno.ENOTDIR) and os.path.exists(seen.path):
        return msgspec.structs.replace(seen, note="volume-gone", detail=f"{seen.detail}; it is there again")
    return seen


def _unless_replaced(seen: Evidence, order: Order) -> Evidence:
    """The same, unless another file stands in the place of the one that is blamed: then that is what happened."""
    made_of: dict[str, str] = {}
    match order:
        case RenderSegment():
            made_of = {order.source: order.fingerprint}
        case ExamineCopy() | LocateDamage():
            made_of = {order.path: order.fingerprint}
        case MixSound():
            made_of = {sound.path: sound.fingerprint for sound in order.sounds}
        case JoinFilm():
            made_of = {part.source: part.fingerprint for part in order.video if part.key == seen.clip}
    if seen.place != "source" or seen.path not in made_of:
        return seen
    try:
        replaced = hashing.fingerprint(seen.path) != made_of[seen.path]
    except OSError:
        return seen
    return msgspec.structs.replace(seen, note="source-changed") if replaced else seen


def perform(assignment: Assignment, report: object = None) -> Outcome:
    """Do one order. Never raises but EngineGone: whatever goes wrong comes back as Evidence."""
    outcome = _performed(assignment, report)
    return _unless_replaced(_unless_there(outcome), assignment.order) if isinstance(outcome, Evidence) else outcome


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
                return Examined(source=probe.examine(order.path))
            case FindSources():
                return finding.find(order, on_frames)
            case ProveEncoder():
                return render.prove(order, pipe)
            case ValidateSeal():
                return checking.validate(order)
            case RenderSegment():
                return render.render(order, assignment.rate, on_frames, pipe)
            case ExamineCopy():
                return copying.examine(order, on_frames)
            case LocateDamage():
                from core.perform import locating  # as seldom as damage is

                return locating.locate(order, assignment.rate, on_frames)
            case MixSound():
                from core.perform import sound  # numpy takes a tenth of a second, and few workers mix

                try:
                    return sound.mix(order, on_frames)
                finally:
                    machine.give_memory_back()
            case EncodeTrack():
                return render.encode_track(order, on_frames, pipe)
            case JoinFilm():
                return join.join(order, on_frames)
            case CheckFilm():
                return checking.check_film(order, on_frames)
            case ProbePlace():
                return volumes.probe(order)
            case DrawThumbnail():
                from core.perform import thumbnail  # Pillow is not needed for films

                return thumbnail.draw(order, assignment.rate)
    except ffmpeg.EngineGone:
        raise
    except Exception as error:  # the boundary: everything becomes evidence, with its type and words kept
        return _asked(evidence_of(error, order, frames=done or None, elapsed_s=machine.monotonic() - began))


def main() -> int:
    """Serve orders until standard input closes."""
    process.die_with_parent(int(sys.argv[1]) if len(sys.argv) > 1 else None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.umask(0o077)  # segments, pictures and films under work are for this user alone
    av.logging.set_level(av.logging.PANIC)
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
        while data := os.read(sys.stdin.fileno(), 1 << 20):
            buffer += data
            while b"\n" in buffer:
                line, buffer = buffer.split(b"\n", 1)
                try:
                    assignment = codec.decode(line, Assignment)
                except msgspec.DecodeError as error:  # an engine of another version
                    send(Evidence(operation="assignment", place="program", note="unexpected", detail=str(error)))
                    continue
                send(perform(assignment, send))
    except (ffmpeg.EngineGone, BrokenPipeError):
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
