"""The keeper goes round the folder: takes in what was dropped, and writes replies as things go on. A client like any other.

    a file, still and whole  -->  Submit  -->  reply, flushed  -->  put away in `done` or `refused`
    a reply that is not final  -->  what is heard of its job  -->  the reply again, at most once a second

Nothing is remembered that is not in the folder or on record: cut off anywhere, the same file is submitted under the same name
again, and a reply that is not final is gone on with.
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
"""After these facts the whole of a job is asked for anew; at once after an end, else in a while."""
_ENDING = {"JobFinished", "RunInterrupted"}
_RESTING = {"held", "failed", "incomplete"}
MOST_VAIN = 3
"""So often a description that is refused is asked for, before a reply goes without one."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Seconds. A file must be still for `settle`, and for `vain` where it does not look whole. A reply is rewritten after `write`
    at the earliest, and after `renew` even if nothing has changed; a job is described anew after `describe`. What could not
    be done is tried again after `rest`."""

    look: float = 0.5
    settle: float = 1.0
    vain: float = 30.0
    write: float = 1.0
    renew: float = 20.0
    describe: float = 5.0
    rest: float = 10.0


@dataclass
class _Followed:
    """A reply that is not done with. `untold`: the job is to be described anew, `urgent` at once, `again` once more later.
    `digest` is that of its JobLine, once it is known."""

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
    """A drop that has its answer, but is still where it was."""

    sight: Sight
    said: Reply
    replied: bool = False
    not_before: float = 0.0


@dataclass
class Watcher:
    """Keeps one folder. `make`: the usual folder of films is made where it is not there."""

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
        """Until told otherwise. Refused when the companion is gone for good."""
        while not until():
            if not self._moving():  # who watches costs the companion something
                machine.sleep(self.pace.look)
                self._round_if_due()
                self._glance()
                continue
            last = self.asks.ask(Ping(request="ping")).last
            for one in self._followed.values():
                one.untold = (
                    one.untold or one.said.state not in reply.FOR_GOOD
                )  # whatever happened up to that number
            self._compare()
            for said in self.hears.watch(after=last):
                self.hear(said)
                self._round_if_due()
                if until() or not self._moving():
                    break

    def _moving(self) -> bool:
        """Whether anything may happen by itself to a job that is followed."""
        return any(
            one.untold or one.unwritten or one.said.state not in _RESTING
            for one in self._followed.values()
        )

    def _glance(self) -> None:
        """Jobs that rest are asked for all at once, in a while: somebody may have taken one up again."""
        if self._followed and machine.monotonic() - self._glanced >= self.pace.renew:
            self._compare()

    def _compare(self) -> None:
        """What is replied, with the list of jobs: which one stands otherwise, and which film is made once more."""
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
        """A job for the same film of the same cut was begun after this one: after an answer, or because somebody asked again. A
        reply that somebody has removed since it ended is not wanted any more."""
        if not one.said.ended or not one.digest or job == one.said.job:
            return
        if self.folder.replied(name) is None:
            del self._followed[name]
            return
        one.said = reply.another(one.said, job, machine.now())
        one.untold = one.urgent = one.unwritten = True

    def hear(self, said: Happened | Progressed | Noticed | None) -> None:
        """What happens to jobs whose replies are followed."""
        if said is None or isinstance(said, Noticed):
            return
        fact = {} if isinstance(said, Progressed) else msgspec.json.decode(said.fact)
        for name, one in list(self._followed.items()):
            if fact.get("is") == "JobAccepted" and fact["digest"] == one.digest:
                self._once_more(name, one, said.job)
            if one.said.job != said.job:
                continue
            if isinstance(said, Progressed):
                if not one.said.ended:  # the last of it may come after the end
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
        """Once around: the folder is there, what is new in it is taken in, what has moved on is replied."""
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
        """What an earlier keeper left: replies that are not final, and those that are old."""
        for name, said in all_replies(self.folder):
            self.folder.tidy(name, said)
            if said.ended and said.state in reply.FOR_GOOD and machine.now() - said.at > KEPT_S:
                self.folder.forget(name)
            elif said.job and said.state not in reply.FINAL:
                self._followed[name] = _Followed(said, now, untold=said.state not in reply.FOR_GOOD)

    # What is dropped ----------------------------------------------------------------------------------------------

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
        """Submit it, if it is whole or has been waited for long enough."""
        said = Reply(file=submission.shown(drop.name), size=sight.size, modified=sight.mtime_ns / 1e9, submission="",
                     state="waiting", ended=False, at=machine.now())  # fmt: skip
        message, timeline = None, b""
        try:
            read = self.folder.read(drop)
            if self.folder.sight(drop) != sight:
                return  # it moves again
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
            with contextlib.suppress(OSError):  # it is refused for that, in words
                Path(self.usual.films).mkdir(parents=True, exist_ok=True)
        return submission.submit(read, wanted, folder=self.folder.inbox, usual=self.usual)

    def _put_away(self, drop: Drop, answered: _Answered, now: float) -> None:
        """Reply first, durably: a file that is put away and has no reply would be forgotten. OSError."""
        said = answered.said
        answered.not_before = now + self.pace.rest
        if not said.job and not said.ended and answered.replied:
            del self._answered[drop.name]  # the companion could not take it then: it is asked again
            return
        if not answered.replied:
            self.folder.reply(said, drop.name, durable=True)
            answered.replied, self._silent = True, ""
            if said.job:
                self._followed[names.replied_as(drop.name)] = _Followed(said, now)
        if said.job or (said.ended and drop.name.lower().endswith(names.ENDING)):
            self.folder.put_away(drop, names.DONE if said.job else names.REFUSED, said.job)
            del self._answered[drop.name]

    # What is replied ----------------------------------------------------------------------------------------------

    def _go_on(self, name: str, one: _Followed, now: float) -> None:
        if one.untold and (one.urgent or now - one.told >= self.pace.describe):
            if (
                one.said.ended and not one.unwritten and self.folder.replied(name) is None
            ):  # removed since: it is not wanted
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
            one.untold = (
                one.said.state == "elsewhere"
            )  # a process that is killed there says nothing
            one.said = msgspec.structs.replace(one.said, at=machine.now())
        one.written, one.unwritten = now, True
        try:
            self.folder.reply(one.said, name, durable=one.said.ended)
            one.unwritten, self._silent = False, ""
        except OSError as error:
            self._trouble(error)

    def _tell(self, one: _Followed) -> None:
        """Ask what became of the job, and make the reply of it."""
        at = machine.now()
        try:
            told = self.asks.ask(Describe(request="describe", job=one.said.job))
            one.said, one.digest = reply.described(one.said, told, at), told.job.digest
        except (
            Declined,
            Refused,
        ) as error:  # Refused: it takes longer than any client waits, or there is no companion
            if isinstance(error, Declined) and error.refusal.code == "job-unknown":
                one.said = reply.refused(one.said, error.refusal, at)
            else:
                one.vain += 1
                if one.vain < MOST_VAIN:
                    return  # asked again in a while
                one.said = self._as_listed(one.said, at)
        one.untold, one.urgent, one.again, one.unwritten = one.again, False, False, True

    def _as_listed(self, said: Reply, at: float) -> Reply:
        """Without what was found, where that cannot be told."""
        lines = self.asks.ask(List(request="list", most=MOST_LISTED)).jobs
        return next((reply.listed(said, line, at) for line in lines if line.job == said.job), said)

    def _trouble(self, error: OSError) -> None:
        """Said once, as long as it is the same: the folder may stay full or read-only for hours."""
        words = f"{error.filename or self.folder.inbox}: {error.strerror or error}"
        if words != self._silent:
            self._silent = words
            _log.warning("door", extra={"said": {"message": words}})


def _whole(timeline: bytes) -> bool:
    """Whether it looks like all of a timeline: whatever else is wrong with it, the companion says."""
    try:
        guard.parse(timeline)
    except TimelineRefused:
        return False
    return True
