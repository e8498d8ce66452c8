"""Helper process for commands: reads timelines and writes the journal for the daemon.

    daemon --(stdin)-->  8 bytes: two lengths; a request; the path of a timeline
    daemon <--(stdout)-- one line: the answer

A hostile timeline can crash its reader, a dead share can hang any process that touches it, and a
disk can be slow to flush. Meanwhile the daemon keeps answering its clients, and starts another
helper process if it must. Whatever this process acknowledged is on record. Whatever it did not
acknowledge is requested again under the same name; the request is then found to be done, or is done
now.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from pathlib import Path

import msgspec

from bridge.daemon import uploads
from bridge.daemon.helper_requests import Errand, Settle, journal_fault, received, refusal
from bridge.protocol.requests import Answer, Cancel, List, Pause, Prioritise, Resume, Submit
from bridge.protocol.responses import Accepted, Done, Jobs, Said
from bridge.protocol.wire import digest, encode
from bridge.services import logs
from bridge.services.answers import continued, put_on_record
from bridge.services.job_accounts import find_job
from bridge.services.job_list import job_lines, under_work
from bridge.services.locations import Locations, place_anyway
from bridge.services.timeline_overrides import complete
from core.engine.folder_checks import check_place, record_film_folder
from core.engine.output_path import film_at
from core.engine.reconcile import catch_up_alone
from core.errors.refusal import Refused
from core.graph import content_key
from core.job.events import Answered, JobAccepted, JobFinished, RunInterrupted, RunStarted
from core.storage import preset_files
from core.storage.jobs import is_open, open_jobs
from core.storage.journal import Journal
from core.storage.journal_faults import RECORD_LOST
from core.storage.submissions import Submissions
from core.system import machine, process
from otio_adapters.read import timeline_from

_KEPT = ("journal-", "data-folder-", "unforeseen")
"""Prefixes of refusal codes that the timeline is not to blame for.

After such a refusal, the upload is kept for the next attempt.
"""
_errands = msgspec.json.Decoder(Errand)


class Commands:
    """Executes the daemon's requests against one journal."""

    def __init__(self, where: Locations, journal: Journal) -> None:
        self.where, self.journal = where, journal
        self.submissions = Submissions(journal)

    def answer(self, errand: Errand, timeline: bytes | None) -> Said:
        """Execute a request and return the answer.

        If the answer is a refusal, nothing was recorded. `timeline` is None if its upload is
        missing.
        """
        try:
            match errand:
                case Submit():
                    return self._submit(errand, timeline)
                case List():
                    by_film, most = errand.by_film, errand.most
                    jobs = job_lines(
                        self.journal, self.submissions, self.where.home, most, by_film=by_film
                    )
                    return Jobs(re=errand.request, jobs=jobs, paused=self.submissions.paused)
                case Cancel():
                    return self._cancel(errand)
                case Resume():
                    return self._resume(errand)
                case Prioritise():
                    return self._prioritise(errand)
                case Pause():
                    self.submissions.pause(paused=errand.paused)
                    return Done(re=errand.request)
                case Answer():
                    job = continued(self.journal, find_job(self.journal, errand.job))
                    catch_up_alone(
                        Path(self.journal.accepted(job).output),
                        self.journal,
                        self.where.workspace(),
                    )
                    file, always, speak = errand.file, errand.always, self.where.settings.language
                    notes = put_on_record(
                        self.journal,
                        job,
                        errand.about,
                        errand.answer,
                        file=file,
                        always=always,
                        speak=speak,
                    )
                    goes_on = job if errand.answer == "stop" else self._go_on(job)
                    return Done(re=errand.request, job=goes_on, notes=tuple(notes))
                case Settle():
                    if errand.code:
                        failed = JobFinished(
                            outcome="failed", code=errand.code, detail=errand.detail
                        )
                        self.journal.append(errand.job, [failed], machine.now())
                    self.submissions.settle(errand.job, errand.wish)
                    return Done(re=errand.request, job=errand.job)
        except Refused as error:
            return refusal(error, errand.request, self.where.settings.language)
        except RECORD_LOST as error:
            return refusal(
                journal_fault(error, self.journal.path),
                errand.request,
                self.where.settings.language,
            )

    # Submissions ----------------------------------------------------------------------------------

    def _submit(self, asked: Submit, timeline: bytes | None) -> Said:
        body = msgspec.json.encode(msgspec.structs.replace(asked, request="x"))
        content = hashlib.sha256(body).hexdigest()
        again = self._again(asked, content)
        if again is not None:
            return again
        if timeline is None:
            raise Refused("upload-missing")
        if digest(timeline) != asked.sha256:
            raise Refused("message-damaged")
        if not os.path.isabs(asked.output):
            raise Refused("message-unclear", why="no-whole-path")
        output = film_at(asked.output)
        seen = check_place(output, self.journal, self.where.workspace().own_folders)
        preset = preset_files.for_output(self.where.presets(), asked.preset or None, output)
        raw = complete(timeline, asked.lacking)
        path = Path(asked.timeline_path) if asked.timeline_path else output.with_suffix(".otio")
        film = timeline_from(raw, path)
        wanted = content_key.request_digest(raw, preset, str(output))
        for job, known in open_jobs(self.journal, str(output)):
            if known == wanted:
                self.submissions.join(
                    asked.submission, content=content, body=body.decode(), job=job
                )
                return Accepted(re=asked.request, submission=asked.submission, job=job, again=True)
        job = machine.token()
        fact = JobAccepted(
            digest=wanted,
            timeline_path=str(path),
            timeline_name=film.name,
            output=str(output),
            preset=preset.name,
        )
        folder = record_film_folder(seen, output, self.where.home)
        try:
            self.submissions.accept(
                asked.submission,
                folder,
                content=content,
                body=body.decode(),
                job=job,
                fact=fact,
                timeline=raw,
                at=machine.now(),
            )
        except RECORD_LOST:  # another helper process may have been faster
            again = self._again(asked, content)
            if again is None:
                raise
            return again
        return Accepted(re=asked.request, submission=asked.submission, job=job)

    def _again(self, asked: Submit, content: str) -> Accepted | None:
        known = self.submissions.known(asked.submission)
        if known is None:
            return None
        if known.content != content:
            raise Refused("submission-differs", name=asked.submission)
        return Accepted(re=asked.request, submission=asked.submission, job=known.job, again=True)

    # Jobs -----------------------------------------------------------------------------------------

    def _open(self, job: str) -> bool:
        return is_open(self.journal, job)

    def _elsewhere(self, job: str) -> bool:
        """Return whether another terminal is running a job that is not the daemon's to start."""
        wish = dict(self.submissions.queue()).get(job)
        return wish != "run" and under_work(
            self.journal, self.where.home, job, self.journal.accepted(job).output
        )

    def _go_on(self, job: str) -> str:
        """Queue a job after a user decision, even if the job has ended already; return the job.

        If another terminal is running the job, that process picks up the decision itself.
        """
        if not self._elsewhere(job):
            self.submissions.wish(job, "run")
        return job

    def _cancel(self, asked: Cancel) -> Done:
        job = find_job(self.journal, asked.job)
        wish = dict(self.submissions.queue()).get(job)
        if wish is None and not self._open(job):
            raise Refused("job-finished", name=job)
        last = self.journal.last(job, "RunStarted", "RunInterrupted", "JobFinished")
        begun = last is not None and isinstance(last.fact, RunStarted)
        if wish == "run":
            self.submissions.wish(job, "held")
        # A command in another terminal may be running the job, even if the job is in the queue;
        # that command reads this event.
        if wish is None or begun:
            self.journal.append(job, [Answered(answer="stop")], machine.now())
        if wish == "run":
            self.journal.append(job, [RunInterrupted(reason="cancelled")], machine.now())
        return Done(re=asked.request, job=job)

    def _resume(self, asked: Resume) -> Done:
        job = find_job(self.journal, asked.job)
        if not self._open(job):
            raise Refused("job-finished", name=job)
        if self._elsewhere(job):
            raise Refused("job-running", path=self.journal.accepted(job).output)
        self.submissions.wish(job, "run")
        return Done(re=asked.request, job=job)

    def _prioritise(self, asked: Prioritise) -> Done:
        job = find_job(self.journal, asked.job)
        if job not in dict(self.submissions.queue()):
            raise Refused("job-not-queued", name=job)
        self.submissions.prioritise(job, asked.priority)
        return Done(re=asked.request, job=job)


def main() -> int:
    """Execute requests until standard input closes."""
    process.die_with_parent(int(sys.argv[1]) if len(sys.argv) > 1 else None)
    where, _ = place_anyway()  # the daemon has already reported faults in the settings
    logs.begin(where.home)
    clerk: Commands | None = None
    with contextlib.suppress(Refused):  # reported to the client that sends the first request
        clerk = Commands(where, where.journal())
    for errand, upload in received(sys.stdin.buffer, _errands):
        try:
            clerk = clerk or Commands(where, where.journal())
        except Refused as error:
            said: Said = refusal(error, errand.request, where.settings.language)
        else:
            said = clerk.answer(errand, uploads.read(Path(upload)) if upload else None)
            if upload and not getattr(said, "code", "").startswith(_KEPT):
                Path(upload).unlink(missing_ok=True)  # recorded, or refused for good
        os.write(sys.stdout.fileno(), encode(said) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
