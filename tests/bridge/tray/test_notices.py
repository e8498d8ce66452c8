"""Notices: what ended or needs a person, one sentence, one action, and never twice."""

from __future__ import annotations

import pytest

from bridge.tray import notices
from bridge.tray.notices import due, told
from bridge.tray.state import Model, fold, linked
from core.messages.template import LANGUAGES
from tests.bridge.tray.samples import failure, happened, job, jobs, model, progressed

SLATED = happened("ShotSlated", shot=4, failure=failure())
GATE = happened("GateClosed", 7, gate="scratch", path="/fast", failure=failure("scratch-full"))


def script(*said: object) -> list[tuple[str, str]]:
    """Kinds and titles of all notices that are shown while this is said, each looked for after every word."""
    known, shown = linked(Model(), "here"), []
    for one in said:
        known = fold(known, one)
        for _ in range(2):
            found = due(known, "en")
            known = told(known, found)
            shown += [(notice.kind, notice.title) for notice in found]
    return shown


def test_what_ended_before_the_display_began_is_no_news():
    assert script(jobs(job(state="complete"), job("b", "failed", code="output-full"))) == []


def test_a_film_that_is_done_is_told_once():
    assert script(
        jobs(job()), progressed(), jobs(job(state="complete")), jobs(job(state="complete"))
    ) == [("done", "Film done")]


def test_a_slate_is_told_while_something_can_still_be_done_and_the_end_as_an_end():
    assert script(jobs(job()), SLATED, happened("ShotSlated", 2, shot=5, failure=failure()), jobs(job(state="incomplete"))) == [
        ("attention", "Media offline"), ("attention", "Film incomplete"),
    ]  # fmt: skip


def test_a_gate_is_told_each_time_it_closes():
    again = happened("GateClosed", 9, gate="scratch", path="/fast", failure=failure("scratch-full"))
    opened = happened("GateOpened", 8, gate="scratch", closed_s=1.0)
    assert (
        script(jobs(job()), GATE, GATE, opened, again) == [("attention", "Scratch disk full")] * 2
    )


def test_what_is_replaced_or_stopped_by_a_person_is_no_news():
    assert script(jobs(job(), job("b")), jobs(job(state="superseded"), job("b", "held"))) == []


def test_a_job_that_failed_and_is_taken_up_may_fail_once_more():
    failed = jobs(job(state="failed", code="output-full"))
    assert (
        len(script(jobs(job()), failed, failed, jobs(job(state="waiting")), jobs(job()), failed))
        == 2
    )


def test_a_job_that_the_companion_could_not_begin_is_told():
    assert script(jobs(job()), jobs(job(state="held", code="output-folder-missing"))) == [
        ("attention", "Folder not there")
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_notice_is_a_sentence_and_what_a_click_does(language):
    for said in (
        (SLATED,),
        (GATE,),
        (jobs(job(state="complete")),),
        (jobs(job(state="incomplete")),),
        (jobs(job(state="failed")),),
    ):
        (notice,) = due(model(jobs(job()), *said), language)
        assert ("Click" if language == "en" else "Klick") in notice.sentence
        assert "Reel 1" in notice.sentence and len(notice.sentence) < 120
        assert notice.do == ("folder" if notice.kind == "done" else "show")


def test_keys_tell_jobs_apart():
    both = model(jobs(job(), job("b")), jobs(job(state="complete"), job("b", "complete")))
    assert len({notice.key for notice in due(both, "en")}) == 2
    assert notices.due(Model(), "en") == ()
