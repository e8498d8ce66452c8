"""Helper process for queries: reads the journal and describes jobs.

It writes nothing but thumbnails.

    daemon --(stdin)-->  8 bytes: two lengths; a helper_requests.Tell
    daemon <--(stdout)-- one line: the answer

Describing a job of many thousand events takes a moment, and a picture needs a decoder. In a process
of their own, queries never delay a submission.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import msgspec

from bridge.daemon.helper_requests import Tell, journal_fault, received, refusal
from bridge.protocol.requests import Describe, Pictures, Stats
from bridge.protocol.responses import (
    Described,
    Figures,
    JobLine,
    KeptFilm,
    Pictured,
    Said,
    ShotLine,
)
from bridge.protocol.wire import encode
from bridge.services import logs
from bridge.services.job_accounts import (
    MOST_EARLIER,
    Account,
    account,
    earlier_renders,
    exchange,
    find_job,
    standing_film,
)
from bridge.services.job_list import job_line
from bridge.services.locations import Locations, place_anyway
from core.engine import thumbnails
from core.engine.rollback import generations
from core.errors.refusal import Refused
from core.graph.nodes import Plan
from core.report.findings import findings
from core.report.statistics import as_plain, statistics
from core.report.status import job_status
from core.report.view_model import JobView
from core.storage.history import History
from core.storage.journal import Journal
from core.storage.journal_faults import RECORD_LOST
from core.storage.submissions import Submissions
from core.system import process

DRAWN_S = 2.0
"""Time limit in seconds for the pictures of one request.

The rest is left out; a repeated request returns more.
"""
DRAWERS = 2
"""Number of pictures drawn at once, kept small because rendering the film takes precedence."""

_tells = msgspec.json.Decoder(Tell)


class Queries:
    """Answers queries about one journal."""

    def __init__(self, where: Locations, journal: Journal) -> None:
        self.where, self.journal = where, journal
        self._submissions, self._memory = Submissions(journal), History(journal)
        self._told: dict[str, tuple[int, JobView]] = {}
        self._plans: dict[tuple[str, str], Plan] = {}

    def answer(self, tell: Tell) -> Said:
        """Return the answer to a query."""
        asked, speak = tell.asked, self.where.settings.language
        try:
            match asked:
                case Describe():
                    return self._describe(asked, tell.working, tell.holders)
                case Pictures():
                    return self._pictures(asked)
                case Stats():
                    return Figures(
                        re=asked.request,
                        figures=msgspec.Raw(msgspec.json.encode(as_plain(statistics(self._all())))),
                    )
        except Refused as error:
            return refusal(error, asked.request, speak)
        except RECORD_LOST as error:
            return refusal(journal_fault(error, self.journal.path), asked.request, speak)

    # Descriptions ---------------------------------------------------------------------------------

    def _describe(
        self, asked: Describe, working: tuple[str, ...], holders: dict[str, str]
    ) -> Described:
        job, speak = find_job(self.journal, asked.job), self.where.settings.language
        known = account(self.journal, job)
        told, planned = known.told, known.told.planned
        line = job_line(self.journal, self._submissions, self.where.home, job, working, holders)
        before = self.journal.film(told.accepted.output)
        back, earlier = exchange(self.journal.film(line.film), told), self._earlier(known)
        old = Path(before.path).name if before else ""
        whole = job_status(
            told,
            state=line.state,
            language=speak,
            old_film=old,
            rollback=back,
            earlier=earlier,
            holder=line.holder,
            film=line.film,
        )
        return Described(
            re=asked.request, last=known.entries[-1].seq, job=line,
            title=whole.title, message=whole.message, safe=whole.safe, action=whole.action, rollback=back,
            kept=_kept(line, self.journal),
            rate=planned.rate if planned else "", start_frame=planned.start_frame if planned else 0,
            drop_frame=planned.drop_frame if planned else False, frames=planned.frames if planned else 0,
            shots=tuple(
                ShotLine(
                    number=shot.number, name=shot.name, first=shot.record_in, frames=shot.frames, state=shot.state, gap=shot.gap,
                    path=shot.path, taken=shot.taken,
                )
                for shot in told.shots
            ),
            findings=findings(told, known.plan, earlier=earlier, language=speak),
        )  # fmt: skip

    def _earlier(self, known: Account) -> set[int]:
        """Return the incomplete shots for which an earlier good render is available."""
        plan = known.plan
        short = [
            shot.number
            for shot in known.told.shots
            if shot.state in ("slate", "mended", "missing") and shot.causes
        ]
        if plan is None or not short:
            return set()
        return earlier_renders(
            self.journal, known.told.accepted.output, plan, short, plan_of=self._plan
        )

    def _plan(self, job: str, cut: str) -> Plan | None:
        """Return a stored plan, or None.

        The most recently used plans are cached: reading a long one takes a moment.
        """
        plan = self._plans.pop((job, cut), None) or self._memory.plan(job, cut)
        if plan is not None:
            self._plans[job, cut] = plan
            if len(self._plans) > MOST_EARLIER:
                del self._plans[next(iter(self._plans))]
        return plan

    def _all(self) -> list[JobView]:
        """Return the view of every job. Only jobs with new events are read again."""
        for job, _ in self.journal.jobs():
            last = self._submissions.last(job)
            if job not in self._told or self._told[job][0] != last:
                self._told[job] = last, account(self.journal, job).told
        return [told for _, told in self._told.values()]

    # Pictures -------------------------------------------------------------------------------------

    def _pictures(self, asked: Pictures) -> Pictured:
        job = find_job(self.journal, asked.job)
        known = account(self.journal, job)
        found: dict[int, bytes] = {}
        if known.plan is not None:
            film = standing_film(self.journal, known.told)
            found = thumbnails.of_job(
                known.plan,
                film,
                self.journal,
                self.where.workspace(),
                workers=DRAWERS,
                shots=set(asked.shots),
                within_s=DRAWN_S,
            )
        return Pictured(re=asked.request, job=job, pictures=found)


def _kept(line: JobLine, journal: Journal) -> tuple[KeptFilm, ...]:
    """Return every film that can be restored to the place of a job's film.

    Returns none while the film's drive is disconnected.
    """
    try:
        found = generations(Path(line.film), journal) if line.film else []
    except Refused:
        return ()
    kept = [one for one in found if one.number]
    return tuple(
        KeptFilm(
            number=one.number, at=one.at, complete=one.complete, job=one.job, length=one.length
        )
        for one in kept
    )


def _from_a_view(where: Locations, tell: Tell) -> Said:
    """Answer from a read-only view of the journal, because the journal cannot be written.

    The view shows the journal as it is at this moment.
    """
    try:
        journal = where.journal_to_read()
    except Refused as error:
        return refusal(error, tell.asked.request, where.settings.language)
    try:
        return Queries(where, journal).answer(tell)
    finally:
        journal.close()


def main() -> int:
    """Answer queries until standard input closes."""
    process.die_with_parent(int(sys.argv[1]) if len(sys.argv) > 1 else None)
    where, _ = place_anyway()  # the daemon has already reported faults in the settings
    logs.begin(where.home)
    teller: Queries | None = None
    with contextlib.suppress(Refused):
        teller = Queries(where, where.journal())
    for tell, _ in received(sys.stdin.buffer, _tells):
        try:
            teller = teller or Queries(where, where.journal())
            said = teller.answer(tell)
        except Refused:
            said = _from_a_view(where, tell)
        os.write(sys.stdout.fileno(), encode(said) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
