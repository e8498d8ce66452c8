"""Names of submissions and the queue: with their jobs on record, or not at all."""

from __future__ import annotations

import sqlite3

import pytest

from core.job.events import JobAccepted, RunInterrupted
from core.storage.journal import Journal
from core.storage.submissions import Submissions

ASKED = JobAccepted(
    digest="r1", timeline_path="/t.otio", timeline_name="T", output="/f.mov", preset="h264"
)


@pytest.fixture
def journal(tmp_path):
    made = Journal(tmp_path / "journal.db")
    yield made
    made.close()


def accept(journal: Journal, name: str, job: str) -> None:
    Submissions(journal).accept(
        name, content="c", body="{}", job=job, fact=ASKED, timeline=b"{}", at=1.0
    )


def test_a_submission_is_known_by_its_name_after_opening_again(journal):
    accept(journal, "name", "job1")
    journal.close()
    again = Journal(journal.path)
    assert Submissions(again).known("name") == ("job1", "c")
    assert Submissions(again).known("another") is None
    assert again.request("job1") == (ASKED, b"{}")
    again.close()


def test_a_name_is_taken_once_and_then_no_job_comes_with_it(journal):
    accept(journal, "name", "job1")
    with pytest.raises(sqlite3.IntegrityError):
        accept(journal, "name", "job2")
    assert [job for job, _ in journal.jobs()] == ["job1"] and Submissions(journal).queue() == [
        ("job1", "run")
    ]


def test_the_queue_keeps_its_order_whatever_is_wished(journal):
    submissions = Submissions(journal)
    for number in (1, 2, 3):
        accept(journal, f"name{number}", f"job{number}")
    submissions.wish("job1", "held")
    submissions.wish("job2", "over")
    submissions.wish("job1", "run")
    assert submissions.queue() == [("job1", "run"), ("job3", "run")]


def test_another_name_for_an_open_job_wishes_it_again(journal):
    accept(journal, "one", "job1")
    submissions = Submissions(journal)
    submissions.wish("job1", "held")
    submissions.join("two", content="d", body="{}", job="job1")
    assert submissions.known("two") == ("job1", "d") and submissions.queue() == [("job1", "run")]


def test_what_happened_since(journal):
    submissions = Submissions(journal)
    assert submissions.last() == 0 and submissions.since(0) == []
    accept(journal, "one", "job1")
    accept(journal, "two", "job2")
    for number in range(5):
        journal.append(f"job{number % 2 + 1}", [RunInterrupted(reason=str(number))], 2.0)
    assert [entry.seq for entry in submissions.since(0)] == [
        1,
        2,
        3,
        4,
        5,
        6,
        7,
    ] and submissions.last() == 7
    assert [entry.seq for entry in submissions.since(3, job="job1")] == [5, 7] and submissions.last(
        "job2"
    ) == 6
    assert [entry.seq for entry in submissions.since(2, most=2)] == [3, 4]
    assert submissions.since(7) == []


def test_the_highest_priority_comes_first_and_then_the_oldest_after_opening_again(journal):
    submissions = Submissions(journal)
    for number in range(1, 6):
        accept(journal, f"name{number}", f"job{number}")
    for job, priority in (("job4", 10), ("job5", 10), ("job1", -3), ("stranger", 50)):
        submissions.prioritise(job, priority)
    submissions.wish("job4", "held")
    submissions.wish("job4", "run")
    journal.close()
    again = Submissions(Journal(journal.path))
    assert [(line.job, line.priority) for line in again.lines()] == [
        ("job4", 10),
        ("job5", 10),
        ("job2", 0),
        ("job3", 0),
        ("job1", -3),
    ]
    assert (again.priority("job4"), again.priority("stranger")) == (10, 0)


def test_all_rest_until_it_is_said_otherwise(journal):
    submissions = Submissions(journal)
    assert not submissions.paused
    for paused in (True, True, False, True):
        submissions.pause(paused=paused)
        assert submissions.paused is paused
    journal.close()
    assert Submissions(Journal(journal.path)).paused
