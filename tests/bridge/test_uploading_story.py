"""Large timelines over real connections: slow ones, broken ones, and companions that end meanwhile."""

from __future__ import annotations

import contextlib
import threading
import time
from fractions import Fraction

import msgspec
import psutil
import pytest
import zmq

from bridge.client import client as lazy
from bridge.client.client import Client
from bridge.protocol.keys import Keys, Pair
from bridge.protocol.requests import Hello, Pause, Watch
from bridge.protocol.wire import VERSION, encode
from tests.bridge.companions import PING, Stranger, companions, submission
from tests.film.timelines import timeline
from tests.proofs.proxy import Proxy
from tests.proofs.wire import Room

MIB = 2**20


def large(place, size):
    """A timeline of so many bytes, most of them in its metadata."""
    line = timeline(Fraction(24))
    line.video().clip(place / "away.mov", 0, 12, media_frames=24)
    line.save(place / "cut.otio")
    plain = msgspec.json.decode((place / "cut.otio").read_bytes())
    plain["metadata"] = {"notes": ""}
    plain["metadata"]["notes"] = "x" * (size - len(msgspec.json.encode(plain)))
    path = place / f"{size}.otio"
    path.write_bytes(msgspec.json.encode(plain))
    return path


@pytest.fixture
def scene(tmp_path):
    """A companion whose jobs rest, and a link to it that is as slow as a test wishes."""
    with companions(tmp_path / "home") as house:
        house.start("-j", "1")
        with house.client() as client:
            client.ask(Pause(request="p"))
        yield house, tmp_path


def through(house, place, rate):
    found = lazy.endpoint.read(house.home)
    proxy = Proxy(int(found.address.rpartition(":")[2]), rate=rate)
    return proxy, Room(house.home, place / f"room-{time.monotonic_ns()}", proxy).place


def test_a_slow_line_that_is_cut_twice_goes_on_where_it_was_and_others_are_served(scene):
    house, place = scene
    proxy, room = through(house, place, 1.0 * MIB)
    cuts, seen, waits = [MIB, 2 * MIB], [], []
    done = threading.Event()

    def meanwhile():
        with house.client() as other:
            while not done.wait(0.1):
                began = time.monotonic()
                other.ask(PING)
                waits.append(time.monotonic() - began)

    def hear(arrived, size):
        seen.append(arrived)
        if cuts and arrived >= cuts[0]:
            cuts.pop(0)
            proxy.cut()

    watcher = threading.Thread(target=meanwhile)
    watcher.start()
    try:
        with Client(room, program="test") as client:
            asked, data = submission(large(place, 3 * MIB), place / "film.mov", "slow-line-0001")
            first = client.ask(asked, data, hear=hear)
            again = client.ask(asked, data)
            assert client.connections >= 3, "it was cut off twice"
    finally:
        done.set()
        watcher.join()
        proxy.close()
    assert seen == sorted(seen) and seen[-1] == 3 * MIB, "nothing that had arrived was sent again"
    assert (
        not first.again and again.again and again.job == first.job and house.jobs() == [first.job]
    )
    assert len(waits) > 5 and max(waits) < 2.0
    assert list((house.home / "uploads").iterdir()) == []


def test_a_companion_that_is_killed_in_the_middle_is_followed_by_one_that_goes_on(scene):
    house, place = scene
    kills, seen = [MIB], []

    def hear(arrived, size):
        seen.append(arrived)
        if kills and arrived >= kills[0]:
            kills.pop()
            house.kill()

    with house.client(start=lambda: house.start("-j", "1")) as client:
        asked, data = submission(large(place, 4 * MIB), place / "film.mov", "killed-0001")
        accepted = client.ask(asked, data, hear=hear)
    assert not kills and seen == sorted(seen) and house.jobs() == [accepted.job]
    assert [raw for raw in [_raw(house, accepted.job)] if raw == data], (
        "what is on record is what was sent"
    )


def _raw(house, job):
    from core.storage.journal import Journal

    journal = Journal(house.home / "journal.db")
    try:
        return journal.request(job)[1]
    finally:
        journal.close()


def test_what_the_disk_has_spoilt_is_sent_again(scene):
    house, place = scene
    asked, data = submission(large(place, MIB), place / "film.mov", "spoilt-disk-0001")
    spoilt = []

    def hear(arrived, size):
        if arrived == size and not spoilt:
            (path,) = (house.home / "uploads").iterdir()
            spoilt.append(path)
            with path.open("r+b") as file:
                file.write(b"\0\0\0\0")

    with house.client() as client:
        accepted = client.ask(asked, data, hear=hear)
    assert spoilt and _raw(house, accepted.job) == data


def test_a_client_of_the_version_before_sends_in_one_piece_as_ever(scene):
    house, place = scene
    asked, data = submission(large(place, 3 * MIB), place / "film.mov", "old-client-0001")
    with Stranger(house.home) as old:
        assert old.ask(Hello(request="h", version="1.1"))["is"] == "Welcome"
        old.say(encode(asked), data)
        assert old.hear(20)["is"] == "Accepted"


def _until_it_ends(listener, say):
    """Say it again and again: the listener looks at its memory from time to time, and one message may pass between two looks."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        say()
        with contextlib.suppress(psutil.TimeoutExpired):
            listener.wait(0.2)
            return
    raise AssertionError("the listener did not end at its limit")


# What is hostile ------------------------------------------------------------------------------------------------------


def test_who_sends_without_end_is_told_disconnected_and_kept_out_and_all_others_go_on(scene):
    house, _ = scene
    guest = Pair(*zmq.curve_keypair())
    Keys(house.home).admit("guest", guest.public.decode())
    before = house.listener()
    with (
        Stranger(house.home) as watcher,
        Stranger(house.home, pair=guest) as hostile,
        house.client() as other,
    ):
        watcher.ask(Hello(request="h", version=VERSION))
        watcher.ask(Watch(request="w"))
        hostile.ask(Hello(request="h", version=VERSION, capabilities=("chunks",)))
        hostile.say(encode(PING), *[b""] * 1_000_000)
        told = []
        until = time.monotonic() + 20
        while time.monotonic() < until and not any(
            said and said.get("code") == "client-cut-off" for said in told
        ):
            told.append(watcher.hear(1.0))
            assert other.ask(PING).re == "p" and other.connections == 1
        (noticed,) = [said for said in told if said and said.get("code") == "client-cut-off"]
        assert "guest" in noticed["message"]
        assert (hostile.hear(1.0) or {}).get("code") in ("client-over-budget", None)
    assert house.listener().pid == before.pid, "nobody else had to connect again"
    with Stranger(house.home, pair=guest) as hostile:
        hostile.say(encode(Hello(request="h", version=VERSION)))
        assert hostile.hear(1.0) is None, "it is not let in for a while"


def test_a_listener_at_its_limit_ends_another_is_there_and_nothing_is_lost(tmp_path):
    with companions(tmp_path / "home") as house:
        house.start(
            "-j", "1", before="import bridge.daemon.listener_proxy as l; l.LIMIT = 20 * 2**20"
        )
        first = house.listener()
        with house.client() as client:
            client.ask(Pause(request="p"))
            accepted = client.ask(
                *submission(large(tmp_path, MIB), tmp_path / "film.mov", "before-0001")
            )
            with Stranger(house.home) as old:
                old.ask(Hello(request="h", version="1.1"))
                _until_it_ends(first, lambda: old.say(encode(PING), bytes(32 * MIB)))
            assert client.ask(PING).re == "p" and client.connections == 2
            found = lazy.endpoint.read(house.home)
            assert (
                house.listener().pid != first.pid
                and found is not None
                and found.pid == house.running[-1].pid
            )
            assert (
                client.ask(
                    *submission(large(tmp_path, MIB), tmp_path / "film.mov", "before-0001")
                ).job
                == accepted.job
            )
        assert "memory limit" in house.said()
