"""Run proofs.

    python -m tests.proofs                      list the proofs and how long each takes
    python -m tests.proofs all                  every proof in full
    python -m tests.proofs all --quick          a sample of every proof that needs no quiet machine
    python -m tests.proofs all --minutes N      every proof, in full where N minutes allow it

Each proof runs in a process of its own. Every proof runs even if an earlier one does not hold.
The exit code is 0 only if all of them hold. Times are from two idle cores.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple


class Proof(NamedTuple):
    """A module of this package; minutes of its full and of its `--quick` run."""

    name: str
    full_min: float
    quick_min: float
    anywhere: bool = True
    """Whether it can run on any Linux machine without measuring time or downloading packages."""


PROOFS = (
    Proof("layers", 0.1, 0.1),
    Proof("refusals", 1.7, 0.5),
    Proof("faults", 1.5, 0.5),
    Proof("restarts", 1.5, 0.3),
    Proof("wire", 6.0, 1.0),
    Proof("load", 0.6, 0.2),
    Proof("frames", 5.0, 0.8),
    Proof("resolve_story", 4.0, 1.0),
    Proof("uploading", 6.0, 1.0),
    Proof("rollback_faults", 10.0, 0.8),
    Proof("success", 10.0, 1.5),
    Proof("damage", 11.0, 1.0),
    Proof("identity", 11.0, 1.4),
    Proof("lowend", 10.0, 3.0),
    Proof("kills", 13.0, 2.0),
    Proof("innocence", 17.0, 2.0),
    Proof("powercuts", 20.0, 2.0),
    Proof("demo", 10.0, 2.0, anywhere=False),
    Proof("versions", 15.0, 8.0, anywhere=False),
    Proof("speed", 30.0, 8.0, anywhere=False),
)
"""The shortest first."""


def chosen(minutes: float | None, *, quick: bool) -> dict[str, bool]:
    """The proofs to run, in order, and whether each runs with `--quick`. With `minutes` the proofs
    with the shortest full runs run in full, as far as the time allows."""
    if quick:
        return {proof.name: True for proof in PROOFS if proof.anywhere}
    if minutes is None:
        return {proof.name: False for proof in PROOFS}
    left = minutes - sum(proof.quick_min for proof in PROOFS)
    found = {}
    for proof in PROOFS:
        more = proof.full_min - proof.quick_min
        in_full = more <= left
        left -= more if in_full else 0.0
        found[proof.name] = not in_full
    return found


def _run(names: dict[str, bool]) -> list[str]:
    """Run them; the names of those that did not hold."""
    failed, began = [], time.monotonic()
    for name, quick in names.items():
        words = [sys.executable, "-m", f"tests.proofs.{name}", *(["--quick"] if quick else [])]
        started = time.monotonic()
        code = subprocess.run(words, check=False).returncode
        took = time.monotonic() - started
        held = "held" if code == 0 else f"DID NOT HOLD (exit code {code})"
        print(f"== {name}{' --quick' if quick else ''}: {held}, {took:.0f} s", flush=True)
        if code != 0:
            failed.append(name)
    print(f"== {len(names)} proofs, {len(failed)} did not hold, {time.monotonic() - began:.0f} s")
    return failed


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs", description="Run proofs.")
    parser.add_argument("what", nargs="?", choices=["all"])
    parser.add_argument("--quick", action="store_true", help="a sample of each proof")
    parser.add_argument("--minutes", type=float, help="run for about so many minutes")
    asked = parser.parse_args(arguments)
    if asked.what is None:
        print("proof               full     --quick")
        for proof in PROOFS:
            print(f"{proof.name:16} {proof.full_min:5.1f} min {proof.quick_min:5.1f} min")
        return 0
    return 1 if _run(chosen(asked.minutes, quick=asked.quick)) else 0


if __name__ == "__main__":
    sys.exit(main())
