"""What is asked of the companion: what is shown and not known, once."""

from __future__ import annotations

from bridge.tray.polling import AT_ONCE, questions, wanted
from bridge.tray.state import fold, linked
from tests.bridge.tray.samples import (
    FIGURES,
    described,
    happened,
    job,
    jobs,
    model,
    pictured,
    progressed,
    shots,
)


def names(known, place="jobs", asked=(), tried=None, stale=False, name="aaa111"):
    return [
        one.request
        for one in questions(known, place, name, asked=asked, tried=tried or {}, stale=stale)
    ]


def test_what_is_shown_is_described_and_then_pictured():
    known = model(jobs(job(state="incomplete")))
    assert names(known) == ["describe-aaa111"]
    assert names(known, asked={"describe-aaa111"}) == []
    assert names(fold(known, described())) == ["pictures-aaa111"]
    assert names(fold(fold(known, described()), pictured())) == ["pictures-aaa111"], (
        "the slate's own is still lacking"
    )
    assert (
        names(
            fold(fold(known, described()), pictured()),
            tried={("aaa111", 4, "slate", "incomplete"): 3},
        )
        == []
    )


def test_something_new_makes_the_description_stale_and_the_answer_makes_it_fresh():
    known = model(jobs(job()), described(state="working"), progressed(), pictured())
    tried = {("aaa111", 4, "slate", "working"): 3}
    assert names(known, tried=tried) == []
    newer = fold(known, happened("SegmentSealed", 9))
    assert names(newer, tried=tried) == ["describe-aaa111"]
    assert names(fold(newer, described(state="working", last=9)), tried=tried) == []
    assert names(fold(newer, happened("SegmentSealed", 12, "other")), tried=tried) == [
        "describe-aaa111"
    ]


def test_a_job_whose_state_changed_without_a_fact_is_described_again():
    known = model(jobs(job(state="held")), described(state="working"), pictured())
    assert names(known, tried={("aaa111", 4, "slate", "working"): 3}) == ["describe-aaa111"]


def test_pictures_are_asked_for_in_parts_and_never_of_gaps_or_of_what_is_not_made():
    told = described(
        shots=shots(
            (("A", "a.mov", 10, "verified"),) * 60
            + (("", "", 10, "verified"), ("B", "b.mov", 9, "waiting"))
        )
    )
    first = wanted(model(), told, {})
    assert first == tuple(range(1, AT_ONCE + 1))
    assert (
        wanted(model(), told, {("aaa111", n, "verified", "incomplete"): 2 for n in range(1, 61)})
        == first
    )
    assert (
        wanted(model(), told, {("aaa111", n, "verified", "incomplete"): 3 for n in range(1, 61)})
        == ()
    )


def test_figures_are_asked_for_where_they_are_shown_and_when_a_job_has_moved():
    known = model(jobs(job()))
    assert names(known, "history") == ["stats"]
    assert names(fold(known, FIGURES), "history") == []
    assert names(fold(known, FIGURES), "history", stale=True) == ["stats"]
    assert names(known, "settings") == []


def test_nobody_is_asked_while_there_is_nobody():
    assert names(linked(model(jobs(job())), "absent")) == []
    assert names(model(jobs()), name="gone") == []
