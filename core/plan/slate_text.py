"""Slate text; the strings are injected, so this stays pure."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from core.graph.nodes import Shot
from core.timeline.timing import timecode


class SlateWords(NamedTuple):
    """The strings of one language: the title for a code, and the words beside names and numbers."""

    title_of: Callable[[str], str]
    shot: str
    unnamed: str
    to: str
    source_frame: str


def slate_lines(
    words: SlateWords, shot: Shot, code: str, where: str, source: str = ""
) -> tuple[str, ...]:
    """Return the lines of a slate.

    They are the shot and its name, the reason, `where` in the film, the part of the source (if
    known), and the file.
    """
    head = f"{words.shot} {shot.number}: {shot.name or words.unnamed}"
    return (head, words.title_of(code), where, *(line for line in (source, shot.path) if line))


def stretch(words: SlateWords, first: int, frames: int, rate: Fraction, *, drop_frame: bool) -> str:
    """Return the text for a range of the film, from timecode to timecode.

    `first` counts from timecode zero.
    """
    begin, end = (timecode(frame, rate, drop_frame=drop_frame) for frame in (first, first + frames))
    return f"{begin} {words.to} {end}"
