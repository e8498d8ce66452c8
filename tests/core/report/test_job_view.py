"""What became of every shot, told from the facts."""

from __future__ import annotations

import pytest

from core.errors.failure import ErrorType
from core.job.events import (
    Answered,
    GateClosed,
    GateOpened,
    JobFinished,
    PreviousUsed,
    ProblemFound,
    Rewound,
    RunInterrupted,
    SealBroken,
    ShotDegraded,
    ShotMended,
    ShotSlated,
    SoundSilenced,
    SourceMoved,
)
from tests.core.report.telling import (
    ACCEPTED,
    DONE,
    JOINED,
    PLAN,
    PUBLISHED,
    RUN,
    chronicle_of,
    failed,
    failure,
    key,
    planned,
    sealed,
    story,
)

BEGIN = (ACCEPTED, (0, RUN), planned())
DAMAGED = failure(
    "source-damaged", ErrorType.PERMANENT_FILE_CORRUPTION, frames_wanted=24, frames_seen=7
)


def states(*told: object, made: object = PLAN) -> list[str]:
    return [shot.state for shot in chronicle_of(*told, made=made).shots]


def test_a_film_without_trouble():
    told = chronicle_of(
        *BEGIN, (2, sealed(1)), (3, sealed(2)), (4, sealed(3)), JOINED, PUBLISHED, (9, DONE)
    )
    assert [shot.state for shot in told.shots] == ["verified"] * 3
    assert (told.outcome, told.good, told.published) == ("complete", 3, PUBLISHED)
    assert [(shot.name, shot.gap, told.timecode(shot.record_in)) for shot in told.shots] == [
        ("A001", False, "01:00:00:00"),
        ("B002", False, "01:00:01:00"),
        ("", True, "01:00:01:20"),
    ]
    assert told.shots[1].source_frame == 240 and told.shots[1].attempts == 1
    took = told.figures
    assert (took.worked_s, took.frames, took.frames_made, took.frames_reused, took.retries) == (
        9.0,
        50,
        50,
        0,
        0,
    )
    assert took.overhead == 0.1


def test_what_an_open_job_and_a_failed_one_have_not_made():
    assert states(*BEGIN, sealed(1)) == ["verified", "waiting", "waiting"]
    assert states(*BEGIN, sealed(1), RunInterrupted(reason="SIGINT")) == [
        "verified",
        "waiting",
        "waiting",
    ]
    assert states(*BEGIN, sealed(1), JobFinished(outcome="failed", code="scratch-full")) == [
        "verified",
        "missing",
        "missing",
    ]


def test_checkpoints_of_an_earlier_run_are_reused_and_spare_time():
    told = chronicle_of(
        *BEGIN, sealed(1), (5, RUN), planned(), sealed(1, seconds=3.0, reused=True), (8, sealed(2))
    )
    assert [shot.state for shot in told.shots] == ["reused", "verified", "waiting"]
    took = told.figures
    assert (took.frames_made, took.frames_reused, took.saved_s) == (44, 24, 3.0)


def test_a_checkpoint_that_is_not_believed_is_owed_again():
    assert (
        states(*BEGIN, sealed(1), SealBroken(key=key(1), reason="its bytes have changed"))[0]
        == "waiting"
    )
    assert states(*BEGIN, sealed(1), Rewound(checkpoint=1, keys=(key(1),)))[0] == "waiting"


def test_the_very_film_there_already():
    assert states(*BEGIN, JobFinished(outcome="unchanged")) == ["reused"] * 3


def test_a_problem_known_before_rendering_is_a_slate_until_the_next_run_finds_it_healed():
    lost = ProblemFound(code="source-missing", path="/media/a.mov", shots=(2,), clips=("c9",))
    told = chronicle_of(ACCEPTED, RUN, lost, planned(), sealed(1), sealed(2), sealed(3))
    assert [shot.state for shot in told.shots] == ["verified", "slate", "verified"]
    assert told.shots[1].troubles[0].code == "source-missing" and told.good == 2
    assert [(clip, trouble.code) for clip, trouble in told.silenced] == [("c9", "source-missing")]
    healed = chronicle_of(
        ACCEPTED, RUN, lost, planned(), (5, RUN), planned(), sealed(1), sealed(2), sealed(3)
    )
    assert healed.good == 3 and healed.shots[1].troubles == () and healed.silenced == ()


def test_a_shot_that_was_given_up():
    told = chronicle_of(
        *BEGIN,
        (2, failed(1, DAMAGED, again=False)),
        ShotSlated(shot=1, failure=DAMAGED),
        sealed(2),
        sealed(3),
    )
    shot = told.shots[0]
    assert (shot.state, shot.attempts) == ("slate", 1)
    (trouble,) = shot.troubles
    assert (trouble.frame, trouble.source_frame, told.timecode(trouble.frame)) == (
        7,
        7,
        "01:00:00:07",
    )
    assert (told.figures.failures, told.figures.retries) == (1, 0)


def test_attempts_and_retries_are_counted():
    told = chronicle_of(*BEGIN, (1, failed(1)), (2, failed(1, attempt=2)), (4, sealed(1)))
    assert (told.shots[0].state, told.shots[0].attempts, told.figures.retries) == ("verified", 3, 2)
    assert told.figures.recovering_s == 3.0


def test_a_mended_shot_with_its_last_good_picture():
    mended = ShotMended(
        shot=2,
        key=key(2),
        bad=((5, 3),),
        failure=DAMAGED,
        source_frame=245,
        last_good="pictures/x.jpg",
    )
    told = chronicle_of(*BEGIN, mended)
    shot = told.shots[1]
    assert shot.state == "mended" and shot.notes == (mended,)
    assert (shot.troubles[0].frame, shot.troubles[0].source_frame, shot.troubles[0].last_good) == (
        29,
        245,
        "pictures/x.jpg",
    )


def test_an_earlier_render_and_another_way_of_making():
    previous = PreviousUsed(shot=1, seals=(sealed(1),), job="older1")
    degraded = ShotDegraded(shot=2, change="software decoding", failure=failure())
    told = chronicle_of(*BEGIN, previous, degraded, sealed(2))
    assert [shot.state for shot in told.shots] == ["previous", "verified", "waiting"]
    assert told.shots[0].notes == (previous,) and told.shots[1].notes == (degraded,)


def test_gates_answers_and_silence():
    closed = GateClosed(gate="source:/Volumes/A", path="/Volumes/A", failure=failure())
    opened = GateOpened(gate="source:/Volumes/A", closed_s=3.0)
    answer = Answered(answer="skip", shot=1)
    moved = SourceMoved(path="/a", to="/b", how="content")
    silence = SoundSilenced(clip="c1", failure=failure())
    told = chronicle_of(*BEGIN, (1, closed), (4, opened), (5, closed), answer, moved, silence)
    assert [(at - 1000, shut.gate, open_) for at, shut, open_ in told.gates] == [
        (1, closed.gate, opened),
        (5, closed.gate, None),
    ]
    assert told.answers == (answer, moved) and told.shots[0].notes == (answer,)
    assert [clip for clip, _ in told.silenced] == ["c1"]


def test_without_the_plan_the_states_are_still_told():
    told = (
        *BEGIN,
        sealed(1),
        failed(2, DAMAGED, again=False),
        ShotSlated(shot=2, failure=DAMAGED),
        sealed(3),
        DONE,
    )
    assert states(*told, made=None) == ["verified", "slate", "verified"]
    assert chronicle_of(*told, made=None).figures.frames_made == 30


def test_a_job_that_never_came_to_a_plan():
    told = chronicle_of(ACCEPTED, made=None)
    assert (told.outcome, told.shots, told.timecode(3), told.figures.frames) == (
        "accepted",
        (),
        "",
        0,
    )


def test_equal_pieces_are_one_checkpoint_for_all_their_shots():
    from tests.core.props import clip, cut, plan
    from tests.core.report.telling import MEDIA

    twice = plan(cut([clip(0, 24, id="a"), clip(24, 24, id="b")]), MEDIA)
    told = chronicle_of(ACCEPTED, RUN, planned(twice), sealed(1, made=twice), made=twice)
    assert [shot.state for shot in told.shots] == [
        "verified",
        "verified",
    ] and told.figures.frames_made == 48


def test_facts_that_begin_elsewhere_are_refused():
    from core.report.job_view import chronicle

    with pytest.raises(ValueError, match="what was asked for"):
        chronicle("x", story(RUN), None)


def test_a_shot_made_in_smaller_pieces_is_whole_when_its_pieces_are():
    import msgspec

    one, two = (
        msgspec.structs.replace(sealed(1), key=name, frames=12) for name in ("v-one", "v-two")
    )
    assert states(*BEGIN, failed(1), one)[0] == "waiting"
    assert states(*BEGIN, failed(1), one, two)[0] == "verified"


def test_a_shot_that_shall_be_tried_again_is_no_slate_any_more():
    given_up = (failed(1, DAMAGED, again=False), ShotSlated(shot=1, failure=DAMAGED))
    for answer in (
        Answered(answer="retry", shot=1),
        Answered(answer="retry", code="source-damaged"),
        Answered(answer="retry"),
    ):
        assert states(*BEGIN, *given_up, answer)[0] == "waiting"
        assert states(*BEGIN, *given_up, answer, sealed(1))[0] == "verified"
    for answer in (
        Answered(answer="retry", shot=2),
        Answered(answer="retry", code="other"),
        Answered(answer="skip", shot=1),
    ):
        assert states(*BEGIN, *given_up, answer)[0] == "slate"


def test_an_earlier_render_that_is_not_believed_is_a_slate_again():
    previous = PreviousUsed(shot=1, seals=(sealed(1),), job="older1")
    assert (
        states(*BEGIN, previous, SealBroken(key=key(1), reason="its bytes have changed"))[0]
        == "slate"
    )
