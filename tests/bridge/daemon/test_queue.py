"""Whose turn it is, and what becomes of a job whose process has ended."""

from __future__ import annotations

import pytest

from bridge.daemon import queue
from bridge.daemon.queue import MOST_DEATHS, JobQueue
from core.job.events import JobAccepted, JobFinished, RunInterrupted
from core.storage import locks
from core.storage.journal import Journal
from core.storage.submissions import Submissions
from core.system import machine

ASKED = JobAccepted(
    digest="r1", timeline_path="/t.otio", timeline_name="T", output="/f.mov", preset="h264"
)


class Desk:
    """A journal with two jobs in the queue, and a clock that a test moves."""

    def __init__(self, path, monkeypatch):
        self.now, self.home = 100.0, path.parent
        monkeypatch.setattr(machine, "monotonic", lambda: self.now)
        self.journal = Journal(path)
        self.submissions = Submissions(self.journal)
        for number in (1, 2):
            self.submissions.accept(
                f"n{number}",
                content="",
                body="",
                job=f"job{number}",
                fact=ASKED,
                timeline=b"",
                at=1.0,
            )
        self.turns = JobQueue(self.journal, self.submissions, self.home)

    def after(self, code, summary=None, *, asked=False):
        return self.turns.after("job1", code, summary or {}, asked=asked)

    def next(self):
        return next((job.job for job in self.turns.waiting()), None)

    def record(self, *facts):
        self.journal.append("job1", facts, 2.0)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    made = Desk(tmp_path / "journal.db", monkeypatch)
    yield made
    made.journal.close()


def test_a_film_that_another_terminal_makes_is_left_to_it_until_it_is_free(desk):
    with locks.film(desk.home, "/f.mov"):
        assert desk.next() is None and list(desk.turns.taken_up()) == []
    desk.now += queue.LOOK_EVERY_S
    assert desk.next() == "job1" and [left.job for left in desk.turns.taken_up()] == [
        "job1",
        "job2",
    ]


def test_the_first_in_the_queue_is_next(desk):
    assert desk.next() == "job1"


@pytest.mark.parametrize("outcome", ["complete", "incomplete", "unchanged", "superseded"])
def test_what_has_ended_is_over_whatever_its_process_said(desk, outcome):
    desk.record(JobFinished(outcome=outcome))
    assert desk.after(-9)[:2] == ("over", outcome)
    assert desk.next() == "job2", "it is not begun again before that is on record"
    desk.submissions.wish("job1", "over")
    desk.turns.settled("job1", well=True)
    assert desk.next() == "job2"


def test_what_cannot_be_put_on_record_is_left_alone_for_a_while(desk):
    desk.record(JobFinished(outcome="failed"))
    desk.after(3)
    desk.turns.settled("job1", well=False)
    assert desk.next() == "job2"
    desk.now += queue.LEFT_ALONE_S
    desk.turns.look()
    assert desk.next() == "job1"


def test_what_failed_waits_for_a_person(desk):
    desk.record(JobFinished(outcome="failed", code="encoder-missing"))
    assert desk.after(3)[:2] == ("held", "failed")


def test_a_refused_job_is_held_with_its_cause(desk):
    end = desk.after(2, {"code": "output-folder-missing", "message": "There is no folder /x."})
    assert (end.wish, end.code, end.detail) == (
        "held",
        "output-folder-missing",
        "There is no folder /x.",
    )


def test_a_film_held_by_another_process_is_waited_for_and_others_go_first(desk):
    assert desk.after(2, {"code": "job-running", "holder": "/theirs"}).wish is None
    assert desk.turns.awaited == {"job1": "/theirs"} and desk.turns.films_awaited() == {
        "job1": "/f.mov"
    }
    desk.now += queue.MOST_WAIT_S
    assert desk.next() == "job2"
    assert desk.turns.held_by("job1", "/another") and not desk.turns.held_by("job1", "/another")
    assert desk.next() == "job2" and desk.turns.awaited == {"job1": "/another"}
    assert desk.turns.held_by("job1", None) and desk.next() == "job1"


def test_a_job_that_is_wanted_no_more_waits_for_no_film(desk):
    desk.after(2, {"code": "job-running", "holder": "/theirs"})
    desk.submissions.wish("job1", "held")
    desk.turns.look()
    assert desk.next() == "job2" and desk.turns.awaited == {}
    assert not desk.turns.held_by("job1", "/theirs")


def test_when_we_leave_or_it_was_cancelled_nothing_is_decided(desk):
    assert desk.after(130, {"outcome": "interrupted"}, asked=True).wish is None
    desk.submissions.wish("job1", "held")
    assert desk.after(130, {"outcome": "interrupted"}).wish is None


def test_a_killed_process_is_begun_again_at_once_and_given_up_when_that_never_helps(desk):
    assert desk.after(-9).wish is None and desk.next() == "job1"
    for death in range(2, MOST_DEATHS):
        assert desk.after(-9).wish is None
        desk.turns.look()
        assert desk.next() == "job2", f"death {death}"
        desk.now += queue.MOST_WAIT_S
    end = desk.after(-9)
    assert (end.wish, end.code) == ("held", "program-error")


def test_a_job_that_comes_on_is_never_given_up(desk):
    for number in range(3 * MOST_DEATHS):
        desk.record(RunInterrupted(reason=str(number)))
        assert desk.after(-9).wish is None


def test_at_the_start_it_is_said_what_was_left(desk):
    assert [(left.job, left.briefly) for left in desk.turns.taken_up()] == [
        ("job1", "not begun yet"),
        ("job2", "not begun yet"),
    ]
