"""A client on a link that misbehaves. All of it: `python -m tests.proofs.wire`."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from bridge.client.client import Client
from bridge.protocol.requests import Hello, Watch
from bridge.protocol.responses import Happened, Several
from bridge.protocol.wire import VERSION
from core.job.events import RunInterrupted
from core.storage.journal import Journal
from tests.bridge.companions import PING, Companions, Stranger, companions
from tests.film.media import make_movie
from tests.film.timelines import timeline
from tests.proofs.wire import converse


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    place = tmp_path_factory.mktemp("scene")
    reel = make_movie(place / "reel.mov", source_id=1, frames=12)
    line = timeline(Fraction(24))
    line.video().clip(reel.path, 0, 12, media_frames=12)
    line.save(place / "cut.otio")
    with companions(place / "home") as house:
        house.start("-j", "1")
        yield house, place


@pytest.mark.parametrize(
    ("action", "at"),
    [
        ("cut", 3),
        ("cut", 12),
        ("drop", 9),
        ("drop", 14),
        ("flip", 10),
        ("truncate", 11),
        ("double", 13),
    ],
)
def test_a_conversation_spoilt_once_ends_with_one_job_and_everything_heard_once(scene, action, at):
    house, place = scene
    name = f"spoilt-{action}-{at}"
    wrong, pieces, fired, _ = converse(
        house, place / "cut.otio", place / "film.mov", place / name, name, action=action, at=at
    )
    assert fired, f"there were only {pieces} pieces"
    assert wrong == ""


# What was missed ------------------------------------------------------------------------------------------------------


def caught_up(house: Companions, client: Client, after: int = 0) -> list[int]:
    last, heard = client.ask(PING).last, []
    for said in client.watch(after=after):
        if isinstance(said, Happened):
            heard.append(said.seq)
            if said.seq >= last:
                return heard
    raise AssertionError("watching ended by itself")


@pytest.fixture(scope="module")
def week(scene):
    """A record with much on it."""
    house, place = scene
    converse(
        house,
        place / "cut.otio",
        place / "film.mov",
        place / "much",
        "spoilt-much",
        action="",
        at=0,
    )
    journal = Journal(house.home / "journal.db")
    (job, *_) = [job for job, _ in journal.jobs()]
    journal.append(
        job, [RunInterrupted(reason="x" * 200 + str(number)) for number in range(3000)], 1.0
    )
    seqs = [seq for (seq,) in journal.read("SELECT seq FROM facts ORDER BY seq", ())]
    journal.close()
    return house, seqs


def test_much_comes_in_few_messages_in_order_from_anywhere_and_one_by_one_to_who_asks_no_batches(
    week,
):
    house, seqs = week
    with house.client() as client:
        assert caught_up(house, client) == seqs
        assert caught_up(house, client, seqs[1234]) == seqs[1235:]
        assert client.connections == 1
    for capabilities, most in (((), len(seqs)), (("batches",), len(seqs) // 50)):
        with Stranger(house.home) as stranger:
            stranger.ask(Hello(request="h", version=VERSION, capabilities=capabilities))
            assert stranger.ask(Watch(request="w"))["is"] == "Watching"
            heard: list[dict[str, Any]] = []
            messages = 0
            while not heard or heard[-1]["seq"] < seqs[-1]:
                said = stranger.hear()
                if said["is"] in ("Happened", "Several"):
                    messages += 1
                    heard += said.get("events", [said])
            assert [said["seq"] for said in heard] == seqs and [
                said["after"] for said in heard
            ] == [0, *seqs[:-1]]
            assert messages == most if not capabilities else messages < most


@pytest.mark.parametrize("spoil", ["lost", "twice"])
def test_a_batch_that_is_lost_or_comes_twice_is_noticed_and_each_fact_is_heard_once(
    week, monkeypatch, spoil
):
    house, seqs = week
    real, batches, again = Client._receive, 0, []

    def receive(self: Client, wait_s: float) -> Any:
        nonlocal batches
        if again:
            return again.pop()
        said = real(self, wait_s)
        batches += isinstance(said, Several)
        if isinstance(said, Several) and batches in (3, 7):
            if spoil == "lost":
                return real(self, wait_s)
            again.append(said)
        return said

    monkeypatch.setattr(Client, "_receive", receive)
    with house.client() as client:
        assert caught_up(house, client) == seqs
        assert client.connections == (3 if spoil == "lost" else 1)
