"""What is asked of the companion where one runs, and done here where none does: on the same record, by the same clerk."""

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
    """Whether a companion seems to run."""
    found = endpoint.read(where.home)
    return found is not None and endpoint.alive(found)


def client_of(where: Locations, *, at: str = "") -> Client:
    """A client that starts no companion; `at`: of another machine, by its name."""
    return Client(
        where.home, program=f"hotsplice {program_version()}", patience_s=PATIENCE_S, at=at
    )


def ask(where: Locations, asked: Asked) -> Done | Jobs:
    """The answer, from whoever can give it. Declined, Refused. A companion that starts later finds on record what was done."""
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
    """Have the companion go on with a job; `hear` is told what it says to that; and follow the job to its end. The job's exit
    code, 0 at once with `detach`. None where no companion runs: then nothing was done."""
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
