"""What a slate says: the same places in every language, with words that were handed in."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest

from core.messages.slate_phrases import slate_words
from core.plan.slate_text import slate_lines, stretch
from tests.core.props import SIGNATURE, clip, cut, picture, plan, source

RATE = Fraction(24)
SHOT = msgspec.structs.replace(
    plan(cut([clip(0, 48)]), source(video=picture(signature=SIGNATURE))).shots[0],
    number=3,
    name="Küche",
    path="/m/a.mov",
)


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "en",
            (
                "Shot 3: Küche",
                "Media offline",
                "00:00:01:00 to 00:00:03:00",
                "source frame 55, 00:00:02:07",
                "/m/a.mov",
            ),
        ),
        (
            "de",
            (
                "Einstellung 3: Küche",
                "Medien offline",
                "00:00:01:00 bis 00:00:03:00",
                "Quellbild 55, 00:00:02:07",
                "/m/a.mov",
            ),
        ),
    ],
)
def test_a_slate_speaks_the_language(language, lines):
    words = slate_words(language)
    where = stretch(words, 24, 48, RATE, drop_frame=False)
    source = f"{words.source_frame} 55, 00:00:02:07"
    assert slate_lines(words, SHOT, "source-missing", where, source) == lines


@pytest.mark.parametrize(
    ("language", "head"), [("en", "Shot 3: unnamed"), ("de", "Einstellung 3: ohne Namen")]
)
def test_a_shot_without_name_or_file(language, head):
    bare = msgspec.structs.replace(SHOT, name="", path="")
    lines = slate_lines(slate_words(language), bare, "source-unnamed", "here")
    assert lines[0] == head and lines[2:] == ("here",)


def test_drop_frame_is_counted_as_in_the_film():
    assert (
        stretch(slate_words(), 1800, 1, Fraction(30000, 1001), drop_frame=True)
        == "00:01:00;02 to 00:01:00;03"
    )
