"""`assemble` and `resume`: read the timeline, run the job, report how it ended."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bridge.cli import console, summary
from bridge.services import collected, logs
from bridge.services.composition import services
from bridge.services.job_accounts import checkpoints_of, earlier_renders, find_job, newest_open
from bridge.services.locations import JOURNAL, Locations, place
from bridge.settings import settings
from core.engine.assemble import Ended, assemble
from core.engine.folder_checks import may_be_away
from core.engine.output_path import check_output, film_at
from core.engine.request import Listener, Request, pack
from core.errors.refusal import Refused
from core.executors.worker_process import Hand
from core.job.events import Fact, JobAccepted, JobFinished
from core.job.scratch_budget import Collected
from core.storage import locks, preset_files
from core.storage.jobs import is_open
from core.storage.journal import Journal
from core.storage.journal_faults import RECORD_LOST
from core.storage.sigbus import report_lost_journal
from otio_adapters.guard import bytes_of
from otio_adapters.read import timeline_from


class Stop:
    """Records a request to stop, and wakes the engine."""

    def __init__(self) -> None:
        self.reason = ""
        self.fd = -1

    def wake(self, fd: int) -> None:
        """Set the file descriptor to write a byte to for waking the engine; -1 for none."""
        self.fd = fd

    def __call__(self) -> str:
        return self.reason

    @contextmanager
    def listening(self) -> Iterator[Stop]:
        """Treat Ctrl-C, SIGTERM and the end of the session as requests to stop, not as failures."""
        names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

        def heard(number: int, _: object) -> None:
            self.reason = signal.Signals(number).name
            if self.fd >= 0:
                try:
                    os.write(self.fd, b"!")
                except OSError:
                    pass  # the pipe is full, so the engine is awake already

        before = {name: signal.signal(getattr(signal, name), heard) for name in names}
        try:
            yield self
        finally:
            for name, handler in before.items():
                signal.signal(getattr(signal, name), handler)


def _display(as_json: bool) -> console.Display:
    return console.JsonLines() if as_json else console.Live(settings.language())


def run_assemble(
    timeline: str,
    output: str,
    preset: str | None,
    jobs: int | None,
    as_json: bool,
    wait_s: float | None = None,
    search: Sequence[str] = (),
    *,
    accept_folder: bool = False,
    replace_complete: bool = False,
    ahead: list[Hand] | None = None,
) -> int:
    """Run `hotsplice assemble` and return its exit code. `ahead` holds workers already started."""
    display = _display(as_json)
    try:
        where = place()
        request = replace(
            _asked(where, timeline, output, preset),
            accept_folder=accept_folder,
            replace_complete=replace_complete,
        )
    except Refused as error:
        return _say(display, summary.refusal(error))

    def busy() -> int | None:
        """Follow the daemon when it renders this same film."""
        from bridge.cli import handover

        return handover.follow_companion(
            where, request, as_json=as_json, console=console.plain_console()
        )

    return _run(display, where, request, jobs, wait_s=wait_s, search=search, busy=busy, ahead=ahead)


def _asked(where: Locations, timeline: str, output: str, preset: str | None) -> Request:
    """Build the request from the arguments of a command. Raises Refused."""
    target = film_at(output)
    _check_output(where, target)
    known = where.presets()
    chosen = preset_files.for_output(known, preset, target)
    path = Path(os.path.expanduser(timeline)).absolute()
    raw = bytes_of(path)
    return Request(
        timeline=timeline_from(raw, path),
        packed=pack(raw),
        timeline_path=str(path),
        output=target,
        preset=chosen,
        fallback=preset_files.fallback_of(known, chosen),
    )


def _check_output(where: Locations, target: Path) -> None:
    """Check that a film can be written to `target`. Raises Refused.

    A missing folder is accepted when a job is on record for it: that job waits for the folder.
    """
    try:
        check_output(target, where.workspace().own_folders)
    except Refused:
        if not where.has_journal:
            raise
        journal = where.journal()
        try:
            if not may_be_away(target, journal):
                raise
        finally:
            journal.close()


def run_resume(
    job: str | None,
    checkpoint: str | None,
    jobs: int | None,
    as_json: bool,
    search: Sequence[str] = (),
    *,
    wait_s: float | None = None,
    accept_folder: bool = False,
    share: Callable[[], int] | None = None,
    ahead: list[Hand] | None = None,
) -> int:
    """Run `hotsplice resume` and return its exit code. `ahead` holds workers already started."""
    display = _display(as_json)
    try:
        where = place()
        journal = where.journal()
        try:
            known = find_job(journal, job) if job else newest_open(journal)
            accepted, raw = journal.request(known)
            if checkpoint is None and not is_open(journal, known):
                raise Refused("job-finished", name=known)
            seq = _checkpoint(journal, known, checkpoint) if checkpoint else None
        finally:
            journal.close()
        request = replace(_stored(where, accepted, raw), accept_folder=accept_folder)
    except Refused as error:
        return _say(display, summary.refusal(error))
    return _run(
        display,
        where,
        request,
        jobs,
        job=known,
        checkpoint=seq,
        wait_s=wait_s,
        search=search,
        share=share,
        ahead=ahead,
    )


def run_again(where: Locations, job: str) -> int:
    """Continue a job after a user decision.

    Raises Refused(job-running) while the job is running.
    """
    journal = where.journal()
    try:
        request = _stored(where, *journal.request(job))
    finally:
        journal.close()
    with locks.film(where.home, str(request.output)):
        pass
    return _run(_display(False), where, request, None, job=job)


def _stored(where: Locations, accepted: JobAccepted, raw: bytes) -> Request:
    """Rebuild the original request of a job. Raises Refused."""
    known = where.presets()
    chosen = preset_files.for_output(known, accepted.preset, Path(accepted.output))
    return Request(
        timeline=timeline_from(raw, Path(accepted.timeline_path)),
        packed=pack(raw),
        timeline_path=accepted.timeline_path,
        output=Path(accepted.output),
        preset=chosen,
        fallback=preset_files.fallback_of(known, chosen),
    )


def _run(
    display: console.Display,
    where: Locations,
    request: Request,
    jobs: int | None,
    *,
    job: str | None = None,
    checkpoint: int | None = None,
    wait_s: float | None = None,
    search: Sequence[str] = (),
    share: Callable[[], int] | None = None,
    busy: Callable[[], int | None] = lambda: None,
    ahead: list[Hand] | None = None,
) -> int:
    stop = Stop()

    def heard(job: str, seq: int, fact: Fact) -> None:
        logs.fact(job, seq, fact)
        display.fact(job, seq, fact)

    collections: list[Collected] = []

    def cleared(found: Collected) -> None:
        collected.log(found)
        collections.append(found)

    def record_lost(error: Exception) -> dict[str, Any]:
        return summary.lost_record(
            where.home / JOURNAL, where.scratch, error, where.settings.language
        )

    def end(error: Exception) -> int:
        report = record_lost(error)
        del report["safe"]  # the film may be published already
        code = _say(display, report)
        logs.ended(code)
        return code

    listener = Listener(
        on_step=display.step, on_fact=heard, on_tick=display.tick, on_collected=cleared
    )
    try:
        with stop.listening(), report_lost_journal(end):
            home = services(
                where, jobs=jobs, wait_s=wait_s, search=search, share=share, ahead=ahead
            )
            try:
                ended = assemble(
                    request,
                    home,
                    listener=listener,
                    stopped=stop,
                    wake=stop.wake,
                    from_checkpoint=checkpoint,
                    job=job,
                )
                earlier = _earlier(home.journal, request, ended)
            finally:
                home.journal.close()
    except Refused as error:
        if error.code == "job-running":
            display.close()
            code = busy()
            if code is not None:
                return code
        return _say(display, summary.refusal(error))
    except RECORD_LOST as error:
        return _say(display, record_lost(error))
    report = summary.report(ended, request, where.settings.language, earlier=earlier)
    remarks = [collected.remark(one, where.settings.language) for one in collections if one.told]
    return _say(display, report | {"remarks": [*report.get("remarks", ()), *remarks]})


def _earlier(journal: Journal, request: Request, ended: Ended) -> set[int]:
    """Return shots of an incomplete film that an earlier render could replace.

    Only shots that still wait for a user decision count.
    """
    if ended.state is None or not isinstance(ended.end, JobFinished):
        return set()
    return earlier_renders(journal, str(request.output), ended.state.plan, ended.state.questions())


def _say(display: console.Display, report: dict[str, Any]) -> int:
    display.close()
    display.summary(report)
    return int(report["exit_code"])


def _checkpoint(journal: Journal, job: str, name: str) -> int:
    """Return the journal's sequence number of a checkpoint that `checkpoints` lists.

    The number alone is enough as a name. Raises Refused(checkpoint-unknown).
    """
    known = {point.id for point in checkpoints_of(journal, job)}
    wanted = name if "-" in name else f"{job}-{name}"
    if wanted not in known:
        raise Refused("checkpoint-unknown", job=job, name=name)
    return int(wanted.rpartition("-")[2])
