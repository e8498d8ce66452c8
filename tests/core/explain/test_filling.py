"""Holes in sentences: what is not known falls away, and what is filled in is shown and never obeyed."""

from __future__ import annotations

import pytest

from core.explain.filling import decimal, fields_of, filled, human_bytes, shown, within


@pytest.mark.parametrize(
    ("sentence", "fields", "text"),
    [
        ("{path} is not there.", {"path": "/m/a.mov"}, "/m/a.mov is not there."),
        ("{path} is not there.", {}, "is not there."),
        ("shot {path} is not there.", {}, "shot is not there."),
        ("cut[ at {t}][ ({d})].", {}, "cut."),
        ("cut[ at {t}][ ({d})].", {"t": "00:00:01:00"}, "cut at 00:00:01:00."),
        ("cut[ at {t}][ ({d})].", {"d": "x", "t": ""}, "cut (x)."),
        ("cut[ at {t}, {d}].", {"d": "x"}, "cut."),
        ("cut[ at {t}].", {"t": 0}, "cut at 0."),
        ("cut[ at {t}].", {"t": None}, "cut."),
        ("{a}{a}", {"a": "{a}"}, "{a}{a}"),
        ("[{a}]", {"a": "[{a}]"}, "[{a}]"),
        ("{a} {b}", {"a": "{b}", "b": "[{a}]"}, "{b} [{a}]"),
        ("{n|frame|frames} in {k|shot|shots}", {"n": 1, "k": 2}, "1 frame in 2 shots"),
        ("{n|Bild ist|Bilder sind} da[, {k|Datei|Dateien} fehlen]", {"n": 0}, "0 Bilder sind da"),
        ("of {n|frame|frames}.", {}, "of."),
        ("{n|a|b}", {"n": "{n|a|b}"}, "{n|a|b} b"),
    ],
)
def test_a_sentence_is_filled(sentence, fields, text):
    assert filled(sentence, fields) == text


@pytest.mark.parametrize("name", ["{path!r:>99}", "{0}{}", "%s%n", "a  b.mov", "[bold]x[/]", "{", "}", "[", "]", "\\1\\g<0>", "ä 景"])
def test_a_name_is_shown_as_it_is(name):
    assert filled("<{name}>[ {name}]", {"name": name}) == f"<{name}> {name}"


@pytest.mark.parametrize("control", ["\x1b", "\x07", "\x00", "\x7f", "\x9b", "\u202e", "\u2066", "\u200b", "\ufeff"])
def test_a_character_that_does_something_does_nothing(control):
    assert filled("{name}", {"name": f"a{control}[31mb"}) == "a?[31mb"


@pytest.mark.parametrize("space", ["\n", "\r", "\t", "\x0b", "\u2028", "\u00a0"])
def test_a_sentence_stays_on_one_line(space):
    assert filled("{name}", {"name": f"a{space}b"}) == "a b"


def test_bytes_that_are_no_text_are_part_of_the_name():
    assert shown("none\udcff") == "none\udcff"
    assert shown("\ud83d") == "?", "half of a character stands for no byte"


def test_fields_are_needed_or_wished_for():
    assert fields_of("{a} and {b|one|many}[ in {c}, {a}]") == ({"a", "b"}, {"c"})


@pytest.mark.parametrize(
    ("count", "english", "german"),
    [
        (0, "0 bytes", "0 Byte"), (999, "999 bytes", "999 Byte"), (1000, "1.0 KB", "1,0 KB"), (1_500_000, "1.5 MB", "1,5 MB"),
        (20_000_000_000, "20.0 GB", "20,0 GB"), (999_949, "999.9 KB", "999,9 KB"), (999_950, "1.0 MB", "1,0 MB"),
        (3_200_000_000_000, "3.2 TB", "3,2 TB"), (-1500, "-1.5 KB", "-1,5 KB"), (5e15, "5000.0 TB", "5000,0 TB"),
    ],
)  # fmt: skip
def test_sizes_as_they_stand_on_the_box_of_a_drive(count, english, german):
    assert (human_bytes(count), human_bytes(count, "de")) == (english, german)


def test_numbers_and_titles_as_a_language_writes_them():
    assert (decimal(1.25, places=2), decimal(1.25, "de", places=2), decimal(3, "de")) == ("1.25", "1,25", "3,0")
    assert (within("Media offline"), within("Beschädigte Medien", "de")) == ("media offline", "Beschädigte Medien")
