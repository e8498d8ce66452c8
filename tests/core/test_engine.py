"""The loop with a real journal and real renames: first the record, then the memory; wherever it stops, it goes on."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from core import answering as answering_module
from core.answering import Answering
from core.decide.assembly import Assembly, reusable
from core.engine import Engine
from core.model.facts import (
    Answered,
    AttemptFailed,
    ClockJumped,
    Fact,
    FilmPublished,
    GateClosed,
    GateOpened,
    JobAccepted,
    JobFinished,
    PreviousUsed,
    RunInterrupted,
    SealBroken,
    SegmentSealed,
    ShotMended,
    ShotSlated,
)
from core.model.failure import Evidence
from core.model.film import Timeline
from core.model.orders import (
    JoinFilm,
    Located,
    LocateDamage,
    Made,
    Marks,
    MixSound,
    Order,
    Outcome,
    ProbePlace,
    Refuted,
    RenderSegment,
    Validated,
)
from core.perform import machine
from core.record import workspace
from core.record.journal import Journal, JournalLost
from core.record.memory import Memory
from core.record.workspace import Workspace
from tests.core.hands import Hands, Trick, once, perform
from tests.core.props import BUILD, H264, POLICY, PRORES, SIGNATURE, clip, cut, picture, plan, source, voice

MEDIA = source("/media/a.mov", picture(), voice())
SAME = source("/media/same.mov", picture(signature=SIGNATURE, intra_only=True))
FILM = cut([clip(0, 24), clip(24, 20, source_in=10), clip(44, 24, "/media/same.mov")], audio=([clip(0, 68, id="a1")],))
QUICK = msgspec.structs.replace(
    POLICY, first_delay_s=0.0, longest_delay_s=0.0, free_margin_bytes=0, gate_patience_s=0.1, probe_every_s=0.0
)

PATIENT = msgspec.structs.replace(QUICK, gate_patience_s=60.0)
"""Where a gate opens, however slow the machine is."""


@dataclass
class Studio:
    """A job with everything real around it but the workers."""

    root: Path
    film: Timeline = FILM
    preset: object = PRORES
    media: dict[str, object] = field(default_factory=lambda: {s.path: s for s in (MEDIA, SAME)})
    heard: list[str] = field(default_factory=list)
    stop: str = ""

    def __post_init__(self) -> None:
        (self.root / "films").mkdir(exist_ok=True)
        self.output = self.root / "films" / "film.mov"
        self.workspace = Workspace(self.root / "home", self.root / "scratch")
        self.journal = Journal(self.root / "home" / "journal.db")
        if not self.journal.jobs():
            accepted = JobAccepted(digest="r", timeline_path="", timeline_name="", output=str(self.output), preset="")
            self.journal.accept("job1", accepted, b"", 1.0)

    def engine(self, hands: Hands) -> Engine:
        """A run: what is sealed on record is claimed."""
        made = plan(self.film, self.media, preset=self.preset, policy=QUICK)
        state = Assembly(
            plan=made,
            preset=self.preset,
            policy=QUICK,
            build=BUILD,
            title_of=str,
            claimed={},  # type: ignore[arg-type]
        )
        keys = [*(s.key for s in state.work), *(c.key for c in made.chunks), *([state.track] if state.track else [])]
        state.claimed = reusable(made, state.track, self.journal.seals(keys))
        self.workspace.prepare("job1")
        engine = Engine(
            job="job1", output=self.output, state=state, journal=self.journal, workspace=self.workspace, crew=hands,
            # type: ignore[arg-type]
            ffmpeg="/bin/ffmpeg", answering=self.answering(), stopped=lambda: self.stop, on_fact=self.hear,
        )  # fmt: skip
        engine.answering.said_before(state)
        copies = [seal for seal in state.claimed.values() if seal.kind == "copy"]
        engine.note(*[msgspec.structs.replace(seal, reused=True) for seal in copies])  # they have no file to validate
        return engine

    def answering(self) -> Answering:
        return Answering(self.journal, output=str(self.output), digest="r")

    def hear(self, seq: int, fact: Fact) -> None:
        self.heard.append(type(fact).__name__)
        assert self.story()[-1] is not None and any(
            entry.seq == seq and entry.fact == fact for entry in self.journal.facts("job1")
        )

    def run(self, *tricks: Callable[[Order], Outcome | None]) -> JobFinished | RunInterrupted:
        return self.engine(Hands(2, *tricks)).run()

    def story(self) -> list[Fact]:
        return [entry.fact for entry in self.journal.facts("job1")]

    def names(self, kind: type[Fact]) -> list[Fact]:
        return [fact for fact in self.story() if isinstance(fact, kind)]

    def litter(self) -> list[str]:
        """Everything but segments, the film and the one that is kept."""
        work = [p.name for p in (self.root / "scratch" / "work").rglob("*")]
        beside = (
            [p.name for p in (self.root / "films" / ".hotsplice").glob("*")]
            if (self.root / "films" / ".hotsplice").exists()
            else []
        )
        return work + [name for name in beside if not name.endswith(".previous")]


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def test_a_job_from_its_plan_to_its_film(studio):
    end = studio.run()
    assert end.outcome == "complete"
    assert sorted(studio.heard) == sorted(["SegmentSealed"] * 4 + ["FilmJoined", "FilmPublished", "JobFinished"])
    assert studio.heard[-3:] == ["FilmJoined", "FilmPublished", "JobFinished"]
    assert studio.output.read_bytes().count(b" ") == 2, "three pieces of picture"
    assert studio.litter() == []
    film = studio.journal.film(str(studio.output))
    assert film is not None
    assert film.film_hash == studio.names(FilmPublished)[0].film_hash


def test_coded_sound_is_one_track_of_all_chunks(tmp_path):
    studio = Studio(tmp_path, preset=H264)
    studio.output = studio.output.with_suffix(".mp4")
    hands = Hands(2)
    assert studio.engine(hands).run().outcome == "complete"
    assert hands.done.index("EncodeTrack") > hands.done.index("MixSound")
    assert hands.done[-1] == "JoinFilm"


def test_the_record_is_first_then_the_memory_then_the_listeners(studio):
    engine = studio.engine(Hands(1))
    order = []
    append, fold = studio.journal.append, engine.state.fold
    studio.journal.append = lambda *a: (order.append("record"), append(*a))[1]  # type: ignore[method-assign]
    engine.state.fold = lambda fact: (order.append("memory"), fold(fact))[1]  # type: ignore[method-assign]
    engine.on_fact = lambda seq, fact: order.append("listener")
    engine.note(RunInterrupted(reason="x"), RunInterrupted(reason="y"))
    assert order == ["record", "memory", "listener", "memory", "listener"]


def test_what_cannot_be_recorded_is_not_remembered(studio):
    engine = studio.engine(Hands(1))
    os.unlink(studio.journal.path)
    with pytest.raises(JournalLost):
        engine.run()
    assert engine.state.believed == {}


def test_no_more_is_given_out_than_there_are_hands(studio):
    engine = studio.engine(Hands(1))  # it asserts so itself
    assert engine.run().outcome == "complete"


def test_asked_to_stop_it_stops_at_once_and_the_next_run_makes_only_the_rest(studio):
    made = []

    def stop_after_two(order: Order) -> Outcome | None:
        made.append(order)
        studio.stop = "SIGINT" if len(made) >= 2 else ""
        return None

    end = studio.run(stop_after_two)
    assert end == RunInterrupted(reason="SIGINT")
    assert isinstance(studio.story()[-1], RunInterrupted)
    assert not studio.output.exists()
    sealed = studio.names(SegmentSealed)
    files = [seal for seal in sealed if seal.file]
    studio.stop = ""
    hands = Hands(2)
    assert studio.engine(hands).run().outcome == "complete"
    assert hands.done.count("ValidateSeal") == len(files)
    assert hands.done.count("RenderSegment") + hands.done.count("MixSound") + hands.done.count("ExamineCopy") == 4 - len(sealed)


def test_a_second_run_validates_everything_and_makes_nothing_again(studio):
    studio.run()
    hands = Hands(2)
    studio.engine(hands).run()
    assert set(hands.done) == {"ValidateSeal", "JoinFilm"}


def test_a_damaged_checkpoint_is_made_again(studio):
    studio.run()
    seal = next(fact for fact in studio.names(SegmentSealed) if fact.kind == "video")
    studio.workspace.stored(seal.file).write_bytes(b"rot")
    assert studio.run().outcome == "complete"
    assert studio.names(SealBroken) == [SealBroken(key=seal.key, reason="its bytes have changed")]


@pytest.mark.parametrize("kind", ["video", "audio", "track"])
def test_what_is_damaged_between_sealing_and_joining_is_made_again_and_joined(tmp_path, kind):
    studio = Studio(tmp_path, preset=H264 if kind == "track" else PRORES)

    def rot(order: Order) -> Outcome | None:
        if isinstance(order, JoinFilm):
            seal = next(fact for fact in studio.names(SegmentSealed) if fact.kind == kind)
            studio.workspace.stored(seal.file).write_bytes(b"rot")
            return perform(order)
        return None

    assert studio.run(once(rot)).outcome == "complete"
    (seal_broken,) = studio.names(SealBroken)
    assert seal_broken.key == next(fact.key for fact in studio.names(SegmentSealed) if fact.kind == kind)
    assert [fact.failure.code for fact in studio.names(AttemptFailed)] == ["seal-damaged"]


def test_a_store_that_rots_at_every_joining_ends_the_job_instead_of_going_on_for_ever(studio):
    def rot(order: Order) -> Outcome | None:
        if isinstance(order, JoinFilm):
            Path(order.video[0].file).write_bytes(b"rot")
        return None

    end = studio.run(rot)
    assert (end.outcome, end.code) == ("failed", "seal-damaged")
    assert len(studio.names(AttemptFailed)) == QUICK.attempts


def test_a_failed_attempt_leaves_no_part_behind(studio):
    parts = []

    def half(order: Order) -> Outcome | None:
        if isinstance(order, RenderSegment | MixSound):
            Path(order.part).write_bytes(b"half")
            parts.append(Path(order.part))
            assert not [p for p in parts[:-1] if p.exists()]
            return Evidence(operation="render", place="source", path=order.part, errno=errno.ESTALE)
        return None

    assert studio.run(once(half)).outcome == "complete"
    assert not parts[0].exists()
    assert studio.names(AttemptFailed)[0].failure.code == "network-lost"


def test_each_attempt_has_a_name_of_its_own(studio):
    names = []

    def fail_twice(order: Order) -> Outcome | None:
        if isinstance(order, RenderSegment) and order.frames == 24:
            names.append(Path(order.part).name)
            if len(names) < 3:
                return Evidence(operation="render", place="source", path="/media/a.mov", errno=errno.ESTALE)
        return None

    studio.run(fail_twice)
    assert [name.split(".")[1] for name in names] == ["1", "2", "3"]


def test_a_shot_that_cannot_be_made_is_a_slate_and_the_film_is_incomplete(studio):
    def damaged(order: Order) -> Outcome | None:
        if isinstance(order, RenderSegment) and order.source and order.frames == 20:
            return Evidence(operation="render", place="source", path="/media/a.mov", note="log-says-damage")
        return None

    end = studio.run(damaged)
    assert end.outcome == "incomplete"
    assert studio.heard.count("ShotSlated") == 1
    assert studio.output.exists()


def test_what_is_good_of_a_damaged_shot_is_in_the_film(studio):
    def damaged(order: Order) -> Outcome | None:
        if isinstance(order, RenderSegment) and order.source and order.frames == 20:
            return Evidence(operation="render", place="source", path="/media/a.mov", note="log-says-damage")
        return Located(bad=((4, 3),), picture=order.picture) if isinstance(order, LocateDamage) else None

    end = studio.run(damaged)
    assert end.outcome == "incomplete"
    (mend,) = studio.names(ShotMended)
    assert (mend.shot, mend.bad, mend.source_frame) == (2, ((4, 3),), 244)
    assert Path(mend.last_good).parent == studio.root / "home" / "pictures"
    assert "ShotSlated" not in studio.heard
    assert studio.output.read_bytes().count(b" ") == 4, "five pieces of picture"


def test_the_good_pieces_of_a_damaged_shot_are_checkpoints_for_the_next_run(studio):
    def damaged(order: Order) -> Outcome | None:
        if isinstance(order, RenderSegment) and order.source and order.frames == 20:
            return Evidence(operation="render", place="source", path="/media/a.mov", note="log-says-damage")
        return Located(bad=((4, 3),)) if isinstance(order, LocateDamage) else None

    assert studio.run(damaged).outcome == "incomplete"
    again = Hands(2, damaged)
    assert studio.engine(again).run().outcome == "incomplete"
    assert again.done.count("RenderSegment") == 1, "the attempt that fails, once"
    assert again.done.count("ValidateSeal") >= 4 and again.done.count("LocateDamage") == 1


def test_a_source_that_decayed_since_it_was_used_is_no_checkpoint(studio):
    """The first run remembers what it read; the second reads something else at one place."""

    def read(mark: int) -> Trick:
        def reading(order: Order) -> Outcome | None:
            if isinstance(order, RenderSegment) and order.frames == 20 and order.source:
                made = perform(order)
                assert isinstance(made, Made)
                used = Marks(path=order.source, modified_ns=5, stream=0, marks={3: 30, 4: mark})
                return msgspec.structs.replace(made, marks=(used,))
            return Located(bad=((0, 1),)) if isinstance(order, LocateDamage) else None

        return reading

    assert studio.run(read(40)).outcome == "complete"
    studio.film = cut([clip(0, 24), clip(24, 20, source_in=Fraction(241, 24)), clip(44, 24, "/media/same.mov")])
    end = studio.run(read(41))
    (mend,) = studio.names(ShotMended)
    assert (end.outcome, mend.failure.code) == ("incomplete", "source-unlike-record")


def test_what_is_made_but_not_as_promised_is_never_sealed(studio):
    def short(order: Order) -> Outcome | None:
        if isinstance(order, RenderSegment) and order.source:
            return Made(
                frames=order.frames - (order.frames == 24), signature="another" if order.frames == 20 else order.signature
            )
        return None

    end = studio.run(short)
    assert end.outcome == "incomplete"
    codes = [fact.failure.code for fact in studio.names(AttemptFailed)]
    assert sorted(codes) == ["render-unlike", "render-unlike", "source-too-short"], "one may be chance, the other is not"
    assert studio.heard.count("ShotSlated") == 2


def test_a_segment_whose_name_may_not_outlive_a_power_cut_is_made_again(studio, monkeypatch):
    flush, failing = workspace.flush_directory, ["once"]

    def sick(folder: Path) -> None:
        if failing and folder.parent.name == "store":
            failing.pop()
            raise OSError(errno.EIO, "Input/output error")
        flush(folder)

    monkeypatch.setattr(workspace, "flush_directory", sick)
    end = studio.run()
    assert end.outcome == "complete"
    (broken,) = studio.names(SealBroken)
    (failed,) = studio.names(AttemptFailed)
    assert (failed.key, failed.failure.evidence.errno) == (broken.key, errno.EIO)
    order = [(type(fact).__name__) for fact in studio.story() if getattr(fact, "key", "") == broken.key]
    assert order == ["SegmentSealed", "SealBroken", "AttemptFailed", "SegmentSealed"]


def test_a_film_that_does_not_read_back_is_not_published_and_the_old_one_stays(studio):
    studio.output.write_text("the old film")
    end = studio.run(lambda order: Refuted(reason="pictures differ") if isinstance(order, JoinFilm) else None)
    assert (end.outcome, end.code) == ("failed", "film-damaged")
    assert studio.output.read_text() == "the old film"
    assert studio.litter() == []


def full_disk(order: Order) -> Outcome | None:
    """What rendering meets on a scratch disk without room."""
    if isinstance(order, RenderSegment):
        return Evidence(operation="render", place="scratch", path=order.part, errno=errno.ENOSPC)
    return None


def test_on_a_full_disk_what_is_ours_is_freed_then_room_is_waited_for_and_then_the_job_ends(studio):
    freed = []
    engine = studio.engine(Hands(2, full_disk, lambda order: Refuted(reason="full") if isinstance(order, ProbePlace) else None))
    engine.free = lambda: freed.append(1) or 1
    end = engine.run()
    assert (end.outcome, end.code) == ("failed", "scratch-full")
    assert freed, "own files first"
    (closed,) = studio.names(GateClosed)
    (opened,) = studio.names(GateOpened)
    assert (closed.gate, opened.gate, opened.given_up) == ("scratch", "scratch", True)
    assert not studio.output.exists()
    assert studio.litter() == []


def test_when_there_is_room_again_the_job_goes_on_by_itself(studio):
    room = []

    def probing(order: Order) -> Outcome | None:
        if isinstance(order, ProbePlace):
            room.append(order)
            return Refuted(reason="full") if len(room) < 3 else None
        return None

    engine = studio.engine(Hands(2, lambda order: None if len(room) > 2 else full_disk(order), probing))
    engine.state.policy = PATIENT
    assert engine.run().outcome == "complete"
    (opened,) = studio.names(GateOpened)
    assert (opened.gate, opened.given_up) == ("scratch", False)
    counted = [fact for fact in studio.names(AttemptFailed) if not fact.recovery.gate]
    assert len(counted) <= 3, "waiting costs no attempt"


def test_a_volume_that_is_gone_is_waited_for_while_everything_else_is_made(studio):
    away = Evidence(operation="render", place="source", path=MEDIA.path, errno=errno.ENOENT, volume="/")
    probes = []

    def gone(order: Order) -> Outcome | None:
        if isinstance(order, ProbePlace):
            probes.append(order)
            return Refuted(reason="not yet") if len(probes) < 3 else Validated()
        return away if isinstance(order, RenderSegment) and order.source and len(probes) < 3 else None

    engine = studio.engine(Hands(2, gone))
    engine.state.volumes = {MEDIA.path: "/media", SAME.path: "/other"}
    engine.state.policy = PATIENT
    assert engine.run().outcome == "complete"
    closed, opened = studio.names(GateClosed), studio.names(GateOpened)
    assert [fact.gate for fact in closed] == ["source:/media"] == [fact.gate for fact in opened]
    assert closed[0].failure.code == "source-volume-gone"
    assert studio.names(ShotSlated) == []
    assert {order.volume for order in probes} == {"/media"}


def test_a_volume_that_does_not_come_back_costs_its_shots_alone(studio):
    away = Evidence(operation="render", place="source", path=MEDIA.path, errno=errno.ENOENT, volume="/")

    def gone(order: Order) -> Outcome | None:
        if isinstance(order, ProbePlace):
            return Refuted(reason="not yet")
        return away if isinstance(order, RenderSegment) and order.source else None

    engine = studio.engine(Hands(2, gone))
    engine.state.volumes = {MEDIA.path: "/media", SAME.path: "/other"}
    assert engine.run().outcome == "incomplete"
    slates = studio.names(ShotSlated)
    assert slates and {fact.failure.code for fact in slates} == {"source-volume-gone"}
    assert studio.output.exists()


def test_a_worker_is_at_its_next_order_before_what_it_brought_is_put_on_record(studio):
    hands = Hands(1)
    engine, busy = studio.engine(hands), []
    engine.on_fact = lambda seq, fact: busy.append(bool(hands.at_work)) if isinstance(fact, SegmentSealed) else None
    assert engine.run().outcome == "complete"
    assert busy[:-1] == [True] * (len(busy) - 1) and len(busy) > 2


def test_what_came_back_before_a_stop_is_kept(studio):
    hands = Hands(1)
    engine = studio.engine(hands)
    engine.on_tick = lambda engine: setattr(studio, "stop", "SIGINT") if hands.done else None
    assert engine.run() == RunInterrupted(reason="SIGINT")
    assert len(studio.names(SegmentSealed)) == 1 == len(hands.done)


def test_what_cured_a_fault_here_is_remembered(studio):
    def once_unlike(order: Order) -> Outcome | None:
        return Evidence(operation="render", place="program") if isinstance(order, RenderSegment) else None

    assert studio.run(once(once_unlike)).outcome == "complete"
    assert Memory(studio.journal).cures() == [("unknown", "nothing else meanwhile", 1, 0)]


def test_the_clock_may_be_put_back_by_a_day(studio, monkeypatch):
    real, moved = machine.now, []
    monkeypatch.setattr(machine, "now", lambda: real() - (86400 if moved else 0))

    def shaken(order: Order) -> Outcome | None:
        if isinstance(order, RenderSegment) and not moved:
            moved.append(1)
            return Evidence(operation="render", place="source", path=MEDIA.path, errno=errno.ESTALE)
        return None

    assert studio.run(shaken).outcome == "complete"
    (jump,) = studio.names(ClockJumped)
    assert jump.by_s == pytest.approx(-86400, abs=1) and not jump.slept


def test_too_little_room_is_seen_before_the_work_and_names_the_right_disk(studio, monkeypatch):
    monkeypatch.setattr(machine, "free_bytes", lambda path: 0 if Path(path) == studio.output.parent else 10**15)
    end = studio.run()
    assert (end.outcome, end.code) == ("failed", "output-full")
    assert len(studio.names(SegmentSealed)) == 4, "everything that could be made is kept"


def test_publishing_that_is_refused_fails_the_job_and_leaves_the_old_film(studio, monkeypatch):
    studio.output.write_text("the old film")

    def refuse(staged: Path, output: Path) -> str:
        raise PermissionError(errno.EACCES, "no", str(output))

    monkeypatch.setattr(studio.workspace, "publish", refuse)
    end = studio.run()
    assert (end.outcome, end.code) == ("failed", "output-no-permission")
    assert studio.output.read_text() == "the old film"
    assert isinstance(studio.story()[-1], JobFinished)


def test_a_scratch_that_is_gone_fails_the_job_and_is_no_traceback(studio, monkeypatch):
    def gone(*_: object) -> Path:
        raise FileNotFoundError(errno.ENOENT, "gone", "/scratch")

    monkeypatch.setattr(studio.workspace, "part", gone)
    end = studio.run()
    assert (end.outcome, end.code) == ("failed", "scratch-gone")


def test_clean_packets_are_remembered_for_the_next_time(studio):
    studio.run()
    assert studio.journal.decoded(SAME.fingerprint, 0, 0, 1000) == {0: 7}


def test_a_film_of_which_nothing_is_left_fails_by_name(tmp_path):
    studio = Studio(tmp_path, film=cut([clip(0, 24)]))
    end = studio.run(lambda order: (
        Evidence(operation="render", place="source", path="/media/a.mov", note="log-says-damage")
        if isinstance(order, RenderSegment) and order.source else None
    ))  # fmt: skip
    assert (end.outcome, end.code) == ("failed", "nothing-to-show")
    assert not studio.output.exists()


class Cut(BaseException):
    """The power is gone."""


def test_cut_before_or_after_any_record_the_next_run_ends_in_the_same_film(tmp_path):
    reference = Studio(tmp_path / "whole") if (tmp_path / "whole").mkdir() is None else None
    assert reference is not None
    reference.run()
    wanted = reference.output.read_bytes()
    for after in (False, True):
        for at in range(20):
            root = tmp_path / f"{at}{after}"
            root.mkdir()
            studio = Studio(root)
            append, count = studio.journal.append, 0

            def cut_off(job: str, facts: object, moment: float) -> int:
                nonlocal count
                count += 1
                if count == at + 1 and not after:  # noqa: B023
                    raise Cut
                last = append(job, facts, moment)  # type: ignore[arg-type]  # noqa: B023
                if count == at + 1:  # noqa: B023
                    raise Cut
                return last

            studio.journal.append = cut_off  # type: ignore[method-assign]
            try:
                studio.run()
                assert at > 0, "nothing was ever cut"
                break
            except Cut:
                pass
            studio.journal.close()
            again = Studio(root)
            if not isinstance(again.story()[-1], JobFinished):
                assert again.run().outcome == "complete"
            assert again.output.read_bytes() == wanted
            sealed = [fact.key for fact in again.names(SegmentSealed) if not fact.reused]
            assert len(sealed) <= 4 + 1, "at most what was under way is made again"
            again.journal.close()


# What people decide ---------------------------------------------------------------------------------------------------


def answered_after(studio: Studio, kind: str, answer: Answered) -> Callable[[Order], None]:
    """Somebody answers, in another process, as soon as a fact of this kind is on record."""
    other, said = Journal(studio.journal.path), []

    def look(order: Order) -> None:
        if not said and kind in studio.heard:
            said.append(other.append("job1", [answer], 1.0))

    return look


def hurt(order: Order) -> Outcome | None:
    """The first shot's source is damaged."""
    if isinstance(order, RenderSegment) and order.source == MEDIA.path:
        return Evidence(operation="render", place="source", path=MEDIA.path, note="log-says-damage")
    return None


@pytest.fixture
def prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are looked for at every step."""
    monkeypatch.setattr(answering_module, "_ASK_EVERY_S", 0.0)


def test_a_shot_is_tried_again_when_a_person_says_so(studio, prompt):
    tricks = [hurt]
    look = answered_after(studio, "ShotSlated", Answered(answer="retry"))

    def mend(order: Order) -> Outcome | None:
        look(order)
        if "ShotSlated" in studio.heard:
            tricks.clear()
        return next((trick(order) for trick in tricks), None)

    engine = studio.engine(Hands(1, mend))
    engine.state.policy = msgspec.structs.replace(QUICK, answer_patience_s=20.0)
    assert engine.run().outcome == "complete"
    assert studio.names(ShotSlated), "else this test shows nothing"


def test_without_an_answer_the_film_is_joined_when_patience_ends(studio, prompt):
    engine = studio.engine(Hands(1, hurt))
    engine.state.policy = msgspec.structs.replace(QUICK, answer_patience_s=0.3)
    began = machine.monotonic()
    assert engine.run().outcome == "incomplete"
    assert machine.monotonic() - began > 0.3


def test_a_person_who_says_stop_is_obeyed_and_nothing_is_lost(studio, prompt):
    end = studio.engine(Hands(1, answered_after(studio, "SegmentSealed", Answered(answer="stop")))).run()
    assert end == RunInterrupted(reason="answer")
    assert studio.run().outcome == "complete"


def test_who_always_wants_to_stop_at_a_fault_is_obeyed(studio):
    engine = studio.engine(Hands(1, hurt))
    engine.state.preferences = {"source-damaged": "stop"}
    assert engine.run() == RunInterrupted(reason="stop at source-damaged")


def test_an_earlier_render_stands_in_and_when_it_is_spoilt_the_slate_comes_back(studio):
    assert studio.run().outcome == "complete"
    first = studio.engine(Hands(1)).state.plan
    Memory(studio.journal).keep_plan("job1", "cut", first)
    changed = msgspec.structs.replace(MEDIA, fingerprint="other bytes now")
    keys = {segment.key for segment in first.segments if segment.shot == 1}
    for spoil in (False, True):
        later = Studio(studio.root)
        later.media = {changed.path: changed, SAME.path: SAME}
        engine = later.engine(Hands(1, hurt))
        engine.state.preferences = {"source-damaged": "previous"}
        if spoil:
            for key in keys:
                next((studio.root / "scratch" / "store").rglob(f"{key}.*")).write_bytes(b"spoilt")
        assert engine.run().outcome == "incomplete"
        used = [fact for fact in later.names(PreviousUsed) if fact.shot == 1]
        assert {one.key for one in used[-1].seals} == keys
        assert (1 in engine.state.shots_missing()) is spoil
