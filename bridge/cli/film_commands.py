"""`check`, `rollback` and `clean`: compare files with the journal, restore or remove them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bridge.cli.console import brief, safe
from bridge.cli.context import with_journal
from bridge.cli.show import moment
from bridge.cli.summary import FAILED
from bridge.services.job_accounts import film_place, find_job
from bridge.services.locations import Locations
from core.engine import gc, run_tasks, scratch_collector
from core.engine.output_path import film_at, look
from core.engine.reconcile import catch_up
from core.engine.rollback import generations, roll_back
from core.engine.scratch_collector import film_stands
from core.errors.failure import Evidence, Failure
from core.errors.refusal import Refused
from core.executors.worker_pool import WorkerPool
from core.job import scratch_budget
from core.job.classify import diagnose
from core.job.events import SegmentSealed
from core.media import ffmpeg_binary
from core.messages import catalogue
from core.messages.phrases import phrase
from core.messages.template import human_bytes
from core.plan.policy import Policy
from core.storage import locks
from core.storage.journal import Film, Journal
from core.storage.segment_index import SegmentIndex
from core.system import machine
from core.tasks.spec import Assignment, CheckFilm, Order, Refuted, ValidateSeal


def run(arguments: argparse.Namespace) -> int:
    """Run one of these commands and return its exit code.

    - 0: all is well.
    - 1: a file differs from what was recorded.
    - 2: the request cannot be carried out; nothing was changed.
    - 3: a film was restored, but its drive did not confirm the new name.
    """

    def work(where: Locations, journal: Journal, console: Console) -> int:
        match arguments.verb:
            case "check":
                return _check(
                    where, journal, arguments.what, arguments.deep, arguments.json, console
                )
            case "rollback":
                if arguments.list:
                    return _list(where, journal, film_at(arguments.film), arguments.json, console)
                return _roll_back(where, journal, film_at(arguments.film), arguments.to, console)
            case _:
                return _clean(where, journal, arguments, console)

    reading = (
        arguments.verb == "check"
        or getattr(arguments, "dry_run", False)
        or getattr(arguments, "list", False)
    )
    return with_journal(work, as_json=getattr(arguments, "json", False), reading=reading)


def _witness(where: Locations) -> str:
    """Return the ffmpeg that confirms a change before a film is reported as changed.

    Return "" when no ffmpeg runs.
    """
    try:
        return ffmpeg_binary.find(where.settings.ffmpeg, where.home).path
    except Refused:
        return ""


def _perform(where: Locations, orders: dict[str, Order], stall_s: float) -> dict[str, Any]:
    deep = any(isinstance(order, CheckFilm) and order.deep for order in orders.values())
    crew = WorkerPool(
        min(len(orders), where.settings.jobs or machine.cores()) or 1,
        stall_s=stall_s,
        ffmpeg=_witness(where) if deep else "",
    )
    try:
        assignments = {name: Assignment(order=order) for name, order in orders.items()}
        return run_tasks.run_all(
            crew, assignments, policy=Policy(attempts=2), stopped=lambda: False
        )
    finally:
        crew.dismiss()


def _check(
    where: Locations, journal: Journal, what: str, deep: bool, as_json: bool, console: Console
) -> int:
    path = film_at(what)
    film = journal.film(str(path))
    # A film without a publication on record is a file from elsewhere that `rollback` restored.
    if film is not None and journal.published(film.film_hash) is None:
        raise Refused("film-unknown", path=str(path))
    if film is not None:
        orders: dict[str, Order] = {str(path): _check_order(path, film, deep)}
    elif (there := look(path) is not None) or len(what) > 12 or "." in what or "/" in what:
        raise Refused("film-unknown" if there else "film-not-there", path=str(path))
    else:
        job = find_job(journal, what)
        orders = {}
        workspace = where.workspace()
        for entry in journal.facts(job):
            if isinstance(entry.fact, SegmentSealed) and entry.fact.file:
                seal = entry.fact
                orders[seal.file] = ValidateSeal(
                    key=seal.key,
                    path=str(workspace.stored(seal.file)),
                    bytes=seal.bytes,
                    file_hash=seal.file_hash,
                )
        known = {seal.file for seal, _ in journal.all_seals()}
        orders = {file: order for file, order in orders.items() if file in known}
        accepted = journal.accepted(job)
        stands = film_place(journal, job, accepted.output)
        film = journal.film(stands)
        if film is not None and film.job == job:
            orders[stands] = _check_order(Path(stands), film, deep)
    results = _perform(where, orders, stall_s=600.0) if orders else {}
    speak = where.settings.language
    judged = {
        name: _judged(name, orders[name], result)
        for name, result in results.items()
        if isinstance(result, Refuted | Failure)
    }
    bad = {
        name: failure.evidence.detail
        if isinstance(results[name], Refuted)
        else catalogue.explain(failure, speak).message
        for name, failure in judged.items()
    }
    if as_json:
        print(
            json.dumps(
                {
                    "event": "summary",
                    "exit_code": 1 if bad else 0,
                    "checked": len(results),
                    "deep": deep,
                    "wrong": [
                        {"what": name, "code": judged[name].code, "reason": reason}
                        for name, reason in bad.items()
                    ],
                },
                ensure_ascii=False,
            )
        )
    else:
        for name, reason in bad.items():
            console.print(
                f"[red]{phrase('not-as-recorded', speak)}[/] {brief(name)}: {safe(reason)}"
            )
        good = phrase("as-recorded", speak, good=len(results) - len(bad), count=len(results))
        depth = phrase("decoded-whole" if deep else "compared", speak)
        colour = "red" if bad else "green"
        console.print(f"[{colour}]{good}[/] ({depth}).")
        if bad:
            console.print(phrase("make-damaged-anew", speak))
    return 1 if bad else 0


def _check_order(path: Path, film: Film, deep: bool) -> CheckFilm:
    return CheckFilm(
        path=str(path),
        film_hash=film.film_hash,
        frames=film.frames,
        samples=film.samples,
        deep=deep,
    )


def _judged(name: str, order: Order, result: Refuted | Failure) -> Failure:
    """Turn a check result into a failure.

    The failure says that a film has changed since publication, that a checkpoint is damaged, or why
    the file could not be examined.
    """
    if isinstance(result, Failure):
        return result
    if isinstance(order, CheckFilm):
        return diagnose(
            Evidence(
                operation="check",
                place="output",
                path=name,
                note="film-changed",
                detail=result.reason,
            )
        )
    return diagnose(
        Evidence(
            operation="check", place="scratch", path=name, note="seal-damaged", detail=result.reason
        )
    )


def _roll_back(
    where: Locations, journal: Journal, output: Path, number: int, console: Console
) -> int:
    workspace, speak = where.workspace(), where.settings.language
    with locks.film(where.home, str(output)):
        try:
            # True means that this same rollback was interrupted and `catch_up` has just completed
            # it.
            again = catch_up(output, journal, workspace)
        except OSError as error:
            raise Refused(
                "roll-back-failed", path=str(output), detail=error.strerror or str(error)
            ) from error
        durable = again or roll_back(output, journal, workspace, number)
    if not durable:
        said = catalogue.words("roll-back-not-durable", speak, path=output)
        console.print(f"[red]{safe(said.title)}.[/] {safe(said.message)}\n{safe(said.action)}")
        return FAILED
    said_where = phrase(
        "film-before" if number == 1 else "film-chosen", speak, path=output, number=number
    )
    console.print(f"[green]{phrase('rolled-back', speak)}[/] {safe(said_where)}")
    more = len(generations(output, journal)) > 2
    console.print(safe(phrase("more-kept" if more else "exchange-again", speak, path=output)))
    return 0


def _list(where: Locations, journal: Journal, output: Path, as_json: bool, console: Console) -> int:
    """List the film at `output` as number 0, and every version that can be restored."""
    found, speak = generations(output, journal), where.settings.language
    if as_json:
        print(json.dumps([one._asdict() for one in found], ensure_ascii=False))
        return 0
    if not [one for one in found if one.number]:
        raise Refused("no-previous-film", path=str(output))
    table = Table(*phrase("kept-columns", speak).split(", "), box=None, pad_edge=False)
    for one in found:
        state = (
            "kept-unknown"
            if one.complete is None
            else "kept-complete"
            if one.complete
            else "kept-incomplete"
        )
        number = str(one.number) if one.number else phrase("kept-now", speak)
        table.add_row(
            number,
            moment(one.at),
            phrase(state, speak),
            one.job,
            one.length,
            human_bytes(one.bytes, speak),
        )
    console.print(table)
    console.print(safe(phrase("kept-bring-back", speak, path=output)))
    return 0


def _clean(where: Locations, journal: Journal, asked: argparse.Namespace, console: Console) -> int:
    """Remove segments and left-over part files.

    A segment is removed only when the film that contains it exists and is verified, or when nothing
    in the journal needs it. Segments of superseded cuts are removed only with `superseded`.
    """
    workspace, speak, dry_run = where.workspace(), where.settings.language, asked.dry_run
    if not dry_run:
        SegmentIndex(workspace.scratch, workspace.home).undo_cut_removal(journal)
    found = gc.removable(journal, workspace, workers=where.settings.jobs or machine.cores())
    if asked.superseded:
        found = found.with_superseded()
    freed = _bytes(found.seals) if dry_run else gc.remove(found, journal, workspace)
    for job in workspace.work_folders():
        if not dry_run and journal.last(job, "JobAccepted") is None:
            console.print(safe(phrase("left-alone", speak, job=job)))
    size, counts = human_bytes(freed, speak), (len(found.seals), len(found.strays))
    said = phrase(
        "would-free" if dry_run else "freed", speak, size=size, segments=counts[0], files=counts[1]
    )
    console.print(said)
    if dry_run:
        _say_what_the_budget_removes(where, journal, console)
    if found.superseded:
        console.print(
            phrase("superseded", speak, size=human_bytes(_bytes(found.superseded), speak))
        )
    for other in found.others:
        console.print(safe(phrase("shared-scratch", speak, path=other)))
    return 0


def _say_what_the_budget_removes(where: Locations, journal: Journal, console: Console) -> None:
    """Report what the next job would remove to keep the scratch budget, ignoring its time limit.

    The decision comes from the function that the job itself uses.
    """
    workspace, speak = where.workspace(), where.settings.language
    limit = scratch_collector.limit(scratch_budget.budget(where.settings.scratch_budget), workspace)
    if limit is None or scratch_collector.stored_bytes(workspace) <= limit:
        return
    crew = WorkerPool(1, stall_s=600.0)
    try:
        found = scratch_collector.collect(
            journal,
            workspace,
            limit,
            dry_run=True,
            check=lambda film: film_stands(film, crew, Policy(attempts=2)),
        )
    finally:
        crew.dismiss()
    segments, sizes = (
        sum(one.segments for one in found.removals),
        (human_bytes(limit, speak), human_bytes(found.freed, speak)),
    )
    console.print(
        phrase(
            "would-collect",
            speak,
            limit=sizes[0],
            size=sizes[1],
            segments=segments,
            films=len(found.removals),
        )
    )
    if found.left > limit:
        said = catalogue.words(
            "scratch-over-budget", speak, name=human_bytes(found.left, speak), detail=sizes[0]
        )
        console.print(f"{said.title}: {said.message} {said.did}")


def _bytes(seals: Sequence[SegmentSealed]) -> int:
    return sum(seal.bytes for seal in seals)
