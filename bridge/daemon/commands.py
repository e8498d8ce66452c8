"""The clerk: a process of its own that reads timelines and writes the record for the companion.

    companion --(stdin)-->  8 bytes: two lengths; a request; the path of a timeline
    companion <--(stdout)-- one line: the answer

A hostile timeline can crash its reader, a dead share can hang whoever looks at it, a disk can take its time to flush: the
companion goes on talking meanwhile, and starts another clerk. What the clerk acknowledged is on record; what it did not,
is asked again under the same name and found or done.
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
"""How refusals begin that are no fault of the timeline: its upload stays for the next time it is asked for."""
_errands = msgspec.json.Decoder(Errand)


class Commands:
    """Does errands in one journal."""

    def __init__(self, where: Locations, journal: Journal) -> None:
        self.where, self.journal = where, journal
        self.submissions = Submissions(journal)

    def answer(self, errand: Errand, timeline: bytes | None) -> Said:
        """Do it; the answer. Nothing is on record when it is a refusal. A timeline that is None is not there."""
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

    # Submissions --------------------------------------------------------------------------------------------------

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
        except RECORD_LOST:  # another clerk may have been quicker
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

    # Jobs ---------------------------------------------------------------------------------------------------------

    def _open(self, job: str) -> bool:
        return is_open(self.journal, job)

    def _elsewhere(self, job: str) -> bool:
        """Whether another terminal is at work on a job that is not for the companion to begin."""
        wish = dict(self.submissions.queue()).get(job)
        return wish != "run" and under_work(
            self.journal, self.where.home, job, self.journal.accepted(job).output
        )

    def _go_on(self, job: str) -> str:
        """After an answer the job is wanted, also where it has ended already; whoever makes it hears the answer."""
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
        if (
            wish is None or begun
        ):  # a command at another terminal may be at it, also where the job is in the queue: it hears this
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
    """Do errands until standard input closes."""
    process.die_with_parent(int(sys.argv[1]) if len(sys.argv) > 1 else None)
    where, _ = place_anyway()  # the companion has said what is wrong with them
    logs.begin(where.home)
    clerk: Commands | None = None
    with contextlib.suppress(Refused):  # told to whoever asks something
        clerk = Commands(where, where.journal())
    for errand, upload in received(sys.stdin.buffer, _errands):
        try:
            clerk = clerk or Commands(where, where.journal())
        except Refused as error:
            said: Said = refusal(error, errand.request, where.settings.language)
        else:
            said = clerk.answer(errand, uploads.read(Path(upload)) if upload else None)
            if upload and not getattr(said, "code", "").startswith(_KEPT):
                Path(upload).unlink(missing_ok=True)  # on record, or refused for good
        os.write(sys.stdout.fileno(), encode(said) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
