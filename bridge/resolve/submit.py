"""A film asked of the companion: under which name, so that asking again is the same wish, and followed until its end."""

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
    """A job, whether it was there before, and the sequence number after which its end must come."""

    job: str
    again: bool
    after: int


def submission(wish: Submit, timeline: bytes, before: str) -> str:
    """The name of a wish. While its job is under work the same wish is that job; `before` is the job for this film that ended
    last: once that is another one, to ask again is to ask for the film to be made once more."""
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
    """Submit it; `hear` is told how many bytes of it have arrived, and of how many. Declined; Refused when no companion can be
    had."""
    after = client.ask(
        Ping(request="ping")
    ).last  # before the look: an end in between is then heard
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
    """Until the job has ended or somebody cancelled it. `hear` is told all that happens, and None in every pause."""
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
