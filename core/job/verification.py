"""Promised against found. The five oracles of a segment: exit status and evidence (judged before), log lines, frame
count on its grid, stream signature, content hash (recorded here, compared at every later reading).
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
"""ffmpeg says `corrupt decoded frame` only as a warning and exits 0 (20 of 20 zeroed pages in ProRes)."""


_FASTEST = 1e11
"""Pixels a second that no single thread can move: ten times what memory gives it."""

HARMLESS = (
    r"\[error\] (mmco: unref short failure|co located POCs unavailable|reference picture missing during reorder"
    r"|Missing reference picture, default is \d+)"
)
"""What the H.264 decoder says where it begins amid a stream: it misses frames that were before. Of 118 random defects in a
stream of closed groups none was told by these alone. HEVC's counterparts are not here: they hid 15 of 145."""
_BEGINNING = re.compile(HARMLESS)


_DECODED = re.compile(
    r"corrupt decoded frame|concealing \d+|error while decoding|Error submitting packet|Decoding error|\[(fatal|panic)\]",
    re.IGNORECASE,
)
"""What the decoder loses. Beside damage the demuxer and its parser complain of packets that no decoder is given."""


def bad_lines(
    log: tuple[str, ...], *, run_up: bool = False, beside_damage: bool = False
) -> tuple[str, ...]:
    """The log lines that speak of damage or error. After a run-up those of its beginning do not count, nor for a piece
    `beside_damage` those of what lies beyond its end."""
    bad = tuple(
        line for line in log if _BAD_LINE.search(line) and not (run_up and _BEGINNING.search(line))
    )
    return tuple(line for line in bad if _DECODED.search(line)) if beside_damage else bad


def discrepancy(
    order: RenderSegment | ExamineCopy | MixSound | EncodeTrack | JoinFilm, made: Made
) -> Evidence | None:
    """None when what was made is what was promised, else Evidence with a note that names the difference."""
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
    """Evidence when a source is not what it was when it was last used; `unlike` says at which places. For sound it names the
    clip and the samples of the chunk."""
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
    """Runs (first sample in the chunk, length) in which these places of a sound are heard."""
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
