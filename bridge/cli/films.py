"""`check`, `rollback` and `clean`: what stands on disk, compared with what the journal says of it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from bridge.accounts import find_job
from bridge.cli.console import brief, safe
from bridge.cli.house import Place
from bridge.cli.opened import with_journal
from core import cleaning, preparation
from core.catching_up import catch_up, record_roll_back
from core.decide.diagnosis import diagnose
from core.explain import catalogue
from core.explain.filling import human_bytes
from core.explain.phrases import phrase
from core.film_path import film_at, look
from core.model.facts import SegmentSealed
from core.model.failure import Evidence, Failure
from core.model.orders import Assignment, CheckFilm, Order, Refuted, ValidateSeal
from core.model.policy import Policy
from core.model.refusal import Refused
from core.perform import hashing, machine
from core.perform.crew import Crew
from core.record import locks
from core.record.journal import Film, Journal


def run(arguments: argparse.Namespace) -> int:
    """0 when all is well, 1 when something is not what was recorded, 2 when the request cannot be understood."""

    def work(where: Place, journal: Journal, console: Console) -> int:
        match arguments.verb:
            case "check":
                return _check(where, journal, arguments.what, arguments.deep, arguments.json, console)
            case "rollback":
                return _roll_back(where, journal, film_at(arguments.film), console)
            case _:
                return _clean(where, journal, arguments, console)

    reading = arguments.verb == "check" or (arguments.verb == "clean" and arguments.dry_run)
    return with_journal(work, as_json=getattr(arguments, "json", False), reading=reading)


def _perform(where: Place, orders: dict[str, Order], stall_s: float) -> dict[str, Any]:
    crew = Crew(min(len(orders), where.settings.jobs or machine.cores()) or 1, stall_s=stall_s)
    try:
        assignments = {name: Assignment(order=order) for name, order in orders.items()}
        return preparation.run_all(crew, assignments, policy=Policy(attempts=2), stopped=lambda: False)
    finally:
        crew.dismiss()


def _check(where: Place, journal: Journal, what: str, deep: bool, as_json: bool, console: Console) -> int:
    path = film_at(what)
    film = journal.film(str(path))
    if film is not None and not film.film_hash:  # rolled back to a file that stood there before Hotsplice came
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
                    key=seal.key, path=str(workspace.stored(seal.file)), bytes=seal.bytes, file_hash=seal.file_hash
                )
        known = {seal.file for seal, _ in journal.all_seals()}
        orders = {file: order for file, order in orders.items() if file in known}
        accepted = journal.accepted(job)
        film = journal.film(accepted.output)
        if film is not None and film.job == job:
            orders[accepted.output] = _check_order(Path(accepted.output), film, deep)
    results = _perform(where, orders, stall_s=600.0) if orders else {}
    speak = where.settings.language
    judged = {
        name: _judged(name, orders[name], result) for name, result in results.items() if isinstance(result, Refuted | Failure)
    }
    bad = {
        name: failure.evidence.detail if isinstance(results[name], Refuted) else catalogue.explain(failure, speak).message
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
                    "wrong": [{"what": name, "code": judged[name].code, "reason": reason} for name, reason in bad.items()],
                },
                ensure_ascii=False,
            )
        )
    else:
        for name, reason in bad.items():
            console.print(f"[red]{phrase('not-as-recorded', speak)}[/] {brief(name)}: {safe(reason)}")
        good = phrase("as-recorded", speak, good=len(results) - len(bad), count=len(results))
        depth = phrase("decoded-whole" if deep else "compared", speak)
        colour = "red" if bad else "green"
        console.print(f"[{colour}]{good}[/] ({depth}).")
        if bad:
            console.print(phrase("make-damaged-anew", speak))
    return 1 if bad else 0


def _check_order(path: Path, film: Film, deep: bool) -> CheckFilm:
    return CheckFilm(path=str(path), film_hash=film.film_hash, frames=film.frames, samples=film.samples, deep=deep)


def _judged(name: str, order: Order, result: Refuted | Failure) -> Failure:
    """A film that has changed since it was published, a checkpoint since it was sealed; or why neither could be looked at."""
    if isinstance(result, Failure):
        return result
    if isinstance(order, CheckFilm):
        return diagnose(Evidence(operation="check", place="output", path=name, note="film-changed", detail=result.reason))
    return diagnose(Evidence(operation="check", place="scratch", path=name, note="seal-damaged", detail=result.reason))


def _roll_back(where: Place, journal: Journal, output: Path, console: Console) -> int:
    workspace = where.workspace()
    with locks.film(where.home, str(output)):
        if not catch_up(output, journal, workspace):  # else this very command was cut, and is now done
            film = journal.film(str(output))
            kept = workspace.kept(output)
            if not kept.exists() or film is None:
                raise Refused("no-previous-film", path=str(output))
            if film.kept_hash and hashing.tree_hash(kept) != film.kept_hash:
                raise Refused("previous-film-changed", path=str(output), why="bytes-changed")
            workspace.roll_back(output)
            record_roll_back(output, journal)
            workspace.forget_exchange(output)
    speak = where.settings.language
    console.print(f"[green]{phrase('rolled-back', speak)}[/] {safe(phrase('film-before', speak, path=output))}")
    console.print(phrase("exchange-again", speak))
    return 0


def _clean(where: Place, journal: Journal, asked: argparse.Namespace, console: Console) -> int:
    """Segments are removed only when the film made of them stands verified, or when nothing on record needs them; those of
    cuts that were replaced only when that is asked for."""
    workspace, speak, dry_run = where.workspace(), where.settings.language, asked.dry_run
    found = cleaning.removable(journal, workspace, workers=where.settings.jobs or machine.cores())
    if asked.superseded:
        found = found.with_superseded()
    freed = _bytes(found.seals) if dry_run else cleaning.remove(found, journal, workspace)
    for job in workspace.work_folders():
        if not dry_run and journal.last(job, "JobAccepted") is None:
            console.print(safe(phrase("left-alone", speak, job=job)))
    size, counts = human_bytes(freed, speak), (len(found.seals), len(found.strays))
    said = phrase("would-free" if dry_run else "freed", speak, size=size, segments=counts[0], files=counts[1])
    console.print(said)
    if found.superseded:
        console.print(phrase("superseded", speak, size=human_bytes(_bytes(found.superseded), speak)))
    for other in found.others:
        console.print(safe(phrase("shared-scratch", speak, path=other)))
    return 0


def _bytes(seals: Sequence[SegmentSealed]) -> int:
    return sum(seal.bytes for seal in seals)
