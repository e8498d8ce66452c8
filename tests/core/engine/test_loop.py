"""The loop with a real journal and real renames: first the record, then the memory; wherever it stops, it goes on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.engine import batching
from core.job.events import (
    AttemptFailed,
    FilmPublished,
    JobFinished,
    RunInterrupted,
    SealBroken,
    SegmentSealed,
)
from core.storage.journal_faults import JournalLost
from core.tasks.spec import JoinFilm, Order, Outcome
from tests.core.hands import Hands, once, perform
from tests.core.props import H264, PRORES
from tests.core.studio import QUICK, SAME, Studio


def test_a_job_from_its_plan_to_its_film(studio):
    end = studio.run()
    assert end.outcome == "complete"
    assert sorted(studio.heard) == sorted(
        ["SegmentSealed"] * 4 + ["FilmJoined", "FilmPublished", "JobFinished"]
    )
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
    assert hands.done.count("RenderSegment") + hands.done.count("MixSound") + hands.done.count(
        "ExamineCopy"
    ) == 4 - len(sealed)


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
    assert seal_broken.key == next(
        fact.key for fact in studio.names(SegmentSealed) if fact.kind == kind
    )
    assert [fact.failure.code for fact in studio.names(AttemptFailed)] == ["seal-damaged"]


def test_a_store_that_rots_at_every_joining_ends_the_job_instead_of_going_on_for_ever(studio):
    def rot(order: Order) -> Outcome | None:
        if isinstance(order, JoinFilm):
            Path(order.video[0].file).write_bytes(b"rot")
        return None

    end = studio.run(rot)
    assert (end.outcome, end.code) == ("failed", "seal-damaged")
    assert len(studio.names(AttemptFailed)) == QUICK.attempts


def test_small_pieces_are_recorded_together_and_only_while_every_worker_is_busy(
    studio, monkeypatch
):
    engine, together = studio.engine(Hands(1)), []
    append = engine.journal.append
    monkeypatch.setattr(
        engine.journal,
        "append",
        lambda job, facts, at: (together.append([type(f) for f in facts]), append(job, facts, at))[
            1
        ],
    )
    assert engine.run().outcome == "complete"
    assert [kinds.count(SegmentSealed) for kinds in together if SegmentSealed in kinds] == [4], (
        "one transaction for all four"
    )
    assert len(studio.names(SegmentSealed)) == 4


def test_a_worker_is_at_its_next_order_before_what_it_brought_is_put_on_record(studio, monkeypatch):
    monkeypatch.setattr(batching, "LONGEST_S", 0.0)
    hands = Hands(1)
    engine, busy = studio.engine(hands), []
    engine.on_fact = lambda seq, fact: (
        busy.append(bool(hands.at_work)) if isinstance(fact, SegmentSealed) else None
    )
    assert engine.run().outcome == "complete"
    assert busy[:-1] == [True] * (len(busy) - 1) and len(busy) > 2


def test_what_came_back_before_a_stop_is_kept(studio):
    hands = Hands(1)
    engine = studio.engine(hands)
    engine.on_tick = lambda engine: setattr(studio, "stop", "SIGINT") if hands.done else None
    assert engine.run() == RunInterrupted(reason="SIGINT")
    assert len(studio.names(SegmentSealed)) == 1 == len(hands.done)


def test_clean_packets_are_remembered_for_the_next_time(studio):
    studio.run()
    assert studio.journal.decoded(SAME.fingerprint, 0, 0, 1000) == {0: 7}


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
