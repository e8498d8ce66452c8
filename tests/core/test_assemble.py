"""A request to its end: refused before anything is recorded, taken up where it was left, never made twice."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from core import answering
from core import assemble as module
from core.assemble import Ended, assemble
from core.film_path import check_output
from core.model.facts import (
    Answered,
    Fact,
    FilmPlanned,
    FolderRecorded,
    JobAccepted,
    JobFinished,
    ProblemFound,
    ReplacementAllowed,
    Rewound,
    RunInterrupted,
    RunStarted,
    SegmentSealed,
    SourceMoved,
)
from core.model.failure import Evidence
from core.model.film import Timeline
from core.model.orders import (
    CheckFilm,
    Examined,
    ExamineSource,
    FindSources,
    Found,
    JoinFilm,
    Match,
    Order,
    Outcome,
    ProveEncoder,
    RenderSegment,
)
from core.model.refusal import Refused
from core.model.source import Source
from core.perform import machine
from core.perform.build import Build
from core.record import locks
from core.record.journal import Journal
from core.record.memory import Memory, Seen
from core.record.workspace import LONGEST_ENDING, Workspace
from core.request import House, Listener, Request, pack
from tests.core.hands import Hands, Trick
from tests.core.props import DNXHR, POLICY, PRORES, SLATES, clip, cut, picture, source, voice

QUICK = msgspec.structs.replace(POLICY, first_delay_s=0.0, longest_delay_s=0.0, free_margin_bytes=1000, gate_patience_s=0.1, probe_every_s=0.0)
SHOTS = [clip(0, 24, id="1"), clip(24, 20, source_in=10, id="2"), clip(44, 12, source_in=20, id="3")]
FILM = cut(SHOTS, audio=([clip(0, 56, id="a1")],))


@dataclass
class Studio:
    """A user's house with hands for workers. `media` are the files there are."""

    root: Path
    monkeypatch: pytest.MonkeyPatch
    media: dict[str, Source] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    stop: str = ""

    def __post_init__(self) -> None:
        (self.root / "films").mkdir()
        self.output = self.root / "films" / "film.mov"
        self.house = House(
            journal=Journal(self.root / "home" / "journal.db"),
            workspace=Workspace(self.root / "home", self.root / "scratch"),
            build=Build("/bin/ffmpeg", "9.0.2", "ffmpeg 9.0.2"),
            policy=QUICK,
            workers=2,
            version="test",
            slate_words=SLATES,
        )
        if not self.media:
            self.media = {"/media/a.mov": source("/media/a.mov", picture(), voice())}

    def run(
        self, film: Timeline = FILM, *tricks: Trick, preset: object = PRORES, accept_folder: bool = False,
        replace_complete: bool = False, **more: object,
    ) -> Ended:
        """`hotsplice assemble`."""
        self.hands = Hands(2, *tricks, self._examine)
        self.monkeypatch.setattr(module, "Crew", lambda size, **_: self.hands)
        self.heard.clear()
        listener = Listener(on_fact=lambda job, seq, fact: self.heard.append(type(fact).__name__))
        raw = pack(repr(film).encode())
        request = Request(film, raw, "/cuts/reel.otio", self.output, preset, accept_folder=accept_folder, replace_complete=replace_complete)  # type: ignore[arg-type]
        return assemble(request, self.house, listener=listener, stopped=lambda: self.stop, **more)  # type: ignore[arg-type]

    def refused(self, film: Timeline = FILM, *tricks: Trick, **more: object) -> Refused:
        """It must be refused, and nothing may be on record of it."""
        before = self.house.journal.jobs()
        with pytest.raises(Refused) as refused:
            self.run(film, *tricks, **more)
        assert self.house.journal.jobs() == before
        assert not (self.root / "films" / ".hotsplice").exists()
        return refused.value

    def _examine(self, order: Order) -> Outcome | None:
        if not isinstance(order, ExamineSource):
            return None
        if order.path in self.media:
            return Examined(source=self.media[order.path])
        return Evidence(operation="examine", place="source", path=order.path, errno=errno.ENOENT)

    def story(self, job: str) -> list[Fact]:
        return [entry.fact for entry in self.house.journal.facts(job)]

    def made(self) -> list[str]:
        """What hands have made in the last run."""
        return [name for name in self.hands.done if name in ("RenderSegment", "MixSound", "EncodeTrack", "ExamineCopy")]


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    return Studio(tmp_path, monkeypatch)


def test_from_a_request_to_a_film_with_the_whole_story(studio):
    ended = studio.run()
    assert (ended.end.outcome, studio.output.exists()) == ("complete", True)
    story = studio.story(ended.job)
    folders, begun = story[1:3], story[3:]
    assert [type(fact) for fact in (story[0], *begun[:2])] == [JobAccepted, RunStarted, FilmPlanned]
    assert [(fact.role, fact.folder.path) for fact in folders] == [
        ("film", str(studio.root / "films")), ("scratch", str(studio.root / "scratch")),
    ]  # fmt: skip
    assert story[0].timeline_path == "/cuts/reel.otio"
    assert begun[0] == RunStarted(version="test", ffmpeg="9.0.2", workers=2)
    planned = begun[1]
    assert (planned.shots, planned.segments, planned.chunks, planned.frames, planned.samples) == (3, 3, 1, 56, 112000)
    assert (planned.reused, planned.reused_frames, planned.rate, planned.start_timecode) == (0, 0, "24", "01:00:00:00")
    assert studio.heard[0] == "JobAccepted" and studio.heard[-1] == "JobFinished"
    assert ended.film is not None
    assert ended.film.film_hash == studio.house.journal.film(str(studio.output)).film_hash
    assert sorted(p.name for p in (studio.root / "films").iterdir()) == ["film.mov"]


def test_the_leave_to_replace_a_complete_film_is_recorded_with_the_job_or_not_at_all(studio, monkeypatch):
    def cut_off(self, job, facts, at):
        raise OSError(errno.EIO, "the next record fails")

    monkeypatch.setattr(Journal, "append", cut_off)
    with pytest.raises(OSError, match="the next record fails"):
        studio.run(replace_complete=True)
    ((job, _),) = studio.house.journal.jobs()
    assert [type(fact) for fact in studio.story(job)] == [JobAccepted, FolderRecorded, ReplacementAllowed]


# Refusals -------------------------------------------------------------------------------------------------------------


def test_a_place_where_no_film_can_stand(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe.mov")
    (tmp_path / "nothing.mov").symlink_to("/dev/null")
    refusals = {
        tmp_path / "pipe.mov": "output-no-file",
        tmp_path / "nothing.mov": "output-no-file",
        tmp_path / "folder": "output-is-folder",
        tmp_path / "none" / "film.mov": "output-folder-missing",
        tmp_path / ("f" * 252 + ".mov"): "output-name-too-long",
        tmp_path / ("f" * (252 - LONGEST_ENDING) + ".mov"): "output-name-too-long",  # with what stands beside it meanwhile
        tmp_path / ("f" * 400) / "film.mov": "output-name-too-long",
    }
    for path, code in refusals.items():
        with pytest.raises(Refused) as refused:
            check_output(path)
        assert refused.value.code == code
    check_output(tmp_path / ("f" * (251 - LONGEST_ENDING) + ".mov"))


def test_a_folder_that_may_not_be_written_to(studio, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert studio.refused().code == "output-no-permission"
    scratch = studio.house.workspace.scratch
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != scratch)
    assert studio.refused().code == "scratch-no-permission"


@pytest.mark.parametrize("how", ["hard link", "symlink", "other spelling", "offline"])
def test_a_source_is_never_written_over(studio, how):
    original = studio.root / "media.mov"
    original.write_text("camera original")
    if how == "hard link":
        studio.output.hardlink_to(original)
    elif how == "symlink":
        studio.output.symlink_to(original)
    elif how == "other spelling":
        studio.output = studio.root / "films" / ".." / "media.mov"
    else:
        original.unlink()
        studio.output = original
    path = str(original)
    facts = original.stat() if original.exists() else None
    studio.media = {path: source(path, picture(), inode=(facts.st_dev, facts.st_ino))} if facts else {"-": source("-")}
    film = cut([clip(0, 24, path)])
    refused = studio.refused(film)
    assert (refused.code, refused.fields["source"]) == ("output-is-source", path)
    assert facts is None or original.read_text() == "camera original"


def test_a_preset_that_cannot_carry_the_film(studio):
    studio.media = {"/media/a.mov": source("/media/a.mov", picture(size=(128, 72)))}
    assert studio.refused(cut(SHOTS), preset=DNXHR).code == "format-unfit"


def test_an_encoder_that_does_not_work_is_said_with_its_own_words(studio):
    def broken(order: Order) -> Outcome | None:
        if isinstance(order, ProveEncoder):
            return Evidence(operation="prove", place="scratch", exit_code=8, stderr=("first", "Unknown encoder 'x'", "last"))
        return None

    refused = studio.refused(FILM, broken)
    assert (refused.code, refused.fields["detail"]) == ("encoder-missing", "Unknown encoder 'x'; last")


def test_a_scratch_disk_that_is_full_is_not_the_encoders_fault(studio):
    def full(order: Order) -> Outcome | None:
        return Evidence(operation="prove", place="scratch", errno=errno.ENOSPC) if isinstance(order, ProveEncoder) else None

    assert studio.refused(FILM, full).code == "scratch-full"


@pytest.mark.parametrize(
    ("seen", "code"), [({"exit_code": -9}, "ffmpeg-killed"), ({"errno": errno.EMFILE}, "too-many-files"), ({"note": "hung"}, "encoder-missing")]
)
def test_what_the_machine_lacks_is_not_the_encoders_fault(studio, seen, code):
    def short(order: Order) -> Outcome | None:
        return Evidence(operation="prove", place="program", **seen) if isinstance(order, ProveEncoder) else None

    refused = studio.refused(FILM, short)
    assert refused.code == code
    assert code != "encoder-missing" or refused.fields["detail"] == studio.house.slate_words.title_of("program-hung"), "not without a reason"


@pytest.mark.parametrize(("one_volume", "code"), [(True, "output-space"), (False, "scratch-space")])
def test_a_film_that_does_not_fit_is_refused_beforehand(studio, monkeypatch, one_volume, code):
    monkeypatch.setattr(machine, "volume", lambda path: 1 if one_volume else hash(str(path)))
    monkeypatch.setattr(machine, "free_bytes", lambda path: 10**6 if one_volume or "scratch" in str(path) else 10**12)
    refused = studio.refused()
    assert refused.code == code
    assert refused.fields["free"] == 10**6 and refused.fields["wanted"] > 10**7


def test_two_at_once_on_one_film_are_refused(studio):
    with locks.film(studio.house.workspace.home, str(studio.output), beside=""):
        assert studio.refused().code == "job-running"


# Taking up ------------------------------------------------------------------------------------------------------------


def test_the_same_request_again_has_nothing_to_do(studio):
    studio.run()
    before = studio.output.read_bytes()
    ended = studio.run()
    assert ended.end.outcome == "unchanged"
    assert studio.made() == []
    assert studio.output.read_bytes() == before
    assert not studio.house.workspace.kept(studio.output).exists(), "the film was not replaced by itself"


def test_a_film_that_stands_as_it_is_with_its_slates_is_incomplete_still(studio):
    lost = cut([*SHOTS, clip(56, 24, "/media/lost.mov", id="4")])
    assert studio.run(lost).end.outcome == "incomplete"
    before = studio.output.read_bytes()
    ended = studio.run(lost)
    assert (ended.end.outcome, ended.film, studio.made()) == ("incomplete", None, [])
    assert studio.output.read_bytes() == before


def test_a_film_that_was_spoilt_is_made_again_from_its_checkpoints(studio):
    studio.run()
    studio.output.write_text("spoilt")
    ended = studio.run()
    assert (ended.end.outcome, studio.made()) == ("complete", [])
    assert studio.hands.done.count("ValidateSeal") == 4


def test_an_edit_makes_only_what_it_changed_and_keeps_the_old_film(studio):
    first = studio.run()
    old = studio.output.read_bytes()
    edited = cut([SHOTS[0], clip(24, 20, source_in=Fraction(273, 24), id="2"), SHOTS[2]], audio=([clip(0, 56, id="a1")],))
    second = studio.run(edited)
    assert second.job != first.job
    assert (second.end.outcome, studio.made()) == ("complete", ["RenderSegment"])
    planned = next(fact for fact in studio.story(second.job) if isinstance(fact, FilmPlanned))
    assert (planned.reused, planned.reused_frames) == (3, 36)
    assert studio.house.workspace.kept(studio.output).read_bytes() == old


def interrupted_after(studio: Studio, count: int) -> Ended:
    """A run that is stopped when so many pieces were rendered."""
    rendered = []

    def stop(order: Order) -> Outcome | None:
        rendered.append(order) if isinstance(order, RenderSegment) else None
        studio.stop = "SIGINT" if len(rendered) >= count else ""
        return None

    ended = studio.run(FILM, stop)
    studio.stop = ""
    assert ended.end == RunInterrupted(reason="SIGINT")
    return ended


def test_an_interrupted_job_goes_on_as_the_same_job(studio):
    first = interrupted_after(studio, 2)
    sealed = [fact.key for fact in studio.story(first.job) if isinstance(fact, SegmentSealed)]
    second = studio.run()
    assert (second.job, second.end.outcome) == (first.job, "complete")
    assert len(studio.made()) == 4 - len(sealed)


def test_a_newer_cut_for_the_same_place_supersedes_an_unfinished_one(studio):
    first = interrupted_after(studio, 1)
    second = studio.run(cut(SHOTS[:1]))
    assert second.job != first.job
    assert studio.story(first.job)[-1] == JobFinished(outcome="superseded")
    assert studio.house.workspace.work_folders() == []


def test_a_failed_job_is_taken_up_when_its_trouble_is_over(studio):
    full = Evidence(operation="render", place="scratch", errno=errno.ENOSPC)
    first = studio.run(FILM, lambda order: full if isinstance(order, RenderSegment) else None)
    assert (first.end.outcome, first.end.code) == ("failed", "scratch-full")
    second = studio.run()
    assert (second.job, second.end.outcome) == (first.job, "complete")


def test_going_back_to_a_checkpoint_makes_what_came_after_it_and_nothing_before(studio):
    first = interrupted_after(studio, 2)
    entries = [entry for entry in studio.house.journal.facts(first.job) if isinstance(entry.fact, SegmentSealed)]
    early = entries[0]
    studio.run()  # validates what was sealed, which is recorded again as reused
    studio.output.unlink()
    ended = studio.run(from_checkpoint=early.seq, job=first.job)
    rewound = [fact for fact in studio.story(first.job) if isinstance(fact, Rewound)][-1]
    assert early.fact.key not in rewound.keys, "it was sealed before, and only looked at again afterwards"
    assert len(rewound.keys) == len(set(rewound.keys)) == 3
    assert (ended.end.outcome, len(studio.made())) == ("complete", 3)


def test_asked_to_stop_while_media_are_opened_nothing_has_begun(studio):
    studio.stop = "SIGTERM"
    ended = studio.run()
    assert (ended.job, ended.end, ended.state) == ("", RunInterrupted(reason="SIGTERM"), None)
    assert studio.house.journal.jobs() == []


# What is wrong --------------------------------------------------------------------------------------------------------


def test_asked_to_stop_while_the_film_that_stands_is_checked_says_so_of_the_job(studio):
    studio.run()

    def ask_to_stop(order: Order) -> None:
        if isinstance(order, ProveEncoder):
            studio.stop = "SIGINT"

    ended = studio.run(FILM, ask_to_stop)
    assert (ended.end, ended.state is None, ended.job) == (RunInterrupted(reason="SIGINT"), False, studio.house.journal.jobs()[-1][0])


def test_all_problems_are_on_record_before_anything_is_rendered(studio):
    film = cut([SHOTS[0], clip(24, 20, "/media/lost.mov"), clip(44, 12, None, kind="none")])
    ended = studio.run(film)
    assert ended.end.outcome == "incomplete"
    found = [fact for fact in studio.story(ended.job) if isinstance(fact, ProblemFound)]
    assert [(fact.code, fact.shots) for fact in found] == [("source-missing", (2,)), ("source-unnamed", (3,))]
    assert studio.heard.index("ProblemFound") < studio.heard.index("SegmentSealed")


def test_when_a_source_is_back_only_its_shots_are_made(studio):
    film = cut([SHOTS[0], clip(24, 20, "/media/lost.mov")])
    assert studio.run(film).end.outcome == "incomplete"
    studio.media["/media/lost.mov"] = source("/media/lost.mov", picture())
    ended = studio.run(film)
    assert (ended.end.outcome, studio.made()) == ("complete", ["RenderSegment"])


# Moved media ----------------------------------------------------------------------------------------------------------

MARKED = source("/media/a.mov", picture(), voice(), mark="m")


def found_at(to: str, how: str = "samples") -> Trick:
    def find(order: Order) -> Outcome | None:
        if not isinstance(order, FindSources):
            return None
        return Found(matches=tuple(Match(path=w.path, to=to, how=how) for w in order.wanted))  # type: ignore[arg-type]

    return find


def test_a_moved_source_costs_nothing_and_is_on_record(studio):
    studio.media = {"/media/a.mov": MARKED}
    assert studio.run().end.outcome == "complete"
    studio.media = {"/new/b.mov": msgspec.structs.replace(MARKED, path="/new/b.mov")}
    ended = studio.run(FILM, found_at("/new/b.mov"))
    assert (ended.end.outcome, studio.made()) == ("unchanged", []), "the content is the same, and so is the film"
    [moved] = [fact for fact in studio.story(ended.job) if isinstance(fact, SourceMoved)]
    assert (moved.path, moved.to, moved.how) == ("/media/a.mov", "/new/b.mov", "content")
    assert studio.heard.index("SourceMoved") < studio.heard.index("FilmPlanned")
    assert [remark.code for remark in ended.state.plan.remarks] == ["source-relinked"]
    memory = Memory(studio.house.journal)
    assert memory.seen("/media/a.mov").mark == memory.seen("/new/b.mov").mark == "m"


def test_what_was_seen_is_remembered_of_accepted_requests_alone(studio):
    studio.media = {"/media/a.mov": msgspec.structs.replace(MARKED, video=picture(size=(128, 72)))}
    studio.refused(preset=DNXHR)
    assert Memory(studio.house.journal).seen("/media/a.mov") is None
    studio.run()
    assert Memory(studio.house.journal).seen("/media/a.mov") == Seen("/media/a.mov", 1000, "m", MARKED.fingerprint)


def test_what_has_no_mark_is_not_remembered(studio):
    studio.run()
    assert Memory(studio.house.journal).seen("/media/a.mov") is None


def test_a_proposal_stands_with_the_problem_and_is_not_taken(studio):
    ended = studio.run(cut([SHOTS[0], clip(24, 20, "/media/lost.mov")]), found_at("/v/lost.mov", "alike"))
    (problem,) = [fact for fact in studio.story(ended.job) if isinstance(fact, ProblemFound)]
    assert (problem.code, problem.path) == ("source-missing", "/media/lost.mov")
    assert [(one.how, one.path) for one in problem.lookalikes] == [("named", "/v/lost.mov")]


def test_a_relink_that_is_said_while_the_job_runs_is_used_at_once(studio, monkeypatch):
    monkeypatch.setattr(answering, "_ASK_EVERY_S", 0.0)
    studio.media["/v/other.mov"] = source("/v/other.mov", picture(), mark="o")
    film = cut([SHOTS[0], clip(24, 20, "/media/lost.mov")])

    said = []

    def say(order: Order) -> None:
        if isinstance(order, RenderSegment) and not said:
            said.append(order)
            ((job, _),) = studio.house.journal.jobs()
            word = Answered(answer="relink", shot=2, path="/media/lost.mov", to="/v/other.mov")
            studio.house.journal.append(job, [word], 1.0)

    ended = studio.run(film, say)
    assert ended.end.outcome == "complete"
    story = [fact for job, _ in studio.house.journal.jobs() for fact in studio.story(job)]
    assert SourceMoved(path="/media/lost.mov", to="/v/other.mov", how="person") in story


def test_media_at_a_new_place_is_never_written_over_and_neither_is_its_old_place(studio):
    studio.output.write_text("camera original")
    facts = studio.output.stat()
    at = str(studio.output)
    studio.media = {at: msgspec.structs.replace(MARKED, path=at, inode=(facts.st_dev, facts.st_ino))}
    assert studio.refused(FILM, found_at(at)).code == "output-is-source"
    studio.output.unlink()
    film = cut([clip(0, 24, at)])
    studio.media = {"/new/b.mov": msgspec.structs.replace(MARKED, path="/new/b.mov")}
    assert studio.refused(film, found_at("/new/b.mov")).code == "output-is-source", "when it is back the film would be taken for it"


def test_a_film_of_lost_media_alone_is_not_published(studio):
    studio.media = {"-": source("-")}
    ended = studio.run()
    assert (ended.end.outcome, ended.end.code) == ("failed", "nothing-to-show")
    assert not studio.output.exists()


def test_a_film_that_is_checked_is_checked_by_workers(studio):
    studio.run()
    checked = []

    def watch(order: Order) -> Outcome | None:
        checked.append(order) if isinstance(order, CheckFilm) else None
        return None

    studio.run(FILM, watch)
    assert [(order.path, order.deep) for order in checked] == [(str(studio.output), False)]


def test_who_asks_for_another_look_while_the_film_is_made_gets_it_before_the_film_is_joined(studio, monkeypatch):
    """The file that was missing is put back meanwhile: what is known of it since the beginning is not good any more."""
    monkeypatch.setattr(answering, "_ASK_EVERY_S", 0.0)
    film = cut([SHOTS[0], clip(24, 20, "/media/lost.mov"), SHOTS[2]])

    def put_back(order: Order) -> Outcome | None:
        if isinstance(order, RenderSegment) and "/media/lost.mov" not in studio.media:
            studio.media["/media/lost.mov"] = source("/media/lost.mov", picture())
            job = studio.house.journal.jobs()[-1][0]
            studio.house.journal.append(job, [Answered(answer="retry", shot=2, path="/media/lost.mov")], machine.now())
        return None

    ended = studio.run(film, put_back)
    assert ended.end.outcome == "complete"
    told = studio.story(ended.job)
    assert sum(isinstance(fact, RunStarted) for fact in told) == 2
    assert len([fact for fact in told if isinstance(fact, SegmentSealed) and not fact.reused]) == len(
        {fact.key for fact in told if isinstance(fact, SegmentSealed)}
    ), "nothing is made twice"


# The film's folder ----------------------------------------------------------------------------------------------------


def test_a_folder_that_is_renamed_while_the_film_is_made_is_waited_for_and_nothing_is_made_in_its_place(studio):
    folder, away = studio.root / "films", studio.root / "away"

    def rename(order: Order) -> Outcome | None:
        if isinstance(order, RenderSegment) and not away.exists():
            folder.rename(away)
            folder.mkdir()
        return None

    ended = studio.run(FILM, rename)
    assert (ended.end.outcome, ended.end.code) == ("failed", "output-gone")
    assert ended.state.fatal.evidence.note == "folder-replaced"
    assert list(folder.iterdir()) == [], "a folder of the same name is another folder"
    again = studio.run()
    assert (again.end.code, studio.made(), list(folder.iterdir())) == ("output-gone", [], []), "days later, still out"
    folder.rmdir()
    assert studio.run().end.code == "output-gone"
    assert not folder.exists()
    away.rename(folder)
    healed = studio.run()
    assert (healed.end.outcome, studio.made(), healed.job) == ("complete", [], ended.job)
    assert [path.name for path in folder.iterdir()] == ["film.mov"]


def test_a_person_may_accept_the_folder_as_it_is_now(studio):
    folder = studio.root / "films"

    def replace_it(order: Order) -> Outcome | None:
        if isinstance(order, JoinFilm):
            folder.rename(studio.root / "away")
            folder.mkdir()
            return Evidence(operation="join", place="output", path=str(folder), errno=errno.ENOENT)
        return None

    job = studio.run(FILM, replace_it).job
    ended = studio.run(accept_folder=True)
    assert (ended.job, ended.end.outcome, studio.made()) == (job, "complete", [])
    assert [fact.by_person for fact in studio.story(job) if isinstance(fact, FolderRecorded) and fact.role == "film"] == [False, True]


def test_a_new_cut_does_not_land_on_the_empty_mount_point_of_the_drive_that_held_the_films(studio):
    first = studio.run()
    folder = msgspec.structs.replace(studio.story(first.job)[1].folder, mount=str(studio.root / "films"))
    studio.house.journal.append(first.job, [FolderRecorded(role="film", folder=folder)], 9.0)
    refused = studio.refused(cut([clip(0, 20)]))
    assert (refused.code, refused.fields["drive"]) == ("output-drive-out", str(studio.root / "films"))
    assert studio.run(cut([clip(0, 20)]), accept_folder=True).end.outcome == "complete"


def test_a_scratch_folder_on_a_drive_that_is_out_is_waited_for_and_not_made_anew(studio):
    first = studio.run()
    scratch, away = studio.root / "scratch", studio.root / "away"
    folder = next(fact.folder for fact in studio.story(first.job) if isinstance(fact, FolderRecorded) and fact.role == "scratch")
    on_a_drive = msgspec.structs.replace(folder, mount=str(scratch))
    studio.house.journal.append(first.job, [FolderRecorded(role="scratch", folder=on_a_drive)], 9.0)
    scratch.rename(away)
    for _ in ("the mount point is gone", "it stands empty"):
        refused = studio.refused(cut([clip(0, 20)]))
        assert (refused.code, refused.fields["drive"]) == ("scratch-gone", str(scratch))
        scratch.mkdir(exist_ok=True)
        assert list(scratch.iterdir()) == []
    scratch.rmdir()
    away.rename(scratch)
    assert studio.run(cut([clip(0, 20)])).end.outcome == "complete"
