"""The companion: one per user. It takes submissions, works at them in their order, and tells whoever listens.

    sockets, clerk, teller, jobs  -->  one loop  -->  sockets, clerk, teller, jobs

The loop waits for nothing but messages. What must survive is on record before it is acknowledged; everything here can be
killed at any moment and begun again: jobs that are wanted are in the journal's queue, and a job taken up goes on from its
checkpoints.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import zmq

from bridge import endpoint, errands, logs, program, sharing
from bridge.children import INBOX
from bridge.cli.house import Place, program_version
from bridge.door.beside import Door
from bridge.endpoint import Endpoint
from bridge.errand_row import Errand, ErrandRow
from bridge.job_lines import as_it_is
from bridge.keys import Keys
from bridge.leftovers import Leftovers
from bridge.notices import Notices
from bridge.protocol import VERSION, Ask
from bridge.requests import Cancel, Describe, Pictures, Stats, Stop
from bridge.sayings import Done, Jobs, Said
from bridge.server import Asked, Server
from bridge.settings import Watched, differences
from bridge.turns import Turns
from bridge.working import STOPPING_S, Work, Working
from core.model.refusal import Refused
from core.perform import machine
from core.record import private
from core.record.locks import lock_file
from core.record.submissions import Submissions, Wish

TICK_MS, IDLE_MS = 50, 500
"""How often the record is looked at for what other processes write, with and without anybody who wants to be told."""
CLERK_S, TELLER_S = 60.0, 30.0
"""An errand that takes longer is given up, and its clerk or teller with it."""

SETTINGS_S = 0.5
"""How often the settings file is looked at; a change is taken over when it has been still for one look."""

_log = logging.getLogger("hotsplice")


@contextmanager
def alone(home: Path) -> Iterator[Callable[[], str]]:
    """Be this user's only companion. Refused(companion-running). Gone with the process, however it ends. What it gives tells why
    we are it no longer, if so: a data folder that was removed or replaced may have another companion by now."""
    place = home / "locks" / "companion"
    private.make_folder(place.parent)
    with open(place, "a+b", opener=private.opener) as handle:
        try:
            lock_file(handle.fileno())
        except OSError as error:
            raise Refused("companion-running") from error

        def dismissed() -> str:
            try:
                return "" if os.path.samestat(os.fstat(handle.fileno()), place.stat()) else "the data folder was replaced"
            except FileNotFoundError:
                return "the data folder is gone"
            except OSError:
                return ""  # a disk that stumbles; the journal has its own words for one that is gone

        yield dismissed


class Companion:
    """Everything that runs, in one loop. `stopped` tells why to end, if so; `hear` is told what a person may want to read."""

    def __init__(self, where: Place, *, workers: int | None, stopped: Callable[[], str], hear: Callable[[str], None]) -> None:
        self.where, self._workers, self._stopped, self._hear = where, workers, stopped, hear
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._inbox = self._context.socket(zmq.PULL)
        self._inbox.bind(INBOX)
        self._journal = where.journal()
        self._submissions = Submissions(self._journal)
        keys = Keys(where.home)
        self._server = Server(
            self._context, pair=keys.prepare(), keys=keys, submissions=self._submissions, program=program_version(),
            language=where.settings.language, listen=where.settings.listen or "",
        )  # fmt: skip
        self._turns = Turns(self._journal, self._submissions, where.home)
        self._clerk = ErrandRow(
            "bridge.clerk", self._context, patience_s=CLERK_S, answered=self._answered,
            packed=lambda ask: errands.packed(ask.message, ask.timeline),  # type: ignore[arg-type]
        )  # fmt: skip
        self._teller = ErrandRow(
            "bridge.teller", self._context, patience_s=TELLER_S, answered=self._answered, packed=self._tell
        )  # fmt: skip
        self._door = Door(self._context, where)
        self._working = Working(self._context, self._server.progress)
        self._said = logs.Shortening(where.home)
        self._notices = Notices(self._server, hear)
        self._leftovers = Leftovers(self._context, self._notices, hear)
        self._settings, self._settings_due = Watched(where.home, where.settings), 0.0
        self._leaving = ""
        self._public = keys.companion().public.decode()

    def run(self) -> str:
        """Until someone asks to stop; why it ended."""
        here = Endpoint(
            address=self._server.address, public_key=self._public, pid=os.getpid(), version=program_version(), protocol=VERSION
        )
        cut_off = endpoint.read(self.where.home) is not None  # one that ends in order takes its file with it
        endpoint.write(self.where.home, here)
        program.leave(self.where.home, program_version())
        words = f"The companion is ready at {self._server.address}, process {os.getpid()}."
        _log.info("companion ready", extra={"said": {"message": words}})
        self._hear(f"companion ready at {self._server.address}")
        if self._server.beyond:
            self._hear(self._server.beyond)
        self._leftovers.take_up(self._turns.taken_up(), cut_off=cut_off)
        poller = zmq.Poller()
        poller.register(self._server.socket, zmq.POLLIN)
        poller.register(self._inbox, zmq.POLLIN)
        busy = False
        try:
            while not (self._leaving or self._stopped()):
                poller.poll(0 if busy else TICK_MS if self._server.watched else IDLE_MS)
                self._turn()
                busy = self._server.pump()
            reason = self._leaving or self._stopped()
            self._finish()
            _log.info("companion ends", extra={"said": {"message": f"The companion ends in order: {reason}."}})
            return reason
        finally:
            endpoint.remove(self.where.home, os.getpid())
            self._working.kill()
            self._clerk.close()
            self._teller.close()
            self._door.close()
            self._leftovers.close()
            self._server.close(self._leaving or "stopped")
            self._inbox.close()
            self._journal.close()
            self._context.destroy(linger=500)

    def _turn(self) -> None:
        for asked in self._server.receive():
            self._take(asked)
        self._hear_children()
        self._look_at_settings()
        self._clerk.look_after()
        self._teller.look_after()
        if not self._leaving:
            self._share_out()
        self._working.tend()
        self._said.look()
        if self._working.settled_in:
            self._clerk.be_there()  # nobody asks yet: a job that was cut off went first
            self._leftovers.look()
            if self._clerk.there:
                self._door.look()

    def _look_at_settings(self) -> None:
        now = machine.monotonic()
        if now < self._settings_due:
            return
        self._settings_due, before = now + SETTINGS_S, self.where.settings
        found = self._settings.look()
        if isinstance(found, Refused):
            self._notices.refused(found)
        elif found is not None:
            self.where = replace(self.where, settings=found)
            self._server.language = found.language
            self._clerk.renew()
            self._teller.renew()
            changed = differences(before, found)
            if changed.keys() & {"door", "films", "films_preset", "language"}:
                self._door.anew(self.where)
            self._notices.taken_over(changed)

    def _share_out(self) -> None:
        """Who works now: asked again at every turn, answered from what is known."""
        names = self._working.names
        for job in self._turns.ended(names):
            self._settle(job, "over")
        working = self._turns.working(names)
        self._working.stop_all(set(names) - {job.job for job in working})  # held by another process
        now = sharing.decide(
            self._turns.waiting(names), working, stopping=self._working.stopping, at_once=self.where.settings.jobs_at_once,
            workers=self._workers or self.where.settings.jobs or machine.cores(), paused=self._turns.paused,
        )  # fmt: skip
        self._working.do(now)

    def _finish(self) -> None:
        """The jobs under work are interrupted in order."""
        self._leaving = self._leaving or "stopped"
        until = machine.monotonic() + STOPPING_S
        self._working.stop_all()
        while self._working.names and machine.monotonic() < until:
            self._inbox.poll(TICK_MS)
            self._hear_children()
            self._server.pump()
        while self._server.pump():
            pass

    # Requests -----------------------------------------------------------------------------------------------------

    def _take(self, asked: Asked) -> None:
        message = asked.ask.message
        if isinstance(message, Stop):
            self._server.say(asked.peer, Done(re=message.request))
            self._leaving = "asked to stop"
        else:
            row = self._teller if isinstance(message, Describe | Pictures | Stats) else self._clerk
            if row.full:
                self._server.refuse(asked.peer, Refused("companion-busy"), message.request)
            else:
                row.take(asked.peer, asked.ask)

    def _settle(self, job: str, wish: Wish, code: str = "", detail: str = "") -> None:
        errand = errands.Settle(request="settle", job=job, wish=wish, code=code, detail=detail)
        self._clerk.take(b"", Ask(errand))  # type: ignore[arg-type]

    def _answered(self, errand: Errand, said: Said | None) -> None:
        message = errand.ask.message
        if isinstance(message, errands.Settle):
            self._turns.settled(message.job, well=isinstance(said, Done))
            return
        if said is None:
            self._server.refuse(errand.peer, Refused("request-unanswered"), message.request)
            return
        if isinstance(message, Cancel) and isinstance(said, Done):
            self._working.stop(said.job)
        if isinstance(said, Jobs):
            names = self._working.names
            said = msgspec.structs.replace(said, jobs=tuple(as_it_is(line, names) for line in said.jobs))
        self._server.say(errand.peer, said)
        self._turns.look()

    def _tell(self, ask: Ask) -> bytes:
        return errands.packed(errands.Tell(asked=ask.message, working=tuple(self._working.names)))  # type: ignore[arg-type]

    # Children -----------------------------------------------------------------------------------------------------

    def _hear_children(self) -> None:
        while self._inbox.poll(0):
            name, line = self._inbox.recv_multipart()
            self._door.ended(name, line)
            known = (self._clerk, self._teller, self._leftovers)
            if any(child.hear(name.decode(), line) for child in known):
                continue
            ended = self._working.hear(name.decode(), line)
            if ended is not None:
                self._job_ended(ended)

    def _job_ended(self, work: Work) -> None:
        job, asked = work.child.name, work.stopping is not None or bool(self._leaving or self._stopped())
        self._server.still(job)
        self._notices.over(job)
        end = self._turns.after(job, work.child.code(), work.summary, asked=asked)
        words = f"The companion's work on job {job} ended: {end.why}."
        _log.info("job ended", extra={"said": {"message": words, "job": job, "end": end.why}})
        self._hear(f"{job}: {end.why}")
        if end.wish is not None:
            self._settle(job, end.wish, end.code, end.detail)
