"""Which of several files is the missing one: only what is proven, and the nearest of these."""

from __future__ import annotations

import itertools

import pytest

from core.decide.diagnosis import TABLE
from core.decide.healing import LOOKED_FOR, SILENT, Cost, contradicted, cost, detail, found_again, given, promising, untold
from core.model.content import Compared
from core.model.orders import Match

LOST = "/Volumes/A/day1/a.mov"


def match(to: str, how: str = "samples", path: str = LOST, history: str = "") -> Match:
    return Match(path=path, to=to, how=how, history=history)  # type: ignore[arg-type]


def test_only_what_is_proven_or_worth_comparing_is_tried():
    found = [match("/x/1", "alike"), match("/x/2", "unlike"), match("/x/3", "mhl"), match("/x/4"), match("/x/5", path="/other")]
    assert [one.to for one in promising(LOST, found, ())] == ["/x/3", "/x/4"]


def test_the_copy_nearest_to_the_other_media_is_the_first():
    copies = [match("/Backup/day1/a.mov"), match("/Volumes/A/day2/a.mov"), match("/Volumes/B/a.mov"), match("/Volumes/A/day2/x/a.mov")]
    near = ["/Volumes/A/day2/b.mov", "/Volumes/C/c.mov"]
    for row in itertools.permutations(copies):
        best = [one.to for one in promising(LOST, row, near)]
        assert best == ["/Volumes/A/day2/a.mov", "/Volumes/A/day2/x/a.mov", "/Volumes/B/a.mov", "/Backup/day1/a.mov"]


def test_without_other_media_the_order_is_still_one():
    copies = [match("/b/a.mov"), match("/a/a.mov"), match("/a/b/a.mov")]
    for row in itertools.permutations(copies):
        assert [one.to for one in promising(LOST, row, ())] == ["/a/a.mov", "/b/a.mov", "/a/b/a.mov"]


def test_what_is_said_of_a_relink():
    assert found_again(match("/b/x.mov"), 1, 0).text == f"{LOST} is now /b/x.mov (the content is the same)."
    assert "as /b/ascmhl/1.mhl says" in found_again(match("/b/x.mov", "mhl", history="/b/ascmhl/1.mhl"), 1, 0).text
    assert "of 3 copies this one lies nearest" in found_again(match("/b/x.mov"), 3, 0).text
    assert found_again(match("/b/x.mov"), 1, 4_100_000).text.endswith("(the content is the same wherever it was used: 4.1 MB compared).")
    assert (untold("/b/x.mov").code, untold("/b/x.mov").severity) == ("source-unproven", "note")
    assert given(LOST, "/b/x.mov").text == f"{LOST} is now /b/x.mov, as you said."
    assert {found_again(match("/b"), 1, 0).severity, given(LOST, "/b").severity} == {"note"}, "nothing is lost by it"


def test_what_is_said_of_proposals_and_contradictions():
    found = [match("/b/a.mov", "alike"), match("/c/a.mov", "alike"), match("/d/a.mov", "unlike"), match("/e", "alike", path="/other")]
    assert detail(LOST, found) == (
        "Perhaps /b/a.mov or /c/a.mov: same name and size; hotsplice answer can relink it. "
        "Not /d/a.mov: same name, but other content than is on record."
    )
    assert detail(LOST, []) == ""
    assert "or one of 5 more" in detail(LOST, [match(f"/{n}/a.mov", "alike") for n in range(8)])
    (remark,) = contradicted(LOST, found)
    assert (remark.code, remark.severity) == ("source-unlike-record", "note") and "/d/a.mov" in remark.text


def test_what_was_compared_and_refused_is_proposed_with_the_command_that_takes_it():
    refused = {"/b/new name.mov": Compared(verdict="same"), "/c/v2.mov": Compared(verdict="other"), "/d.mov": Compared(verdict="unknown")}
    assert detail(LOST, [], refused) == (
        "Perhaps /b/new name.mov or /d.mov: same size and samples, but not all that the film uses of it is on record. "
        "Not /c/v2.mov: same size, but other content where it was used: another version. "
        "If it is the right file: hotsplice answer JOB SHOT relink '/b/new name.mov'"
    )
    assert detail(LOST, [], {"/c/v2.mov": Compared(verdict="other")}).endswith("hotsplice answer JOB SHOT relink /c/v2.mov")


def test_a_search_says_what_it_cost_where_that_was_much():
    assert cost(Cost(missing=1, looked_at=20, bytes=2_000_000, seconds=0.4)) == []
    assert len(cost(Cost(missing=1, looked_at=20, bytes=2_000_000, seconds=1.1))) == 1
    (said,) = cost(Cost(missing=2, looked_at=1200, bytes=3_400_000_000, seconds=12.34))
    assert (said.code, said.severity) == ("search-cost", "note")
    assert said.text == "1200 files looked at for 2 missing, 3.4 GB read in 12.3 s"


@pytest.mark.parametrize("code", sorted(LOOKED_FOR))
def test_what_is_looked_for_is_what_the_diagnosis_says(code):
    assert code in {row.code for row in TABLE}
    assert SILENT <= LOOKED_FOR
