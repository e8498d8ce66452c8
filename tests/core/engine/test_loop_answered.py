"""The loop while people decide: with a real journal and real renames."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from core.engine import user_decisions as answering_module
from core.errors.failure import Evidence
from core.job.events import Answered, PreviousUsed, RunInterrupted, ShotSlated
from core.storage.history import History
from core.storage.journal import Journal
from core.system import machine
from core.tasks.spec import Order, Outcome, RenderSegment
from tests.core.hands import Hands
from tests.core.studio import MEDIA, QUICK, SAME, Studio


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
    end = studio.engine(
        Hands(1, answered_after(studio, "SegmentSealed", Answered(answer="stop")))
    ).run()
    assert end == RunInterrupted(reason="answer")
    assert studio.run().outcome == "complete"


def test_who_always_wants_to_stop_at_a_fault_is_obeyed(studio):
    engine = studio.engine(Hands(1, hurt))
    engine.state.decisions.preferences = {"source-damaged": "stop"}
    assert engine.run() == RunInterrupted(reason="stop at source-damaged")


def test_an_earlier_render_stands_in_and_when_it_is_spoilt_the_slate_comes_back(studio):
    assert studio.run().outcome == "complete"
    first = studio.engine(Hands(1)).state.plan
    History(studio.journal).keep_plan("job1", "cut", first)
    changed = msgspec.structs.replace(MEDIA, fingerprint="other bytes now")
    keys = {segment.key for segment in first.segments if segment.shot == 1}
    for spoil in (False, True):
        later = Studio(studio.root)
        later.media = {changed.path: changed, SAME.path: SAME}
        engine = later.engine(Hands(1, hurt))
        engine.state.decisions.preferences = {"source-damaged": "previous"}
        if spoil:
            for key in keys:
                next((studio.root / "scratch" / "store").rglob(f"{key}.*")).write_bytes(b"spoilt")
        end = engine.run()
        assert (end.outcome, end.taken_shots) == (
            ("incomplete", (2,)) if spoil else ("complete", (1, 2))
        ), "asked for, and had"
        used = [fact for fact in later.names(PreviousUsed) if fact.shot == 1]
        assert {one.key for one in used[-1].seals} == keys
        assert (1 in engine.state.shots_missing()) is spoil
