"""What a person should know of a job: every cause once at each place, with what can be done and answered."""

from __future__ import annotations

import msgspec

from core.errors.failure import ErrorType
from core.graph.nodes import Plan, Problem
from core.job.events import (
    Answered,
    GateClosed,
    GateOpened,
    JobFinished,
    PreviousUsed,
    ProblemFound,
    RunInterrupted,
    ShotDegraded,
    ShotMended,
    ShotSlated,
    SoundSilenced,
)
from core.report.findings import findings
from core.timeline.timeline import Remark
from tests.core.props import PRORES, clip, cut, offline, picture, plan, source, voice
from tests.core.report.telling import (
    ACCEPTED,
    DONE,
    PLAN,
    PUBLISHED,
    RUN,
    chronicle_of,
    failed,
    failure,
    key,
    planned,
    sealed,
)

BEGIN = (ACCEPTED, (0, RUN), planned())
DAMAGED = failure("source-damaged", ErrorType.PERMANENT_FILE_CORRUPTION)
SHORT = JobFinished(outcome="incomplete", seconds=9.0)


def found(*told: object, made: Plan | None = PLAN, **options: object):
    return findings(chronicle_of(*told, made=made), made, **options)


def places(*told: object, **options: object):
    return [
        (one.code, one.severity, one.shots, one.first, one.frames)
        for one in found(*told, **options)
    ]


def missing(
    *shots: int, path: str = "/media/a.mov", code: str = "source-missing", **more: object
) -> ProblemFound:
    return ProblemFound(code=code, path=path, shots=shots, **more)


def test_a_film_without_trouble_and_a_job_without_a_plan_have_none():
    assert found(*BEGIN, sealed(1), sealed(2), sealed(3), PUBLISHED, DONE) == ()
    assert found(ACCEPTED, made=None) == ()


def test_a_file_that_is_missing_at_two_places_is_one_finding_with_both():
    line = [
        clip(0, 10),
        clip(10, 10, source_in=5),
        clip(20, 10, "/media/b.mov"),
        clip(30, 10, source_in=9),
    ]
    made = plan(
        cut(line),
        {
            "/media/a.mov": offline("/media/a.mov"),
            "/media/b.mov": source("/media/b.mov", picture()),
        },
    )
    told = (ACCEPTED, RUN, planned(made), missing(1, 2, 4), SHORT)
    assert places(*told, made=made) == [("source-missing", "error", (1, 2, 4), 0, 20)]
    first = found(*told, made=made)[0]
    assert (first.path, first.answers, first.actions[0].safe) == (
        "/media/a.mov",
        ("retry", "relink", "skip"),
        True,
    )
    assert first.others == ((30, 10),)
    assert "/media/a.mov" in first.message and "(2 times)" in first.message and first.did


def test_a_slate_says_what_it_stands_for_though_the_same_was_tried_before():
    told = (
        *BEGIN,
        failed(1, DAMAGED),
        failed(1, DAMAGED, attempt=2, again=False),
        ShotSlated(shot=1, failure=DAMAGED),
        SHORT,
    )
    assert places(*told) == [("source-damaged", "error", (1,), 0, 24)]


def test_what_a_second_run_found_supersedes_the_first():
    first = (*BEGIN, missing(1), ShotSlated(shot=2, failure=DAMAGED), SHORT)
    assert len(places(*first)) == 2
    assert places(*first, (20, RUN), planned(), sealed(1), sealed(2)) == []
    again = (*first, (20, RUN), planned(), ShotSlated(shot=2, failure=DAMAGED))
    assert places(*again) == [("source-damaged", "error", (2,), 24, 20)], (
        "though a failure of the first run has the same code"
    )


def test_of_a_mended_shot_the_frames_that_are_missing():
    mend = ShotMended(shot=2, key=key(2), bad=((3, 2), (10, 1)), failure=DAMAGED, source_frame=243)
    told = (*BEGIN, mend, SHORT)
    assert places(*told) == [("shot-mended", "error", (2,), 27, 2)]
    (one,) = found(*told)
    assert (
        "shot 2, frames 4 to 5 of 20, from source frame 243" in one.message
        and "01:00:01:03 of the film" in one.message
    )
    assert one.others == ((34, 1),) and one.path == "/media/a.mov"
    assert places(*told[:-1], ShotSlated(shot=2, failure=DAMAGED)) == [
        ("source-damaged", "error", (2,), 24, 20)
    ]


def test_a_mend_of_a_part_that_is_in_no_plan_is_placed_by_its_source_frame():
    mend = ShotMended(shot=2, key="v-half", bad=((1, 2),), failure=DAMAGED, source_frame=251)
    assert places(*BEGIN, mend) == [("shot-mended", "error", (2,), 35, 2)]


def test_equal_shots_are_each_mended_at_their_own_place():
    made = plan(cut([clip(0, 24, id="a"), clip(24, 24, id="b")]), source("/media/a.mov", picture()))
    mends = [
        ShotMended(shot=n, key=key(1, made), bad=((3, 2),), failure=DAMAGED, source_frame=3)
        for n in (1, 2)
    ]
    (one,) = found(ACCEPTED, RUN, planned(made), *mends, made=made)
    assert ((one.first, one.frames), *one.others) == ((3, 2), (27, 2)) and one.shots == (1, 2)


def test_who_asks_for_another_attempt_takes_the_finding_away_until_it_fails_again():
    mend = ShotMended(shot=2, key=key(2), bad=((3, 2),), failure=DAMAGED, source_frame=243)
    asked = (*BEGIN, ShotSlated(shot=1, failure=DAMAGED), mend, Answered(answer="retry"))
    assert places(*asked) == []
    assert places(*asked, sealed(1), sealed(2)) == []
    assert places(*asked, ShotSlated(shot=1, failure=DAMAGED)) == [
        ("source-damaged", "error", (1,), 0, 24)
    ]


def test_an_earlier_render_is_a_warning_and_says_why():
    used = PreviousUsed(shot=1, seals=(sealed(1),), job="other")
    told = (*BEGIN, missing(1), used, SHORT)
    assert places(*told) == [
        ("source-missing", "warning", (1,), 0, 24),
        ("previous-render-used", "warning", (1,), 0, 24),
    ]
    assert "previous" not in found(*told, earlier={1})[0].answers


def test_answers_are_offered_where_they_can_change_something():
    told = (*BEGIN, missing(1), SHORT)
    assert found(*told)[0].answers == ("retry", "relink", "skip")
    assert found(*told, earlier={1})[0].answers == ("retry", "relink", "previous", "skip")
    assert found(*told, earlier={2})[0].answers == ("retry", "relink", "skip")
    assert found(*told[:-1])[0].answers == ("retry", "relink", "skip", "stop"), (
        "a job under work can be stopped"
    )
    assert found(*BEGIN, missing(1, path="", code="source-unnamed"), SHORT)[0].answers == (
        "retry",
        "skip",
    )
    full = failure("scratch-full", ErrorType.SYSTEM_RESOURCE_EXCEEDED, place="scratch")
    assert found(*BEGIN, ShotSlated(shot=1, failure=full), SHORT)[0].answers == ("retry", "skip")


def test_a_shot_that_was_made_otherwise_is_a_note_until_it_is_made_anew():
    how = ShotDegraded(
        shot=1,
        change="software decoding",
        failure=failure("decoder-device-gone", ErrorType.HARDWARE_FAILURE),
    )
    told = (*BEGIN, how, sealed(1), sealed(2), DONE)
    assert places(*told) == [("decoder-device-gone", "note", (1,), 0, 24)]
    assert "software decoding" in found(*told)[0].did and found(*told)[0].answers == ()
    assert places(*told, (20, RUN), planned(), sealed(1, reused=True)) == places(*told)
    assert places(*told, (20, RUN), planned(), sealed(1)) == []


# Sound ----------------------------------------------------------------------------------------------------------------


def audible(there: bool = True) -> Plan:
    """Two shots of one file; a voice under the second from another."""
    media = {"/media/a.mov": source("/media/a.mov", picture(), voice())}
    media["/media/v.wav"] = (
        source("/media/v.wav", None, voice(stream=0)) if there else offline("/media/v.wav")
    )
    film = cut(
        [clip(0, 24), clip(24, 24, source_in=3)],
        audio=([clip(24, 20, "/media/v.wav", id="v")],),
        frames=48,
    )
    return plan(film, media)


def test_a_sound_that_is_missing_is_found_where_it_would_be_heard():
    made = audible(there=False)
    (problem,) = made.problems
    assert problem == Problem(
        code="source-missing", path="/media/v.wav", shots=(), clips=("v",), heard=((24, 20),)
    )
    told = (ACCEPTED, RUN, planned(made), missing(path="/media/v.wav", clips=("v",)), SHORT)
    assert places(*told, made=made) == [("source-missing", "error", (), 24, 20)]
    assert found(*told, made=made)[0].answers == ("retry", "relink", "skip")


def test_a_sound_that_cannot_be_read_is_found_where_it_would_be_heard():
    made, bad = (
        audible(),
        failure("sound-damaged", ErrorType.PERMANENT_FILE_CORRUPTION, "/media/v.wav"),
    )
    told = (ACCEPTED, RUN, planned(made))
    assert places(*told, SoundSilenced(clip="v", failure=bad), made=made) == [
        ("sound-damaged", "error", (), 24, 20)
    ]
    whole = SoundSilenced(clip="v", failure=bad, first_sample=48000, samples=40000)
    assert places(*told, whole, made=made) == [("sound-damaged", "error", (), 24, 20)]


def test_of_a_sound_that_is_bad_in_part_the_parts():
    made, bad = (
        audible(),
        failure("sound-damaged", ErrorType.PERMANENT_FILE_CORRUPTION, "/media/v.wav"),
    )
    parts = [
        SoundSilenced(clip="v", failure=bad, first_sample=48000 + at, samples=2001)
        for at in (0, 2001, 30000)
    ]
    told = (ACCEPTED, RUN, planned(made), *parts, SHORT)
    (one,) = found(*told, made=made)
    assert (one.code, one.first, one.frames, one.others) == ("sound-mended", 24, 3, ((39, 2),))
    assert "01:00:01:00 – 01:00:01:03" in one.message


def test_a_file_whose_picture_and_sound_are_missing_together_is_one_finding():
    line = [clip(0, 24, "/media/b.mov", id="p")]
    made = plan(
        cut(line, audio=([clip(0, 24, "/media/b.mov", id="s")],)),
        {"/media/b.mov": offline("/media/b.mov")},
    )
    told = (ACCEPTED, RUN, planned(made), missing(1, path="/media/b.mov", clips=("s",)), SHORT)
    assert places(*told, made=made) == [("source-missing", "error", (1,), 0, 24)]


# The job --------------------------------------------------------------------------------------------------------------


def test_a_gate_that_is_closed_is_told_of_and_one_that_is_open_is_not():
    away = failure("source-volume-gone", ErrorType.TRANSIENT_RESOURCE, "/Volumes/A/a.mov")
    closed = GateClosed(gate="source:/Volumes/A", path="/Volumes/A/a.mov", failure=away)
    (one,) = found(*BEGIN, closed)
    assert (one.code, one.severity, one.first, one.answers) == (
        "source-volume-gone",
        "warning",
        None,
        ("stop",),
    )
    assert "/Volumes/A" in one.did
    assert found(*BEGIN, closed, GateOpened(gate="source:/Volumes/A", closed_s=2.0)) == ()
    assert found(*BEGIN, closed, RunInterrupted(reason="SIGINT")) == ()
    assert found(*BEGIN, closed, (20, RUN), planned()) == (), "a new run asks anew"


def test_a_job_that_failed_says_so_first_with_what_ended_it():
    full = failure(
        "output-full",
        ErrorType.SYSTEM_RESOURCE_EXCEEDED,
        "/films/film.mov",
        place="output",
        free_bytes=1000,
    )
    told = (
        *BEGIN,
        missing(2),
        failed(1, full, fatal=True, again=False),
        JobFinished(outcome="failed", code="output-full"),
    )
    assert [(code, severity) for code, severity, *_ in places(*told)] == [
        ("output-full", "error"),
        ("source-missing", "error"),
    ]
    refused = JobFinished(outcome="failed", code="output-folder-missing", detail="/films")
    assert [(one.code, one.answers) for one in found(ACCEPTED, refused, made=None)] == [
        ("output-folder-missing", ())
    ]


def test_what_the_film_cannot_carry_is_placed_where_it_is_and_told_once_where_it_has_no_place():
    remarks = [
        Remark(code="effect-not-rendered", severity="loss", text="Blur", record_in=24),
        Remark(code="transition-as-cut", severity="loss", text="Dissolve", record_in=30),
        *(
            Remark(code="source-relinked", severity="note", text=f"{n} is now elsewhere.")
            for n in "ab"
        ),
    ]
    made = msgspec.structs.replace(PLAN, remarks=tuple(remarks))
    assert places(*BEGIN, DONE, made=made) == [
        ("source-relinked", "note", (), None, 0), ("effect-not-rendered", "warning", (2,), 24, 20),
        ("transition-as-cut", "warning", (2,), 30, 1),
    ]  # fmt: skip
    assert "(2 times)" in found(*BEGIN, DONE, made=made)[0].message


def test_sound_beyond_full_scale_is_a_note():
    made = plan(
        cut([clip(0, 24)], audio=([clip(0, 24)],)), source("/media/a.mov", picture(), voice())
    )
    loud = msgspec.structs.replace(
        sealed(1, made=made), key=made.chunks[0].key, kind="audio", shot=0, clipped=7
    )
    (one,) = found(ACCEPTED, RUN, planned(made), loud, made=made)
    assert (one.code, one.severity) == ("sound-clipped", "note") and "7" in one.message


def test_a_source_that_ends_too_soon_is_placed_where_it_is_missing():
    made = plan(cut([clip(0, 48, source_in=99)]), source("/media/a.mov", picture()), preset=PRORES)
    problem = missing(1, code="source-too-short", detail="24 of 48 frames")
    assert places(ACCEPTED, RUN, planned(made), problem, made=made) == [
        ("source-too-short", "error", (1,), 24, 24)
    ]


def test_without_its_plan_a_job_is_told_without_places():
    mend = ShotMended(shot=2, key=key(2), bad=((3, 2),), failure=DAMAGED, source_frame=243)
    told = (*BEGIN, missing(1), mend, SoundSilenced(clip="x", failure=DAMAGED), SHORT)
    assert places(*told, made=None) == [
        ("source-missing", "error", (1,), None, 0), ("source-damaged", "error", (2,), None, 0), ("source-damaged", "error", (), None, 0),
    ]  # fmt: skip


def test_words_are_in_the_language_that_is_spoken():
    (one,) = found(*BEGIN, missing(1), SHORT, language="de")
    assert (one.title, one.message) == ("Medien offline", "/media/a.mov ist nicht vorhanden.")


def test_what_a_person_decided_to_leave_is_a_note_that_can_be_taken_back():
    left = JobFinished(outcome="complete", taken_shots=(1,))
    (one,) = found(*BEGIN, missing(1), sealed(2), sealed(3), PUBLISHED, left)
    assert (one.severity, one.decided, one.answers, one.code) == (
        "note",
        True,
        ("retry",),
        "source-missing",
    )
    assert one.title == "Slate kept by your decision" and "/media/a.mov" in one.message
    assert one.actions[0].do.endswith(" 1 retry")
    asked = found(*BEGIN, missing(1), sealed(2), sealed(3), PUBLISHED, left, RUN, missing(1), SHORT)
    assert [(one.severity, one.decided) for one in asked] == [("error", False)], (
        "the newest run counts"
    )
