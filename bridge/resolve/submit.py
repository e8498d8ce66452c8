"""Submits a film to the daemon and follows it to its end.

Its submission name makes repeated requests the same submission.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from bridge.client.client import Client
from bridge.protocol.requests import MOST_LISTED, Lacking, List, Ping, Resume, Submit
from bridge.protocol.responses import Happened, JobLine, Noticed, Progressed
from bridge.protocol.wire import digest, encode
from core.job.events import Fact, JobFinished, RunInterrupted
from core.system import codec

OPEN = ("waiting", "working", "elsewhere", "held", "interrupted")


class Asked(NamedTuple):
    """A job, whether it existed before, and the sequence number after which its end must come."""

    job: str
    again: bool
    after: int


def submission(wish: Submit, timeline: bytes, before: str) -> str:
    """Return the name of a submission.

    While its job is open, the same request means that job. `before` is the job for this film that
    ended last; when that changes, the same request starts a new job.
    """
    known = encode(msgspec.structs.replace(wish, request="x", submission="unnamed-"))
    return "resolve-" + hashlib.sha256(known + timeline + before.encode()).hexdigest()[:40]


def ask(
    client: Client,
    timeline: bytes,
    *,
    output: str,
    preset: str,
    lacking: Lacking,
    hear: Callable[[int, int], None] | None = None,
) -> Asked:
    """Submit a film, and resume its job if it is held or interrupted.

    `hear` receives the number of bytes that have arrived, and the total. Raises Declined, or
    Refused when no daemon can be reached.
    """
    # Read the number before the list, so that an end in between is not missed.
    after = client.ask(Ping(request="ping")).last
    jobs: tuple[JobLine, ...] = client.ask(List(request="list", most=MOST_LISTED)).jobs
    mine = [line for line in jobs if line.output == output]
    before = next((line.job for line in reversed(mine) if line.state not in OPEN), "")
    wish = Submit(
        request="submit",
        submission="unnamed-",
        output=output,
        sha256=digest(timeline),
        preset=preset,
        lacking=lacking,
    )
    wish = msgspec.structs.replace(wish, submission=submission(wish, timeline, before))
    accepted = client.ask(wish, timeline, hear=hear)
    if any(line.job == accepted.job and line.state in ("held", "interrupted") for line in mine):
        client.ask(Resume(request="resume", job=accepted.job))
    return Asked(accepted.job, accepted.again, after)


def follow(
    client: Client, asked: Asked, hear: Callable[[Fact | Progressed | None], None]
) -> JobFinished | RunInterrupted:
    """Follow a job until it ends or somebody cancels it.

    `hear` receives everything that happens, and None in every pause.
    """
    for said in client.watch(asked.job, after=asked.after):
        if isinstance(said, Noticed):
            continue
        if not isinstance(said, Happened):
            hear(said)
            continue
        fact: Fact = codec.decode(bytes(said.fact), Fact)  # type: ignore[arg-type]
        hear(fact)
        if isinstance(fact, JobFinished) or (
            isinstance(fact, RunInterrupted) and fact.reason == "cancelled"
        ):
            return fact
    raise AssertionError("watching does not end by itself")
