"""The clerk's errands, in this process: what is on record afterwards, and what is refused without a trace."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest

from bridge.daemon.commands import Commands
from bridge.daemon.helper_requests import LENGTHS, Settle, packed
from bridge.protocol.requests import Answer, Cancel, List, Resume, Submit
from bridge.protocol.responses import Accepted, Done, Refusal
from bridge.protocol.wire import digest
from bridge.services.locations import Locations
from bridge.settings.settings import Settings
from core.job.events import FilmPlanned, JobFinished, RunInterrupted, RunStarted
from core.storage import locks
from core.storage.journal_faults import JournalLost
from tests.film.timelines import timeline


class Desk:
    """A clerk, and a timeline of two seconds whose media is not there."""

    def __init__(self, place):
        self.place = place
        line = timeline(Fraction(24))
        line.video().clip(place / "away.mov", 0, 48, media_frames=72)
        line.save(place / "cut.otio")
        self.data = (place / "cut.otio").read_bytes()
        self.where = Locations(place / "home", Settings(language="en"))
        self.journal = self.where.journal()
        self.clerk = Commands(self.where, self.journal)

    def ask(self, errand, timeline=b""):
        return self.clerk.answer(errand, timeline)

    def submit(self, name="name-0001", film="film.mov", **changes):
        asked = Submit(
            request="r", submission=name, output=str(self.place / film), sha256=digest(self.data)
        )
        return self.ask(msgspec.structs.replace(asked, **changes), self.data)

    def jobs(self):
        return [job for job, _ in self.journal.jobs()]

    def lines(self):
        return [(line.job, line.state) for line in self.ask(List(request="l")).jobs]

    def end(self, job, outcome="complete", code=""):
        self.journal.append(job, [JobFinished(outcome=outcome, code=code)], 2.0)


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.journal.close()


def test_a_submission_is_on_record_when_it_is_answered(desk):
    said = desk.submit()
    assert isinstance(said, Accepted) and not said.again and desk.jobs() == [said.job]
    accepted, raw = desk.journal.request(said.job)
    assert (accepted.output, accepted.preset, raw) == (
        str(desk.place / "film.mov"),
        "prores-hq",
        desk.data,
    )
    assert desk.lines() == [(said.job, "waiting")]


def test_the_same_name_is_the_same_job_whatever_it_is_asked_as(desk):
    first = desk.submit()
    again = desk.submit(request="other")
    assert (again.job, again.again, again.re) == (first.job, True, "other") and len(
        desk.jobs()
    ) == 1
    differs = desk.submit(preset="ffv1")
    assert isinstance(differs, Refusal) and differs.code == "submission-differs"


def test_the_same_wish_under_another_name_is_the_same_job_while_that_is_open(desk):
    first = desk.submit()
    assert desk.submit("name-0002").job == first.job
    desk.end(first.job)
    assert desk.submit("name-0003").job != first.job and desk.submit("name-0002").job == first.job


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"preset": "nosuch"}, "preset-unknown"), ({"output": "film.mov"}, "message-unclear"), ({"film": "no/film.mov"}, "output-folder-missing"),
        ({"film": "film.txt"}, "output-wrong-extension"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_refused_in_words_and_leaves_no_trace(desk, changes, code):
    said = desk.submit(**changes)
    assert isinstance(said, Refusal) and said.code.startswith(code) and said.title and said.action
    assert desk.jobs() == [] and desk.clerk.submissions.queue() == []


@pytest.mark.parametrize(
    ("film", "code"),
    [
        (".hotsplice/a.mov", "output-in-our-folder"), ("home/scratch/store/a.mov", "output-in-our-folder"),
        ("a\n.mov", "output-name-unusable"), ("a\0.mov", "output-name-unusable"), ("\x1b[2J.mov", "output-name-unusable"),
        ("a" * 300 + ".mov", "output-name-too-long"), ("d/" * 5000 + "a.mov", "output-name-too-long"),
    ],
)  # fmt: skip
def test_the_wire_names_no_film_that_a_command_line_could_not(desk, film, code):
    said = desk.submit(film=film)
    assert isinstance(said, Refusal) and said.code == code and not desk.jobs()


def test_a_film_in_a_linked_folder_is_the_same_job(desk):
    (desk.place / "way").symlink_to(desk.place)
    assert desk.submit(film="way/film.mov").job == desk.submit("name-0002").job


def test_a_record_that_is_lost_is_no_acknowledgement(desk, monkeypatch):
    def lost(*_, **__):
        raise JournalLost("gone")

    monkeypatch.setattr(desk.journal, "accept", lost)
    assert desk.submit().code == "journal-replaced"
    monkeypatch.undo()
    assert isinstance(desk.submit(), Accepted)


def test_cancelled_and_resumed(desk):
    job = desk.submit().job
    assert isinstance(desk.ask(Cancel(request="c", job=job)), Done) and desk.lines() == [
        (job, "held")
    ]
    assert desk.journal.last(job, "RunInterrupted").fact == RunInterrupted(reason="cancelled")
    desk.ask(Cancel(request="c", job=job))
    assert sum(isinstance(entry.fact, RunInterrupted) for entry in desk.journal.facts(job)) == 1, (
        "twice is once"
    )
    assert isinstance(desk.ask(Resume(request="r", job=job)), Done) and desk.lines() == [
        (job, "waiting")
    ]


def test_what_has_ended_is_neither_cancelled_nor_resumed(desk):
    job = desk.submit().job
    desk.end(job)
    desk.ask(Settle(request="s", job=job, wish="over"))
    assert [desk.ask(kind(request="x", job=job)).code for kind in (Cancel, Resume)] == [
        "job-finished"
    ] * 2
    assert desk.lines() == [(job, "complete")]


def test_a_failed_job_is_taken_up_when_someone_wishes(desk):
    job = desk.submit().job
    desk.ask(Settle(request="s", job=job, wish="held", code="output-folder-missing", detail="gone"))
    assert (
        desk.lines() == [(job, "failed")]
        and desk.journal.last(job, "JobFinished").fact.code == "output-folder-missing"
    )
    desk.ask(Resume(request="r", job=job))
    assert desk.lines() == [(job, "waiting")]


@pytest.mark.parametrize("again", ["submit", "resume", "answer"])
def test_what_is_asked_between_the_end_of_a_run_and_its_settling_stays(desk, again):
    """Who hears of the end may ask at once, sooner than the companion notes what became of the job."""
    job = desk.submit().job
    planned = FilmPlanned(
        cut="c",
        shots=1,
        segments=1,
        chunks=0,
        frames=48,
        samples=0,
        reused=0,
        reused_frames=0,
        rate="24",
        start_frame=0,
    )
    run = RunStarted(version="1", ffmpeg="7", workers=1)
    desk.journal.append(job, [run, planned], 2.0)
    desk.end(job, "failed", "output-gone")
    assert desk.lines() == [(job, "failed")], "it is not settled yet, and nobody asked for it again"
    said = {
        "submit": lambda: desk.submit("name-0002"),
        "resume": lambda: desk.ask(Resume(request="r", job=job)),
        "answer": lambda: desk.ask(Answer(request="a", job=job, about="1", answer="retry")),
    }[again]()
    assert said.job == job and desk.lines() == [(job, "waiting")]
    desk.ask(Settle(request="s", job=job, wish="held"))
    assert desk.clerk.submissions.queue() == [(job, "run")]
    desk.journal.append(job, [run], 2.0)
    desk.end(job, "failed", "output-gone")
    desk.ask(Settle(request="s", job=job, wish="held"))
    assert desk.clerk.submissions.queue() == [(job, "held")], "the run that followed has ended too"


def test_a_job_that_ended_well_is_over_whoever_asked_meanwhile(desk):
    job = desk.submit().job
    desk.end(job)
    desk.clerk.submissions.join("name-0002", content="c", body="{}", job=job)
    desk.ask(Settle(request="s", job=job, wish="over"))
    assert desk.clerk.submissions.queue() == []


def test_what_another_terminal_makes_is_not_taken_up_and_an_answer_is_left_to_it(desk):
    job = desk.submit().job
    run = RunStarted(version="1", ffmpeg="7", workers=1)
    desk.journal.append(job, [run, JobFinished(outcome="failed"), run], 2.0)
    desk.ask(Settle(request="s", job=job, wish="over"))
    film = str(desk.place / "film.mov")
    with locks.film(desk.where.home, film):
        assert desk.lines() == [(job, "elsewhere")]
        no = desk.ask(Resume(request="r", job=job))
        assert (no.code, film in no.message) == ("job-running", True)
        assert desk.ask(Answer(request="a", job=job, about="all", answer="skip")).job == job
        assert desk.clerk.submissions.queue() == []
    assert desk.lines() == [(job, "interrupted")], "it was taken up again since it failed"
    assert desk.ask(Resume(request="r", job=job)).job == job and desk.clerk.submissions.queue() == [
        (job, "run")
    ]


def test_an_answer_to_a_film_that_is_made_continues_its_job(desk):
    job = desk.submit().job
    planned = FilmPlanned(
        cut="c",
        shots=1,
        segments=1,
        chunks=0,
        frames=48,
        samples=0,
        reused=0,
        reused_frames=0,
        rate="24",
        start_frame=0,
    )
    desk.journal.append(job, [planned], 2.0)
    desk.end(job, "incomplete")
    desk.ask(Settle(request="s", job=job, wish="over"))
    said = desk.ask(Answer(request="a", job=job, about="1", answer="retry"))
    assert isinstance(said, Done) and said.job == job
    assert desk.lines() == [(job, "waiting")]
    assert desk.clerk.submissions.ended() == [], "it has ended, and is asked for again since"
    desk.end(job, "complete")
    assert desk.clerk.submissions.ended() == [job]
    desk.ask(Settle(request="s", job=job, wish="over"))
    assert desk.lines() == [(job, "complete")]
    assert desk.ask(Answer(request="a", job=job, about="9", answer="skip")).code == "answer-unclear"


def test_an_errand_is_packed_with_its_lengths():
    data = packed(Cancel(request="c", job="abc"), b"xyz")
    head, timeline = LENGTHS.unpack(data[: LENGTHS.size])
    assert timeline == 3 and data[LENGTHS.size + head :] == b"xyz"
    assert msgspec.json.decode(data[LENGTHS.size : LENGTHS.size + head])["is"] == "Cancel"
