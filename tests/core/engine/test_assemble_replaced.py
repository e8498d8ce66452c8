"""Media that is replaced by another file of the same name while its film is made."""

from __future__ import annotations

import dataclasses
import errno

import msgspec
import pytest

from core.engine import user_decisions
from core.errors.failure import Evidence
from core.job.events import (
    REPLAN,
    Answered,
    AttemptFailed,
    FilmJoined,
    FilmPlanned,
    RunInterrupted,
    ShotSlated,
    SoundSilenced,
)
from core.job.retry_policy import LOOK_AGAIN
from core.tasks.spec import (
    ExamineSource,
    MixSound,
    Order,
    Outcome,
    ProbePlace,
    Refuted,
    RenderSegment,
    Validated,
)
from tests.core.engine.test_assemble import QUICK, Studio
from tests.core.hands import Trick
from tests.core.props import clip, cut, picture, source, voice

A, B = "/media/a.mov", "/media/b.mov"
CLIPS = [
    clip(0, 24, A),
    clip(24, 20, B),
    clip(44, 30, A, source_in=30),
    clip(74, 30, A, source_in=60),
]
FILM = cut(CLIPS)


@pytest.fixture
def studio(tmp_path, monkeypatch):
    found = Studio(tmp_path, monkeypatch)
    found.media = {path: source(path, picture(), voice()) for path in (A, B)}
    return found


class Delivery:
    """Another version of a file arrives once so many pieces of it were made; hands notice as workers do, afterwards."""

    def __init__(self, studio: Studio, after: int, times: int = 1, path: str = A) -> None:
        self.studio, self.after, self.left, self.path = studio, after, times, path
        self.versions = 0

    def __call__(self, order: Order) -> Outcome | None:
        paths = {order.source: order.fingerprint} if isinstance(order, RenderSegment) else {}
        if isinstance(order, MixSound):
            paths = {sound.path: sound.fingerprint for sound in order.sounds}
        if self.path in paths:
            self.after -= 1
            if (
                self.after < 0
                and self.left
                and paths[self.path] == self.studio.media[self.path].fingerprint
            ):
                self.left -= 1
                self.versions += 1
                fresh = f"version {self.versions} of {self.path}"
                self.studio.media[self.path] = source(
                    self.path, picture(), voice(), fingerprint=fresh
                )
            if paths[self.path] != self.studio.media[self.path].fingerprint:
                return Evidence(
                    operation="render", place="source", path=self.path, note="source-changed"
                )
        return None


def kinds(studio: Studio, job: str, kind: type) -> list[object]:
    return [fact for fact in studio.story(job) if isinstance(fact, kind)]


def test_the_film_is_laid_out_anew_with_the_file_as_it_is_now(studio):
    ended = studio.run(FILM, Delivery(studio, after=1))
    assert ended.end.outcome == "complete"
    story = studio.story(ended.job)
    assert len(kinds(studio, ended.job, FilmPlanned)) == 2
    assert [fact.recovery.change for fact in story if isinstance(fact, AttemptFailed)][:1] == [
        LOOK_AGAIN
    ]
    assert len(kinds(studio, ended.job, AttemptFailed)) <= studio.house.workers, (
        "only what was under way already meets it"
    )
    assert kinds(studio, ended.job, ShotSlated) == []
    made_of = {
        segment.picture.fingerprint
        for segment in ended.state.plan.segments
        if segment.picture.path == A
    }
    assert made_of == {f"version 1 of {A}"}, "old and new never stand side by side"


def test_what_does_not_need_it_is_made_before(studio):
    ended = studio.run(FILM, Delivery(studio, after=0))
    story = studio.story(ended.job)
    second = max(n for n, fact in enumerate(story) if isinstance(fact, FilmPlanned))
    b = next(segment.key for segment in ended.state.plan.segments if segment.picture.path == B)
    assert b in {getattr(fact, "key", "") for fact in story[:second]}
    assert story[second - 2] == RunInterrupted(reason=REPLAN)


def test_sound_is_looked_at_again_as_well(studio):
    film = cut([clip(0, 24, B)], audio=([clip(0, 24, A, id="a1")],))
    ended = studio.run(film, Delivery(studio, after=0))
    assert ended.end.outcome == "complete"
    assert kinds(studio, ended.job, SoundSilenced) == []
    assert {sound.fingerprint for chunk in ended.state.plan.chunks for sound in chunk.sounds} == {
        f"version 1 of {A}"
    }


@pytest.mark.parametrize(("times", "outcome"), [(QUICK.looks, "complete"), (1000, "incomplete")])
def test_a_file_that_never_comes_to_rest_does_not_hold_the_film_up_for_ever(studio, times, outcome):
    ended = studio.run(FILM, Delivery(studio, after=0, times=times))
    assert ended.end.outcome == outcome
    assert len(kinds(studio, ended.job, FilmPlanned)) == QUICK.looks + 1
    assert bool(kinds(studio, ended.job, ShotSlated)) == (outcome == "incomplete")


def test_what_comes_may_be_no_media_at_all(studio):
    delivery = Delivery(studio, after=1)

    def broken(order: Order) -> Outcome | None:
        if isinstance(order, ExamineSource) and order.path == A and delivery.versions:
            return Evidence(operation="examine", place="source", path=A, note="not-media")
        return delivery(order)

    ended = studio.run(FILM, broken)
    assert ended.end.outcome == "incomplete"
    assert ended.state.shots_missing() == {
        1: "source-not-media",
        3: "source-not-media",
        4: "source-not-media",
    }


def test_what_a_person_gives_does_not_use_up_the_looks_at_what_is_replaced_by_itself(
    studio, monkeypatch
):
    monkeypatch.setattr(user_decisions, "_ASK_EVERY_S", 0.0)
    studio.house = dataclasses.replace(studio.house, policy=msgspec.structs.replace(QUICK, looks=1))
    given = "/media/given.mov"
    studio.media[given] = source(given, picture(), voice())
    delivery = Delivery(studio, after=0, path=given)
    said = []

    def give(order: Order) -> Outcome | None:
        if isinstance(order, RenderSegment) and not said:
            said.append(Answered(answer="relink", path=B, to=given))
            ((job, _),) = studio.house.journal.jobs()
            studio.house.journal.append(job, said, 1.0)
        return delivery(order)

    ended = studio.run(FILM, give)
    assert (ended.end.outcome, delivery.versions) == ("complete", 1)
    assert len(kinds(studio, ended.job, FilmPlanned)) == 3
    assert kinds(studio, ended.job, ShotSlated) == []


def test_of_each_file_that_was_replaced_it_is_said_in_the_end(studio):
    first, second = Delivery(studio, after=1), Delivery(studio, after=0, path=B)

    def later(order: Order) -> Outcome | None:
        anew = isinstance(order, MixSound) and any(
            sound.fingerprint == f"version 1 of {A}" for sound in order.sounds
        )
        return second(order) if anew else None

    ended = studio.run(
        cut(CLIPS, audio=([clip(0, 24, A, id="a1"), clip(24, 20, B, id="a2")],)), first, later
    )
    assert (ended.end.outcome, second.versions) == ("complete", 1)
    assert [(remark.code, remark.text) for remark in ended.state.plan.remarks] == [
        ("source-replaced", A),
        ("source-replaced", B),
    ]


def looked_at(seen: dict[str, Outcome]) -> Trick:
    """Hands that look at files when everything is made, and what they see; otherwise every file is what it was."""

    def look(order: Order) -> Outcome | None:
        return (
            seen.get(order.path, Validated())
            if isinstance(order, ProbePlace) and order.fingerprint
            else None
        )

    return look


def test_a_file_that_comes_when_everything_is_made_is_used_as_well(studio):
    def look(order: Order) -> Outcome | None:
        if isinstance(order, ProbePlace) and order.fingerprint == f"content of {A}":
            studio.media[A] = source(A, picture(), voice(), fingerprint="newer")
            return Refuted(reason="another file")
        return Validated() if isinstance(order, ProbePlace) else None

    ended = studio.run(FILM, look)
    assert ended.end.outcome == "complete"
    assert [type(fact) for fact in studio.story(ended.job)].count(FilmJoined) == 1, (
        "nothing is joined of the older one"
    )
    assert {
        segment.picture.fingerprint
        for segment in ended.state.plan.segments
        if segment.picture.path == A
    } == {"newer"}


def test_a_file_that_was_away_and_is_there_again_stands_in_its_shots(studio):
    gone = [Evidence(operation="render", place="source", path=A, errno=errno.ENOENT)] * 9

    def away(order: Order) -> Outcome | None:
        if isinstance(order, RenderSegment) and order.source == A and gone and len(gone) > 6:
            return gone.pop()
        return Validated() if isinstance(order, ProbePlace) else None

    ended = studio.run(FILM, away)
    assert ended.end.outcome == "complete"
    assert ShotSlated in [type(fact) for fact in studio.story(ended.job)], "it was missed at first"
    assert [type(fact) for fact in studio.story(ended.job)].count(FilmJoined) == 1
    assert [remark.code for remark in ended.state.plan.remarks] == [], "it is the very same file"


def test_files_that_are_what_they_were_are_looked_at_once_and_by_as_many_as_there_are(studio):
    ended = studio.run(FILM, looked_at({}))
    assert ended.end.outcome == "complete"
    assert studio.hands.done.count("ProbePlace") == 2, "two files, several shots of one of them"
    assert len(kinds(studio, ended.job, FilmPlanned)) == 1


def test_who_hangs_over_a_file_is_reason_to_look_no_further(studio):
    many = [f"/media/{number}.mov" for number in range(20)]
    studio.media = {path: source(path, picture()) for path in many}
    hung = {
        path: Evidence(operation="probe", place="source", path=path, note="hung") for path in many
    }
    ended = studio.run(
        cut([clip(10 * n, 10, path) for n, path in enumerate(many)]), looked_at(hung)
    )
    assert (ended.end.outcome, kinds(studio, ended.job, AttemptFailed)) == ("complete", [])
    assert studio.hands.done.count("ProbePlace") <= studio.hands.size


def test_a_file_that_is_another_one_at_every_look_does_not_hold_the_film_up_for_ever(studio):
    ended = studio.run(FILM, looked_at({A: Refuted(reason="another file")}))
    assert ended.end.outcome == "complete"
    assert len(kinds(studio, ended.job, FilmPlanned)) == QUICK.looks + 1


def test_the_only_file_of_a_film_may_become_none_at_all(studio):
    delivery = Delivery(studio, after=1)

    def broken(order: Order) -> Outcome | None:
        if isinstance(order, ExamineSource) and delivery.versions:
            return Evidence(operation="examine", place="source", path=A, note="not-media")
        return delivery(order)

    ended = studio.run(
        cut([clip(0, 24, A), clip(24, 20, A, source_in=30), clip(44, 10, A, source_in=60)]), broken
    )
    assert (ended.end.outcome, ended.end.code) == ("failed", "nothing-to-show")
    assert not studio.output.exists()


def test_a_job_that_is_over_for_another_reason_is_not_laid_out_anew(studio):
    delivery = Delivery(studio, after=1)

    def full(order: Order) -> Outcome | None:
        if isinstance(order, RenderSegment) and order.source == B:
            return Evidence(operation="render", place="scratch", note="other-signature")
        return delivery(order)

    ended = studio.run(FILM, full)
    assert ended.end.outcome == "failed"
    assert len(kinds(studio, ended.job, FilmPlanned)) == 1
