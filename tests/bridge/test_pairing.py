"""Another machine and this one: two data folders, two pairs of keys, and ZeroMQ between them."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import psutil
import pytest
import zmq

from bridge.client.client import Client
from bridge.client.connection import Declined
from bridge.protocol import endpoint
from bridge.protocol.keys import Keys, pairing_key, plain_key
from bridge.protocol.requests import List
from core.errors.refusal import Refused
from core.messages.refusal_text import refusal
from tests import command
from tests.bridge.companions import PING, Companions, companions
from tests.film.media import make_movie
from tests.film.timelines import timeline


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Pair:
    """`house` has a companion that listens at `address`; `guest` is the data folder of another machine."""

    house: Companions
    address: str
    guest: Path

    def here(self, *words: str) -> tuple[int, str]:
        return hotsplice(self.house.home, *words)

    def there(self, *words: str) -> tuple[int, str]:
        return hotsplice(self.guest, *words)

    def keys_of(self, home: Path) -> list[str]:
        code, said = hotsplice(home, "pair", "--show")
        assert code == 0, said
        return [line.strip() for line in said.splitlines() if line.startswith("  ")]

    def client(self, **options) -> Client:
        return Client(self.guest, at="studio", **{"patience_s": 6.0, **options})

    def pair(self) -> None:
        """As two people do it."""
        (guest, _), (_, server) = self.keys_of(self.guest), self.keys_of(self.house.home)
        assert self.here("pair", "laptop", guest)[0] == 0
        assert self.there("pair", "studio", server, "--with", self.address)[0] == 0


def hotsplice(home: Path, *words: str) -> tuple[int, str]:
    made = Companions(home)
    done = command.hotsplice(*words, environment=made.environment)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("both")
    address = f"127.0.0.2:{free_port()}" if sys.platform == "linux" else f"127.0.0.1:{free_port()}"
    home = folder / "house"
    home.mkdir()
    (home / "settings.yaml").write_text(f"listen: {address}\ndoor: false\n")
    with companions(home) as made:
        made.start("-j", "1")
        yield Pair(made, address, folder / "guest")


@pytest.fixture(autouse=True)
def strangers(both: Pair) -> None:
    """Each test begins with two machines that do not know each other."""
    both.here("pair", "--remove", "laptop")
    both.there("pair", "--remove", "studio")


# Being let in ---------------------------------------------------------------------------------------------------------


def test_who_is_not_paired_is_refused_and_gets_nothing(both):
    _, server = both.keys_of(both.house.home)
    both.there("pair", "studio", server, "--with", both.address)
    with both.client() as client, pytest.raises(Refused) as error:
        client.ask(PING)
    assert error.value.code == "companion-refuses-key"


def test_who_is_paired_is_let_in_at_once_and_who_is_removed_is_put_out(both):
    both.pair()
    with both.client() as client, both.client() as watcher:
        assert client.ask(PING).re == "p"
        watching = watcher.watch()
        next(watching)
        assert both.here("pair", "--remove", "laptop")[0] == 0
        until = time.monotonic() + 10
        with pytest.raises((Declined, Refused)) as asking:  # the conversation that is under way
            while time.monotonic() < until:
                client.ask(List(request="list"))
        with pytest.raises((Declined, Refused)) as hearing:
            while time.monotonic() < until:
                next(watching)
        codes = {getattr(e.value, "code", "") or e.value.refusal.code for e in (asking, hearing)}
        assert codes == {"companion-refuses-key"}
    with both.client() as another, pytest.raises(Refused) as error:  # the next one
        another.ask(PING)
    assert error.value.code == "companion-refuses-key"
    with both.house.client() as own:
        assert own.ask(PING).re == "p", "its own programs go on"
    assert both.here("pair", "laptop", both.keys_of(both.guest)[0])[0] == 0
    with both.client() as again:
        assert again.ask(PING).re == "p"


def test_a_companion_with_another_key_is_not_believed(both):
    both.pair()
    wrong = plain_key(zmq.curve_keypair()[0].decode())
    both.there("pair", "--remove", "studio")
    both.there("pair", "studio", wrong, "--with", both.address)
    with both.client(patience_s=1.0) as client, pytest.raises(Refused) as error:
        client.ask(PING)
    assert error.value.code == "companion-unreachable" and error.value.fields["name"] == "studio"


def test_a_film_is_made_on_the_other_machine(both, tmp_path):
    both.pair()
    reel = make_movie(tmp_path / "reel.mov", source_id=3, frames=24)
    line = timeline(Fraction(24))
    line.video().clip(reel.path, 0, 12, media_frames=24)
    line.save(tmp_path / "cut.otio")
    code, said = both.there(
        "submit",
        str(tmp_path / "cut.otio"),
        "-o",
        str(tmp_path / "film.mov"),
        "--at",
        "studio",
        "--json",
    )
    assert code == 0, said
    assert (tmp_path / "film.mov").exists() and json.loads(said.splitlines()[0])[
        "job"
    ] in both.house.jobs()
    assert not (both.guest / "run" / endpoint.FILE).exists(), "none was started here"
    code, said = both.there("watch", json.loads(said.splitlines()[0])["job"], "--at", "studio")
    assert code == 0, said


def test_a_place_that_is_none_on_the_other_machine_is_refused_in_words(both, tmp_path):
    both.pair()
    timeline(Fraction(24)).save(tmp_path / "cut.otio")
    code, said = both.there(
        "submit", str(tmp_path / "cut.otio"), "-o", "film.mov", "--at", "studio"
    )
    assert code == 2 and "whole path" in said and "Traceback" not in said


def test_nobody_there_is_said_so(both, tmp_path):
    code, said = both.there("watch", "--at", "nobody")
    assert code == 2 and "nobody" in said
    both.there(
        "pair", "far", both.keys_of(both.house.home)[1], "--with", f"127.0.0.1:{free_port()}"
    )
    code, said = both.there("watch", "--at", "far")
    assert code == 2 and "does not answer" in said and "far" in said
    both.there("pair", "--remove", "far")


# Only this machine ----------------------------------------------------------------------------------------------------


def test_by_default_it_is_reached_from_this_machine_alone(tmp_path):
    with companions(tmp_path / "home") as house:
        house.start("-j", "1")
        listening = {
            c.laddr.ip
            for c in house.listener().net_connections("tcp")
            if c.status == psutil.CONN_LISTEN
        }
    assert listening == {"127.0.0.1"}


@pytest.mark.long
def test_an_address_that_is_not_ours_costs_nothing_but_the_listening(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "settings.yaml").write_text("listen: 203.0.113.7:5310\n")
    with companions(home) as house:
        house.start("-j", "1")
        assert "cannot listen at 203.0.113.7:5310" in house.said()
        with house.client() as client:
            assert client.ask(PING).re == "p"


@pytest.mark.long
def test_beyond_loopback_the_same_keys_are_asked_for(both):
    """A stranger who knows the companion's public key, at the address that others use."""
    found = endpoint.read(both.house.home)
    assert found is not None and both.address not in found.address
    context = zmq.Context()
    pair = zmq.curve_keypair()
    dealer = context.socket(zmq.DEALER)
    dealer.curve_serverkey = found.public_key.encode()
    dealer.curve_publickey, dealer.curve_secretkey = pair
    dealer.connect(f"tcp://{both.address}")
    dealer.send(b'{"is": "Hello", "request": "1", "version": "1.1"}')
    assert not dealer.poll(1500)
    context.destroy(linger=0)


# Names and keys -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "..",
        "a/b",
        "a\\b",
        "",
        "client",
        "Client",
        "con",
        "COM1",
        "x" * 33,
        "-x",
        ".x",
        "a b",
        "ä",
        "a\x00b",
        "a\n",
    ],
)
def test_a_name_that_is_no_safe_file_name_is_refused(tmp_path, name):
    keys, key = Keys(tmp_path), zmq.curve_keypair()[0].decode()
    keys.prepare()
    before = sorted(path for path in tmp_path.parent.rglob("*"))
    for attempt in (
        lambda: keys.admit(name, key), lambda: keys.remove(name), lambda: endpoint.remember(tmp_path, name, "h:1", key),
        lambda: endpoint.elsewhere(tmp_path, name), lambda: endpoint.forget(tmp_path, name),
    ):  # fmt: skip
        with pytest.raises(Refused) as error:
            attempt()
        assert error.value.code == "pairing-refused"
    assert sorted(path for path in tmp_path.parent.rglob("*")) == before


@pytest.mark.parametrize(
    "address",
    ["host", "host:", "host:0", "host:70000", "tcp://host:1", "a b:1", ":1", "host:1/x", "-h:1"],
)
def test_an_address_is_a_host_and_a_port(tmp_path, address):
    with pytest.raises(Refused) as error:
        endpoint.remember(tmp_path, "studio", address, zmq.curve_keypair()[0].decode())
    assert error.value.code == "pairing-refused"


def test_a_key_has_two_forms_and_no_third():
    key = zmq.curve_keypair()[0].decode()
    assert (
        pairing_key("x", plain_key(key))
        == pairing_key("x", key)
        == pairing_key("x", plain_key(key).upper())
        == key
    )
    for wrong in ("", "x" * 40 + "'", "0" * 63, "g" * 64):
        with pytest.raises(Refused):
            pairing_key("x", wrong)


def test_a_name_keeps_its_key_and_a_key_its_name(tmp_path):
    keys = Keys(tmp_path)
    keys.prepare()
    one, two = (zmq.curve_keypair()[0].decode() for _ in range(2))
    keys.admit("Laptop", one)
    keys.admit("laptop", one)
    for name, key, said in (("laptop", two, "remove that first"), ("other", one, "as laptop")):
        with pytest.raises(Refused) as error:
            keys.admit(name, key)
        assert said in refusal(error.value).message
    assert keys.admitted() == {"client": keys.client().public.decode(), "laptop": one}
    assert keys.remove("LAPTOP") and not keys.remove("laptop")
    keys.admit("other", one)


def test_what_pair_says(both):
    both.pair()
    guest, server = both.keys_of(both.guest)[0], both.keys_of(both.house.home)[1]
    assert both.here("pair", "--list")[1].split() == ["laptop", "is", "let", "in", guest]
    assert both.there("pair", "--list")[1].split() == [
        "studio",
        "can",
        "be",
        "used",
        server,
        "at",
        both.address,
    ]
    assert (
        both.address in both.here("pair", "--show")[1]
        and "this machine alone" in both.there("pair", "--show")[1]
    )
    code, said = both.here("pair", "laptop2", server)
    assert code == 2 and "own companion" in said
    for words in ([], ["laptop"], ["--show", "--list"], ["a", "b", "--list"]):
        code, said = both.here("pair", *words)
        assert code == 2 and "NAME KEY" in said and "Traceback" not in said
    assert both.here("pair", "--remove", "laptop")[0] == 0
    assert both.here("pair", "--remove", "laptop")[0] == 2
    assert both.here("pair", "--list")[1].strip() == "No other machine is paired with this one."
