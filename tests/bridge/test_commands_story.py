"""Commands beside a companion: it goes on with the job and they follow it; without one they do the same by themselves."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import psutil
import pytest

from bridge.client.client import Client
from bridge.protocol.requests import Cancel, Describe, Pause, Ping
from core.storage.journal import Journal
from core.storage.submissions import Submissions
from tests.bridge.companions import (
    PING,
    ROOT,
    Companions,
    companions,
    kind,
    listed,
    submission,
    until_end,
)
from tests.command import hotsplice
from tests.film.barcode import Mark
from tests.film.comparing import shown
from tests.film.media import Movie, make_movie
from tests.film.timelines import timeline


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Movie:
    return make_movie(
        tmp_path_factory.mktemp("reel") / "reel.mov",
        source_id=5,
        frames=72,
        codec="prores",
        audio="pcm",
    )


class Desk:
    """A companion's house, a cut whose second shot is of media that can be taken away, and the command line."""

    def __init__(self, house: Companions, reel: Movie, folder: Path) -> None:
        self.house, self.reel, self.folder = house, reel, folder
        self.there, self.film, self.cut = (
            folder / "there.mov",
            folder / "film.mp4",
            folder / "cut.otio",
        )
        self.put_back()
        self.cut_of(12)

    def cut_of(self, shots: int) -> None:
        line = timeline(Fraction(24))
        track = line.video()
        for number in range(shots):
            track.clip(
                self.there if number == 1 else self.reel.path, number * 5, 10, media_frames=72
            )
        line.save(self.cut)
        self.shots = shots

    def put_back(self) -> None:
        own = str(self.folder).encode()  # else a reel with the same content would take its place
        self.there.write_bytes(
            self.reel.path.read_bytes() + (8 + len(own)).to_bytes(4, "big") + b"free" + own
        )

    def begin(self, *words: str | Path) -> subprocess.Popen[str]:
        argv = [sys.executable, "-m", "bridge.cli.main", *map(str, words)]
        return subprocess.Popen(
            argv,
            env=self.house.environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def say(self, *words: str | Path) -> tuple[int, str]:
        done = hotsplice(*words, environment=self.house.environment)
        return done.returncode, done.stdout + done.stderr

    def submit(self, client: Client, name: str) -> str:
        return str(client.ask(*submission(self.cut, self.film, name)).job)

    def right(self) -> bool:
        return shown(self.film) == [
            Mark(5, number * 5 + frame) for number in range(self.shots) for frame in range(10)
        ]

    def runs(self, job: str) -> int:
        journal = Journal(self.house.home / "journal.db")
        try:
            return sum(type(entry.fact).__name__ == "RunStarted" for entry in journal.facts(job))
        finally:
            journal.close()


@pytest.fixture
def desk(tmp_path: Path, reel: Movie) -> Iterator[Desk]:
    with companions(tmp_path / "home") as house:
        yield Desk(house, reel, tmp_path)


def begun(client: Client, job: str) -> None:
    """Until the first checkpoint stands."""
    for said in client.watch(job):
        if said is not None and type(said).__name__ == "Happened" and kind(said) == "SegmentSealed":
            return


def test_an_answer_is_heard_by_the_companion_and_followed_to_the_films_end(desk):
    desk.cut_of(3)
    desk.there.unlink()
    desk.house.start("-j", "1")
    with desk.house.client() as client:
        job = desk.submit(client, "answer-0001")
        until_end(client, job)
        desk.put_back()
        code, said = desk.say("answer", job, "2", "retry")
        assert (
            code == 0
            and "Noted for shot 2: try again." in said
            and "Complete and verified." in said
        )
        assert desk.right()
        lines = listed(client)
    assert [(line.job, line.state) for line in lines] == [(job, "complete")], (
        "the companion went on with it"
    )
    assert desk.runs(job) == 2


@pytest.mark.long
def test_an_answer_may_be_left_to_the_companion(desk):
    desk.cut_of(3)
    desk.there.unlink()
    desk.house.start("-j", "1")
    with desk.house.client() as client:
        job = desk.submit(client, "answer-0002")
        until_end(client, job)
        desk.put_back()
        after = client.ask(Ping(request="p")).last
        code, said = desk.say("answer", job, "2", "previous", "--detach")
        assert code == 0 and "There is no earlier good render of shot 2" in said
        assert desk.say("answer", job, "2", "previous", "--detach")[0] == 0
        until_end(client, job, after=after)
        assert [line.job for line in listed(client)] == [job], "an answer goes on with its own job"
        code, said = desk.say("answer", job, "99", "retry")
        assert code == 2 and "has no shot 99" in said


def test_without_a_companion_the_command_goes_on_by_itself(desk):
    desk.cut_of(3)
    desk.there.unlink()
    code, _ = desk.say("assemble", desk.cut, "-o", desk.film)
    assert code == 1
    job = desk.house.jobs()[0]
    desk.put_back()
    code, said = desk.say("answer", job, "2", "retry")
    assert code == 0 and "Complete and verified." in said and desk.right()


def test_resume_hands_over_and_cancel_takes_back(desk):
    desk.house.start("-j", "1")
    with desk.house.client() as client:
        job = desk.submit(client, "resume-0001")
        begun(client, job)
        code, said = desk.say("cancel", job)
        assert code == 0 and f"hotsplice resume {job}" in said
        assert listed(client)[0].state == "held"
        code, said = desk.say("jobs")
        assert code == 0 and "resting" in said
        code, said = desk.say("resume", "--json")
        lines = [json.loads(line) for line in said.splitlines()]
        assert code == 0 and desk.right()
        assert (lines[0]["event"], lines[-1]["event"], lines[-1]["outcome"]) == (
            "accepted",
            "summary",
            "complete",
        )
        assert {line["event"] for line in lines} <= {
            "accepted",
            "step",
            "fact",
            "progress",
            "summary",
        }
        assert desk.say("resume", job)[0] == 2
    assert desk.house.said().count(f"{job}: ") >= 2, "it was the companion that made it"


def test_who_follows_a_job_is_told_when_it_is_cancelled(desk):
    desk.house.start("-j", "1")
    with desk.house.client() as client:
        job = desk.submit(client, "follow-0001")
        with desk.begin("watch", job) as follower:
            begun(client, job)
            client.ask(Cancel(request="c", job=job))
            out, _ = follower.communicate(timeout=60)
        assert follower.returncode == 130 and "Stopped." in out and f"hotsplice resume {job}" in out


def test_who_assembles_what_the_companion_is_at_follows_it(desk):
    desk.house.start("-j", "1")
    with desk.house.client() as client:
        job = desk.submit(client, "both-0001")
        begun(client, job)
        code, said = desk.say("assemble", desk.cut, "-o", desk.film)
        assert (
            code == 0
            and f"The companion is at this very film (job {job}) already." in said
            and "Complete and verified." in said
        )
        assert desk.right() and desk.runs(job) == 1 and desk.house.jobs() == [job]


@pytest.mark.long
def test_who_assembles_another_cut_of_it_is_told(desk, tmp_path):
    desk.house.start("-j", "1")
    with desk.house.client() as client:
        job = desk.submit(client, "both-0002")
        begun(client, job)
        desk.cut_of(2)
        code, said = desk.say("assemble", desk.cut, "-o", desk.film)
        assert code == 2 and "Already under work" in said and str(desk.film) in said
        client.ask(Cancel(request="c", job=job))


def test_without_a_companion_a_job_is_cancelled_on_record(desk):
    desk.house.start("-j", "1")
    with desk.house.client() as client:
        job = desk.submit(client, "cancel-0001")
        begun(client, job)
    desk.house.kill()
    code, said = desk.say("cancel", job)
    assert code == 0, said
    desk.house.start("-j", "1")
    with desk.house.client() as client:
        assert listed(client)[0].state == "held" and not desk.film.exists()


@contextmanager
def another_terminal(desk):
    """`assemble` in another terminal, stopped after its first checkpoint: (its job, how it ends once it goes on)."""
    with desk.begin("assemble", desk.cut, "-o", desk.film, "-j", "1", "--json") as child:
        for line in child.stdout:
            if '"kind": "SegmentSealed"' in line:
                break
        child.send_signal(
            signal.SIGSTOP
        )  # or the film may be done before the next command has begun

        def ends() -> tuple[int, str]:
            child.send_signal(signal.SIGCONT)
            out, _ = child.communicate(timeout=60)
            return child.returncode, json.loads(out.splitlines()[-1])["outcome"]

        try:
            yield json.loads(line)["job"], ends
        finally:
            child.kill()  # of no effect once it has ended


def test_a_command_at_another_terminal_is_cancelled_too(desk):
    with another_terminal(desk) as (job, ends):
        assert desk.say("cancel", job)[0] == 0
        assert ends() == (130, "interrupted")
    assert desk.say("resume", job)[0] == 0 and desk.right(), (
        "an old wish to stop is not heard again"
    )


@pytest.mark.long
def test_a_command_at_another_terminal_is_cancelled_also_where_its_film_was_handed_to_the_companion(
    desk,
):
    with another_terminal(desk) as (job, ends):
        desk.house.start("-j", "1")
        assert desk.say("submit", desk.cut, "-o", desk.film, "--detach")[0] == 0
        assert desk.say("cancel", job)[0] == 0
        assert ends() == (130, "interrupted")
    assert not desk.film.exists(), "it was said to rest"
    with desk.house.client() as client:
        assert [(line.job, line.state) for line in listed(client)] == [(job, "held")]


def test_a_companion_can_be_ended_while_the_settings_have_a_mistake(desk):
    desk.house.start("-j", "1")
    (desk.house.home / "settings.yaml").write_text("jobs: many\n")
    assert desk.say("submit", desk.cut, "-o", desk.film, "--detach")[0] == 2, (
        "else there is no mistake"
    )
    code, said = desk.say("stop")
    assert code == 0 and "The companion ends" in said
    assert desk.say("stop")[0] == 2, "it has ended"


@pytest.mark.parametrize("beside", ["a companion", "nobody"])
def test_commands_that_need_no_settings_work_while_these_have_a_mistake_and_say_so_once(
    desk, beside
):
    desk.house.start("-j", "1")
    with desk.house.client() as client:
        client.ask(Pause(request="p", paused=True))
        job = desk.submit(client, "wrong-0001")
    if beside == "nobody":
        desk.house.kill()
    (desk.house.home / "settings.yaml").write_text("language: de\njobs: many\n")
    words = [
        "jobs",
        f"show {job}",
        f"checkpoints {job}",
        "stats",
        "preferences",
        "cures",
        f"prioritise {job} 3",
        "pause",
    ]
    for word in [
        *words,
        f"answer {job} all skip --later",
        f"answer {job} all stop",
        f"cancel {job}",
    ]:
        done = hotsplice(*word.split(), environment=desk.house.environment)
        errors = done.stderr
        assert done.returncode == 0, (word, done.stdout, errors)
        assert errors.count("settings.yaml") == 1 and "Was darin stimmt, gilt" in errors, word
    answered = len(desk.house.seqs(job))
    if beside == "nobody":
        assert desk.say("answer", job, "all", "skip")[0] == 2, (
            "the film would be made here, with settings that nobody chose"
        )
        assert len(desk.house.seqs(job)) == answered
    else:
        assert desk.say("answer", job, "all", "skip", "--detach")[0] == 0


@pytest.mark.long
def test_what_is_asked_of_a_companion_is_answered_also_by_a_child_that_began_after_the_mistake(
    desk,
):
    child = desk.house.start("-j", "1")
    with desk.house.client() as client:
        client.ask(Pause(request="p", paused=True))
        job = desk.submit(client, "wrong-0002")
        (desk.house.home / "settings.yaml").write_text("jobs: many\n")
        for clerk in psutil.Process(child.pid).children():
            if "bridge.daemon.commands" in " ".join(clerk.cmdline()):
                clerk.kill()
        assert [line.job for line in listed(client)] == [job]
        assert client.ask(Describe(request="d", job=job)).job.job == job


# Watching beyond the record's end -------------------------------------------------------------------------------------


@pytest.mark.long
def test_watching_from_beyond_the_records_end_is_from_now_on(desk):
    desk.cut_of(2)
    desk.house.start("-j", "1")
    with desk.house.client() as client, desk.house.client() as early:
        watching = early.watch(after=10**9)
        assert next(watching) is None
        job = desk.submit(client, "beyond-0001")
        heard = []
        for said in watching:
            heard += [said] if type(said).__name__ == "Happened" else []
            if heard and kind(heard[-1]) == "JobFinished":
                break
        assert [one.seq for one in heard] == desk.house.seqs(job) and early.connections == 1


@pytest.mark.long
def test_following_a_job_that_has_ended_already_ends_at_once(desk):
    desk.cut_of(2)
    desk.house.start("-j", "1")
    with desk.house.client() as client:
        job = desk.submit(client, "beyond-0002")
        last = until_end(client, job)[-1].seq
        client.ask(PING)
    for since in (last, 10**9):
        code, said = desk.say("watch", job, "--since", str(since))
        assert code == 0 and "Complete and verified." in said
    assert desk.say("watch", job, "--after", "-1")[0] == 2


@pytest.mark.long
def test_what_the_companion_stops_for_good_is_not_waited_for(desk):
    """Stopped in order, it is not brought back by who only follows."""
    desk.house.start("-j", "1")
    with desk.house.client() as client:
        job = desk.submit(client, "stop-0001")
        with desk.begin("watch", job) as follower:
            begun(client, job)
            assert desk.say("stop")[0] == 0
            out, _ = follower.communicate(timeout=60)
    assert follower.returncode == 130 and f"hotsplice resume {job}" in out
    journal = Journal(desk.house.home / "journal.db")
    assert Submissions(journal).queue() == [(job, "run")]
    journal.close()
    shutil.rmtree(desk.house.home / "run", ignore_errors=True)
