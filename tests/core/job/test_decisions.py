"""What is left as it is by decision: until its media or its cut changes, in whatever cut of the film it stands."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest

from core.errors.failure import Failure
from core.graph.nodes import Plan
from core.job.decisions import Terms, happened_again, last_run
from core.job.events import Answered, RunStarted, ShotMended, ShotSlated, SoundSilenced
from core.job.state import JobState
from core.timeline.source import Source
from core.timeline.timeline import Remark
from tests.core.props import (
    BUILD,
    POLICY,
    PRORES,
    SLATES,
    clip,
    cut,
    offline,
    picture,
    plan,
    source,
    voice,
)

A, B = "/media/a.mov", "/media/b.mov"
GOOD = source(A, picture())


def gone(path: str = B, version: str = "") -> Failure:
    failure = offline(path)
    return msgspec.structs.replace(
        failure, evidence=msgspec.structs.replace(failure.evidence, fingerprint=version)
    )


def made(
    *clips: object, b: Source | Failure | None = None, audio: tuple[list[object], ...] = ()
) -> Plan:
    return plan(cut(list(clips), audio=audio), {A: GOOD, B: b if b is not None else gone()})  # type: ignore[arg-type]


def state(of: Plan, *facts: object) -> JobState:
    begun = JobState(
        plan=of, preset=PRORES, policy=POLICY, build=BUILD, slate_words=SLATES, claimed={}
    )
    for fact in facts:
        begun.fold(fact)  # type: ignore[arg-type]
        begun.check_invariants()
    return begun


def skip(of: Plan, *shots: int, clips: tuple[str, ...] = ()) -> Answered:
    terms = Terms(of)
    return Answered(
        answer="skip",
        terms=tuple([terms.shots[n] for n in shots] + [terms.clips[c] for c in clips]),
    )


TWO = made(clip(0, 24), clip(24, 24, B))


def test_a_slate_that_is_left_is_no_question_and_the_film_is_complete():
    asked = state(TWO)
    assert asked.incomplete and asked.questions() == {2: "source-missing"}
    left = state(TWO, skip(TWO, 2))
    assert (left.incomplete, left.questions(), left.taken.shots) == (False, {}, (2,))


def test_it_is_asked_again_when_it_is_taken_back():
    back = msgspec.structs.replace(skip(TWO, 2), answer="retry")
    assert state(TWO, skip(TWO, 2), back).questions() == {2: "source-missing"}


@pytest.mark.parametrize(
    "other",
    [
        made(clip(0, 24), clip(24, 24, B), b=gone(version="a file that cannot be read")),
        made(clip(0, 24), clip(24, 23, B)),
        made(clip(0, 24), clip(24, 24, B, Fraction(1, 2))),
        made(clip(0, 24), clip(24, 24, B, name="other take")),
    ],
    ids=["the file appears", "trimmed", "slipped", "another clip"],
)
def test_it_is_asked_again_when_the_media_or_the_cut_of_the_shot_changes(other: Plan):
    assert state(other, skip(TWO, 2)).questions() == {2: "source-missing"}


def test_a_file_that_was_only_renamed_or_given_other_permissions_is_not_asked_about_again():
    was, now, other = (
        made(clip(0, 24), clip(24, 24, B), b=gone(version=version))
        for version in ("size date+1", "size date+2", "other date+1")
    )
    assert state(now, skip(was, 2)).questions() == {}
    assert state(other, skip(was, 2)).questions() == {2: "source-missing"}


def test_another_version_of_a_file_that_cannot_be_read_is_asked_about_and_the_same_is_not():
    one, other = (
        made(clip(0, 24), clip(24, 24, B), b=gone(version=version)) for version in ("1", "2")
    )
    assert state(one, skip(one, 2)).questions() == {}
    assert state(other, skip(one, 2)).questions() == {2: "source-missing"}


def test_it_holds_in_another_cut_that_has_the_shot_at_another_place():
    later = made(clip(0, 48), clip(48, 24, B), clip(72, 24))
    assert state(later, skip(TWO, 2)).taken.shots == (2,)
    moved = made(clip(0, 24, B), clip(24, 24))
    assert state(moved, skip(TWO, 2)).taken.shots == (1,)


def test_of_two_equal_shots_one_can_be_left_and_the_other_asked_about():
    twice = made(clip(0, 24, B), clip(24, 24), clip(48, 24, B))
    left = state(twice, skip(twice, 3))
    assert (left.taken.shots, left.questions(), left.incomplete) == (
        (3,),
        {1: "source-missing"},
        True,
    )


def test_who_leaves_a_shot_leaves_its_own_sound_and_no_other():
    heard = [clip(24, 24, B, id="own"), clip(48, 24, B, id="elsewhere")]
    both = made(clip(0, 24), clip(24, 24, B), audio=(heard,))
    terms = Terms(both)
    assert terms.heard_with[2] == ("own",) and terms.heard_with[1] == ()
    left = state(both, skip(both, 2))
    assert (left.taken.clips, left.incomplete) == (("own",), True)
    assert not state(both, skip(both, 2, clips=("elsewhere",))).incomplete


def test_what_the_film_cannot_carry_is_left_by_its_terms():
    loss = Remark(code="transition-cut", severity="loss", text="dissolve at 24")
    carried = msgspec.structs.replace(made(clip(0, 24), clip(24, 24)), remarks=(loss,))
    assert state(carried).incomplete
    left = Answered(answer="skip", code=loss.code, terms=tuple(Terms(carried).remarks.values()))
    assert (state(carried, left).incomplete, state(carried, left).taken.remarks) == (
        False,
        ("transition-cut",),
    )
    more = msgspec.structs.replace(
        carried, remarks=(loss, msgspec.structs.replace(loss, text="dissolve at 90"))
    )
    assert state(more, left).incomplete, "a new one is another matter"


def test_a_preference_counts_as_a_decision():
    begun = state(TWO)
    begun.decisions.preferences = {"source-missing": "skip"}
    assert (begun.incomplete, begun.taken.shots) == (False, (2,))


# What happened to it happens again ------------------------------------------------------------------------------------

WHOLE = made(clip(0, 24), clip(24, 24, B), b=source(B, picture(), voice()))
BAD = offline(B, "source-damaged")


def mend(of: Plan, shot: int) -> ShotMended:
    key = next(segment.key for segment in of.segments if segment.shot == shot)
    return ShotMended(shot=shot, key=key, bad=((4, 2),), failure=BAD)


def test_a_shot_that_is_left_with_a_part_missing_has_the_same_pieces_in_the_next_run():
    before = state(WHOLE, mend(WHOLE, 2))
    terms = {Terms(WHOLE).shots[2]}
    again = state(WHOLE, *happened_again([mend(WHOLE, 2)], WHOLE, WHOLE, terms))
    assert again.cut == before.cut != state(WHOLE).cut, (
        "so the film that stands is the one that is wanted"
    )


def test_only_what_was_left_happens_again():
    facts = [ShotSlated(shot=1, failure=BAD), mend(WHOLE, 2), SoundSilenced(clip="x", failure=BAD)]
    assert happened_again(facts, WHOLE, WHOLE, {Terms(WHOLE).shots[1]}) == [facts[0]]


def test_in_another_cut_it_happens_to_the_shot_that_has_its_terms():
    later = made(clip(0, 24, B), clip(24, 24), b=source(B, picture(), voice()))
    said = happened_again([ShotSlated(shot=2, failure=BAD)], WHOLE, later, {Terms(WHOLE).shots[2]})
    assert said == [ShotSlated(shot=1, failure=BAD)]


def test_a_part_that_another_shot_shows_too_is_made_anew():
    """A mend is one of a piece: it would stand in the other shot, about which nobody has decided."""
    twice = made(clip(0, 24, B), clip(24, 24, B), b=source(B, picture()))
    assert twice.segments[0].key == twice.segments[1].key
    terms = Terms(twice)
    assert happened_again([mend(twice, 1), mend(twice, 2)], twice, twice, {terms.shots[1]}) == []
    assert (
        len(
            happened_again(
                [mend(twice, 1), mend(twice, 2)], twice, twice, set(terms.shots.values())
            )
        )
        == 2
    )


def test_silence_moves_with_its_clip():
    good = source(B, picture(), voice(samples=480000))
    before, later = (
        made(clip(0, at), clip(at, 24, B), b=good, audio=([clip(at, 24, B, id="v")],))
        for at in (24, 48)
    )
    silence = SoundSilenced(clip="v", failure=BAD, first_sample=48000 + 100, samples=50)
    (moved,) = happened_again([silence], before, later, {Terms(before).clips["v"]})
    assert moved == msgspec.structs.replace(silence, first_sample=96000 + 100)


def test_only_the_last_run_counts():
    run = RunStarted(version="1", ffmpeg="7", workers=1)
    old, new = ShotSlated(shot=1, failure=BAD), ShotSlated(shot=2, failure=BAD)
    assert list(last_run([run, old, run, new])) == [run, new]
