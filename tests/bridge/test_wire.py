"""Who is let in and what is understood, over the real wire: a companion in a process of its own."""

from __future__ import annotations

import os
import random
import stat
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import msgspec
import psutil
import pytest
import zmq
from zmq.utils.monitor import recv_monitor_message

from bridge.client import client as lazy
from bridge.client import connection
from bridge.client.connection import Declined
from bridge.protocol import endpoint
from bridge.protocol.keys import Keys, Pair
from bridge.protocol.requests import LARGEST_FRAME, Cancel, Hello, Resume, Stop, Watch
from bridge.protocol.wire import VERSION, encode
from core.errors.refusal import Refused
from tests.bridge.companions import (
    PING,
    Companions,
    Stranger,
    companions,
    kind,
    listed,
    submission,
    until_end,
)
from tests.film.media import Movie, make_movie
from tests.film.timelines import timeline

HELLO = Hello(request="h", version=VERSION)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Companions]:
    """One companion for all tests that leave it as it is."""
    with companions(tmp_path_factory.mktemp("house") / "home") as made:
        made.start("-j", "1")
        yield made


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Movie:
    return make_movie(tmp_path_factory.mktemp("reel") / "reel.mov", source_id=3, frames=24)


@pytest.fixture
def cut(reel: Movie, tmp_path: Path) -> Path:
    """A second, of which a part is missing: made in a moment."""
    line = timeline(Fraction(24))
    track = line.video()
    track.clip(reel.path, 0, 12, media_frames=24)
    track.clip(tmp_path / "away.mov", 0, 12, media_frames=24)
    line.save(tmp_path / "cut.otio")
    return tmp_path / "cut.otio"


def handshake(stranger: Stranger) -> set[int]:
    """What becomes of it."""
    ended, until = set(), time.monotonic() + 5
    while time.monotonic() < until and not ended:
        if stranger.monitor.poll(200):
            event = int(recv_monitor_message(stranger.monitor)["event"])
            if event & (
                zmq.EVENT_HANDSHAKE_SUCCEEDED
                | zmq.EVENT_HANDSHAKE_FAILED_AUTH
                | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
                | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
                | zmq.EVENT_DISCONNECTED
            ):
                ended.add(event)
    return ended


# Keys -----------------------------------------------------------------------------------------------------------------


def test_secrets_and_the_endpoint_are_readable_by_the_user_alone(house):
    private = [
        house.home / "keys" / "companion.key",
        house.home / "keys" / "client.key",
        house.home / "run" / endpoint.FILE,
    ]
    assert [stat.S_IMODE(path.stat().st_mode) for path in private] == [0o600] * 3
    assert [stat.S_IMODE((house.home / name).stat().st_mode) for name in ("keys", "run")] == [
        0o700
    ] * 2
    assert (
        Keys(house.home).companion().secret not in (house.home / "run" / endpoint.FILE).read_bytes()
    )


def test_who_has_a_listed_key_is_served(house):
    with house.client() as client:
        assert client.ask(PING).re == "p"


@pytest.mark.parametrize(
    "who", ["without a key", "with a key that is not listed", "with another companion's key"]
)
def test_a_stranger_is_refused_in_the_handshake_and_hears_nothing(house, who):
    made = Pair(*zmq.curve_keypair())
    other = zmq.curve_keypair()[0]
    options = {
        "without a key": {"keyless": True},
        "with a key that is not listed": {"pair": made},
    }.get(who, {"server": other})
    with Stranger(house.home, **options) as stranger:
        stranger.say(encode(HELLO))
        stranger.say(encode(Stop(request="x")))
        assert not handshake(stranger) & {zmq.EVENT_HANDSHAKE_SUCCEEDED}
        assert stranger.hear(0.5) is None
    with house.client() as client:
        assert client.ask(PING).re == "p", "it was not stopped"


def test_a_client_of_ours_says_why_it_is_not_let_in(house, tmp_path):
    """Another user's keys beside this companion's endpoint."""
    other = tmp_path / "other"
    other.mkdir()
    Keys(other).prepare()
    (other / "run").mkdir()
    (other / "run" / endpoint.FILE).write_bytes((house.home / "run" / endpoint.FILE).read_bytes())
    with lazy.Client(other) as client, pytest.raises(Refused, match="companion-refuses-key"):
        client.ask(PING)


def test_who_is_admitted_while_it_runs_is_let_in_and_who_is_struck_off_is_not(house):
    made = Pair(*zmq.curve_keypair())
    Keys(house.home).admit("guest", made.public.decode())
    with Stranger(house.home, pair=made) as guest:
        assert guest.ask(HELLO)["is"] == "Welcome"
    (house.home / "keys" / "allowed" / "guest").unlink()
    with Stranger(house.home, pair=made) as guest:
        guest.say(encode(HELLO))
        assert guest.hear(0.7) is None


def test_keys_that_others_can_read_are_not_used(tmp_path):
    Keys(tmp_path).prepare()
    os.chmod(tmp_path / "keys" / "client.key", 0o644)
    with pytest.raises(Refused, match="keys-unusable"):
        Keys(tmp_path).client()


def test_keys_stay_the_same(tmp_path):
    assert Keys(tmp_path).prepare() == Keys(tmp_path).prepare()


# What is said ---------------------------------------------------------------------------------------------------------


def test_an_old_version_is_refused_with_both_versions_named_and_gets_nothing(house):
    with Stranger(house.home) as old:
        said = old.ask(Hello(request="1", version="0.9"))
        assert (said["is"], said["code"]) == ("Refusal", "protocol-mismatch")
        assert "0.9" in said["message"] and VERSION in said["message"]
        assert old.ask(PING)["code"] == "message-unclear"
        assert old.ask(Watch(request="w"))["code"] == "message-unclear"


def test_thousands_of_random_frames_make_no_job_and_end_nothing(house):
    chance, before = random.Random(4), house.jobs()
    (pid,) = [found.pid for found in [endpoint.read(house.home)] if found]
    whole = [
        encode(HELLO),
        encode(Cancel(request="c", job="abc")),
        b'{"is": "Submit", "request": "s", "submission": "12345678"}',
    ]
    with Stranger(house.home) as stranger:
        assert stranger.ask(HELLO)["is"] == "Welcome"
        memory = 0
        for number in range(2000):
            frames = [
                chance.randbytes(chance.randrange(200)) for _ in range(chance.randrange(1, 4))
            ]
            if number % 2:
                spoilt = bytearray(chance.choice(whole))
                for _ in range(chance.randrange(1, 4)):
                    spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
                frames = [bytes(spoilt)]
            stranger.say(*frames)
            said = stranger.hear()
            assert said["is"] in ("Refusal", "Welcome"), said
            if number == 200:
                memory = psutil.Process(pid).memory_info().rss
        assert psutil.Process(pid).memory_info().rss - memory < 8 * 2**20
        assert stranger.ask(PING)["is"] == "Pong"
    assert house.jobs() == before


def test_a_frame_beyond_the_limit_ends_that_conversation_alone(house):
    with Stranger(house.home) as large, house.client() as other:
        assert other.ask(PING).re == "p"
        large.ask(HELLO)
        large.say(encode(PING), bytes(LARGEST_FRAME + 1))
        assert large.hear(1.0) is None
        assert other.ask(PING).re == "p"


def test_a_timeline_that_cannot_be_read_is_refused_and_no_job(house, tmp_path):
    bad, before = tmp_path / "bad.otio", house.jobs()
    with house.client() as client:
        for text, code in (
            ("{", "timeline-not-json"),
            ("[" * 5000, "timeline-too-large"),
            ('{"OTIO_SCHEMA": "Clip.1"}', "timeline-"),
        ):
            bad.write_text(text)
            with pytest.raises(Declined) as refused:
                client.ask(*submission(bad, tmp_path / "f.mov", f"bad-{code}-{len(text)}"))
            assert refused.value.refusal.code.startswith(code) and refused.value.refusal.action
    assert house.jobs() == before


def test_what_the_command_line_would_refuse_is_refused_here(house, cut, tmp_path):
    with house.client() as client:
        for changes, code in (
            ({"preset": "nosuch"}, "preset-unknown"), ({"output": str(tmp_path / "no" / "f.mov")}, "output-folder-missing"),
            ({"output": "f.mov"}, "message-unclear"), ({"sha256": "0" * 64}, "message-damaged"),
        ):  # fmt: skip
            with pytest.raises(Declined) as refused:
                client.ask(*submission(cut, tmp_path / "f.mov", f"refused-{code}", **changes))
            assert refused.value.refusal.code == code
        for message in (
            Cancel(request="c", job="zzz"),
            Resume(request="r", job="zzz"),
            Watch(request="w", job="zzz"),
        ):
            with pytest.raises(Declined) as refused:
                client.ask(message)
            assert refused.value.refusal.code == "job-unknown"


def test_nobody_there_is_said_in_a_moment(tmp_path):
    with (
        lazy.Client(tmp_path, patience_s=0.3) as client,
        pytest.raises(Refused, match="companion-absent"),
    ):
        client.ask(PING)


def test_who_was_silent_for_long_begins_anew_by_himself(house, monkeypatch):
    with house.client() as client:
        assert client.ask(PING).re == "p"
        monkeypatch.setattr(connection, "RESTED_S", 0.0)
        assert client.ask(PING).re == "p" and client.connections == 2


# Submissions ----------------------------------------------------------------------------------------------------------


def test_the_same_name_is_the_same_job_however_often_it_is_submitted(house, cut, tmp_path):
    before = len(house.jobs())
    asked, data = submission(cut, tmp_path / "film.mov", "same-name-0001")
    answers = []
    for _ in range(3):
        with house.client() as client:
            answers += [
                client.ask(asked, data),
                client.ask(msgspec.structs.replace(asked, request="other"), data),
            ]
    assert (
        len({answer.job for answer in answers}) == 1
        and [answer.again for answer in answers] == [False] + [True] * 5
    )
    assert len(house.jobs()) == before + 1
    with house.client() as client:
        until_end(client, answers[0].job)
        assert client.ask(asked, data).job == answers[0].job, "after its end as well"
    assert len(house.jobs()) == before + 1


def test_another_request_under_the_same_name_is_refused(house, cut, tmp_path):
    with house.client() as client:
        client.ask(*submission(cut, tmp_path / "one.mov", "same-name-0002"))
        with pytest.raises(Declined) as refused:
            client.ask(*submission(cut, tmp_path / "two.mov", "same-name-0002"))
    assert refused.value.refusal.code == "submission-differs"


def test_what_the_timeline_lacks_comes_with_it(house, cut, tmp_path):
    lacking = {"name": "Reel Ä", "width": 640, "height": 360, "editor": "An editor"}
    asked, data = submission(cut, tmp_path / "film.mkv", "lacking-0001")
    asked = msgspec.convert(msgspec.to_builtins(asked) | {"lacking": lacking}, type(asked))
    with house.client() as client:
        job = client.ask(asked, data).job
        events = until_end(client, job)
        (line,) = [line for line in listed(client) if line.job == job]
    assert (line.timeline, line.state) == ("Reel Ä", "incomplete")
    assert kind(events[0]) == "JobAccepted" and [event.seq for event in events] == house.seqs(job)
