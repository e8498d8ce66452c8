"""An outcome becomes facts: a seal, or a failure with what was decided and what follows from it."""

from __future__ import annotations

import errno

import msgspec

from core.errors.failure import Evidence, Strategy
from core.graph.nodes import Plan, Slate
from core.job import damage_repair, outcomes
from core.job.events import (
    AttemptFailed,
    Fact,
    SealBroken,
    SegmentParted,
    SegmentSealed,
    ShotMended,
    ShotSlated,
    SoundSilenced,
)
from core.job.pending_tasks import PendingTask
from core.job.state import JobState
from core.tasks.spec import Located, Made
from tests.core.job.playbook import seal
from tests.core.props import (
    BUILD,
    H264,
    POLICY,
    PRORES,
    SIGNATURE,
    SLATES,
    clip,
    cut,
    picture,
    plan,
    source,
    voice,
)

MEDIA = source("/media/a.mov", picture(), voice())
SAME = source("/media/same.mov", picture(signature=SIGNATURE, intra_only=True))
DAMAGE = Evidence(operation="render", place="source", path="/media/a.mov", note="log-says-damage")
DEAD = Evidence(operation="render", place="program", note="worker-died")


def state_of(made: Plan, preset: object = PRORES) -> JobState:
    return JobState(
        plan=made, preset=preset, policy=POLICY, build=BUILD, slate_words=SLATES, claimed={}
    )  # type: ignore[arg-type]


def need(state: JobState, kind: str, number: int = 0) -> PendingTask:
    if kind == "mix":
        return PendingTask(
            "mix", state.current.chunks[number].key, chunk=state.current.chunks[number]
        )
    segment = state.current.segments[number]
    return PendingTask(kind, segment.key, segment=segment)  # type: ignore[arg-type]


class Trial:
    """One state to which things happen; facts are folded as the engine would."""

    def __init__(self, state: JobState) -> None:
        self.state, self.now = state, 1000.0

    def fail(self, what: PendingTask, seen: Evidence) -> tuple[AttemptFailed, list[Fact]]:
        first, *follows = outcomes.failed(self.state, what, seen, now=self.now, chance=0.5)
        for fact in (first, *follows):
            self.state.fold(fact)
        assert isinstance(first, AttemptFailed)
        return first, follows

    def for_good(self, what: PendingTask, seen: Evidence) -> tuple[AttemptFailed, list[Fact]]:
        """Again and again until it is not tried any more."""
        for _ in range(10):
            fact, follows = self.fail(what, seen)
            if fact.recovery.retry_at is None:
                return fact, follows
            self.now = fact.recovery.retry_at
        raise AssertionError("tried for ever")


def test_what_was_made_is_a_seal_under_its_key():
    state = state_of(
        plan(
            cut([clip(0, 24, "/media/same.mov"), clip(24, 24)], audio=([clip(0, 24)],)),
            {s.path: s for s in (MEDIA, SAME)},
        )
    )
    made = Made(frames=24, bytes=5, file_hash="h", digest="d", reorder=2, clipped=3)
    kinds = {
        kind: outcomes.sealed(need(state, kind, number), made, file="f", seconds=1.23456)
        for kind, number in (("copy", 0), ("render", 1), ("mix", 0))
    }
    assert {kind: (fact.kind, fact.shot) for kind, fact in kinds.items()} == {
        "copy": ("copy", 1),
        "render": ("video", 2),
        "mix": ("audio", 0),
    }
    assert kinds["render"] == SegmentSealed(
        key=state.current.segments[1].key,
        kind="video",
        shot=2,
        file="f",
        bytes=5,
        file_hash="h",
        frames=24,
        digest="d",
        reorder=2,
        seconds=1.235,
        clipped=3,
    )
    assert outcomes.sealed(PendingTask("track", "t1"), made, file="f", seconds=0).kind == "track"


def test_a_checkpoint_that_cannot_be_read_costs_its_work_and_not_the_job():
    state = state_of(plan(cut([clip(0, 24)]), MEDIA))
    key = state.current.segments[0].key
    state.claimed[key] = seal(key)
    trial = Trial(state)
    fact, follows = trial.for_good(
        PendingTask("validate", key),
        Evidence(operation="validate", place="scratch", errno=errno.EIO),
    )
    assert (fact.failure.code, fact.recovery.fatal, fact.recovery.change) == (
        "scratch-failing",
        False,
        "rendered again",
    )
    assert follows == [SealBroken(key=key, reason="scratch-failing")]
    assert state.fatal is None
    assert [need.kind for need in state.needs(trial.now, [])] == ["render"]


def test_attempts_are_counted_and_the_first_failure_begins_the_budget():
    trial = Trial(state_of(plan(cut([clip(0, 24)]), MEDIA)))
    stale = Evidence(operation="render", place="source", errno=errno.ESTALE)
    what = need(trial.state, "render")
    facts = []
    for at in (1000.0, 1012.0, 1026.0):
        trial.now = at
        facts.append(trial.fail(what, stale)[0])
    assert [(fact.attempt, fact.at, fact.shot) for fact in facts] == [
        (1, 1000.0, 1),
        (2, 1012.0, 1),
        (3, 1026.0, 1),
    ]
    assert [fact.recovery.retry_at is None for fact in facts] == [False, False, True], (
        "25 seconds had gone"
    )


GONE = Evidence(operation="render", place="source", path="/media/a.mov", errno=errno.ENOENT)


def test_a_piece_that_cannot_be_made_slates_every_shot_that_shows_it():
    twice = cut([clip(0, 24), clip(24, 24, source_in=10), clip(48, 24)])
    trial = Trial(state_of(plan(twice, MEDIA)))
    fact, follows = trial.fail(need(trial.state, "render", 0), GONE)
    assert follows == [
        ShotSlated(shot=1, failure=fact.failure),
        ShotSlated(shot=3, failure=fact.failure),
    ]
    assert not fact.recovery.fatal


def test_damage_is_looked_for_before_anything_is_given_up():
    trial = Trial(state_of(plan(cut([clip(0, 24)]), MEDIA)))
    what = need(trial.state, "render", 0)
    fact, follows = trial.fail(what, DAMAGE)
    assert (fact.recovery.strategy, fact.recovery.change, follows) == (
        Strategy.SKIP_AND_REPORT,
        damage_repair.LOCATE,
        [],
    )
    assert [(n.kind, n.key) for n in trial.state.needs(trial.now, [])] == [("locate", what.key)]


def test_what_is_good_is_kept_in_every_shot_that_shows_it():
    twice = cut([clip(0, 40), clip(40, 24, source_in=10), clip(64, 40)])
    trial = Trial(state_of(plan(twice, MEDIA)))
    fact, _ = trial.fail(need(trial.state, "render", 0), DAMAGE)
    (owed,) = [n for n in trial.state.needs(trial.now, []) if n.kind == "locate"]
    follows = outcomes.located(trial.state, owed, Located(bad=((12, 6),), picture="/p.jpg"))
    usual = {
        "key": owed.key,
        "bad": ((12, 6),),
        "failure": fact.failure,
        "source_frame": 12,
        "last_good": "/p.jpg",
    }
    assert follows == [ShotMended(shot=1, **usual), ShotMended(shot=3, **usual)]
    for follow in follows:
        trial.state.fold(follow)
        trial.state.check_invariants()
    rows = [(s.frames, isinstance(s.picture, Slate)) for s in trial.state.current.segments]
    assert rows == [
        (12, False),
        (6, True),
        (22, False),
        (24, False),
        (12, False),
        (6, True),
        (22, False),
    ]
    assert (
        trial.state.shots_missing() == {1: "source-damaged", 3: "source-damaged"}
        and trial.state.incomplete
    )


def test_a_shot_of_which_next_to_nothing_is_good_is_given_up():
    trial = Trial(state_of(plan(cut([clip(0, 24)]), MEDIA)))
    fact, _ = trial.fail(need(trial.state, "render"), DAMAGE)
    (owed,) = trial.state.needs(trial.now, [])
    bad = ((0, 4), (8, 4), (16, 8))
    assert outcomes.located(trial.state, owed, Located(bad=bad)) == [
        ShotSlated(shot=1, failure=fact.failure)
    ]


def test_where_no_frame_is_found_bad_it_is_halved_down_to_the_one_that_is():
    """Whatever is wrong with frame 17, only an attempt to render it tells."""
    trial = Trial(state_of(plan(cut([clip(0, 48)]), MEDIA)))
    for _ in range(100):
        owed = trial.state.needs(trial.now, [])
        if all(n.kind == "join" for n in owed):
            break
        what = owed[0]
        assert what.segment is not None
        if what.kind == "locate":
            follows = outcomes.located(trial.state, what, Located(bad=()))
        elif (
            not isinstance(what.segment.picture, Slate)
            and 0 <= 17 - what.segment.record_in < what.segment.frames
        ):
            follows = trial.fail(what, DAMAGE)[1] and []
        else:
            follows = [msgspec.structs.replace(seal(what.key), frames=what.segment.frames)]
        for follow in follows:
            trial.state.fold(follow)
            trial.state.check_invariants()
    slates = [
        (s.record_in, s.frames)
        for s in trial.state.current.segments
        if isinstance(s.picture, Slate)
    ]
    assert slates == [(17, 1)] and trial.state.complete


def test_a_decoder_that_crashes_while_looking_leaves_halves():
    trial = Trial(state_of(plan(cut([clip(0, 40)]), MEDIA)))
    trial.fail(need(trial.state, "render"), DAMAGE)
    (owed,) = trial.state.needs(trial.now, [])
    _, follows = trial.for_good(owed, DEAD)
    assert follows == [SegmentParted(key=owed.key, at=20)]
    assert [n.segment.frames for n in trial.state.needs(trial.now, []) if n.segment] == [20, 20]


def test_a_piece_of_a_shot_that_is_a_slate_by_now_ends_nothing():
    trial = Trial(state_of(plan(cut([clip(0, 100)]), MEDIA)))
    first, second = need(trial.state, "render", 0), need(trial.state, "render", 1)
    trial.fail(first, DAMAGE)
    fact, follows = trial.for_good(second, DAMAGE)
    assert (fact.recovery.fatal, follows) == (False, [])
    assert trial.state.fatal is None


def test_a_slate_that_cannot_be_made_ends_the_job():
    trial = Trial(state_of(plan(cut([clip(0, 24)]), MEDIA)))
    trial.fail(need(trial.state, "render"), GONE)
    fact, follows = trial.for_good(need(trial.state, "render"), DEAD)
    assert (fact.recovery.fatal, follows) == (True, [])
    assert trial.state.fatal is not None


def test_a_sound_that_cannot_be_read_is_silenced_by_name():
    trial = Trial(
        state_of(
            plan(cut([clip(0, 1)], audio=([clip(0, 24, id="a")], [clip(0, 24, id="b")])), MEDIA)
        )
    )
    seen = Evidence(
        operation="mix", place="source", path="/media/a.mov", note="invalid-data", clip="b"
    )
    fact, follows = trial.fail(need(trial.state, "mix"), seen)
    assert follows == [SoundSilenced(clip="b", failure=fact.failure, first_sample=0, samples=48000)]


def test_a_sound_that_is_gone_is_silenced_as_a_whole():
    trial = Trial(state_of(plan(cut([clip(0, 1)], audio=([clip(0, 24, id="a")],)), MEDIA)))
    fact, follows = trial.fail(need(trial.state, "mix"), msgspec.structs.replace(GONE, clip="a"))
    assert follows == [SoundSilenced(clip="a", failure=fact.failure)]


def test_only_the_samples_that_are_bad_are_silenced():
    trial = Trial(
        state_of(
            plan(cut([clip(0, 1)], audio=([clip(0, 24, id="a")], [clip(0, 24, id="b")])), MEDIA)
        )
    )
    seen = Evidence(
        operation="mix",
        place="source",
        path="/media/a.mov",
        note="unlike-record",
        clip="b",
        bad=((4800, 100),),
    )
    fact, follows = trial.fail(need(trial.state, "mix"), seen)
    assert follows == [
        SoundSilenced(clip="b", failure=fact.failure, first_sample=4800, samples=100)
    ]
    (chunk,) = trial.state.current.chunks
    kept = [(s.clip, s.at, s.samples, s.source_in_s * 48000) for s in chunk.sounds]
    assert kept == [("a", 0, 48000, 0), ("b", 0, 4800, 0), ("b", 4900, 43100, 4900)]
    assert trial.state.incomplete and chunk.key != trial.state.plan.chunks[0].key


def test_a_worker_that_keeps_crashing_over_a_mix_silences_what_was_in_it():
    trial = Trial(
        state_of(
            plan(cut([clip(0, 1)], audio=([clip(0, 24, id="a")], [clip(0, 24, id="b")])), MEDIA)
        )
    )
    fact, follows = trial.for_good(need(trial.state, "mix"), DEAD)
    assert follows == [
        SoundSilenced(clip=c, failure=fact.failure, first_sample=0, samples=48000)
        for c in ("a", "b")
    ]
    silent = need(trial.state, "mix")
    fact, follows = trial.for_good(silent, DEAD)
    assert (fact.recovery.fatal, follows) == (True, []), "silence itself has no stand-in"


def test_work_without_a_stand_in_ends_the_job():
    trial = Trial(
        state_of(plan(cut([clip(0, 1)], audio=([clip(0, 24)],)), MEDIA, preset=H264), H264)
    )
    fact, _ = trial.for_good(
        PendingTask("track", trial.state.track),
        Evidence(operation="encode-track", place="program", note="hung"),
    )
    assert fact.recovery.fatal


def test_damage_met_while_joining_breaks_the_checkpoint_and_the_join_is_tried_again_a_few_times():
    trial = Trial(state_of(plan(cut([clip(0, 24)]), MEDIA)))
    key = trial.state.current.segments[0].key
    trial.state.fold(seal(key))
    seen = Evidence(
        operation="join", place="scratch", path="/s/v1.mov", note="seal-damaged", clip=key
    )
    fact, follows = trial.fail(PendingTask("join", trial.state.cut), seen)
    assert follows == [SealBroken(key=key, reason="seal-damaged")]
    assert fact.recovery.retry_at == trial.now
    assert key not in trial.state.believed
    fact, follows = trial.for_good(PendingTask("join", trial.state.cut), seen)
    assert (fact.attempt, fact.recovery.fatal) == (4, True)


def test_a_source_that_is_another_one_at_every_reading_becomes_a_slate():
    trial = Trial(
        state_of(
            plan(
                cut([clip(0, 24, "/media/same.mov"), clip(24, 24)]),
                {s.path: s for s in (MEDIA, SAME)},
            )
        )
    )
    key = trial.state.current.segments[0].key
    seen = Evidence(
        operation="join", place="source", path="/media/same.mov", note="source-changed", clip=key
    )
    fact, follows = trial.fail(PendingTask("join", trial.state.cut), seen)
    assert follows == [SealBroken(key=key, reason="source-changed")]
    fact, follows = trial.for_good(PendingTask("join", trial.state.cut), seen)
    assert follows == [
        SealBroken(key=key, reason="source-changed"),
        ShotSlated(shot=1, failure=fact.failure),
    ]
    assert trial.state.fatal is None


def test_what_has_become_of_a_copied_source_while_joining_is_the_trouble_of_its_shots_and_not_of_the_film():
    film = cut(
        [
            clip(0, 24, "/media/same.mov"),
            clip(24, 24),
            clip(48, 24, "/media/same.mov", source_in=48),
        ]
    )
    trial = Trial(state_of(plan(film, {s.path: s for s in (MEDIA, SAME)})))
    first, rendered, second = trial.state.current.segments
    for segment in (first, rendered, second):
        trial.state.fold(seal(segment.key))
    seen = Evidence(
        operation="join", place="source", path="/media/same.mov", errno=errno.ENOENT, clip=first.key
    )
    fact, follows = trial.fail(PendingTask("join", trial.state.cut), seen)
    assert (fact.failure.code, fact.recovery.retry_at, fact.recovery.fatal) == (
        "source-missing",
        trial.now,
        False,
    )
    assert follows == [
        SealBroken(key=key, reason="source-missing") for key in (first.key, second.key)
    ]
    assert {need.kind for need in trial.state.needs(trial.now, ())} == {"copy"}, (
        "who copies it looks at it again"
    )
    fact, follows = trial.for_good(PendingTask("join", trial.state.cut), seen)
    assert follows[1:] == [ShotSlated(shot=1, failure=fact.failure)], "and not for ever"
    assert trial.state.fatal is None


def test_a_full_disk_slates_nothing():
    trial = Trial(state_of(plan(cut([clip(0, 24)]), MEDIA)))
    fact, follows = trial.for_good(
        need(trial.state, "render"),
        Evidence(operation="render", place="source", errno=errno.ENOSPC),
    )
    assert (fact.failure.code, fact.recovery.fatal, follows) == ("scratch-full", True, [])
