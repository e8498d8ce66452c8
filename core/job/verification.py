"""Verify the result of a task against its promise.

A segment is checked in five ways: exit status and evidence (classified earlier), log lines, frame
count on its grid, stream signature, and content hash (recorded here, compared on every later read).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from math import ceil, floor

from core.errors.failure import Evidence, Place
from core.graph.nodes import Sound
from core.media.content import Marks
from core.tasks.spec import EncodeTrack, ExamineCopy, JoinFilm, Made, MixSound, RenderSegment

_BAD_LINE = re.compile(
    r"\[(error|fatal|panic)\]|corrupt decoded frame|Packet corrupt|partial file|File ended prematurely|concealing \d+"
    r"|error while decoding|damaged",
    re.IGNORECASE,
)
"""Log lines that report damage or an error.

ffmpeg logs `corrupt decoded frame` only as a warning and exits 0 (20 of 20 zeroed pages in ProRes).
"""


_FASTEST = 1e11
"""Pixels per second that no single thread can process: ten times what memory delivers."""

HARMLESS = (
    r"\[error\] (mmco: unref short failure|co located POCs unavailable|reference picture missing during reorder"
    r"|Missing reference picture, default is \d+)"
)
"""H.264 decoder messages when decoding starts mid-stream and the earlier frames are missing.

Of 118 random defects in a stream of closed groups, none was reported by these messages alone. The
HEVC counterparts are left out: they hid 15 of 145 defects.
"""
_BEGINNING = re.compile(HARMLESS)


_DECODED = re.compile(
    r"corrupt decoded frame|concealing \d+|error while decoding|Error submitting packet|Decoding error|\[(fatal|panic)\]",
    re.IGNORECASE,
)
"""Messages about frames that the decoder lost.

Next to damage, the demuxer and its parser also complain about packets that never reach a decoder.
"""


def bad_lines(
    log: tuple[str, ...], *, run_up: bool = False, beside_damage: bool = False
) -> tuple[str, ...]:
    """Return the log lines that report damage or an error.

    After a run-up, the messages from its start are ignored. For a segment `beside_damage`, messages
    about data beyond its end are ignored.
    """
    bad = tuple(
        line for line in log if _BAD_LINE.search(line) and not (run_up and _BEGINNING.search(line))
    )
    return tuple(line for line in bad if _DECODED.search(line)) if beside_damage else bad


def discrepancy(
    order: RenderSegment | ExamineCopy | MixSound | EncodeTrack | JoinFilm, made: Made
) -> Evidence | None:
    """Compare the result with the task.

    Returns None when they match, otherwise evidence with a note that names the difference.
    """
    place: Place
    match order:
        case RenderSegment():
            operation, place, path, wanted = (
                "render",
                "source" if order.source else "scratch",
                order.source or order.part,
                order.frames,
            )
            signature = order.signature
        case ExamineCopy():
            operation, place, path, wanted, signature = (
                "examine-copy",
                "source",
                order.path,
                order.frames,
                order.signature,
            )
        case MixSound() | EncodeTrack():
            operation, place, path, wanted, signature = (
                "sound",
                "scratch",
                order.part,
                order.samples,
                "",
            )
        case JoinFilm():
            operation, place, path = "join", "output", order.part
            wanted, signature = sum(part.frames for part in order.video), order.signature
            if order.sound and int(made.digest) < order.samples:
                return Evidence(
                    operation=operation,
                    place="output",
                    path=path,
                    note="too-few-samples",
                    frames_wanted=order.samples,
                    frames_seen=int(made.digest),
                )
    note = ""
    suspicious = (
        ()
        if made.innocent
        else bad_lines(
            made.log,
            run_up=made.again,
            beside_damage=isinstance(order, RenderSegment) and order.beside_damage,
        )
    )
    if suspicious:
        note = "log-says-damage"
    elif made.frames != wanted:
        note = "too-few-frames" if made.frames < wanted else "too-many-frames"
    elif not made.on_grid:
        note = "off-grid"
    elif signature and made.signature != signature:
        note = "other-signature"
    elif (
        isinstance(order, RenderSegment)
        and 0 < made.making_s < wanted * order.width * order.height / _FASTEST
    ):
        note = "too-fast"
    if not note:
        return None
    return Evidence(
        operation=operation,
        place=place,
        path=path,
        note=note,
        stderr=suspicious or made.log,
        frames_wanted=wanted,
        frames_seen=made.frames,
        detail={"other-signature": made.signature, "too-fast": f"{made.making_s:.6f} s"}.get(
            note, ""
        ),
        elapsed_s=made.making_s,
    )


def unlike_record(
    order: RenderSegment | ExamineCopy | MixSound, made: Made, unlike: Callable[[Marks], list[int]]
) -> Evidence | None:
    """Return evidence when a source differs from the record of its last use, otherwise None.

    `unlike` returns the places that differ. For sound, the evidence names the clip and the samples
    of the chunk.
    """
    for number, marks in enumerate(made.marks):
        places = unlike(marks)
        if places:
            sound = order.sounds[number] if isinstance(order, MixSound) else None
            return Evidence(
                operation="mix" if sound else "render",
                place="source",
                path=marks.path,
                note="unlike-record",
                detail=f"{len(places)} of {len(marks.marks)} places",
                clip=sound.clip if sound else "",
                bad=_heard(sound, marks, places, order.sample_rate)
                if sound and isinstance(order, MixSound)
                else (),
            )
    return None


def _heard(
    sound: Sound, marks: Marks, places: Iterable[int], sample_rate: int
) -> tuple[tuple[int, int], ...]:
    """Return the runs (first sample in the chunk, length) where these places are heard."""
    where = marks.places
    assert where is not None
    spread_s = where.lasts_s if where.touches else 0
    runs: list[tuple[int, int]] = []
    for place in places:
        begin_s = place * where.unit_s - where.zero_s - sound.source_in_s
        begin = sound.at + floor((begin_s - spread_s) * sample_rate)
        end = sound.at + ceil((begin_s + where.lasts_s + spread_s) * sample_rate)
        begin, end = max(begin, sound.at), min(end, sound.at + sound.samples)
        if end <= begin:
            continue
        if runs and begin <= sum(runs[-1]):
            runs[-1] = (runs[-1][0], end - runs[-1][0])
        else:
            runs.append((begin, end - begin))
    return tuple(runs)
