"""Holes in sentences: what is not known falls away, and what is filled in is shown and never obeyed."""

from __future__ import annotations

import pytest

from core.messages.template import (
    LONGEST_VALUE,
    decimal,
    fields_of,
    fill,
    human_bytes,
    middle,
    shown,
    within,
)


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
    assert fill(sentence, fields) == text


@pytest.mark.parametrize(
    "name",
    [
        "{path!r:>99}",
        "{0}{}",
        "%s%n",
        "a  b.mov",
        "[bold]x[/]",
        "{",
        "}",
        "[",
        "]",
        "\\1\\g<0>",
        "ä 景",
    ],
)
def test_a_name_is_shown_as_it_is(name):
    assert fill("<{name}>[ {name}]", {"name": name}) == f"<{name}> {name}"


@pytest.mark.parametrize(
    ("control", "visible"),
    [
        ("\x1b", "\\x1b"), ("\x07", "\\x07"), ("\x00", "\\x00"), ("\x7f", "\\x7f"), ("\x9b", "\\x9b"), ("\u202e", "\\u202e"),
        ("\u2066", "\\u2066"), ("\u200b", "\\u200b"), ("\ufeff", "\\ufeff"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"),
        ("\u2028", "\\u2028"), ("\x0b", "\\x0b"),
    ],
)  # fmt: skip
def test_a_character_that_does_something_is_seen_and_does_nothing(control, visible):
    assert fill("{name}", {"name": f"a{control}[31mb"}) == f"a{visible}[31mb"


def test_a_systems_words_stay_on_one_line():
    assert fill("{detail}", {"detail": "one\ntwo\r\nthree"}) == "one two three"
    assert fill("{name}", {"name": "a\u00a0b"}) == "a b"


@pytest.mark.parametrize("name", ["👨‍👩‍👧.mov", "می‌خواهم.mov", "فيلم.mov"])
def test_a_name_in_any_script_is_shown_as_it_is_written(name):
    assert shown(name) == name


@pytest.mark.parametrize(
    "text",
    ["/" + "x" * 10_000 + "/film.mov", "\x1b" * 10_000, "景" * 10_000, "e" + "\u0301" * 10_000],
)
def test_a_value_is_shortened_in_the_middle(text):
    said = fill("Film {path} of {clip}: {detail}.", {"path": text, "clip": text, "detail": text})
    assert len(said) <= 2 * LONGEST_VALUE + 480 + 20 and said.count("…") == 3
    assert middle(shown(text)).endswith(shown(text)[-100:]) and middle(shown(text)).startswith(
        shown(text)[:70]
    )
    assert (
        middle("x" * LONGEST_VALUE) == "x" * LONGEST_VALUE
        and len(middle("x" * (LONGEST_VALUE + 1))) == LONGEST_VALUE
    )


def test_sentences_of_ours_stand_whole_in_others():
    message = fill("{path} {path}.", {"path": "p" * LONGEST_VALUE})
    assert fill("{title}: {message}", {"title": "T", "message": message}) == f"T: {message}"


def test_bytes_that_are_no_text_are_part_of_the_name():
    assert shown("none\udcff") == "none\udcff"
    assert shown("\ud83d") == "\\ud83d", "half of a character stands for no byte"


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
    assert (decimal(1.25, places=2), decimal(1.25, "de", places=2), decimal(3, "de")) == (
        "1.25",
        "1,25",
        "3,0",
    )
    assert (within("Media offline"), within("Beschädigte Medien", "de")) == (
        "media offline",
        "Beschädigte Medien",
    )
