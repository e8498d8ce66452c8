"""The state machine of a job, told as scripts; and its laws, for any outcomes in any order."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors.failure import Evidence
from core.graph.nodes import Copy, Piece, Plan, Slate
from core.job import outcomes
from core.job.events import (
    Answered,
    Fact,
    FilmJoined,
    FilmPublished,
    GateOpened,
    JobFinished,
    Rewound,
    RunInterrupted,
    RunStarted,
    SealBroken,
)
from core.job.pending_tasks import PendingTask, reusable
from core.job.state import JobState
from core.tasks.spec import Made
from core.timeline.timeline import Remark
from tests.core.job.playbook import (
    broken,
    failed,
    finished,
    joined,
    made,
    play,
    published,
    seal,
    silenced,
    slated,
)
from tests.core.props import (
    BUILD,
    H264,
    POLICY,
    PRORES,
    SIGNATURE,
    SLATES,
    clip,
    cut,
    offline,
    picture,
    plan,
    source,
    voice,
)

MEDIA = source("/media/a.mov", picture(), voice())
SAME = source("/media/same.mov", picture(signature=SIGNATURE, intra_only=True))
TWO = cut([clip(0, 24), clip(24, 20, source_in=10)])
HEARD = cut([clip(0, 24)], audio=([clip(0, 24, id="a1")],))
LONG = cut([clip(0, 100), clip(100, 24, source_in=Fraction(39 * 30, 24))])
"""A first shot of three pieces."""


# Scripts --------------------------------------------------------------------------------------------------------------


def test_shots_are_made_then_joined_then_published_then_it_is_finished():
    (
        play(TWO, MEDIA) << ["render 1", "render 2"]
        >> made("render 2") << ["render 1"]
        >> made("render 1") << ["join"]
        >> joined << ["publish"]
        >> published << ["finish"]
        >> finished << []
    )  # fmt: skip


def test_the_longest_work_is_owed_first_and_sound_before_pictures():
    film = cut(
        [clip(0, 10), clip(10, 30, source_in=10), clip(40, 20, source_in=20)],
        audio=([clip(0, 24)],),
    )
    assert play(film, MEDIA).owed() == ["mix 1", "render 2", "render 3", "render 1"]


def test_one_worker_mixes_beside_those_that_render():
    film = cut([clip(0, 100)], audio=([clip(0, 100)],))
    book = play(film, MEDIA, policy=msgspec.structs.replace(POLICY, chunk_s=2))
    pictures = ["render 1.1", "render 1.2", "render 1.3"]
    assert sorted(book.owed()[1:-2]) == pictures
    book << ["mix 1", *book.owed()[1:-2], "mix 2", "mix 3"]
    book.given("mix 1") << [*book.owed()[:-2], "mix 2", "mix 3"]
    book.back() >> made("mix 1")
    assert book.owed()[0] == "mix 2", "the next one follows"


def test_what_is_under_way_is_not_owed_and_nothing_is_joined_meanwhile():
    book = play(TWO, MEDIA).given("render 1") << ["render 2"]
    book >> made("render 2") << []
    book.back() << ["render 1"]


def test_the_film_is_finished_only_when_all_hands_are_back():
    book = (
        play(TWO, MEDIA).given("render 2")
        >> failed("render 1", "scratch-failing", fatal=True)
        << []
    )
    book.back() << ["finish"]


def test_equal_shots_are_made_once():
    twice = cut([clip(0, 24), clip(24, 24, source_in=10), clip(48, 24)])
    (
        play(twice, MEDIA)
        << ["render 1", "render 2"]
        >> made("render 1")
        >> made("render 2")
        << ["join"]
    )


def test_packets_are_examined_instead_of_rendered():
    play(cut([clip(0, 24, "/media/same.mov")]), SAME) << ["copy 1"] >> made("copy 1") << ["join"]


def test_an_encoded_track_waits_for_all_the_mixed_sound():
    book = play(HEARD, MEDIA, preset=H264) << ["mix 1", "render 1"]
    book >> made("render 1") << ["mix 1"] >> made("mix 1") << ["track"] >> made("track") << ["join"]


def test_uncompressed_sound_needs_no_track():
    play(HEARD, MEDIA) >> made("mix 1") >> made("render 1") << ["join"]


# Resuming -------------------------------------------------------------------------------------------------------------


def test_a_claim_is_validated_before_it_is_believed():
    book = play(TWO, MEDIA, claimed=("render 1",)) << ["validate render 1", "render 2"]
    book >> made("render 2") << ["validate render 1"]
    book >> made("render 1") << ["join"]


def test_a_claim_that_does_not_hold_is_made_again():
    book = play(TWO, MEDIA, claimed=("render 1",)) >> broken("render 1") << ["render 1", "render 2"]
    book >> made("render 1") >> made("render 2") << ["join"]


def test_a_film_whose_every_piece_is_claimed_is_still_validated_first():
    book = play(HEARD, MEDIA, preset=H264, claims=True) << [
        "validate render 1",
        "validate mix 1",
        "validate track",
    ]
    book >> made("render 1") >> made("mix 1") << ["validate track"] >> made("track") << ["join"]


def test_going_back_to_a_checkpoint_makes_everything_after_it_again():
    book = play(TWO, MEDIA, claimed=("render 1", "render 2"))
    book >> Rewound(checkpoint=7, keys=(book.key("render 2"),)) << ["validate render 1", "render 2"]


def test_claims_of_nothing_in_this_film_are_left_alone():
    seals = {
        key: seal(key) for key in ("v-of-another-film", *(s.key for s in plan(TWO, MEDIA).segments))
    }
    assert set(reusable(plan(TWO, MEDIA), "", seals)) == {s.key for s in plan(TWO, MEDIA).segments}


# Failing --------------------------------------------------------------------------------------------------------------


def test_a_failure_waits_for_its_hour_and_other_work_goes_on():
    book = play(TWO, MEDIA) >> failed("render 1", again_in=3.0) << ["render 2"]
    assert book.state.next_alarm(book.now) == book.now + 3.0
    book.after(2.9) << ["render 2"]
    book.after(0.2) << ["render 1", "render 2"]


def test_only_the_last_failure_says_when():
    book = play(TWO, MEDIA) >> failed("render 1", again_in=1.0) >> failed("render 1", again_in=5.0)
    book.after(3) << ["render 2"]
    book.after(3) << ["render 1", "render 2"]


def test_what_was_made_in_the_end_wakes_nobody():
    book = play(TWO, MEDIA) >> failed("render 1", again_in=1.0) >> failed("render 2", again_in=9.0)
    book.after(1.5) >> made("render 1") << []
    assert book.state.next_alarm(book.now) == 1009.0


@given(st.floats(-4e9, 4e9))
def test_nothing_waits_longer_than_the_longest_wait_whatever_moment_a_record_names(again_in):
    book = play(TWO, MEDIA) >> failed("render 1", again_in=again_in)
    wait_s = book.state.ready_at(book.key("render 1"), book.now) - book.now
    assert wait_s <= max(POLICY.retry_budget_s, POLICY.longest_delay_s)
    if wait_s > 0:
        assert wait_s == pytest.approx(again_in)
    book.after(max(0.0, wait_s) + 0.001) << ["render 1", "render 2"]


def test_a_delay_longer_than_the_budget_is_waited_for():
    book = play(TWO, MEDIA) >> failed("render 1", again_in=50.0)
    book.state.policy = msgspec.structs.replace(POLICY, longest_delay_s=60.0, retry_budget_s=10.0)
    assert book.state.ready_at(book.key("render 1"), book.now) == book.now + 50.0


def test_the_join_waits_for_its_hour_too():
    book = (
        play(TWO, MEDIA)
        >> made("render 1")
        >> made("render 2")
        >> failed("join", "machine-busy", again_in=2.0)
        << []
    )
    book.after(2) << ["join"]
    book >> joined >> failed("publish", "network-lost", again_in=2.0) << []
    book.after(2) << ["publish"]


def test_a_fatal_failure_ends_the_job_before_anything_is_published():
    book = play(TWO, MEDIA) >> made("render 1") >> made("render 2") >> joined << ["publish"]
    book >> failed("publish", "output-full", fatal=True) << ["finish"] >> finished << []
    assert book.state.published is None


def test_a_shot_that_is_given_up_is_a_slate_of_exact_length():
    book = play(TWO, MEDIA) >> made("render 1") >> slated(2) << ["render 2"]
    (card,) = [s for s in book.state.current.segments if s.shot == 2]
    assert isinstance(card.picture, Slate)
    assert (card.record_in, card.frames, card.picture.lines[1]) == (24, 20, "<source-damaged>")
    assert book.state.incomplete
    book >> made("render 2") << ["join"]
    assert book.state.shots_missing() == {2: "source-damaged"}


def test_a_slate_takes_the_place_of_all_pieces_of_its_shot_and_what_is_under_way_is_forgotten():
    book = play(LONG, MEDIA) << ["render 1.1", "render 1.2", "render 2", "render 1.3"]
    book >> made("render 1.1") >> slated(1)
    assert {type(s.picture) for s in book.state.current.segments if s.shot == 1} == {Slate}
    assert len(book.state.work) == 1 + len(
        {s.key for s in book.state.current.segments if s.shot == 1}
    )


def test_the_newest_reason_stands_on_the_slate():
    book = play(TWO, MEDIA) >> slated(2, "network-lost") >> slated(2, "source-damaged")
    assert [s.picture.lines[1] for s in book.state.current.segments if s.shot == 2] == [
        "<source-damaged>"
    ]


def test_a_clip_that_cannot_be_heard_is_silent_and_the_track_is_made_of_what_is_left():
    film = cut([clip(0, 24)], audio=([clip(0, 24, id="bad")], [clip(0, 24, id="good")]))
    book = play(film, MEDIA, preset=H264) >> made("mix 1")
    before = book.state.track
    book >> silenced("bad") << ["mix 1", "render 1"]
    assert [s.clip for s in book.state.current.chunks[0].sounds] == ["good"]
    assert book.state.track != before
    assert book.state.incomplete
    book >> made("mix 1") >> made("track") >> made("render 1") << ["join"]


def test_a_checkpoint_that_broke_after_joining_is_made_again_and_joined_again():
    book = play(TWO, MEDIA) >> made("render 1") >> made("render 2") >> joined << ["publish"]
    book >> broken("render 1") << ["render 1"] >> made("render 1") << ["join"]


def test_a_film_of_which_nothing_can_be_shown_says_so():
    lost = {"/media/a.mov": offline("/media/a.mov")}
    assert play(TWO, lost).state.nothing_to_show
    assert play(HEARD, lost).state.nothing_to_show, "nor heard"
    book = play(TWO, MEDIA) >> slated(1)
    assert not book.state.nothing_to_show
    assert (book >> slated(2)).state.nothing_to_show
    black = cut([], frames=24)
    assert not play(black, {}).state.nothing_to_show, "nothing was asked for"


def test_sound_alone_is_something_to_show():
    film = cut([clip(0, 24, "/m/lost.mov")], audio=([clip(0, 24)],))
    assert not play(
        film, {"/m/lost.mov": offline("/m/lost.mov"), MEDIA.path: MEDIA}
    ).state.nothing_to_show


def test_losses_make_a_film_incomplete_and_notes_do_not():
    for severity, incomplete in (("loss", True), ("note", False)):
        film = cut([clip(0, 24)], remarks=(Remark(code="x", severity=severity, text=""),))
        assert play(film, MEDIA).state.incomplete is incomplete
    assert play(TWO, {"/media/a.mov": offline("/media/a.mov")}).state.incomplete


def test_what_only_tells_a_story_changes_nothing():
    book = play(TWO, MEDIA) << ["render 1", "render 2"]
    (
        book
        >> RunStarted(version="1", ffmpeg="9", workers=2)
        >> RunInterrupted(reason="SIGINT")
        << ["render 1", "render 2"]
    )


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda state: state.claimed.update(state.believed), "believed and claimed"),
        (lambda state: state.believed.clear(), "incomplete set"),
        (lambda state: setattr(state, "joined", None), "without having been joined"),
    ],
)
def test_an_impossible_state_is_noticed(break_it, words):
    book = play(TWO, MEDIA) >> made("render 1") >> made("render 2") >> joined >> published
    break_it(book.state)
    with pytest.raises(AssertionError, match=words):
        book.state.check_invariants()


# Laws -----------------------------------------------------------------------------------------------------------------

SOURCE_TROUBLE = [
    Evidence(operation="render", place="source", path="/media/a.mov", note="log-says-damage"),
    Evidence(operation="render", place="source", path="/media/a.mov", errno=errno.ESTALE),
    Evidence(operation="render", place="source", path="/media/a.mov", errno=errno.EIO),
    Evidence(operation="render", place="source", path="/media/a.mov", note="source-changed"),
    Evidence(operation="render", place="source", path="/media/a.mov", note="hung"),
    Evidence(operation="render", place="program", note="worker-died"),
    Evidence(operation="render", place="source", exit_code=-11),
    Evidence(operation="render", place="source"),
]
OUR_TROUBLE = [
    Evidence(operation="render", place="scratch", errno=errno.ENOSPC),
    Evidence(operation="render", place="scratch", errno=errno.EIO),
    Evidence(operation="render", place="scratch", note="other-signature"),
    Evidence(operation="join", place="output", note="refuted"),
    Evidence(operation="join", place="output", note="space-low"),
    Evidence(operation="join", place="output", errno=errno.EACCES),
    Evidence(operation="join", place="program", note="hung"),
]


def a_film_of_everything() -> Plan:
    film = cut(
        [
            clip(0, 100),
            clip(100, 24, "/media/same.mov", source_in=3),
            clip(124, 24),
            clip(160, 24, "/m/lost.mov"),
            clip(184, 24),
        ],
        audio=([clip(0, 24 * 40, id="a1")], [clip(24, 24, id="a2", source_in=9)]),
    )
    known = {s.path: s for s in (MEDIA, SAME)} | {"/m/lost.mov": offline("/m/lost.mov")}
    return plan(film, known)


@dataclass
class World:
    """An engine without disk, clock or processes: it decides with the real rules and draws what happens."""

    state: JobState
    draw: object
    ours: bool = True
    """Whether scratch, output and program fail as well, or only sources."""
    now: float = 1000.0
    given: dict[str, PendingTask] = field(default_factory=dict)
    story: list[Fact] = field(default_factory=list)

    def note(self, *facts: Fact) -> None:
        for fact in facts:
            self.state.fold(fact)
            self.state.check_invariants()
            self.story.append(fact)

    def run(self) -> JobFinished:
        for _ in range(5000):
            if self.state.finished is not None:
                return self.state.finished
            if self.state.nothing_to_show and not self.given:
                self.note(JobFinished(outcome="failed", code="nothing-to-show"))
                continue
            needs = self.state.needs(self.now, self.given.keys())
            names = [need.name for need in needs]
            assert len(set(names)) == len(names) and not set(names) & self.given.keys(), (
                "needed twice at once"
            )
            for need in needs:
                if need.kind == "finish":
                    self.note(JobFinished(outcome="failed" if self.state.fatal else "incomplete"))
                elif need.kind == "publish" or len(self.given) < 2:
                    self.given[need.name] = need
            if self.given and self.state.finished is None:
                self.come_back(self.given.pop(self.draw(st.sampled_from(sorted(self.given)))))
            elif not needs and self.state.gates:
                gate = self.draw(st.sampled_from(sorted(self.state.gates)))
                opened = GateOpened(gate=gate, closed_s=1.0, given_up=self.draw(st.booleans()))
                self.note(*(outcomes.given_up(self.state, opened) if opened.given_up else [opened]))
            elif not needs:
                alarm = self.state.next_alarm(self.now)
                assert alarm is not None, "nothing is owed, nobody works and nothing will wake us"
                self.now = alarm
        raise AssertionError("5000 steps and no end")

    def come_back(self, need: PendingTask) -> None:
        self.now += self.draw(st.sampled_from([0.0, 0.1, 8.0]))
        trouble = self.draw(st.integers(0, 19 if self.ours else 5))
        pictured = need.segment is not None and isinstance(need.segment.picture, Piece | Copy)
        media = (need.kind in ("copy", "render") and pictured) or bool(
            need.chunk and need.chunk.sounds
        )
        inside = (
            self.state.believed
            if self.ours
            else {s.key for s in self.state.current.segments if s.key.startswith("c")}
        )
        copied = (
            need.kind == "join" and trouble == 1 and bool(inside)
        )  # without a copy, joining reads no media
        if trouble >= 3 or not (self.ours or media or copied):
            self.succeed(need)
        elif need.kind in ("join", "track") and trouble == 1:
            key = self.draw(st.sampled_from(sorted(inside) or [""]))
            note, place = (
                ("source-changed", "source") if key.startswith("c") else ("seal-damaged", "scratch")
            )
            self.fail(need, Evidence(operation=need.kind, place=place, note=note, clip=key))
        elif need.kind == "validate" and trouble == 1:
            self.note(SealBroken(key=need.key, reason="changed"))
        else:
            seen = self.draw(
                st.sampled_from(
                    SOURCE_TROUBLE
                    if media and (trouble or not self.ours)
                    else SOURCE_TROUBLE + OUR_TROUBLE
                )
            )
            if need.chunk is not None and need.chunk.sounds and seen.place == "source":
                seen = Evidence(
                    operation="mix",
                    place="source",
                    note=seen.note,
                    errno=seen.errno,
                    clip=need.chunk.sounds[0].clip,
                )
            self.fail(need, seen)

    def succeed(self, need: PendingTask) -> None:
        if need.kind == "join":
            film = self.state.current
            assert {s.key for s in film.segments} | {
                c.key for c in film.chunks
            } <= self.state.believed.keys(), "joined of what is not there"
            self.note(
                FilmJoined(
                    cut=self.state.cut, staged="s", bytes=1, film_hash="h", frames=1, samples=1
                )
            )
        elif need.kind == "publish":
            self.note(FilmPublished(output="o", film_hash="h", kept=""))
        elif need.kind == "validate":
            self.note(self.state.claimed[need.key])
        else:
            self.note(outcomes.sealed(need, Made(frames=1), file="f", seconds=1.0))

    def fail(self, need: PendingTask, seen: Evidence) -> None:
        self.note(*outcomes.failed(self.state, need, seen, now=self.now, chance=0.5))


def a_state(made_plan: Plan, preset: object, claims: bool) -> JobState:
    def fresh(claimed: dict[str, object]) -> JobState:
        return JobState(
            plan=made_plan,
            preset=preset,
            policy=POLICY,
            build=BUILD,
            slate_words=SLATES,
            claimed=claimed,  # type: ignore[arg-type]
            volumes={sound.path: "/media" for chunk in made_plan.chunks for sound in chunk.sounds},
        )

    keys = [s.key for s in fresh({}).work] + [c.key for c in made_plan.chunks]
    return fresh({key: seal(key) for key in keys} if claims else {})


@settings(max_examples=150)
@given(st.data(), st.sampled_from([PRORES, H264]), st.booleans())
def test_whatever_happens_in_whatever_order_it_ends_in_a_film_or_in_a_failure_that_is_named(
    data, preset, claims
):
    film = a_film_of_everything()
    world = World(a_state(film, preset, claims), data.draw)
    end = world.run()
    state = world.state
    if end.outcome == "failed":
        assert state.published is None
        assert state.fatal is not None or end.code == "nothing-to-show"
    else:
        assert state.published is not None and state.joined is not None and state.complete
        assert state.fatal is None
        for segment in state.current.segments:
            assert isinstance(segment.picture, Slate) is (segment.shot in {*state.slated, 5}), (
                "a slate where there is no failure"
            )
        heard = {sound.clip for chunk in state.current.chunks for sound in chunk.sounds}
        partly = {silence.clip for silence in state.damage.silences}
        assert heard | partly | set(state.silenced) == {"a1", "a2"} and not heard & set(
            state.silenced
        )
    again = a_state(film, preset, claims)
    for fact in world.story:
        again.fold(fact)
    assert again.current == state.current
    assert (again.believed, again.claimed, again.failed) == (
        state.believed,
        state.claimed,
        state.failed,
    )
    assert (again.slated, again.silenced, again.fatal) == (
        state.slated,
        state.silenced,
        state.fatal,
    )


@settings(max_examples=150)
@given(st.data(), st.sampled_from([PRORES, H264]))
def test_no_trouble_with_media_keeps_a_film_from_being_finished(data, preset):
    world = World(a_state(a_film_of_everything(), preset, claims=False), data.draw, ours=False)
    end = world.run()
    assert end.outcome == "incomplete" or end.code == "nothing-to-show", world.state.fatal


@settings(max_examples=60)
@given(st.data(), st.integers(0, 40))
def test_a_job_that_is_taken_up_again_at_any_moment_goes_on_from_its_checkpoints(data, cut_at):
    """What is on record after a cut are seals; the next run claims them, validates them and makes the rest."""
    film = a_film_of_everything()
    world = World(a_state(film, PRORES, claims=False), data.draw)
    world.run()
    seals = {}
    for fact in world.story[:cut_at]:
        if isinstance(fact, SealBroken):
            seals.pop(fact.key, None)
        elif type(fact).__name__ == "SegmentSealed":
            seals[fact.key] = fact
    resumed = JobState(
        plan=film,
        preset=PRORES,
        policy=POLICY,
        build=BUILD,
        slate_words=SLATES,
        claimed=reusable(film, "", seals),
    )
    owed = resumed.needs(0.0, ())
    assert {need.key for need in owed if need.kind == "validate"} == set(resumed.claimed)
    assert not {need.key for need in owed if need.kind != "validate"} & set(resumed.claimed)
    assert World(resumed, data.draw).run().outcome in ("incomplete", "failed")


def test_the_film_of_everything_has_everything():
    kinds = {type(s.picture) for s in a_film_of_everything().segments}
    assert {Piece, Copy, Slate} <= kinds
    assert len(a_film_of_everything().chunks) == 2


def test_what_only_another_plan_can_bring():
    """A retry of what was found before rendering; a retry of what was given up meanwhile needs none."""
    film = cut(
        [clip(0, 24, "/media/lost.mov"), clip(24, 20, source_in=10)],
        audio=([clip(0, 44, id="a1")],),
    )
    book = play(film, {"/media/lost.mov": offline("/media/lost.mov"), MEDIA.path: MEDIA}) >> slated(
        2
    )
    asks = book.state.asks_for_another_plan
    assert asks(Answered(answer="retry", shot=1)) and asks(
        Answered(answer="retry", code="source-missing")
    )
    assert asks(Answered(answer="retry")) and asks(
        Answered(answer="relink", shot=2, to="/media/b.mov")
    )
    assert not asks(Answered(answer="retry", shot=2)) and not asks(Answered(answer="skip", shot=1))
    book >> silenced("a1")
    assert asks(Answered(answer="retry", code=next(iter(book.state.silenced.values())).code))
