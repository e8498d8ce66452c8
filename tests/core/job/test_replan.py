"""A plan after what happened."""

from __future__ import annotations

from core.graph.nodes import Earlier, Plan, Slate
from core.job.events import PreviousUsed
from core.job.replan import revised
from core.plan.policy import Policy
from tests.core.job.playbook import seal
from tests.core.props import BUILD, POLICY, PRORES, clip, cut, picture, plan, source, voice

MOVIE = source("/media/a.mov", picture())


def revise(
    made: Plan,
    slated: dict[int, tuple[str, ...]],
    silenced: frozenset[str] = frozenset(),
    policy: Policy = POLICY,
) -> Plan:
    return revised(made, slated, silenced, {}, preset=PRORES, policy=policy, build=BUILD)


def test_a_slate_takes_the_place_of_a_whole_shot_and_of_no_other():
    made = plan(cut([clip(0, 100), clip(100, 100, source_in=50)]), MOVIE)
    again = revise(made, {2: ("Shot 2", "why")})
    assert [s for s in again.segments if s.shot == 1] == [s for s in made.segments if s.shot == 1]
    assert {type(s.picture) for s in again.segments if s.shot == 2} == {Slate}
    assert (again.segments[-1].record_in + again.segments[-1].frames, again.frames) == (200, 200)
    assert revise(made, {}) is made


def test_silence_takes_the_place_of_a_clips_sound_in_every_chunk():
    film = cut([clip(0, 1)], audio=([clip(0, 24 * 40, id="bad")], [clip(0, 24 * 40, id="good")]))
    made = plan(film, source("/media/a.mov", picture(), voice()), policy=Policy(chunk_s=30))
    again = revise(made, {}, frozenset({"bad"}), Policy(chunk_s=30))
    assert [[s.clip for s in chunk.sounds] for chunk in again.chunks] == [["good"], ["good"]]
    assert [c.key for c in again.chunks] != [c.key for c in made.chunks]
    assert again.segments == made.segments
    assert revise(made, {}, frozenset({"nobody"}), Policy(chunk_s=30)).chunks == made.chunks


def test_an_earlier_render_takes_the_place_of_a_shot_frame_by_frame():
    made = plan(cut([clip(0, 24), clip(24, 48, source_in=50), clip(72, 24)]), MOVIE)
    used = PreviousUsed(shot=2, seals=(seal("v-old-1"), seal("v-old-2")), job="job0")
    again = revised(
        made,
        {2: ("Shot 2", "why")},
        frozenset(),
        {2: used},
        preset=PRORES,
        policy=POLICY,
        build=BUILD,
    )
    stood_in = [(s.key, s.record_in, s.frames, s.picture) for s in again.segments if s.shot == 2]
    assert stood_in == [
        ("v-old-1", 24, 24, Earlier(job="job0")),
        ("v-old-2", 48, 24, Earlier(job="job0")),
    ]
    assert [s for s in again.segments if s.shot != 2] == [s for s in made.segments if s.shot != 2]
