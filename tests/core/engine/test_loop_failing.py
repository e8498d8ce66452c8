"""The loop where work fails, disks fill up and volumes go: with a real journal and real renames."""

from __future__ import annotations

import errno
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from core.errors.failure import Evidence
from core.job.events import (
    AttemptFailed,
    ClockJumped,
    GateClosed,
    GateOpened,
    JobFinished,
    RunInterrupted,
    SealBroken,
    SegmentSealed,
    ShotMended,
    ShotSlated,
)
from core.storage import workspace
from core.storage.history import History
from core.system import machine
from core.tasks.spec import (
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
from tests.core.hands import Hands, Trick, once, perform
from tests.core.props import POLICY, clip, cut
from tests.core.studio import MEDIA, PATIENT, SAME, Studio


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
                return Evidence(
                    operation="render", place="source", path="/media/a.mov", errno=errno.ESTALE
                )
        return None

    studio.run(fail_twice)
    assert [name.split(".")[1] for name in names] == ["1", "2", "3"]


def test_a_shot_that_cannot_be_made_is_a_slate_and_the_film_is_incomplete(studio):
    def damaged(order: Order) -> Outcome | None:
        if isinstance(order, RenderSegment) and order.source and order.frames == 20:
            return Evidence(
                operation="render", place="source", path="/media/a.mov", note="log-says-damage"
            )
        return None

    end = studio.run(damaged)
    assert end.outcome == "incomplete"
    assert studio.heard.count("ShotSlated") == 1
    assert studio.output.exists()


def test_what_is_good_of_a_damaged_shot_is_in_the_film(studio):
    def damaged(order: Order) -> Outcome | None:
        if isinstance(order, RenderSegment) and order.source and order.frames == 20:
            return Evidence(
                operation="render", place="source", path="/media/a.mov", note="log-says-damage"
            )
        return (
            Located(bad=((4, 3),), picture=order.picture)
            if isinstance(order, LocateDamage)
            else None
        )

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
            return Evidence(
                operation="render", place="source", path="/media/a.mov", note="log-says-damage"
            )
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
                used = Marks(path=order.source, stream=0, marks={3: 30, 4: mark})
                return msgspec.structs.replace(made, marks=(used,))
            return Located(bad=((0, 1),)) if isinstance(order, LocateDamage) else None

        return reading

    assert studio.run(read(40)).outcome == "complete"
    studio.film = cut(
        [clip(0, 24), clip(24, 20, source_in=Fraction(241, 24)), clip(44, 24, "/media/same.mov")]
    )
    end = studio.run(read(41))
    (mend,) = studio.names(ShotMended)
    assert (end.outcome, mend.failure.code) == ("incomplete", "source-unlike-record")


def test_what_is_made_but_not_as_promised_is_never_sealed(studio):
    def short(order: Order) -> Outcome | None:
        if isinstance(order, RenderSegment) and order.source:
            return Made(
                frames=order.frames - (order.frames == 24),
                signature="another" if order.frames == 20 else order.signature,
            )
        return None

    end = studio.run(short)
    assert end.outcome == "incomplete"
    codes = [fact.failure.code for fact in studio.names(AttemptFailed)]
    assert sorted(codes) == ["render-unlike", "render-unlike", "source-too-short"], (
        "one may be chance, the other is not"
    )
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
    order = [
        (type(fact).__name__) for fact in studio.story() if getattr(fact, "key", "") == broken.key
    ]
    assert order == ["SegmentSealed", "SealBroken", "AttemptFailed", "SegmentSealed"]


def test_a_film_that_does_not_read_back_is_not_published_and_the_old_one_stays(studio):
    studio.output.write_text("the old film")
    end = studio.run(
        lambda order: Refuted(reason="pictures differ") if isinstance(order, JoinFilm) else None
    )
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
    engine = studio.engine(
        Hands(
            2,
            full_disk,
            lambda order: Refuted(reason="full") if isinstance(order, ProbePlace) else None,
        )
    )
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

    engine = studio.engine(
        Hands(2, lambda order: None if len(room) > 2 else full_disk(order), probing)
    )
    engine.state.policy = PATIENT
    assert engine.run().outcome == "complete"
    (opened,) = studio.names(GateOpened)
    assert (opened.gate, opened.given_up) == ("scratch", False)
    counted = [fact for fact in studio.names(AttemptFailed) if not fact.recovery.gate]
    assert len(counted) <= 3, "waiting costs no attempt"


def test_a_volume_that_is_gone_is_waited_for_while_everything_else_is_made(studio):
    away = Evidence(
        operation="render", place="source", path=MEDIA.path, errno=errno.ENOENT, volume="/"
    )
    probes = []

    def gone(order: Order) -> Outcome | None:
        if isinstance(order, ProbePlace):
            probes.append(order)
            return Refuted(reason="not yet") if len(probes) < 3 else Validated()
        return (
            away if isinstance(order, RenderSegment) and order.source and len(probes) < 3 else None
        )

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
    away = Evidence(
        operation="render", place="source", path=MEDIA.path, errno=errno.ENOENT, volume="/"
    )

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


def test_what_cured_a_fault_here_is_remembered(studio):
    def once_unlike(order: Order) -> Outcome | None:
        return (
            Evidence(operation="render", place="program")
            if isinstance(order, RenderSegment)
            else None
        )

    assert studio.run(once(once_unlike)).outcome == "complete"
    assert History(studio.journal).cures() == [("unknown", "nothing else meanwhile", 1, 0)]


@pytest.mark.parametrize("by_s", [-86400, 3600, 86400 * 365])
def test_the_clock_may_be_set_between_failures_and_no_shot_is_given_up_for_it(
    studio, monkeypatch, by_s
):
    real, failures = machine.now, []
    monkeypatch.setattr(machine, "now", lambda: real() + by_s * len(failures))

    def shaken(order: Order) -> Outcome | None:
        if isinstance(order, RenderSegment) and len(failures) < POLICY.attempts - 1:
            failures.append(order.part)
            return Evidence(operation="render", place="source", path=MEDIA.path, errno=errno.ESTALE)
        return None

    assert studio.run(shaken).outcome == "complete"
    assert len(studio.names(AttemptFailed)) == 3 and not studio.names(ShotSlated)
    jumps = studio.names(ClockJumped)
    assert sum(jump.by_s for jump in jumps) == pytest.approx(3 * by_s, abs=3) and not any(
        jump.slept for jump in jumps
    )


def test_a_clock_that_was_set_back_by_years_between_two_runs_keeps_nothing_waiting(
    studio, monkeypatch
):
    def lost(order: Order) -> Outcome | None:
        if not isinstance(order, RenderSegment):
            return None
        studio.stop = "asked"
        return Evidence(operation="render", place="source", path=MEDIA.path, errno=errno.ESTALE)

    real = machine.now
    monkeypatch.setattr(machine, "now", lambda: real() + 86400 * 365)
    assert isinstance(studio.run(once(lost)), RunInterrupted)
    monkeypatch.setattr(machine, "now", real)
    studio.stop = ""
    began = machine.monotonic()
    assert studio.run().outcome == "complete"
    assert machine.monotonic() - began < 60


def test_too_little_room_is_seen_before_the_work_and_names_the_right_disk(studio, monkeypatch):
    monkeypatch.setattr(
        machine, "free_bytes", lambda path: 0 if Path(path) == studio.output.parent else 10**15
    )
    end = studio.run()
    assert (end.outcome, end.code) == ("failed", "output-full")
    assert len(studio.names(SegmentSealed)) == 4, "everything that could be made is kept"


def test_publishing_that_is_refused_fails_the_job_and_leaves_the_old_film(studio, monkeypatch):
    studio.output.write_text("the old film")

    def refuse(staged: Path, output: Path, **_: object) -> str:
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


def test_a_film_of_which_nothing_is_left_fails_by_name(tmp_path):
    studio = Studio(tmp_path, film=cut([clip(0, 24)]))
    end = studio.run(lambda order: (
        Evidence(operation="render", place="source", path="/media/a.mov", note="log-says-damage")
        if isinstance(order, RenderSegment) and order.source else None
    ))  # fmt: skip
    assert (end.outcome, end.code) == ("failed", "nothing-to-show")
    assert not studio.output.exists()
