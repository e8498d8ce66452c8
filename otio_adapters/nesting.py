"""Flatten nested compositions into pieces of clips, in exact seconds and without rounding.

A `Strip` is the flat form of a clip, gap, track or stack: its length, the pieces of clips in it,
and notes on losses with their place. A track is its items one after another; a stack is, at every
instant, its topmost enabled picture; a `source_range` on either is a window. Time in a strip counts
from its own start.

Transitions take no time: both neighbours end and begin at the cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from heapq import heappop, heappush
from itertools import pairwise
from typing import Any, NamedTuple

import opentimelineio as otio

from otio_adapters import otio_times
from otio_adapters.effects import effect_remarks
from otio_adapters.media import kind_of
from otio_adapters.refuse import called, invalid, named

ZERO = Fraction(0)


class Piece(NamedTuple):
    """A piece of one clip. `skipped_s` of the clip's trimmed range is hidden before it."""

    clip: otio.schema.Clip
    start_s: Fraction
    end_s: Fraction
    skipped_s: Fraction
    enabled: bool


class Note(NamedTuple):
    """A loss, and the stretch that it concerns; a cut has no length."""

    code: str
    text: str
    start_s: Fraction
    end_s: Fraction


class Strip(NamedTuple):
    """Pieces in order and without overlap, and notes."""

    length_s: Fraction
    pieces: tuple[Piece, ...] = ()
    notes: tuple[Note, ...] = ()


def trimmed(clip: otio.schema.Clip) -> otio_times.Span:
    """Return the source range of a clip in media time, or all of its media if it has none."""
    reference = clip.media_reference
    found = clip.source_range or (reference.available_range if reference is not None else None)
    if found is None:
        raise invalid(why="no-range", where=called(clip))
    return otio_times.span(found, called(clip))


def lay(item: Any, kind: str) -> Strip:
    """Return the strip of an item on a track of `kind` ("video" or "audio").

    A picture track yields no sound.
    """
    if isinstance(item, otio.schema.Clip):
        length_s = trimmed(item).length_s
        return Strip(
            length_s, (Piece(item, ZERO, length_s, ZERO, item.enabled),) if length_s else ()
        )
    if isinstance(item, otio.schema.Track):
        own_kind = item.kind.lower()
        strip = _windowed(_row(item, own_kind), item, own_kind)
        return strip if own_kind == kind else _of_other_kind(item, strip)
    if isinstance(item, otio.schema.Stack):
        return _windowed(_topmost(item, kind), item, kind)
    if isinstance(item, otio.schema.Gap) and item.source_range is not None:
        return Strip(otio_times.span(item.source_range, called(item)).length_s)
    raise invalid(why="no-length", where=called(item))


def window(strip: Strip, start_s: Fraction, length_s: Fraction) -> Strip:
    """Return the part of a strip that a source range shows.

    It is as long as the range, even where nothing is left to show.
    """
    end_s = start_s + length_s
    pieces = tuple(
        Piece(
            p.clip,
            max(p.start_s, start_s) - start_s,
            min(p.end_s, end_s) - start_s,
            p.skipped_s + max(ZERO, start_s - p.start_s),
            p.enabled,
        )
        for p in strip.pieces
        if p.start_s < end_s and p.end_s > start_s
    )
    notes = tuple(
        n._replace(start_s=max(n.start_s, start_s) - start_s, end_s=min(n.end_s, end_s) - start_s)
        for n in strip.notes
        if start_s <= n.start_s < end_s or n.start_s < start_s < n.end_s
    )
    return Strip(length_s, pieces, notes)


def _windowed(strip: Strip, item: Any, kind: str) -> Strip:
    """Apply the item's own source range and effects to a strip."""
    what = "Track" if isinstance(item, otio.schema.Track) else "Nested timeline"
    if item.source_range is not None:
        span = otio_times.span(item.source_range, called(item))
        nested = isinstance(item.parent(), otio.schema.Track)
        lost = (
            span.length_s > 0 and span.start_s >= strip.length_s and (nested or bool(strip.pieces))
        )
        strip = window(strip, *span)
        if lost:
            # Premiere may write a nested sequence without its content, or a range may count from a
            # timecode that the file does not state. Black without a note would be misleading.
            text = f"The part of {named(item.name)} that is used is not in the timeline file."
            strip = strip._replace(
                notes=(Note("nested-timeline-unsupported", text, ZERO, span.length_s),)
            )
            if nested and kind == "video":
                stand_in = otio.schema.Clip(
                    item.name, otio.schema.GeneratorReference(), item.source_range
                )
                strip = strip._replace(pieces=(Piece(stand_in, ZERO, span.length_s, ZERO, True),))
    notes = tuple(
        Note(remark.code, remark.text, ZERO, strip.length_s)
        for remark in effect_remarks(item, what)
    )
    return strip._replace(notes=notes + strip.notes)


def _row(track: otio.schema.Track, kind: str) -> Strip:
    at_s = ZERO
    pieces: list[Piece] = []
    notes: list[Note] = []
    items = list(track)
    for index, item in enumerate(items):
        if isinstance(item, otio.schema.Transition):
            before, after = items[max(index - 1, 0) : index], items[index + 1 : index + 2]
            notes += _as_cut(item, before, after, at_s)
            continue
        strip = lay(item, kind)
        shown = True if isinstance(item, otio.schema.Clip) else item.enabled
        for p in strip.pieces:
            pieces.append(
                p._replace(
                    start_s=p.start_s + at_s, end_s=p.end_s + at_s, enabled=p.enabled and shown
                )
            )
        notes += [
            n._replace(start_s=n.start_s + at_s, end_s=n.end_s + at_s) for n in strip.notes if shown
        ]
        at_s = otio_times.add(at_s, strip.length_s, called(track))
    return Strip(at_s, tuple(pieces), tuple(notes))


def _as_cut(
    transition: otio.schema.Transition, before: list[Any], after: list[Any], at_s: Fraction
) -> Iterator[Note]:
    """Yield a note about a transition, if it would be visible."""
    neighbours = [
        item[0] if item and not isinstance(item[0], otio.schema.Gap) else None
        for item in (before, after)
    ]
    lasts = any(
        offset.value
        for offset in (transition.in_offset, transition.out_offset)
        if offset is not None
    )
    if lasts and any(item is not None and getattr(item, "enabled", False) for item in neighbours):
        left, right = (named(item.name) if item is not None else "black" for item in neighbours)
        what = named(transition.name or transition.transition_type)
        text = f"{what} between {left} and {right} is shown as a straight cut."
        yield Note("transition-as-cut", text, at_s, at_s)


def _of_other_kind(track: otio.schema.Track, strip: Strip) -> Strip:
    """Reduce a track nested on a track of the other kind to its length, with a note if needed."""
    if (
        track.kind.lower() == "video"
        or not track.enabled
        or not any(p.enabled for p in strip.pieces)
    ):
        return Strip(strip.length_s)
    code = "track-kind-unsupported"
    text = f"Track {named(track.name)} is of kind {named(track.kind)}, which a film does not have."
    if track.kind.lower() == "audio":
        code = "nested-sound-skipped"
        text = f"Sound in {named(track.name)}, nested on a picture track, is heard only if it is on a sound track too."
    return Strip(strip.length_s, (), (Note(code, text, ZERO, strip.length_s),))


def _topmost(stack: otio.schema.Stack, kind: str) -> Strip:
    layers: list[tuple[Piece, ...]] = []
    notes: list[Note] = []
    length_s = ZERO
    for child in stack:
        if isinstance(child, otio.schema.Transition):
            continue  # without neighbours it joins nothing
        strip = lay(child, kind)
        length_s = max(length_s, strip.length_s)
        if child.enabled:
            layers.append(tuple(p for p in strip.pieces if p.enabled))
            notes += strip.notes
    pieces, titles = overlay(layers)
    if kind == "audio" and _sum(pieces) < sum(map(_sum, layers)):
        text = f"Sounds that overlap inside {named(stack.name)} are not mixed; only the topmost is heard."
        notes.append(Note("nested-timeline-unsupported", text, ZERO, length_s))
    notes += [Note("title-not-rendered", p.clip.name, p.start_s, p.end_s) for p in titles]
    return Strip(length_s, pieces, tuple(notes))


def _sum(pieces: tuple[Piece, ...]) -> Fraction:
    return sum((p.end_s - p.start_s for p in pieces), ZERO)


def overlay(layers: list[tuple[Piece, ...]]) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Return the visible pieces of layers (bottom first), and the titles that were left out.

    As in the film itself, a title covers nothing while there is a picture beneath it. One sweep
    over all edges, with a heap for titles and one for pictures, keeps the cost of thousands of
    layers at that of as many clips.
    """
    starts = sorted(
        ((p.start_s, number, p) for number, layer in enumerate(layers) for p in layer),
        key=lambda s: s[:2],
    )
    edges = sorted({edge for _, _, p in starts for edge in (p.start_s, p.end_s)})
    heaps: dict[bool, list[tuple[int, int, Piece]]] = {True: [], False: []}
    seen: list[tuple[Piece, Fraction, Fraction]] = []
    titles: dict[int, Piece] = {}
    upcoming = 0
    for begin, end in pairwise(edges):
        while upcoming < len(starts) and starts[upcoming][0] <= begin:
            _, number, piece = starts[upcoming]
            heappush(heaps[kind_of(piece.clip) == "generator"], (-number, upcoming, piece))
            upcoming += 1
        for heap in heaps.values():
            while heap and heap[0][2].end_s <= begin:
                heappop(heap)
        title, picture = (heap[0] if heap else None for heap in heaps.values())
        if title and picture and title < picture:
            titles[title[1]] = title[2]
        top = picture or title
        if top and seen and seen[-1][0] is top[2] and seen[-1][2] == begin:
            seen[-1] = (top[2], seen[-1][1], end)
        elif top:
            seen.append((top[2], begin, end))
    pieces = tuple(
        p._replace(start_s=a, end_s=b, skipped_s=p.skipped_s + a - p.start_s) for p, a, b in seen
    )
    return pieces, tuple(titles.values())
