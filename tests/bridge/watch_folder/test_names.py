"""What a listing means, before anything is read."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from bridge.watch_folder import names
from bridge.watch_folder.names import Drop, Sight, Stillness
from bridge.watch_folder.submission import KEYS

SPECIFICATION = (Path(__file__).parents[3] / "docs" / "folder-door.md").read_text(encoding="utf-8")


def test_timelines_are_drops_and_all_else_is_let_be():
    there = [
        "b.otio", "a.otio", "a.otio.ask.json", "a.otio.ask.txt", "a.otio.reply.json", "a.otio.reply.lua", "notes.txt", ".hidden.otio",
        "c.otio.part", "c.tmp", "d.otio~", "Thumbs.db", ".DS_Store", "b.otio.ask.txt", "alone.ask.json", "E.OTIO", "E.OTIO.ask.txt",
        "old.xml", "f.mov",
    ]  # fmt: skip
    assert names.drops(there) == [
        Drop("E.OTIO", "E.OTIO.ask.txt"), Drop("a.otio", "a.otio.ask.json"), Drop("b.otio", "b.otio.ask.txt"), Drop("old.xml"),
    ]  # fmt: skip
    assert names.replies(there) == ["a.otio"]
    assert all(f"`{ending}`" in SPECIFICATION for ending in names.OTHERS)


def test_every_name_of_the_specification_says_what_it_says_there():
    rows = re.findall(r"^\| `([^`]+)` \| (.+?) \| (.*?)\|$", SPECIFICATION, re.MULTILINE)
    assert len(rows) == 5
    for name, title, says in rows:
        wanted = (
            dict(part.split(": ", 1) for part in says.strip().split(", ")) if says.strip() else {}
        )
        assert names.said(name, KEYS) == (title, wanted)


def test_the_last_of_two_equal_keys_counts_and_a_title_is_never_empty():
    assert names.said("a~width=1~width=2.otio", KEYS) == ("a", {"width": "2"})
    assert names.said("~width=1~width=2.otio", KEYS) == ("~width=1", {"width": "2"})


@pytest.mark.parametrize("job", ["", "k7m2xq"])
def test_what_is_put_away_takes_no_name_that_is_there(job):
    taken: set[str] = set()
    for _ in range(5):
        name = names.beside("Reel 1.otio", job, taken)
        assert name not in taken and name.endswith(".otio")
        taken.add(name)
    assert names.beside("notes.txt", "", {"notes.txt"}) == "notes.txt.again-2"


def test_what_is_put_away_keeps_its_ending_however_it_is_written():
    assert names.beside("E.OTIO", "k7m2xq", ()) == "E.k7m2xq.OTIO"
    assert names.beside("E.OTIO.ask.txt", "k7m2xq", ()) == "E.k7m2xq.OTIO.ask.txt"


LONG = "Ü" * 122 + "a.otio"


def test_a_name_too_long_for_a_reply_gets_one_under_a_shorter_name_that_stays_the_same():
    short = names.replied_as(LONG)
    assert (
        short.startswith("Ü" * 100)
        and short.endswith(".otio")
        and len(os.fsencode(short)) <= 244 < len(os.fsencode(LONG))
    )
    assert names.replied_as(short) == short, "a keeper that begins anew finds it by the reply"
    assert names.replied_as("Ü" * 122 + "b.otio") != short, (
        "names that differ at their end alone have a reply each"
    )
    assert names.replied_as("E" * 240 + ".FCPXML").endswith(".FCPXML")
    fits = "x" * 239 + ".otio"
    assert names.replied_as(fits) == fits
    no_text = os.fsdecode(b"\xe4" * 250 + b".otio")
    assert len(os.fsencode(names.replied_as(no_text))) <= 244


def test_a_long_name_that_is_put_away_finds_room_for_its_job():
    taken: set[str] = set()
    for _ in range(3):
        name = names.beside(LONG, "k7m2xq", taken)
        assert (
            name not in taken
            and ".k7m2xq" in name
            and name.endswith(".otio")
            and len(os.fsencode(name)) <= names.LONGEST
        )
        taken.add(name)
    beside = names.beside("x" * 241 + ".otio.ask.json", "k7m2xq", taken)
    assert beside.endswith(".k7m2xq.otio.ask.json") and len(beside) <= names.LONGEST


def test_a_file_is_still_since_nothing_changed():
    still = Stillness()
    assert still.of("a", Sight(1, 1), 10.0) == 0
    assert still.of("a", Sight(1, 1), 10.7) == pytest.approx(0.7)
    assert still.of("a", Sight(2, 1), 11.0) == 0, "it has grown"
    assert still.of("a", Sight(2, 2), 12.0) == 0, "it was touched"
    assert still.of("a", Sight(2, 2), 15.0) == 3
    still.keep([])
    assert still.of("a", Sight(2, 2), 16.0) == 0, "it was gone meanwhile"


def test_names_that_are_no_text_are_names_all_the_same():
    name = os.fsdecode(b"R\xe4der~width=7.otio")
    assert names.said(name, KEYS) == (os.fsdecode(b"R\xe4der"), {"width": "7"})
