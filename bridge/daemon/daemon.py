"""The daemon, one per user.

It takes submissions, runs jobs in queue order, and reports events to its clients.

    listener, commands, queries, jobs  -->  one loop  -->  listener, commands, queries, jobs

The loop waits for nothing but messages from its children. Anything that must survive is recorded
before it is acknowledged. The daemon can be killed at any moment and started again: requested jobs
are in the journal's queue, and a resumed job continues from its checkpoints.
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

from bridge.daemon import helper_requests, scheduler
from bridge.daemon.children import INBOX
from bridge.daemon.film_watch import FilmWatch, Holder
from bridge.daemon.listener_proxy import CutOff, ListenerProxy
from bridge.daemon.notices import Notices
from bridge.daemon.queue import JobQueue
from bridge.daemon.server import Asked
from bridge.daemon.startup_recovery import StartupRecovery
from bridge.daemon.subprocess_queue import HelperRequest, SubprocessQueue
from bridge.daemon.supervisor import STOPPING_S, Supervisor, Work
from bridge.daemon.watch_folder_process import WatchFolderService
from bridge.protocol import endpoint
from bridge.protocol.endpoint import Endpoint
from bridge.protocol.keys import OWN, Keys
from bridge.protocol.requests import Cancel, Describe, Pictures, Stats, Stop, Submit
from bridge.protocol.responses import Done, Jobs, Said
from bridge.protocol.wire import VERSION
from bridge.services import launcher_info, logs
from bridge.services.job_list import as_it_is
from bridge.services.locations import Locations, program_version
from bridge.settings.settings import Watched, differences
from core.errors.refusal import Refused
from core.storage.locks import lock_file
from core.storage.submissions import Submissions, Wish
from core.system import machine, private_files

TICK_MS = 500
"""Interval, in milliseconds, at which the loop checks queue, settings and children when idle."""
COMING_UP_S = 30.0
"""Seconds after which a listener that is not ready counts as failed."""
CLERK_S, READER_S, TELLER_S = 60.0, 300.0, 30.0
"""Time limits of requests in seconds: commands, large timelines, queries.

A request that takes longer is given up and its helper process is killed.
"""
LARGE = 2**20
"""Timelines above this many bytes are read by a separate process that ends afterwards.

Reading a timeline takes many times its size in memory.
"""

SETTINGS_S = 0.5
"""Seconds between checks of the settings file.

A change is applied once the file is unchanged for one check.
"""

_log = logging.getLogger("hotsplice")


@contextmanager
def alone(home: Path) -> Iterator[Callable[[], str]]:
    """Hold the lock that makes this process the user's only daemon.

    Raises Refused(companion-running). The operating system releases the lock with the process,
    however it ends. Yields a function that returns why the lock no longer counts, or "": if the
    data folder was removed or replaced, another daemon may be running in it.
    """
    place = home / "locks" / "companion"
    private_files.make_folder(place.parent)
    with open(place, "a+b", opener=private_files.opener) as handle:
        try:
            lock_file(handle.fileno())
        except OSError as error:
            raise Refused("companion-running") from error

        def dismissed() -> str:
            try:
                return (
                    ""
                    if os.path.samestat(os.fstat(handle.fileno()), place.stat())
                    else "the data folder was replaced"
                )
            except FileNotFoundError:
                return "the data folder is gone"
            # A disk error that may pass; if the disk is gone, the journal reports that itself.
            except OSError:
                return ""

        yield dismissed


class Daemon:
    """Runs all parts of the daemon in one loop.

    `stopped` returns why to end, or "". `hear` prints a message for a person.
    """

    def __init__(
        self,
        where: Locations,
        *,
        workers: int | None,
        stopped: Callable[[], str],
        hear: Callable[[str], None],
    ) -> None:
        self.where, self._workers, self._stopped, self._hear = where, workers, stopped, hear
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._inbox = self._context.socket(zmq.PULL)
        self._inbox.bind(INBOX)
        self._journal = where.journal()
        self._submissions = Submissions(self._journal)
        keys = Keys(where.home)
        self._public, self._keys = keys.prepare().public.decode(), keys
        self._listening = ListenerProxy(
            self._context, language=where.settings.language, listen=where.settings.listen or "", asked=self._take,
            moved=self._announce, cut_off=self._cut_off, overfull=lambda full: self._notices.overfull(full),
        )  # fmt: skip
        self._turns = JobQueue(self._journal, self._submissions, where.home)
        self._clerk = SubprocessQueue(
            "bridge.daemon.commands",
            self._context,
            patience_s=CLERK_S,
            answered=self._answered,
            packed=_packed,
        )
        self._reader = SubprocessQueue(
            "bridge.daemon.commands", self._context, patience_s=READER_S, answered=self._answered, packed=_packed, name="reader", one_each=True
        )  # fmt: skip
        self._teller = SubprocessQueue(
            "bridge.daemon.queries", self._context, patience_s=TELLER_S, answered=self._answered, packed=self._tell
        )  # fmt: skip
        self._door = WatchFolderService(self._context, where)
        self._working = Supervisor(self._context, self._listening.progress)
        self._said = logs.Shortening(where.home)
        self._notices = Notices(self._listening, hear)
        self._leftovers = StartupRecovery(self._context, self._notices, hear)
        self._settings, self._settings_due = Watched(where.home, where.settings), 0.0
        self._films = FilmWatch(where.home, self._context, self._held_by)
        self._leaving = ""

    def run(self) -> str:
        """Run until somebody stops the daemon; return the reason why it ended."""
        # A daemon that ends cleanly removes its endpoint file.
        cut_off = endpoint.read(self.where.home) is not None
        try:
            self._until_ready()
            launcher_info.leave(self.where.home, program_version())
            words = f"The companion is ready at {self._listening.address}, process {os.getpid()}."
            _log.info("companion ready", extra={"said": {"message": words}})
            self._leftovers.take_up(self._turns.taken_up(), cut_off=cut_off)
            while not (self._leaving or self._stopped()):
                self._inbox.poll(TICK_MS)
                self._turn()
            reason = self._leaving or self._stopped()
            self._finish()
            _log.info(
                "companion ends",
                extra={"said": {"message": f"The companion ends in order: {reason}."}},
            )
            return reason
        finally:
            endpoint.remove(self.where.home, os.getpid())
            self._working.kill()
            for row in (self._clerk, self._reader, self._teller):
                row.close()
            self._door.close()
            self._leftovers.close()
            self._films.close()
            self._say_goodbye()
            self._inbox.close()
            self._journal.close()
            self._context.destroy(linger=500)

    def _until_ready(self) -> None:
        """Wait until clients can connect. Raises Refused(listener-failing)."""
        until = machine.monotonic() + COMING_UP_S
        while not self._listening.address:
            if self._listening.broken or machine.monotonic() > until:
                raise Refused("listener-failing")
            self._inbox.poll(TICK_MS)
            self._hear_children()

    def _announce(self) -> None:
        """Write the endpoint file before any client can connect. Raises Refused(keys-unusable)."""
        self._hear(f"companion ready at {self._listening.address}")
        if self._listening.beyond:
            self._hear(self._listening.beyond)
        here = Endpoint(
            address=self._listening.address,
            public_key=self._public,
            pid=os.getpid(),
            version=program_version(),
            protocol=VERSION,
        )
        endpoint.write(self.where.home, here)

    def _say_goodbye(self) -> None:
        listener = self._listening.close(self._leaving or "stopped")
        if listener is not None and listener.code() is None:
            listener.kill()

    def _turn(self) -> None:
        self._hear_children()
        self._look_at_settings()
        self._listening.look_after()
        for row in (self._clerk, self._reader, self._teller):
            row.look_after()
        if self._listening.broken:
            self._leaving = self._leaving or "its listener does not start"
        if not self._leaving:
            self._share_out()
        self._working.tend()
        self._said.look()
        if self._working.settled_in:
            self._clerk.be_there()  # start it ahead of any request, but after the interrupted jobs
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
            self._listening.speak(found.language)
            self._clerk.renew()
            self._teller.renew()
            changed = differences(before, found)
            if changed.keys() & {"door", "films", "films_preset", "language"}:
                self._door.restart(self.where)
            self._notices.taken_over(changed)

    def _share_out(self) -> None:
        """Decide which jobs run now.

        Called on every turn of the loop, and uses only data at hand.
        """
        names = self._working.names
        for job in self._turns.ended(names):
            self._settle(job, "over")
        working = self._turns.working(names)
        self._working.stop_all(set(names) - {job.job for job in working})  # put on hold elsewhere
        now = scheduler.decide(
            self._turns.waiting(names), working, stopping=self._working.stopping, at_once=self.where.settings.jobs_at_once,
            workers=self._workers or self.where.settings.jobs or machine.cores(), paused=self._turns.paused,
        )  # fmt: skip
        self._working.do(now)
        self._films.watch(self._turns.films_awaited())

    def _finish(self) -> None:
        """Interrupt the running jobs cleanly."""
        self._leaving = self._leaving or "stopped"
        until = machine.monotonic() + STOPPING_S
        self._working.stop_all()
        while self._working.names and machine.monotonic() < until:
            self._inbox.poll(TICK_MS)
            self._hear_children()

    # Requests -------------------------------------------------------------------------------------

    def _take(self, asked: Asked) -> None:
        message = asked.message
        if isinstance(message, Stop):
            self._listening.say(asked.peer, Done(re=message.request))
            self._leaving = "asked to stop"
            return
        row = self._teller if isinstance(message, Describe | Pictures | Stats) else self._clerk
        if isinstance(message, Submit) and asked.size > LARGE:
            row = self._reader
        if row.full(asked.peer):
            self._listening.refuse(asked.peer, Refused("companion-busy"), message.request)
        else:
            row.take(asked.peer, message, asked.upload)

    def _cut_off(self, cut: CutOff) -> bool:
        """Report that a client was cut off; return whether to shut it out for a while.

        This user's own programs share one key. Shutting it out would also lock out the window.
        """
        name = next((name for name, key in self._keys.admitted().items() if key == cut.key), "")
        self._notices.cut_off(name, cut.held)
        return name not in ("", OWN)

    def _settle(self, job: str, wish: Wish, code: str = "", detail: str = "") -> None:
        errand = helper_requests.Settle(
            request="settle", job=job, wish=wish, code=code, detail=detail
        )
        self._clerk.take(b"", errand)

    def _answered(self, errand: HelperRequest, said: Said | None) -> None:
        message = errand.message
        if isinstance(message, helper_requests.Settle):
            self._turns.settled(message.job, well=isinstance(said, Done))
            return
        asked = [(errand.peer, message.request), *errand.others]
        if said is None:
            for peer, request in asked:
                self._listening.refuse(peer, Refused("request-unanswered"), request)
            return
        if isinstance(message, Cancel) and isinstance(said, Done):
            self._working.stop(said.job)
        if isinstance(said, Jobs):
            names = self._working.names
            said = msgspec.structs.replace(
                said, jobs=tuple(as_it_is(line, names, self._turns.awaited) for line in said.jobs)
            )
        for peer, request in asked:
            self._listening.say(peer, msgspec.structs.replace(said, re=request))
        self._turns.look()

    def _tell(self, errand: HelperRequest) -> bytes:
        return helper_requests.packed(
            helper_requests.Tell(
                asked=errand.message,
                working=tuple(self._working.names),
                holders=self._turns.awaited,
            )
        )

    # Children -------------------------------------------------------------------------------------

    def _hear_children(self) -> None:
        while self._inbox.poll(0):
            name, line = self._inbox.recv_multipart()
            self._door.ended(name, line)
            known = (
                self._listening,
                self._clerk,
                self._reader,
                self._teller,
                self._leftovers,
                self._films,
            )
            if any(child.hear(name.decode(), line) for child in known):
                continue
            ended = self._working.hear(name.decode(), line)
            if ended is not None:
                self._job_ended(ended)

    def _job_ended(self, work: Work) -> None:
        job, asked = (
            work.child.name,
            work.stopping is not None or bool(self._leaving or self._stopped()),
        )
        self._listening.still(job)
        self._notices.over(job)
        end = self._turns.after(job, work.child.code(), work.summary, asked=asked)
        if self._turns.awaited.get(job):
            self._notices.awaited(job, self._journal.accepted(job).output, self._turns.awaited[job])
        words = f"The companion's work on job {job} ended: {end.why}."
        _log.info("job ended", extra={"said": {"message": words, "job": job, "end": end.why}})
        self._hear(f"{job}: {end.why}")
        if end.wish is not None:
            self._settle(job, end.wish, end.code, end.detail)

    def _held_by(self, news: Holder) -> None:
        """Handle a change of a film's lock.

        Another data folder holds a film that a job waits for, or the film is free.
        """
        if not self._turns.held_by(news.job, news.holder):
            return
        if news.holder:
            self._notices.awaited(news.job, self._journal.accepted(news.job).output, news.holder)
        else:
            self._notices.over(news.job)


def _packed(errand: HelperRequest) -> bytes:
    return helper_requests.packed(errand.message, errand.upload)
