"""Converts findings to timeline markers: which of ours to remove, and where to add. Pure.

A frame holds one marker. Markers of others always remain. Ours then uses a neighbouring frame of
the same shot, or joins another of our markers in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bridge.protocol.responses import Described, Finding
from bridge.resolve.api_values import Marker

NAME = "Hotsplice: "
"""Prefix of our markers' names: customData may not survive every way through the editor."""
CUSTOM = "hotsplice:"
COLOURS = {"error": "Red", "warning": "Yellow", "note": "Sky"}
"""Chosen from Resolve's sixteen marker colours."""
_ORDER = ("error", "warning", "note")
LONGEST_NOTE, LONGEST_NAME = 4000, 120


class Mark(NamedTuple):
    """A finding at one place.

    It covers the frames from `first` to `end` (exclusive), within those of its shot, from `low` to
    `high`. `number` counts the findings of the job.
    """

    first: int
    end: int
    low: int
    high: int
    severity: str
    title: str
    note: str
    number: int


class Laid(NamedTuple):
    """Markers to set, the marks that each one reports, and the marks without a frame."""

    markers: tuple[Marker, ...]
    told: tuple[tuple[Mark, ...], ...]
    homeless: tuple[Mark, ...]


def ours(marker: Marker) -> bool:
    """Return whether a marker is from an earlier run of ours.

    Its customData decides, or its name when customData is empty.
    """
    return marker.custom.startswith(CUSTOM) or (not marker.custom and marker.name.startswith(NAME))


def marks(told: Described) -> tuple[Mark, ...]:
    """Return one mark per shot and finding, in order of place.

    A finding without a place goes to the beginning when it is an error (a film may not exist then);
    otherwise only the Console reports it.
    """
    shots = {shot.number: (shot.first, shot.first + shot.frames) for shot in told.shots}
    found = []
    for number, finding in enumerate(told.findings, start=1):
        known = [] if finding.first is None else [(finding.first, finding.frames), *finding.others]
        runs = [(first, first + max(1, frames)) for first, frames in known]
        places = [shots[n] for n in finding.shots if n in shots] or runs
        if not places and finding.severity == "error":
            runs, places = [(0, 1)], [(0, max(1, told.frames))]
        for low, high in places:
            for begin, stop in runs or [(low, high)]:
                first, end = max(low, begin), min(high, stop)
                if first < end:
                    found.append(
                        Mark(
                            first,
                            end,
                            low,
                            high,
                            finding.severity,
                            finding.title,
                            note_of(finding),
                            number,
                        )
                    )
    return tuple(
        sorted(found, key=lambda mark: (mark.first, _ORDER.index(mark.severity), mark.number))
    )


def note_of(finding: Finding) -> str:
    """Return the text of a finding: message, repair, and each action on its own line.

    A "!" marks actions that need care.
    """
    actions = [f"{'→' if act.safe else '!'} {act.do}" for act in finding.actions]
    return "\n".join(line for line in (finding.message, finding.did, *actions) if line)


def lay(wanted: Sequence[Mark], taken: Iterable[int], length: int, job: str) -> Laid:
    """Place a job's markers in a timeline of `length` frames; others occupy the `taken` frames."""
    groups: dict[int, list[Mark]] = {}
    homeless: list[Mark] = []
    others, displaced = set(taken), []
    for mark in wanted:
        if mark.first in groups:
            groups[mark.first].append(mark)
        elif 0 <= mark.first < length and mark.first not in others:
            groups[mark.first] = [mark]
        else:
            displaced.append(mark)
    for mark in displaced:  # after all marks that keep their own frame
        frame = _neighbour(mark, others | set(groups), length)
        if frame is None:
            frame = next((frame for frame in sorted(groups) if mark.low <= frame < mark.high), None)
        if frame is None:
            homeless.append(mark)
        else:
            groups.setdefault(frame, []).append(mark)
    made = [_marker(frame, group, length, job) for frame, group in sorted(groups.items())]
    return Laid(
        tuple(made), tuple(tuple(group) for _, group in sorted(groups.items())), tuple(homeless)
    )


def _neighbour(mark: Mark, taken: set[int], length: int) -> int | None:
    """Return the nearest free frame after the mark, otherwise before it, or None.

    The frame is within both shot and timeline.
    """
    low, high = max(0, mark.low), min(mark.high, length)
    after = (frame for frame in range(max(low, mark.first + 1), high) if frame not in taken)
    before = (
        frame for frame in range(min(high, mark.first) - 1, low - 1, -1) if frame not in taken
    )
    found = next(after, None)
    return next(before, None) if found is None else found


def _marker(frame: int, group: list[Mark], length: int, job: str) -> Marker:
    group.sort(key=lambda mark: (_ORDER.index(mark.severity), mark.first, mark.number))
    worst = group[0]
    more = f" (+{len(group) - 1})" if len(group) > 1 else ""
    notes = dict.fromkeys(
        mark.note if mark is worst else f"{mark.title}. {mark.note}" for mark in group
    )
    end = min(max(mark.end for mark in group), length)
    return Marker(
        frame=frame,
        color=COLOURS[worst.severity],
        name=f"{NAME}{worst.title}"[: LONGEST_NAME - len(more)] + more,
        note="\n\n".join(notes)[:LONGEST_NOTE],
        duration=max(1, end - frame),
        custom=f"{CUSTOM}{job}:{worst.number}",
    )
