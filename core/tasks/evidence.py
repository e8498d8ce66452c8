"""Turn what went wrong in a worker into Evidence, and check what may be blamed for it.

Three rules prevent false blame of a source, a disk or a person:
1. An exception in our own code is the program's fault, whatever the code was reading.
2. An errno counts as the system's only if a plain open, read or write meets it too. PyAV turns
   ffmpeg's general -1 into EPERM.
3. A source is called damaged only if ffmpeg alone cannot decode it either (`witness`).
"""

from __future__ import annotations

import errno
import os
import traceback
from fractions import Fraction
from pathlib import Path

import av
import msgspec

from core.errors.failure import PROGRAM, Evidence, Place
from core.graph.nodes import Sound
from core.media import container_check, hashes, witness
from core.media.content import CompareSource
from core.media.media_errors import Changed, Damaged, NotContiguous, NotMedia, TooShort
from core.system import machine
from core.system.process import NotStarted
from core.tasks import render, stream_copy, volume_probe
from core.tasks.spec import (
    CheckFilm,
    DrawThumbnail,
    EncodeTrack,
    ExamineCopy,
    ExamineSource,
    FindSources,
    JoinFilm,
    LocateDamage,
    MixSound,
    Order,
    ProbePlace,
    ProveEncoder,
    RenderSegment,
    ValidateSeal,
)

_ACCUSING = ("invalid-data", "media-error", "too-few-frames", "no-picture", "cut-short")
_REFUSED = (errno.EPERM, errno.EACCES, errno.EROFS)
_REREAD_S = 5.0
_READING = {
    number
    for name in (
        "EIO", "ESTALE", "ETIMEDOUT", "ENOTCONN", "EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH", "ECONNRESET",
        "EREMOTEIO", "ENODEV", "ENXIO", "EAGAIN", "EINTR",
    )
    if (number := getattr(errno, name, None)) is not None
}  # fmt: skip
"""Errnos that a read may fail with once and not again."""
_ROOT = Path(__file__).resolve().parents[2]


def where(order: Order) -> tuple[str, Place, str]:
    """Return the (operation, place, path) of a task, for errors that name nothing better."""
    match order:
        case ExamineSource():
            return "examine", "source", order.path
        case FindSources():
            return "find", "source", ""
        case CompareSource():
            return "compare", "source", order.path
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


def evidence_of(
    error: Exception, order: Order, *, frames: int | None = None, elapsed_s: float = 0.0
) -> Evidence:
    """Turn an exception into evidence.

    The evidence holds the errno, the sound, part or file that the exception concerns, and counts
    where it has them. `frames` were done when the exception came, after `elapsed_s` seconds.
    """
    operation, place, path = where(order)
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
        case MemoryError() if machine.short_of_memory():
            note = "out-of-memory"
        case ValueError() if operation == "examine" and "\0" in path:
            note = "name-invalid"
        case OSError() if number is None:
            note = "unexpected"
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
        detail=f"{detail[:300]}{_raised_at(error)}" if note == "unexpected" else detail[:400],
        frames_wanted=wanted,
        frames_seen=seen if seen is not None else frames,
        clip=clip,
        elapsed_s=elapsed_s,
        fingerprint=_version(order, error),
        **machine.around(path),
    )


def _version(order: Order, error: Exception) -> str:
    """Return which version of a source could not be opened.

    A user decision about it holds until the file changes to another version.
    """
    return (
        hashes.version_of(order.path, readable=not isinstance(error, OSError))
        if isinstance(order, ExamineSource)
        else ""
    )


def _raised_at(error: Exception) -> str:
    """Return where in our own code an exception came from, for the log."""
    ours = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(_ROOT)
    ]
    if not ours:
        return ""
    return f" ({Path(ours[-1].filename).relative_to(_ROOT).as_posix()}:{ours[-1].lineno} {ours[-1].name})"


def asked(seen: Evidence) -> Evidence:
    """Return the evidence, extended by what the source itself shows about the fault."""
    if seen.place != "source" or seen.note not in ("invalid-data", "media-error", "too-few-frames"):
        return seen
    why = container_check.why(seen.path)
    return msgspec.structs.replace(
        seen,
        errno=why.errno,
        note="" if why.errno is not None else why.note or seen.note,
        detail=f"{seen.detail}; {why.detail}" if why.detail else seen.detail,
    )


def checked(seen: Evidence, order: Order, program: str) -> Evidence:
    """Return the evidence after checks that it blames the right cause.

    Covers sources that are there again, sources that were replaced, and faults that are only ours.
    `program` is the ffmpeg that acts as the witness; if it is empty, no witness is asked.
    """
    return _confirmed(_unless_replaced(_unless_there(seen), order), order, program)


def _unless_there(seen: Evidence) -> Evidence:
    """Set the note `volume-gone` if a missing source is there again.

    It was away together with its volume.
    """
    if (
        seen.place == "source"
        and not seen.note
        and seen.errno in (errno.ENOENT, errno.ENOTDIR)
        and os.path.exists(seen.path)
    ):
        return msgspec.structs.replace(
            seen, note="volume-gone", detail=f"{seen.detail}; it is there again"
        )
    return seen


def _unless_replaced(seen: Evidence, order: Order) -> Evidence:
    """Set the note `source-changed` if another file has replaced the one that is blamed."""
    made_of: dict[str, str] = {}
    match order:
        case RenderSegment():
            made_of = {order.source: order.fingerprint}
        case ExamineCopy() | LocateDamage() | CompareSource():
            made_of = {order.path: order.fingerprint}
        case MixSound():
            made_of = {sound.path: sound.fingerprint for sound in order.sounds}
        case JoinFilm():
            made_of = {
                part.source: part.fingerprint for part in order.video if part.key == seen.clip
            }
    if seen.place != "source" or seen.path not in made_of:
        return seen
    try:
        replaced = hashes.fingerprint(seen.path) != made_of[seen.path]
    except OSError:
        return seen
    return msgspec.structs.replace(seen, note="source-changed") if replaced else seen


def _confirmed(seen: Evidence, order: Order, program: str) -> Evidence:
    if seen.note == "unexpected":
        return _ours(seen)
    if (
        seen.place == "source"
        and not seen.note
        and seen.errno is not None
        and seen.exit_code is None
    ):
        seen = _met_again(seen)
    if seen.place in ("scratch", "output") and not seen.note and seen.errno in _REFUSED:
        return seen if _refuses(seen.path) else _ours(seen)
    if seen.place == "source" and seen.note in _ACCUSING and seen.exit_code is None and program:
        return _witnessed(seen, order, program)
    return seen


def _ours(seen: Evidence) -> Evidence:
    return msgspec.structs.replace(seen, place="program", note=PROGRAM, errno=None)


def _met_again(seen: Evidence) -> Evidence:
    """Keep the errno of a read error only if a plain read of the file meets an errno as well.

    Otherwise reading failed for a moment, or ffmpeg gave a number that was not the system's.
    """
    number = container_check.reading_error(seen.path, budget_s=_REREAD_S) if seen.path else None
    if number is not None:
        return msgspec.structs.replace(seen, errno=number)
    return msgspec.structs.replace(
        seen, errno=None, note="read-failed-once" if seen.errno in _READING else "media-error"
    )


def _refuses(path: str) -> bool:
    """Return True if a file of ours cannot be read or its folder cannot be written to.

    When the system refuses, the error names the file. An error without a file name is our own
    fault.
    """
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    try:
        volume_probe.writable(Path(folder))
        if os.path.isfile(path):
            hashes.content_mark(path)
    except OSError as error:
        return error.filename is not None
    return False


def _witnessed(seen: Evidence, order: Order, program: str) -> Evidence:
    """Keep the blame on the source if ffmpeg alone fails on it too; otherwise the fault is ours."""
    heard = _testimony(seen, order, program)
    if heard is None:
        return seen
    if heard.clean:
        return _ours(seen)
    if witness.misled(seen.path):
        return msgspec.structs.replace(seen, note="begins-anew", errno=None)
    said = "; ".join(heard.said[-2:])
    return msgspec.structs.replace(
        seen, detail=f"{seen.detail}; ffmpeg alone: {said}"[:400] if said else seen.detail
    )


def _of_sound(order: MixSound, sound: Sound, program: str) -> witness.Heard:
    to = Path(f"{order.part}.heard")
    try:
        begin_s = max(Fraction(0), sound.source_in_s)
        heard = witness.of_sound(
            program,
            sound.path,
            sound.stream,
            begin_s,
            sound.samples,
            rate=order.sample_rate,
            channels=1,
            to=str(to),
        )
        short = heard.clean and to.stat().st_size < 8 * (sound.samples - order.sample_rate // 10)
        return witness.Heard(False, said=("it ends before the clip does",)) if short else heard
    finally:
        to.unlink(missing_ok=True)


def _testimony(seen: Evidence, order: Order, program: str) -> witness.Heard | None:
    """Ask the witness about the source; None if the blamed source is not one of the task's."""
    match order:
        case RenderSegment() if seen.path == order.source:
            return render.decodes_alone(order)
        case ExamineCopy():
            return stream_copy.decodes_alone(order, program)
        case LocateDamage():
            end_s = order.begin_s + Fraction(order.frames) / order.source_rate
            return witness.of_pictures(
                program, order.path, order.stream, order.begin_s, end_s, frames=0
            )
        case MixSound():
            sound = next(
                (
                    sound
                    for sound in order.sounds
                    if (sound.clip, sound.path) == (seen.clip, seen.path)
                ),
                None,
            )
            return _of_sound(order, sound, program) if sound is not None else None
        case ExamineSource():
            heard = witness.opens(program, order.path, pictures=True)
            return (
                heard
                if heard.clean or seen.note == "no-picture"
                else witness.opens(program, order.path, pictures=False)
            )
        case JoinFilm():
            part = next(
                (
                    part
                    for part in order.video
                    if part.key == seen.clip and part.source == seen.path
                ),
                None,
            )
            if part is None:
                return None
            begin_s = part.first_frame / order.rate
            return witness.of_pictures(
                program,
                part.source,
                part.stream,
                begin_s,
                begin_s + part.frames / order.rate,
                frames=0,
            )
        case _:
            return None
