"""Large timelines and large memory, for the proofs `wire` and `load`: over a slow line, past clients that hold too much.

    python -m tests.proofs.uploading [--quick] [--baseline PYTHON]

The command alone is the memory target: 8 clients submit 64 MiB each at the same time, and all permanent processes of the companion
together stay within 1.2 of what they took when idle. The process that reads a large timeline ends with it and is not counted. With
`--baseline` another build of Hotsplice, whose interpreter that is, does the same in its own way.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import msgspec
import psutil
import zmq

from bridge.client.client import Client
from bridge.protocol import endpoint
from bridge.protocol.keys import Keys, Pair
from bridge.protocol.requests import Hello, Pause, Watch
from bridge.protocol.wire import VERSION, encode
from tests.bridge.companions import (
    PERMANENT,
    PING,
    ROOT,
    Companions,
    Stranger,
    companions,
    submission,
)
from tests.film.timelines import timeline
from tests.proofs import report
from tests.proofs.proxy import Proxy

MIB = 2**20
RATE = 0.5e6
"""Bytes a second of the slow line."""
SLOW_BYTES, QUICK_SLOW_BYTES = 64 * MIB, 4 * MIB
CLIENTS, LARGE_BYTES, QUICK_BYTES = 8, 64 * MIB, 8 * MIB
MOST_S = 900.0
TARGET = 1.2
FRAMES = 1_000_000
"""Empty frames of one message: 35 MB on the wire."""


def large(place: Path, size: int, name: str = "large") -> Path:
    """A timeline of so many bytes; most of them are one note in its metadata."""
    line = timeline(Fraction(24))
    line.video().clip(place / "away.mov", 0, 12, media_frames=24)
    path = place / f"{name}-{size}.otio"
    line.save(path)
    plain = msgspec.json.decode(path.read_bytes())
    plain["metadata"] = {"notes": ""}
    plain["metadata"]["notes"] = "x" * (size - len(msgspec.json.encode(plain)))
    path.write_bytes(msgspec.json.encode(plain))
    return path


def room(home: Path, place: Path, proxy: Proxy) -> Path:
    """A client's own folder: keys as the companion's user has them, and an endpoint that leads through a proxy."""
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
    return place


# A slow line ----------------------------------------------------------------------------------------------------------


def slow_line(house: Companions, place: Path, say: report.Say, *, quick: bool) -> dict[str, object]:
    """One large timeline over the slow line, cut in the middle; another client is answered meanwhile."""
    size = QUICK_SLOW_BYTES if quick else SLOW_BYTES
    found = endpoint.read(house.home)
    assert found is not None
    before = set(house.jobs())
    proxy = Proxy(int(found.address.rpartition(":")[2]), rate=RATE)
    cuts, arrived, waits, done = [size // 3, 2 * size // 3], [0], [0.0], threading.Event()

    def hear(far: int, _: int) -> None:
        arrived.append(far)
        if cuts and far >= cuts[0]:
            cuts.pop(0)
            proxy.cut()

    def meanwhile() -> None:
        with house.client() as other:
            while not done.wait(0.2):
                began = time.monotonic()
                other.ask(PING)
                waits.append(time.monotonic() - began)

    watcher = threading.Thread(target=meanwhile)
    watcher.start()
    began = time.monotonic()
    try:
        with Client(room(house.home, place / "slow-room", proxy), program="proof") as client:
            asked, data = submission(
                large(place, size, "slow"), place / "slow.mov", "proof-slow-line"
            )
            first = client.ask(asked, data, hear=hear)
            took = time.monotonic() - began
            again = client.ask(asked, data)
            connections = client.connections
    finally:
        done.set()
        watcher.join()
        proxy.close()
    held = set(house.jobs()) - before == {first.job} and again.job == first.job and again.again
    held = (
        held
        and not cuts
        and connections >= 3
        and arrived == sorted(arrived)
        and arrived[-1] == size
        and max(waits) < 5
    )
    say(
        f"{size / MIB:.0f} MiB at {RATE / 1e6:g} MB/s, cut off twice: on record after {took:.0f} s (the line alone takes {size / RATE:.0f} s), "
        f"{connections} connections, nothing sent twice that had arrived; others waited {max(waits) * 1000:.0f} ms at most"
        + ("" if held else "  WRONG")
    )
    return {
        "slow_held": held,
        "slow_mib": size / MIB,
        "slow_s": took,
        "slow_connections": connections,
        "others_longest_ms": max(waits) * 1000,
    }


# Memory ---------------------------------------------------------------------------------------------------------------


def budget(house: Companions, say: report.Say) -> dict[str, object]:
    """A paired client that sends a million frames as one message: it alone is cut off, and kept out."""
    guest = Pair(*zmq.curve_keypair())
    Keys(house.home).admit("guest", guest.public.decode())
    before, listener, jobs = memory(house), house.listener(), house.jobs()
    peak, named, waits = before, False, [0.0]
    with (
        Stranger(house.home) as watcher,
        Stranger(house.home, pair=guest) as hostile,
        house.client() as other,
    ):
        watcher.ask(Hello(request="h", version=VERSION))
        watcher.ask(Watch(request="w", after=2**53))
        hostile.ask(Hello(request="h", version=VERSION, capabilities=("chunks",)))
        hostile.say(encode(PING), *[b""] * FRAMES)
        until = time.monotonic() + 30
        while time.monotonic() < until and not named:
            said = watcher.hear(0.05) or {}
            named = said.get("code") == "client-cut-off" and "guest" in said["message"]
            peak = max(peak, memory(house))
            began = time.monotonic()
            other.ask(PING)
            waits.append(time.monotonic() - began)
        one = other.connections == 1
    with Stranger(house.home, pair=guest) as hostile:
        hostile.say(encode(Hello(request="h", version=VERSION)))
        kept_out = hostile.hear(1.0) is None
    held = (
        named and kept_out and one and house.listener().pid == listener.pid and house.jobs() == jobs
    )
    say(
        f"a message of {FRAMES} frames from a paired client: {(peak - before) / MIB:.0f} MiB more at most, it was "
        f"{'named, cut off and kept out' if named and kept_out else 'WRONG: let go on'}; others waited {max(waits) * 1000:.0f} ms at most"
    )
    return {"budget_held": held, "budget_grown_mib": (peak - before) / MIB}


def limit(place: Path, say: report.Say) -> dict[str, object]:
    """A listener with a small limit reaches it: another is there, jobs and clients go on."""
    with companions(place / "limit-home") as house:
        house.start(
            "-j", "1", before="import bridge.daemon.listener_proxy as l; l.LIMIT = 20 * 2**20"
        )
        first, cut = house.listener(), large(place, MIB, "limit")
        with house.client() as client, Stranger(house.home) as old:
            client.ask(Pause(request="p"))
            job = client.ask(*submission(cut, place / "limit.mov", "proof-limit-1")).job
            old.ask(Hello(request="h", version="1.1"))
            began = time.monotonic()
            old.say(encode(PING), bytes(32 * MIB))
            psutil.wait_procs([first], timeout=30)
            client.ask(PING)
            took = time.monotonic() - began
            held = client.ask(*submission(cut, place / "limit.mov", "proof-limit-1")).job == job
        held = (
            held
            and house.listener().pid != first.pid
            and house.jobs() == [job]
            and house.running[-1].poll() is None
        )
    say(
        f"a listener at its limit of 20 MiB ended and was replaced, its clients were back {took:.1f} s later, no job lost{'' if held else '  WRONG'}"
    )
    return {"limit_held": held, "limit_back_s": took}


def permanent(companion: psutil.Process) -> list[psutil.Process]:
    """The companion and what stays beside it; not the process that reads one timeline, nor jobs."""
    found = [companion]
    for child in companion.children():
        try:
            words = " ".join(child.cmdline())
        except psutil.Error:
            continue
        if any(own in words for own in PERMANENT):
            found.append(child)
    return found


def memory(house: Companions) -> int:
    """Resident bytes of all processes of a companion."""
    total = 0
    for one in permanent(psutil.Process(house.running[-1].pid)):
        try:
            total += one.memory_info().rss
        except psutil.Error:
            continue
    return total


def eight(place: Path, say: report.Say, *, size: int) -> dict[str, object]:
    """Eight clients at once; idle and highest bytes of the permanent processes. Readers of single timelines are left out by their
    number: whatever was there when idle, is permanent."""
    with companions(place / "home") as house:
        house.start("-j", "1")
        with house.client() as client:
            client.ask(Pause(request="p"))
            settle(house)
        kept = permanent(psutil.Process(house.running[-1].pid))
        idle = resident(kept)
        peak, answers, failed, done = idle, [], [], threading.Event()
        cuts = [large(place, size, f"client{number}") for number in range(CLIENTS)]

        def one(number: int) -> None:
            try:
                with house.client(patience_s=MOST_S) as client:
                    answers.append(
                        client.ask(
                            *submission(
                                cuts[number], place / f"{number}.mov", f"proof-eight-{number}"
                            )
                        )
                    )
            except Exception as error:  # whatever it is, it is a finding
                failed.append(f"{type(error).__name__}: {error}")

        threads = [threading.Thread(target=one, args=(number,)) for number in range(CLIENTS)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            peak = max(peak, resident(kept))
            done.wait(0.02)
        took = time.monotonic() - began
        jobs = len(house.jobs())
    ratio = peak / idle
    say(
        f"{CLIENTS} clients with {size / MIB:.0f} MiB each: {len(answers)} acknowledged in {took:.0f} s, {jobs} jobs; permanent processes "
        f"{idle / MIB:.1f} MiB idle, {peak / MIB:.1f} MiB at most, {ratio:.2f} of it{''.join(f'; {text}' for text in failed)}"
    )
    return {
        "idle_mib": idle / MIB,
        "peak_mib": peak / MIB,
        "ratio": ratio,
        "acknowledged": len(answers),
        "jobs": jobs,
        "eight_s": took,
    }


def resident(kept: list[psutil.Process]) -> int:
    """Bytes of these processes that are in memory."""
    total = 0
    for one in kept:
        try:
            total += one.memory_info().rss
        except psutil.Error:
            continue
    return total


def settle(house: Companions) -> None:
    """Until its processes are there and take no more memory."""
    before, still = -1, 0
    while still < 5:
        now = memory(house)
        still = still + 1 if abs(now - before) < 64 * 1024 else 0
        before = now
        time.sleep(0.3)


def _baseline(python: str, place: str, size: int) -> list[str]:
    """The command that measures an earlier build."""
    return [python, "-c", _SCRIPT, place, str(size)]


_SCRIPT = """
import json, sys, threading, time
from pathlib import Path
import psutil
from bridge.protocol.requests import Pause
from tests.bridge.companions import companions, submission
place, size = Path(sys.argv[1]), int(sys.argv[2])
def tree(pid):
    one = psutil.Process(pid)
    return [one, *one.children()]
def resident(kept):
    total = 0
    for one in kept:
        try: total += one.memory_info().rss
        except psutil.Error: pass
    return total
with companions(place / "baseline-home") as house:
    house.start("-j", "1")
    with house.client() as client: client.ask(Pause(request="p"))
    before = still = 0
    while still < 5:
        now = resident(tree(house.running[-1].pid)); still = still + 1 if abs(now - before) < 65536 else 0; before = now; time.sleep(0.3)
    idle = peak = resident(tree(house.running[-1].pid)); answers = []
    def one(number):
        try:
            with house.client() as client:
                answers.append(client.ask(*submission(place / f"client{number}-{size}.otio", place / f"b{number}.mov", f"proof-eight-{number}")))
        except Exception as error: print(type(error).__name__, error, file=sys.stderr)
    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    began = time.monotonic()
    for thread in threads: thread.start()
    while any(thread.is_alive() for thread in threads):
        peak = max(peak, resident(tree(house.running[-1].pid))); time.sleep(0.02)
    print(json.dumps({"idle_mib": idle / 2**20, "peak_mib": peak / 2**20, "ratio": peak / idle, "acknowledged": len(answers), "seconds": time.monotonic() - began}))
"""


def baseline(python: str, place: Path, say: report.Say, *, size: int) -> dict[str, object]:
    """What another build takes for the same timelines, by its own interpreter; the repository is three folders above it."""
    root = Path(python).absolute().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        _baseline(python, str(place), size),
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=MOST_S,
        check=False,
    )
    if done.returncode:
        say(f"the other build failed: {done.stderr.strip().splitlines()[-1:]}")
        return {"baseline_failed": True}
    told = msgspec.json.decode(done.stdout.strip().splitlines()[-1])
    say(
        f"the other build: {told['acknowledged']} of {CLIENTS} acknowledged in {told['seconds']:.0f} s; all its processes {told['idle_mib']:.1f} MiB "
        f"idle, {told['peak_mib']:.1f} MiB at most, {told['ratio']:.2f} of it"
    )
    return {f"baseline_{name}": value for name, value in told.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; its exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--baseline", default="")
    chosen = parser.parse_args(arguments)
    say, began = report.Say(), time.monotonic()
    size = QUICK_BYTES if chosen.quick else LARGE_BYTES
    assert ROOT.is_dir()
    with report.workplace("uploading") as place:
        figures = eight(place, say, size=size)
        if chosen.baseline:
            figures |= baseline(chosen.baseline, place, say, size=size)
    held = figures["ratio"] <= TARGET and figures["acknowledged"] == figures["jobs"] == CLIENTS  # type: ignore[operator]
    return report.close(
        "uploading", held, quick=chosen.quick, seconds=time.monotonic() - began, **figures
    )


if __name__ == "__main__":
    sys.exit(main())
