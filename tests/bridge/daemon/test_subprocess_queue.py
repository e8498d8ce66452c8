"""A row of errands and its child: what becomes of each when the child dies or hangs. Real processes."""

from __future__ import annotations

import contextlib
import os
import time

import psutil
import pytest
import zmq
from msgspec.structs import replace

from bridge.daemon import subprocess_queue
from bridge.daemon.children import INBOX
from bridge.daemon.helper_requests import packed
from bridge.daemon.subprocess_queue import SubprocessQueue
from bridge.protocol.requests import Answer, Cancel, Submit


class Desk:
    """A row, and what came of what it was asked."""

    def __init__(self, patience_s=20.0):
        self.context = zmq.Context()
        self.inbox = self.context.socket(zmq.PULL)
        self.inbox.bind(INBOX)
        self.answers = []
        self.row = SubprocessQueue(
            "tests.bridge.moody", self.context, patience_s=patience_s, packed=lambda errand: packed(errand.message, errand.upload),
            answered=lambda errand, said: self.answers.append((errand.message.request, said and said.job)),
        )  # fmt: skip

    def ask(self, *names, upload="", peer=b"peer"):
        for name in names:
            self.row.take(peer, Cancel(request=name, job="x"), upload)

    def until(self, count):
        """The loop, until so many answers are there."""
        end = time.monotonic() + 30
        while len(self.answers) < count:
            assert time.monotonic() < end, self.answers
            if self.inbox.poll(20):
                name, line = self.inbox.recv_multipart()
                self.row.hear(name.decode(), line)
            self.row.look_after()
        return self.answers

    def child(self):
        """The child, as soon as it is the program that it is to be."""
        while True:
            for process in psutil.Process().children():
                with contextlib.suppress(psutil.Error):
                    if "tests.bridge.moody" in process.cmdline():
                        return process


@pytest.fixture
def desk():
    made = Desk()
    yield made
    made.row.close()
    made.context.destroy(linger=0)


def test_errands_are_done_in_their_order_with_what_came_with_them(desk):
    desk.ask("one", upload="123")
    desk.ask("two", "three")
    assert desk.until(3) == [("one", "3"), ("two", "0"), ("three", "0")]


def test_what_ends_a_child_twice_is_given_up_and_the_others_are_done(desk):
    desk.ask("one", "die", "three", "four")
    assert desk.until(4) == [("one", "0"), ("die", None), ("three", "0"), ("four", "0")]


def test_what_ended_a_child_once_is_done_by_the_next(desk, tmp_path):
    desk.row.take(
        b"",
        Answer(
            request="once", job="x", about="1", answer="relink", file=str(tmp_path / "was-here")
        ),
    )
    desk.ask("two")
    assert desk.until(2) == [("once", "0"), ("two", "0")]


def test_a_child_that_hangs_is_left_behind_and_what_it_hung_at_given_up(desk):
    desk.row.close()
    desk.row = SubprocessQueue(
        "tests.bridge.moody", desk.context, patience_s=1.0, packed=lambda errand: packed(errand.message, errand.upload),
        answered=lambda errand, said: desk.answers.append((errand.message.request, said and said.job)),
    )  # fmt: skip
    desk.ask("hang", "two")
    first = desk.child()
    assert desk.until(2) == [("hang", None), ("two", "0")]
    assert not first.is_running() or first.status() == psutil.STATUS_ZOMBIE


def test_patience_counts_from_when_an_errand_is_the_first(desk, monkeypatch):
    """Whoever waits behind others does not hang."""
    now = [time.monotonic()]
    monkeypatch.setattr(subprocess_queue.machine, "monotonic", lambda: now[0])
    desk.ask("one", "two")
    desk.until(1)
    now[0] += 19.0
    desk.row.look_after()
    assert desk.until(2) == [("one", "0"), ("two", "0")]


def test_what_an_old_child_says_late_is_not_heard(desk):
    desk.ask("one")
    desk.until(1)
    assert not desk.row.hear("tests.bridge.moody-0", b"{}") and not desk.row.hear("other", b"")


def test_a_child_that_ends_at_its_very_start_is_not_begun_again_and_again(desk, monkeypatch):
    desk.row.be_there()
    assert desk.row.there
    os.kill(desk.child().pid, 9)
    name, line = desk.inbox.recv_multipart()
    desk.row.hear(name.decode(), line)
    desk.row.be_there()
    assert not desk.row.there
    now = time.monotonic()
    monkeypatch.setattr(
        subprocess_queue.machine, "monotonic", lambda: now + subprocess_queue.REST_S + 0.1
    )
    desk.row.be_there()
    assert desk.row.there


def test_a_full_row_says_so(desk, monkeypatch):
    monkeypatch.setattr(subprocess_queue, "MOST_ERRANDS", 2)
    desk.ask("hang", "two")
    assert desk.row.full(b"peer")


def test_who_asks_much_is_told_to_wait_and_others_are_not(desk, monkeypatch):
    monkeypatch.setattr(subprocess_queue, "MOST_OF_ONE", 2)
    desk.ask("hang", "two", "three")
    assert desk.row.full(b"peer") and not desk.row.full(b"other")


def test_those_who_ask_take_turns(desk):
    desk.ask("one", "two", "three", "four", peer=b"a")
    desk.ask("five", peer=b"b")
    desk.ask("six", peer=b"c")
    assert [name for name, _ in desk.until(6)] == ["one", "two", "five", "six", "three", "four"]


def test_the_same_submission_is_read_once_and_all_who_asked_are_told(desk):
    told = []
    desk.row._answered = lambda errand, said: (
        told.append(errand.others),
        desk.answers.append((errand.message.request, said.job)),
    )
    asked = Submit(request="one", submission="12345678", output="/f.mov", sha256="0" * 64)
    desk.row.take(b"a", asked, "12")
    desk.row.take(b"b", replace(asked, request="two"), "12")
    desk.row.take(b"b", replace(asked, request="other", output="/g.mov"), "1")
    assert desk.until(2) == [("one", "2"), ("other", "1")] and told == [[(b"b", "two")], []]


def test_a_child_for_each_errand_ends_with_it(desk):
    desk.row._one_each = True
    desk.ask("one", "two", upload="1")
    first = desk.child()
    assert desk.until(2) == [("one", "1"), ("two", "1")]
    assert not desk.row.there and (not first.is_running() or first.status() == psutil.STATUS_ZOMBIE)
