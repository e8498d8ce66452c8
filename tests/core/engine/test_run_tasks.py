"""Before a job: every source is opened, and what fails for a moment is tried again."""

from __future__ import annotations

import errno

import msgspec
import pytest

from core.engine import run_tasks
from core.errors.failure import Evidence, Failure
from core.media import hashes
from core.system import machine
from core.tasks.spec import Assignment, CheckFilm, Examined, ExamineSource, Made, Order, Outcome
from tests.core.hands import Hands
from tests.core.props import POLICY, picture, source

QUICK = msgspec.structs.replace(POLICY, first_delay_s=0.001, longest_delay_s=0.002)


def opened(order: Order) -> Outcome | None:
    return (
        Examined(source=source(order.path, picture())) if isinstance(order, ExamineSource) else None
    )


def lost(*paths: str, number: int = errno.ENOENT) -> object:
    def answer(order: Order) -> Outcome | None:
        if isinstance(order, ExamineSource) and order.path in paths:
            return Evidence(operation="examine", place="source", path=order.path, errno=number)
        return None

    return answer


def examine(
    hands: Hands, *paths: str, stopped: object = lambda: False, **more: object
) -> dict[str, object]:
    return run_tasks.examine(hands, list(paths), policy=QUICK, stopped=stopped, **more)  # type: ignore[arg-type, return-value]


def test_every_path_gets_its_source_or_the_reason_why_there_is_none():
    found = examine(Hands(2, lost("/m/b.mov"), opened), "/m/a.mov", "/m/b.mov", "/m/c.mov")
    assert found["/m/a.mov"] == source("/m/a.mov", picture())
    assert isinstance(found["/m/b.mov"], Failure)
    assert found["/m/b.mov"].code == "source-missing"
    assert set(found) == {"/m/a.mov", "/m/b.mov", "/m/c.mov"}


def test_no_path_is_no_work():
    hands = Hands(2, opened)
    assert examine(hands) == {}
    assert hands.done == []


def test_more_paths_than_hands_are_opened_one_after_the_other():
    hands = Hands(1, opened)  # it asserts that it is never given more than it can hold
    assert len(examine(hands, *(f"/m/{n}.mov" for n in range(9)))) == 9


def test_a_share_that_comes_back_is_waited_for():
    hands = Hands(1, opened)
    refusals = [lost("/m/a.mov", number=errno.ESTALE)] * 2
    hands.tricks.insert(0, lambda order: refusals.pop()(order) if refusals else None)
    assert examine(hands, "/m/a.mov") == {"/m/a.mov": source("/m/a.mov", picture())}
    assert len(hands.done) == 3


def test_one_trouble_does_not_use_up_the_attempts_of_another():
    troubles = [{"exit_code": -9}, *[{"errno": errno.ENOSPC}] * (QUICK.attempts - 1)]

    def unlucky(order: Order) -> Outcome | None:
        return (
            Evidence(operation="examine", place="scratch", path="/m/a.mov", **troubles.pop())
            if troubles
            else None
        )

    assert examine(Hands(1, unlucky, opened), "/m/a.mov") == {
        "/m/a.mov": source("/m/a.mov", picture())
    }
    assert troubles == []


def test_a_share_that_stays_away_is_given_up():
    hands = Hands(1, lost("/m/a.mov", number=errno.ESTALE), opened)
    found = examine(hands, "/m/a.mov", "/m/b.mov")
    assert found["/m/a.mov"].code == "network-lost"
    assert len(hands.done) == QUICK.attempts + 1
    assert found["/m/b.mov"] == source("/m/b.mov", picture())


def test_while_one_waits_the_others_are_opened(monkeypatch):
    moment = [1000.0]
    monkeypatch.setattr(machine, "monotonic", lambda: moment[0])
    order_of = []
    hands = Hands(1, lost("/m/a.mov", number=errno.ESTALE), opened)
    real = hands.listen

    def listen(timeout_s: float) -> object:
        moment[0] += 0.0005 if hands.at_work else timeout_s
        said = real(timeout_s)
        order_of.extend(name for name, _ in said)
        return said

    hands.listen = listen  # type: ignore[method-assign, assignment]
    examine(hands, "/m/a.mov", "/m/b.mov", "/m/c.mov")
    assert order_of[:3] == ["/m/a.mov", "/m/b.mov", "/m/c.mov"]


@pytest.mark.parametrize("by_s", [-86400, 3600])
def test_a_clock_that_is_set_while_one_waits_neither_delays_it_nor_spends_its_attempts(
    monkeypatch, by_s
):
    real, refused = machine.now, []
    monkeypatch.setattr(machine, "now", lambda: real() + by_s * len(refused))

    def lost_at_first(order: Order) -> Outcome | None:
        if len(refused) == QUICK.attempts - 1:
            return None
        refused.append(order)
        return lost("/m/a.mov", number=errno.ESTALE)(order)

    assert examine(Hands(1, lost_at_first, opened), "/m/a.mov") == {
        "/m/a.mov": source("/m/a.mov", picture())
    }
    assert len(refused) == 3


def test_asked_to_stop_it_stops():
    with pytest.raises(run_tasks.Stopped):
        examine(Hands(1, opened), "/m/a.mov", stopped=lambda: True)


def test_whoever_watches_hears_of_each_once():
    heard = []
    hands = Hands(2, lost("/m/b.mov"), opened)
    examine(
        hands,
        "/m/a.mov",
        "/m/b.mov",
        on_done=lambda name, outcome: heard.append((name, type(outcome).__name__)),
    )
    assert sorted(heard) == [("/m/a.mov", "Examined"), ("/m/b.mov", "Evidence")]


def test_progress_is_no_answer(tmp_path):
    (tmp_path / "film.mov").write_text("a film")
    check = CheckFilm(
        path=str(tmp_path / "film.mov"),
        film_hash=hashes.tree_hash(tmp_path / "film.mov"),
        frames=5,
        samples=0,
        deep=False,
    )
    hands = Hands(1)  # they say how far they are before they are done
    heard = []
    answers = run_tasks.run_all(
        hands, {"check": Assignment(order=check)}, policy=QUICK, stopped=lambda: False,  # type: ignore[arg-type]
        on_done=lambda name, outcome: heard.append(type(outcome)),
    )  # fmt: skip
    assert answers == {"check": Made(frames=5, digest="0")}
    assert heard == [Made]
