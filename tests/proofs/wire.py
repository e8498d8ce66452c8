"""The wire: a conversation spoilt at any piece of it, thousands of frames that mean nothing, and strangers.

    python -m tests.proofs.wire [--quick]

What holds: a link that cuts, drops, delays, doubles, truncates or flips a bit at the n-th piece of data, for every n of a whole
conversation (submit, watch to the end), always ends with exactly one job for the submission and every event heard once and in
order. Random and spoilt frames, 10,000 of them, make no job, end nothing, and cost no memory. Who has no key, a wrong key or an
old version is refused for that reason and hears nothing else. A timeline of 64 MiB arrives over a line of 0.5 MB/s that is cut twice;
a client that sends a message without end is named, cut off and kept out; a listener at its limit is replaced (`uploading`).
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import msgspec
import psutil
import zmq
from zmq.utils.monitor import recv_monitor_message

from bridge.client.client import Client
from bridge.protocol import endpoint
from bridge.protocol.keys import Keys, Pair
from bridge.protocol.requests import Cancel, Hello, Watch
from bridge.protocol.responses import Happened
from bridge.protocol.wire import VERSION, encode
from tests.bridge.companions import PING, Companions, Stranger, companions, kind, submission
from tests.film.media import make_movie
from tests.film.timelines import timeline
from tests.proofs import report, uploading
from tests.proofs.proxy import ACTIONS, Proxy

SEED = 4
MOST_S = 40.0
_MORE_PER_FRAME = 2**20 * 16
"""Bytes that a companion may grow while it is talked nonsense to."""


class Room:
    """A client's own folder: keys as the companion's user has them, and an endpoint that leads through a proxy."""

    def __init__(self, home: Path, place: Path, proxy: Proxy) -> None:
        self.place = place
        (place / "keys").mkdir(parents=True)
        (place / "run").mkdir(mode=0o700)
        pair = Keys(home).client()
        assert pair is not None
        key = place / "keys" / "client.key"
        key.touch(mode=0o600)
        key.write_text(f"public {pair.public.decode()}\nsecret {pair.secret.decode()}\n")
        found = endpoint.read(home)
        assert found is not None
        led = msgspec.structs.replace(found, address=f"tcp://127.0.0.1:{proxy.port}")
        (place / "run" / endpoint.FILE).write_bytes(msgspec.json.encode(led))


def converse(
    house: Companions, cut: Path, film: Path, place: Path, name: str, *, action: str, at: int
) -> tuple[str, int, bool, float]:
    """One conversation; what is wrong (empty: nothing), how many pieces it had, whether the fault fired, and its seconds."""
    found = endpoint.read(house.home)
    assert found is not None
    proxy = Proxy(int(found.address.rpartition(":")[2]), action=action, at=at)
    room = Room(house.home, place, proxy)
    began, heard, before = time.monotonic(), [], set(house.jobs())
    try:
        with Client(room.place, program="proof") as client:
            job = client.ask(*submission(cut, film, name)).job
            for said in client.watch(job):
                if isinstance(said, Happened):
                    heard.append(said)
                    if kind(said) == "JobFinished":
                        break
                if time.monotonic() - began > MOST_S:
                    return f"not at its end after {MOST_S:.0f} s", proxy.pieces, proxy.fired, MOST_S
    except Exception as error:  # whatever it is, it is a finding
        return (
            f"{type(error).__name__}: {error}",
            proxy.pieces,
            proxy.fired,
            time.monotonic() - began,
        )
    finally:
        proxy.close()
    wrong = ""
    if [event.seq for event in heard] != house.seqs(job):
        wrong = f"heard {[event.seq for event in heard]}, on record are {house.seqs(job)}"
    elif set(house.jobs()) - before != {job}:
        wrong = f"jobs {set(house.jobs()) - before} for one submission"
    return wrong, proxy.pieces, proxy.fired, time.monotonic() - began


def spoilt_links(
    house: Companions, place: Path, say: report.Say, *, quick: bool
) -> dict[str, object]:
    """Every action at every piece, or with `quick` at some."""
    reel = make_movie(place / "reel.mov", source_id=1, frames=24)
    line = timeline(Fraction(24))
    line.video().clip(reel.path, 0, 24, media_frames=24)
    line.save(place / "cut.otio")
    converse(
        house,
        place / "cut.otio",
        place / "film.mov",
        place / "first",
        "proof-first",
        action="",
        at=0,
    )
    wrong, pieces, _, _ = converse(
        house,
        place / "cut.otio",
        place / "film.mov",
        place / "whole",
        "proof-whole",
        action="",
        at=0,
    )
    assert not wrong, wrong
    say(f"an undisturbed conversation is {pieces} pieces of data")
    wrongs, spoilt, seconds = [], dict.fromkeys(ACTIONS, 0), []
    for action in ACTIONS:
        for at in range(1, pieces + 1, max(1, pieces // 4) if quick else 1):
            name = f"proof-{action}-{at}"
            wrong, _, fired, took = converse(
                house,
                place / "cut.otio",
                place / "film.mov",
                place / name,
                name,
                action=action,
                at=at,
            )
            seconds.append(took)
            spoilt[action] += fired  # a conversation with less progress in it is shorter
            if wrong:
                wrongs.append(wrong)
                say(f"WRONG  {action} at piece {at}: {wrong}")
        say(f"{action}: done, {spoilt[action]} conversations were spoilt")
    return {
        "conversations": len(seconds), "conversations_wrong": len(wrongs), "spoilt": sum(spoilt.values()), "least_of_a_kind": min(spoilt.values()),
        "median_s": statistics.median(seconds), "longest_s": max(seconds),
    }  # fmt: skip


def nonsense(house: Companions, say: report.Say, *, frames: int) -> dict[str, object]:
    """Random and spoilt frames, each answered by a refusal."""
    chance, before = random.Random(SEED), house.jobs()
    found = endpoint.read(house.home)
    assert found is not None
    process = psutil.Process(found.pid)
    whole = [
        encode(Hello(request="h", version=VERSION)),
        encode(Watch(request="w")),
        encode(Cancel(request="c", job="abc")),
    ]
    unanswered, start = 0, 0
    with Stranger(house.home) as stranger:
        stranger.ask(Hello(request="h", version=VERSION))
        for number in range(frames):
            if number % 2:
                spoilt = bytearray(chance.choice(whole))
                for _ in range(chance.randrange(1, 5)):
                    spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
                sent = [bytes(spoilt[: chance.randrange(1, len(spoilt) + 1)])]
            else:
                sent = [
                    chance.randbytes(chance.randrange(400)) for _ in range(chance.randrange(1, 5))
                ]
            stranger.say(*sent)
            unanswered += stranger.hear() is None
            if number == frames // 10:
                start = process.memory_info().rss
        alive = stranger.ask(PING) is not None
    grown = process.memory_info().rss - start
    say(
        f"{frames} frames of nonsense: {unanswered} unanswered, {grown / 2**20:.1f} MiB more, {len(house.jobs()) - len(before)} jobs"
    )
    held = (
        alive
        and not unanswered
        and house.jobs() == before
        and grown < _MORE_PER_FRAME
        and process.is_running()
    )
    return {"nonsense_held": held, "frames": frames, "grown_mib": grown / 2**20}


def strangers(house: Companions, say: report.Say) -> dict[str, object]:
    """Without a key, with another one, with another companion's; and with an old version."""
    held = True
    made = Pair(*zmq.curve_keypair())
    for who, options in (
        ("without a key", {"keyless": True}), ("an unknown key", {"pair": made}), ("another companion's key", {"server": made.public})
    ):  # fmt: skip
        with Stranger(house.home, **options) as stranger:  # type: ignore[arg-type]
            stranger.say(encode(Hello(request="h", version=VERSION)))
            heard, until, events = stranger.hear(1.0), time.monotonic() + 3, set()
            while stranger.monitor.poll(100) and time.monotonic() < until:
                events.add(int(recv_monitor_message(stranger.monitor)["event"]))
        refused = heard is None and zmq.EVENT_HANDSHAKE_SUCCEEDED not in events
        held = held and refused
        say(f"{who}: {'refused in the handshake' if refused else 'WRONG: let in'}")
    with Stranger(house.home) as old:
        said = old.ask(Hello(request="h", version="0.9"))
        refused = (
            said["code"] == "protocol-mismatch" and old.ask(Watch(request="w"))["is"] == "Refusal"
        )
    say(f"an old version: {said['message'] if refused else 'WRONG: let in'}")
    return {"strangers_held": held and refused}


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; its exit code."""
    quick, say, began = report.quick(arguments), report.Say(), time.monotonic()
    with report.workplace("wire") as place, companions(place / "home") as house:
        house.start("-j", "1")
        figures = strangers(house, say) | nonsense(house, say, frames=1000 if quick else 10_000)
        figures |= spoilt_links(house, place, say, quick=quick)
        figures |= (
            uploading.budget(house, say)
            | uploading.slow_line(house, place, say, quick=quick)
            | uploading.limit(place, say)
        )
    held = bool(
        figures["strangers_held"]
        and figures["nonsense_held"]
        and not figures["conversations_wrong"]
    )
    held = held and bool(figures["budget_held"] and figures["slow_held"] and figures["limit_held"])
    held = held and figures["least_of_a_kind"] >= (2 if quick else 15)  # type: ignore[operator]
    return report.close("wire", held, quick=quick, seconds=time.monotonic() - began, **figures)


if __name__ == "__main__":
    sys.exit(main())
