"""Requests that go to a running daemon, or are carried out here when none runs.

Both use the same journal and the same `Commands`.
"""

from __future__ import annotations

from collections.abc import Callable

from bridge.cli.watch import follow, here
from bridge.client.client import Client
from bridge.client.connection import Declined
from bridge.daemon.commands import Commands
from bridge.protocol import endpoint
from bridge.protocol.requests import Answer, Cancel, List, Pause, Ping, Prioritise, Resume
from bridge.protocol.responses import Done, Jobs, Refusal
from bridge.services.locations import Locations, program_version
from core.errors.refusal import Refused

PATIENCE_S = 3.0
Asked = List | Cancel | Resume | Prioritise | Pause | Answer


def runs(where: Locations) -> bool:
    """Return whether a daemon seems to run."""
    found = endpoint.read(where.home)
    return found is not None and endpoint.alive(found)


def client_of(where: Locations, *, at: str = "") -> Client:
    """Return a client that does not start a daemon. `at` names a paired machine."""
    return Client(
        where.home, program=f"hotsplice {program_version()}", patience_s=PATIENCE_S, at=at
    )


def ask(where: Locations, asked: Asked) -> Done | Jobs:
    """Send a request to the daemon, or carry it out here when none runs.

    A daemon that starts later finds the result in the journal. Raises Declined or Refused.
    """
    if runs(where):
        try:
            with client_of(where) as client:
                said: Done | Jobs = client.ask(asked)
                return said
        except Refused as error:
            if error.code != "companion-absent":
                raise
    journal = where.journal()
    try:
        said_here = Commands(where, journal).answer(asked, None)
    finally:
        journal.close()
    if isinstance(said_here, Refusal):
        raise Declined(said_here)
    assert isinstance(said_here, Done | Jobs)
    return said_here


def ask_and_follow(
    where: Locations,
    asked: Resume | Answer,
    *,
    detach: bool,
    as_json: bool,
    hear: Callable[[Done], None],
) -> int | None:
    """Have the daemon continue a job, pass its reply to `hear`, and follow the job to its end.

    Return the job's exit code, or 0 at once with `detach`. Return None when no daemon runs; nothing
    has been done then.
    """
    if not runs(where):
        return None
    with client_of(where) as client:
        try:
            last = client.ask(Ping(request="ping")).last
            done = client.ask(asked)
        except Refused as error:
            if error.code == "companion-absent":
                return None
            raise
        hear(done)
        if detach:
            return 0
        speak = where.settings.language
        return follow(
            client, done.job, after=last, as_json=as_json, speak=speak, end=here(where, done.job)
        )
