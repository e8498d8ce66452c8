"""Findings to timeline markers: which of ours go, and where which come. Pure.

A frame holds one marker. A marker of anybody else stays, whatever happens: ours then takes a neighbouring frame of the
same shot, or joins another of ours in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bridge.protocol.responses import Described, Finding
from bridge.resolve.api_values import Marker

NAME = "Hotsplice: "
"""Markers begin with it: what customData holds is not known to survive every way through the editor."""
CUSTOM = "hotsplice:"
COLOURS = {"error": "Red", "warning": "Yellow", "note": "Sky"}
"""Of the sixteen that Resolve knows for markers."""
_ORDER = ("error", "warning", "note")
LONGEST_NOTE, LONGEST_NAME = 4000, 120


class Mark(NamedTuple):
    """Something to be said at a place: frames from `first` up to `end` (exclusive), within those of its shot from `low` up to
    `high`. `number` counts the findings of the job."""

    first: int
    end: int
    low: int
    high: int
    severity: str
    title: str
    note: str
    number: int


class Laid(NamedTuple):
    """Markers to be set, what each of them tells, and what found no place."""

    markers: tuple[Marker, ...]
    told: tuple[tuple[Mark, ...], ...]
    homeless: tuple[Mark, ...]


def ours(marker: Marker) -> bool:
    """Whether a marker is from an earlier run of ours: by its customData, or by its name where that holds nothing."""
    return marker.custom.startswith(CUSTOM) or (not marker.custom and marker.name.startswith(NAME))


def marks(told: Described) -> tuple[Mark, ...]:
    """One for each shot of each finding, in order of place. What is about no place stands at the beginning when it is an error
    (there may be no film then), and is left to the Console when it is not."""
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
    """What was found, what was done, and what can be done: the latter each on a line of its own, with care where it says so."""
    actions = [f"{'→' if act.safe else '!'} {act.do}" for act in finding.actions]
    return "\n".join(line for line in (finding.message, finding.did, *actions) if line)


def lay(wanted: Sequence[Mark], taken: Iterable[int], length: int, job: str) -> Laid:
    """Where the markers of a job stand in a timeline of so many frames of which others hold those that are `taken`."""
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
    for mark in displaced:  # after all that stand where they belong
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
    """The nearest free frame after the place, else before it, within the shot and the timeline."""
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
