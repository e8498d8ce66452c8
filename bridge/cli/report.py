"""`report`: a job as one HTML page; and what every account of a job is made of, read from the journal."""

from __future__ import annotations

import argparse
import webbrowser
from dataclasses import dataclass
from pathlib import Path

from bridge.cli import summary
from bridge.cli.console import plain_console, safe
from bridge.cli.house import Place, place
from bridge.cli.inspect import moment
from bridge.cli.run import find_job
from core import pictures
from core.explain.chronicle import chronicle
from core.explain.report import MARK, report
from core.explain.tales import Chronicle
from core.model.facts import FilmPlanned
from core.model.refusal import Refused
from core.model.segment import Plan
from core.perform import machine
from core.record import papers
from core.record.journal import Entry, Journal
from core.record.memory import Memory


@dataclass(frozen=True)
class Account:
    """Everything on record about a job. `plan` is that of its last run, None when it was not kept."""

    job: str
    entries: list[Entry]
    plan: Plan | None
    told: Chronicle


def account(journal: Journal, name: str) -> Account:
    """Refused when there is no such job."""
    job = find_job(journal, name)
    entries = journal.facts(job)
    plan = last_plan(journal, job)
    return Account(job, entries, plan, chronicle(job, entries, plan))


def last_plan(journal: Journal, job: str) -> Plan | None:
    """The plan of a job's last run that came to one."""
    planned = journal.last(job, "FilmPlanned")
    return Memory(journal).plan(job, planned.fact.cut) if planned and isinstance(planned.fact, FilmPlanned) else None


def run(arguments: argparse.Namespace) -> int:
    """0 with a report written; 2 when there is no such job or it cannot be written."""
    console = plain_console()
    try:
        where = place()
        chosen = Path(arguments.output).expanduser().absolute() if arguments.output else None
        if chosen is not None and chosen.suffix.lower() not in (".html", ".htm"):
            raise Refused("paper-wrong-extension", path=str(chosen), detail=".html")
        journal = where.journal()
        try:
            known = account(journal, arguments.job)
            target = chosen or where.home / papers.REPORTS / f"{known.job}.html"
            text = page(where, journal, known)
        finally:
            journal.close()
        papers.write_whole(target, text.encode(), ours=MARK.encode())
    except Refused as error:
        said = summary.refusal(error)
        console.print(f"[red]{said['title']}[/] {safe(said['message'])}\n{safe(said['action'])}")
        return summary.REFUSED
    console.print(f"[green]Written:[/] {safe(str(target))}")
    if arguments.open and not webbrowser.open(target.as_uri()):
        console.print("No browser could be opened here; open the file yourself.")
    return 0


def page(where: Place, journal: Journal, known: Account) -> str:
    """The report of a job, with what pictures there are."""
    shown: dict[int, bytes] = {}
    if known.plan is not None:
        workers = where.settings.jobs or machine.cores()
        shown = pictures.of_job(known.plan, _standing(journal, known.told), journal, where.workspace(), workers=workers)
    good = {}
    for shot in known.told.shots:
        for trouble in shot.troubles:
            kept = papers.picture(where.home, Path(trouble.last_good).name) if trouble.last_good else None
            if kept is not None:
                good[trouble.last_good] = kept
    return report(known.told, pictures=shown, good=good, moment=moment)


def _standing(journal: Journal, told: Chronicle) -> Path | None:
    """The film of this job, at its place or kept beside it, by what the journal says; nobody has looked whether it is there."""
    film = journal.film(told.accepted.output)
    if film is None or told.published is None:
        return None
    if film.film_hash == told.published.film_hash:
        return Path(film.path)
    return Path(film.kept) if film.kept and film.kept_hash == told.published.film_hash else None
