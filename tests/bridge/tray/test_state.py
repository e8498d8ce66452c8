"""The model: folded from what is said, right after any of it was missed."""

from __future__ import annotations

import msgspec
import pytest

from bridge.protocol.responses import Progressed
from bridge.tray.state import Model, Trouble, fold, linked, looked_at
from tests.bridge.tray.samples import (
    FILM,
    NOON,
    described,
    failure,
    happened,
    job,
    jobs,
    model,
    pictured,
    progressed,
)


def test_when_films_change_places_every_job_of_that_film_is_described_anew():
    told = model(jobs(job(), job("bbb222"), job("ccc333", output="/films/other.mov")))
    for name in ("aaa111", "bbb222"):
        told = fold(told, described(name))
    told = fold(told, described("ccc333", job=job("ccc333", output="/films/other.mov")))
    told = fold(told, happened("FilmRolledBack", 7, output=FILM, film_hash="one", kept_hash="two"))
    assert set(told.described) == {"aaa111", "ccc333"} and told.heard["aaa111"] == 7, (
        "its own is older than what was heard"
    )


def test_jobs_that_are_not_under_work_any_more_have_no_progress():
    working = model(jobs(job()), progressed())
    assert working.doing["aaa111"].now.frames_done == 96
    assert fold(working, jobs(job(state="complete"))).doing == {}
    assert fold(working, happened("JobFinished", outcome="complete")).doing == {}


def test_of_a_companion_that_is_gone_nothing_is_under_way():
    working = model(
        jobs(job()),
        progressed(),
        happened("GateClosed", gate="scratch", path="/fast", failure=failure("scratch-full")),
    )
    gone = linked(working, "absent", Trouble(title="t", message="m"))
    assert (gone.link, gone.doing, gone.gates, gone.trouble.title) == ("absent", {}, {}, "t")
    assert gone.jobs == working.jobs, "what is known of the jobs stays in sight"


def test_a_gate_closes_and_opens():
    closed = model(
        jobs(job()),
        happened("GateClosed", gate="source:/a", path="/a", failure=failure("source-volume-gone")),
    )
    assert [gate.code for gate in closed.gates["aaa111"]] == ["source-volume-gone"]
    twice = fold(
        closed,
        happened(
            "GateClosed", 2, gate="source:/a", path="/a", failure=failure("source-volume-gone")
        ),
    )
    assert len(twice.gates["aaa111"]) == 1
    assert (
        fold(twice, happened("GateOpened", 3, gate="source:/a", closed_s=2.0)).gates["aaa111"] == ()
    )


def test_a_run_begins_without_what_the_last_one_met():
    slated = model(jobs(job()), happened("ShotSlated", shot=4, failure=failure()))
    assert slated.slated["aaa111"][0].path == "/media/D004.mp4"
    assert fold(slated, happened("RunStarted", 2)).slated == {}
    assert fold(slated, jobs(job(state="incomplete"))).slated == {}


def test_a_missed_event_costs_nothing_once_the_list_is_there():
    heard = model(
        jobs(job()),
        progressed(),
        happened("ShotSlated", shot=4, failure=failure()),
        jobs(job(state="incomplete")),
    )
    missed = model(jobs(job(state="incomplete")))
    assert (heard.doing, heard.gates, heard.slated, heard.jobs) == (
        missed.doing,
        missed.gates,
        missed.slated,
        missed.jobs,
    )


def test_a_job_that_is_taken_up_again_was_not_seen_yet():
    seen = looked_at(model(jobs(job(state="failed", code="output-full"))), "aaa111")
    assert "aaa111" in seen.seen
    assert "aaa111" not in fold(seen, jobs(job(state="waiting"))).seen


@pytest.mark.parametrize("snapshot", [b"null", b"[]", b'{"frames": "many"}', b'{"of": "tomorrow"}'])
def test_a_snapshot_of_another_version_is_no_reason_to_end(snapshot):
    said = Progressed(job="aaa111", at=NOON, snapshot=msgspec.Raw(snapshot))
    doing = fold(model(jobs(job())), said).doing["aaa111"]
    assert doing.now is None or doing.now.frames == 0


def test_facts_and_sayings_of_a_newer_companion_are_passed_over():
    known = model(jobs(job()))
    assert fold(known, happened("MoonRose", 9)).jobs == known.jobs
    assert fold(known, object()) is known


def test_only_the_jobs_looked_at_last_keep_their_descriptions():
    from tests.bridge.tray.samples import described

    many = Model()
    for number in range(40):
        many = fold(many, described(f"job{number}"))
    assert list(many.described)[-1] == "job39" and len(many.described) == 12


def test_a_shot_that_is_rendered_after_its_slate_gets_another_picture():
    told = fold(fold(model(jobs(job())), described()), pictured())
    shots = described().shots
    assert told.pictures["aaa111"].keys() == {1, 2, 3, 5, 7, 8, 9, 10}
    assert fold(told, described()).pictures == told.pictures
    rendered = msgspec.structs.replace(shots[4], state="missing")
    told = fold(told, described(shots=(*shots[:4], rendered, *shots[5:])))
    assert told.pictures["aaa111"].keys() == {1, 2, 3, 7, 8, 9, 10}
