"""Watches a folder: submits what is dropped and keeps the replies up to date.

The watcher is a client of the daemon like any other.

    stable, complete file  -->  Submit  -->  durable reply  -->  moved to `done` or `refused`
    reply that is not final  -->  news of its job  -->  new reply, at most once a second

All state is in the folder or in the journal. After an interruption at any point, the same file is
submitted under the same name again, and replies that are not final are continued.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bridge.client.client import Client
from bridge.client.connection import Declined
from bridge.daemon import helper_requests
from bridge.protocol.requests import MOST_LISTED, Describe, List, Ping, Submit
from bridge.protocol.responses import Happened, Noticed, Progressed
from bridge.watch_folder import names, reply, submission
from bridge.watch_folder.folder import KEPT_S, Folder, all_replies
from bridge.watch_folder.names import Drop, Sight, Stillness
from bridge.watch_folder.reply import Reply
from bridge.watch_folder.submission import Dropped, Usual
from core.errors.refusal import Refused
from core.messages.template import Language
from core.system import machine
from otio_adapters import guard
from otio_adapters.refuse import TimelineRefused

_log = logging.getLogger("hotsplice")
_TELLING = {
    "RunStarted", "FilmPlanned", "ProblemFound", "ShotSlated", "ShotMended", "SoundSilenced", "JobFinished", "RunInterrupted",
}  # fmt: skip
"""Events after which a job is described again: at once after an end, otherwise after a while."""
_ENDING = {"JobFinished", "RunInterrupted"}
_RESTING = {"held", "failed", "incomplete"}
MOST_VAIN = 3
"""Number of refused descriptions after which a reply is written without one."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Intervals in seconds.

    - `look`: between two scans of the folder.
    - `settle`: a file must be unchanged for this long.
    - `vain`: the same for a file that does not look complete.
    - `write`: minimum between two versions of a reply.
    - `renew`: maximum between two versions of a reply, even if nothing has changed.
    - `describe`: minimum between two descriptions of a job.
    - `rest`: before a failed action is tried again.
    """

    look: float = 0.5
    settle: float = 1.0
    vain: float = 30.0
    write: float = 1.0
    renew: float = 20.0
    describe: float = 5.0
    rest: float = 10.0


@dataclass
class _Followed:
    """A reply that is not final.

    `untold` means that the job must be described again, `urgent` at once, `again` once more later.
    `digest` is that of its JobLine, once known.
    """

    said: Reply
    written: float
    unwritten: bool = False
    untold: bool = True
    urgent: bool = False
    again: bool = False
    told: float = -1e9
    vain: int = 0
    digest: str = ""


@dataclass
class _Answered:
    """A drop that has its answer, but has not been moved yet."""

    sight: Sight
    said: Reply
    replied: bool = False
    not_before: float = 0.0


@dataclass
class Watcher:
    """Watches one folder. With `make`, the default film folder is created if it does not exist."""

    folder: Folder
    usual: Usual
    make: bool
    asks: Client
    hears: Client
    language: Language
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        self._still = Stillness()
        self._followed: dict[str, _Followed] = {}
        self._answered: dict[str, _Answered] = {}
        self._vain: dict[str, Sight] = {}
        self._looked = self._prepared = self._glanced = -1e9
        self._silent = ""

    def run(self, until: Callable[[], bool]) -> None:
        """Run until `until` returns True. Raises Refused when the daemon is gone for good."""
        while not until():
            # Watching costs the daemon resources.
            if not self._moving():
                machine.sleep(self.pace.look)
                self._round_if_due()
                self._glance()
                continue
            last = self.asks.ask(Ping(request="ping")).last
            for one in self._followed.values():
                # Something may have happened up to that sequence number.
                one.untold = one.untold or one.said.state not in reply.FOR_GOOD
            self._compare()
            for said in self.hears.watch(after=last):
                self.hear(said)
                self._round_if_due()
                if until() or not self._moving():
                    break

    def _moving(self) -> bool:
        """Return whether a followed job may change by itself."""
        return any(
            one.untold or one.unwritten or one.said.state not in _RESTING
            for one in self._followed.values()
        )

    def _glance(self) -> None:
        """Check all resting jobs at intervals: somebody may have resumed one."""
        if self._followed and machine.monotonic() - self._glanced >= self.pace.renew:
            self._compare()

    def _compare(self) -> None:
        """Compare replies with the list of jobs to find changed states and newer jobs."""
        self._glanced = machine.monotonic()
        lines = self.asks.ask(List(request="list", most=MOST_LISTED)).jobs if self._followed else ()
        known, newest = (
            {line.job: line for line in lines},
            {line.digest: line.job for line in lines},
        )
        for name, one in list(self._followed.items()):
            line = known.get(one.said.job)
            if line is None:
                continue
            one.digest = line.digest
            one.untold = one.untold or line.state != one.said.state
            self._once_more(name, one, newest[line.digest])

    def _once_more(self, name: str, one: _Followed, job: str) -> None:
        """Follow the newer job for the same film and cut.

        Such a job starts after an answer, or because somebody submitted the timeline again. A final
        reply that somebody has removed is not written again.
        """
        if not one.said.ended or not one.digest or job == one.said.job:
            return
        if self.folder.replied(name) is None:
            del self._followed[name]
            return
        one.said = reply.another(one.said, job, machine.now())
        one.untold = one.urgent = one.unwritten = True

    def hear(self, said: Happened | Progressed | Noticed | None) -> None:
        """Handle a message about jobs whose replies are followed."""
        if said is None or isinstance(said, Noticed):
            return
        fact = {} if isinstance(said, Progressed) else msgspec.json.decode(said.fact)
        for name, one in list(self._followed.items()):
            if fact.get("is") == "JobAccepted" and fact["digest"] == one.digest:
                self._once_more(name, one, said.job)
            if one.said.job != said.job:
                continue
            if isinstance(said, Progressed):
                # The last progress may arrive after the end.
                if not one.said.ended:
                    one.said, one.unwritten = reply.progressed(one.said, said), True
                continue
            one.untold = one.untold or fact.get("is") in _TELLING
            if fact.get("is") in _ENDING:
                one.urgent = one.again = True
            one.urgent = one.urgent or (one.said.ended and fact.get("is") == "RunStarted")

    def _round_if_due(self) -> None:
        now = machine.monotonic()
        if now - self._looked >= self.pace.look:
            self._looked = now
            self.round(now)

    def round(self, now: float) -> None:
        """Scan once: prepare the folder, take in new drops, update replies."""
        try:
            if now - self._prepared > self.pace.rest:
                self.folder.prepare()
                if self._prepared < 0:
                    self._take_up(now)
                self._prepared = now
            drops = names.drops(self.folder.names())
        except OSError as error:
            self._prepared = min(self._prepared, 0.0)
            self._trouble(error)
        else:
            there = {drop.name for drop in drops}
            self._still.keep(there)
            self._answered = {
                name: known for name, known in self._answered.items() if name in there
            }
            self._vain = {name: known for name, known in self._vain.items() if name in there}
            for drop in drops:
                self._look_at(drop, now)
        for name, one in list(self._followed.items()):
            self._go_on(name, one, now)

    def _take_up(self, now: float) -> None:
        """Continue the replies of an earlier watcher, and remove old ones."""
        for name, said in all_replies(self.folder):
            self.folder.tidy(name, said)
            if said.ended and said.state in reply.FOR_GOOD and machine.now() - said.at > KEPT_S:
                self.folder.forget(name)
            elif said.job and said.state not in reply.FINAL:
                self._followed[name] = _Followed(said, now, untold=said.state not in reply.FOR_GOOD)

    # Drops ----------------------------------------------------------------------------------------

    def _look_at(self, drop: Drop, now: float) -> None:
        try:
            sight = self.folder.sight(drop)
            if sight is None:
                return
            still = self._still.of(drop.name, sight, now)
            known = self._answered.get(drop.name)
            if known is not None and known.sight == sight:
                if now >= known.not_before:
                    self._put_away(drop, known, now)
            elif still >= self.pace.settle and (
                still >= self.pace.vain or self._vain.get(drop.name) != sight
            ):
                self._take(drop, sight, now, wait=still < self.pace.vain)
        except OSError as error:
            self._trouble(error)

    def _take(self, drop: Drop, sight: Sight, now: float, *, wait: bool) -> None:
        """Submit a drop if it is complete, or if it has been unchanged for long enough."""
        said = Reply(file=submission.shown(drop.name), size=sight.size, modified=sight.mtime_ns / 1e9, submission="",
                     state="waiting", ended=False, at=machine.now())  # fmt: skip
        message, timeline = None, b""
        try:
            read = self.folder.read(drop)
            if self.folder.sight(drop) != sight:
                return  # the file is changing again
            if wait and not _whole(read.timeline):
                self._vain[drop.name] = sight
                return
            message, timeline = self._submit(read), read.timeline
            said = msgspec.structs.replace(
                said, size=read.sight.size, modified=read.sight.mtime_ns / 1e9, submission=message.submission, ask=read.mark,
                film=message.output, preset=message.preset,
            )  # fmt: skip
        except Refused as error:
            said = reply.refused(
                said, helper_requests.refusal(error, "drop", self.language), said.at
            )
        if message is not None:
            try:
                said = msgspec.structs.replace(said, job=self.asks.ask(message, timeline).job)
            except Declined as error:
                said = reply.refused(said, error.refusal, said.at)
        _log.info(
            "dropped", extra={"said": {"file": said.file, "job": said.job, "code": said.code}}
        )
        self._answered[drop.name] = answered = _Answered(sight, said)
        self._put_away(drop, answered, now)

    def _submit(self, read: Dropped) -> Submit:
        wanted = submission.wanted(read)
        if self.make and not (wanted.output and Path(wanted.output).is_absolute()):
            # If this fails, the submission is refused with an explanation.
            with contextlib.suppress(OSError):
                Path(self.usual.films).mkdir(parents=True, exist_ok=True)
        return submission.submit(read, wanted, folder=self.folder.inbox, usual=self.usual)

    def _put_away(self, drop: Drop, answered: _Answered, now: float) -> None:
        """Write the reply durably, then move the drop.

        A drop that is moved without a reply would be lost after an interruption. Raises OSError.
        """
        said = answered.said
        answered.not_before = now + self.pace.rest
        if not said.job and not said.ended and answered.replied:
            # The daemon could not accept it before, so the drop is submitted again.
            del self._answered[drop.name]
            return
        if not answered.replied:
            self.folder.reply(said, drop.name, durable=True)
            answered.replied, self._silent = True, ""
            if said.job:
                self._followed[names.replied_as(drop.name)] = _Followed(said, now)
        if said.job or (said.ended and drop.name.lower().endswith(names.ENDING)):
            self.folder.put_away(drop, names.DONE if said.job else names.REFUSED, said.job)
            del self._answered[drop.name]

    # Replies --------------------------------------------------------------------------------------

    def _go_on(self, name: str, one: _Followed, now: float) -> None:
        if one.untold and (one.urgent or now - one.told >= self.pace.describe):
            # Somebody removed the reply, so it is not wanted.
            if one.said.ended and not one.unwritten and self.folder.replied(name) is None:
                del self._followed[name]
                return
            one.told = now
            self._tell(one)
        if (one.said.ended or one.said.state in _RESTING) and not one.unwritten:
            if one.said.state in reply.FINAL and not one.untold:
                del self._followed[name]
            return
        if now - one.written < (self.pace.write if one.unwritten else self.pace.renew):
            return
        if not one.unwritten:
            # A process that is killed elsewhere reports nothing.
            one.untold = one.said.state == "elsewhere"
            one.said = msgspec.structs.replace(one.said, at=machine.now())
        one.written, one.unwritten = now, True
        try:
            self.folder.reply(one.said, name, durable=one.said.ended)
            one.unwritten, self._silent = False, ""
        except OSError as error:
            self._trouble(error)

    def _tell(self, one: _Followed) -> None:
        """Request the job's description and build the reply from it."""
        at = machine.now()
        try:
            told = self.asks.ask(Describe(request="describe", job=one.said.job))
            one.said, one.digest = reply.described(one.said, told, at), told.job.digest
        except (Declined, Refused) as error:
            # Refused: the request takes longer than any client waits, or no daemon runs.
            if isinstance(error, Declined) and error.refusal.code == "job-unknown":
                one.said = reply.refused(one.said, error.refusal, at)
            else:
                one.vain += 1
                if one.vain < MOST_VAIN:
                    return  # requested again after a while
                one.said = self._as_listed(one.said, at)
        one.untold, one.urgent, one.again, one.unwritten = one.again, False, False, True

    def _as_listed(self, said: Reply, at: float) -> Reply:
        """Build the reply from the list of jobs, without findings."""
        lines = self.asks.ask(List(request="list", most=MOST_LISTED)).jobs
        return next((reply.listed(said, line, at) for line in lines if line.job == said.job), said)

    def _trouble(self, error: OSError) -> None:
        """Log a problem once while it lasts: a folder may be full or read-only for hours."""
        words = f"{error.filename or self.folder.inbox}: {error.strerror or error}"
        if words != self._silent:
            self._silent = words
            _log.warning("door", extra={"said": {"message": words}})


def _whole(timeline: bytes) -> bool:
    """Return whether the data looks like a complete timeline.

    The daemon reports all other defects.
    """
    try:
        guard.parse(timeline)
    except TimelineRefused:
        return False
    return True
