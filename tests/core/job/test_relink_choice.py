"""Which of several files is the missing one: only what is proven, and the nearest of these."""

from __future__ import annotations

import itertools

import pytest

from core.job.classify import TABLE
from core.job.relink_choice import (
    LOOKED_FOR,
    SILENT,
    Cost,
    contradicted,
    cost,
    found_again,
    given,
    lookalikes,
    promising,
    untold,
)
from core.media.content import Compared
from core.tasks.spec import Match

LOST = "/Volumes/A/day1/a.mov"


def match(to: str, how: str = "samples", path: str = LOST, history: str = "") -> Match:
    return Match(path=path, to=to, how=how, history=history)  # type: ignore[arg-type]


def test_only_what_is_proven_or_worth_comparing_is_tried():
    found = [
        match("/x/1", "alike"),
        match("/x/2", "unlike"),
        match("/x/3", "mhl"),
        match("/x/4"),
        match("/x/5", path="/other"),
    ]
    assert [one.to for one in promising(LOST, found, ())] == ["/x/3", "/x/4"]


def test_the_copy_nearest_to_the_other_media_is_the_first():
    copies = [
        match("/Backup/day1/a.mov"),
        match("/Volumes/A/day2/a.mov"),
        match("/Volumes/B/a.mov"),
        match("/Volumes/A/day2/x/a.mov"),
    ]
    near = ["/Volumes/A/day2/b.mov", "/Volumes/C/c.mov"]
    for row in itertools.permutations(copies):
        best = [one.to for one in promising(LOST, row, near)]
        assert best == [
            "/Volumes/A/day2/a.mov",
            "/Volumes/A/day2/x/a.mov",
            "/Volumes/B/a.mov",
            "/Backup/day1/a.mov",
        ]


def test_without_other_media_the_order_is_still_one():
    copies = [match("/b/a.mov"), match("/a/a.mov"), match("/a/b/a.mov")]
    for row in itertools.permutations(copies):
        assert [one.to for one in promising(LOST, row, ())] == [
            "/a/a.mov",
            "/b/a.mov",
            "/a/b/a.mov",
        ]


def test_a_relink_tells_how_the_file_was_recognised():
    fields = found_again(match("/b/x.mov"), 1, 0).fields
    assert (fields["path"], fields["to"], fields["how"]) == (LOST, "/b/x.mov", "same")
    assert (
        found_again(match("/b/x.mov", "mhl", history="/b/ascmhl/1.mhl"), 1, 0).fields["how"]
        == "listed"
    )
    assert (
        found_again(match("/b/x.mov"), 3, 4_100_000).fields.items()
        >= {"how": "compared", "compared": 4_100_000, "copies": 3}.items()
    )
    assert (untold("/b/x.mov").code, untold("/b/x.mov").severity) == ("source-unproven", "note")
    assert given(LOST, "/b/x.mov").fields == {"path": LOST, "to": "/b/x.mov"}
    assert {found_again(match("/b"), 1, 0).severity, given(LOST, "/b").severity} == {"note"}, (
        "nothing is lost by it"
    )


def test_what_resembles_a_missing_file_is_kept_with_how_it_does():
    found = [
        match("/b/a.mov", "alike"),
        match("/d/a.mov", "unlike"),
        match("/e", "alike", path="/other"),
        match("/f", "unlike"),
    ]
    refused = {
        "/c/v2.mov": Compared(verdict="other"),
        "/n.mov": Compared(verdict="same"),
        "/f": Compared(verdict="unknown"),
    }
    assert [(one.how, one.path) for one in lookalikes(LOST, found, refused)] == [
        ("unproven", "/n.mov"), ("unproven", "/f"), ("named", "/b/a.mov"), ("other", "/c/v2.mov"), ("unlike", "/d/a.mov"),
    ]  # fmt: skip
    assert lookalikes(LOST, []) == ()
    cards = [match(f"/v/{card}/a.mov", "unlike") for card in ("b", "c", "a")]
    assert [one.path for one in lookalikes(LOST, cards)] == [
        "/v/a/a.mov",
        "/v/b/a.mov",
        "/v/c/a.mov",
    ], "its folder is called the same"
    remarks = contradicted(LOST, found)
    assert [(one.code, one.severity, one.fields["file"]) for one in remarks] == [
        ("source-unlike-record", "note", "/d/a.mov"), ("source-unlike-record", "note", "/f"),
    ]  # fmt: skip


def test_a_search_says_what_it_cost_where_that_was_much():
    assert cost(Cost(missing=1, looked_at=20, bytes=2_000_000, seconds=0.4)) == []
    assert len(cost(Cost(missing=1, looked_at=20, bytes=2_000_000, seconds=1.1))) == 1
    (said,) = cost(Cost(missing=2, looked_at=1200, bytes=3_400_000_000, seconds=12.34))
    assert (said.code, said.severity) == ("search-cost", "note")
    assert said.fields == {"looked_at": 1200, "missing": 2, "read": 3_400_000_000, "seconds": 12.3}


@pytest.mark.parametrize("code", sorted(LOOKED_FOR))
def test_what_is_looked_for_is_what_the_diagnosis_says(code):
    assert code in {row.code for row in TABLE}
    assert SILENT <= LOOKED_FOR
