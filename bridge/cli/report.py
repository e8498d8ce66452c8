"""`report`: write a job as one HTML page."""

from __future__ import annotations

import argparse
import os
import webbrowser
from pathlib import Path

from bridge.cli import summary
from bridge.cli.console import brief, plain_console, safe
from bridge.cli.context import to_read
from bridge.cli.show import moment
from bridge.services.job_accounts import Account, account, find_job, standing_film
from bridge.services.locations import Locations, place
from core.engine import thumbnails
from core.errors.refusal import Refused
from core.messages.phrases import phrase
from core.report.html_report import MARK, report
from core.storage import artifacts
from core.storage.journal import Journal
from core.system import machine, private_files


def run(arguments: argparse.Namespace) -> int:
    """Write a report and return 0; return 2 for an unknown job or an unwritable file."""
    console = plain_console()
    try:
        where = place()
        speak = where.settings.language
        chosen = Path(os.path.expanduser(arguments.output)).absolute() if arguments.output else None
        if chosen is not None and chosen.suffix.lower() not in (".html", ".htm"):
            raise Refused("paper-wrong-extension", path=str(chosen), detail=".html")
        journal = to_read(where)
        try:
            known = account(journal, find_job(journal, arguments.job))
            target = chosen or where.home / artifacts.REPORTS / f"{known.job}.html"
            text = page(where, journal, known)
        finally:
            journal.close()
        artifacts.write_whole(
            target, text.encode(), ours=MARK.encode(), mode=None if chosen else private_files.FILE
        )
    except Refused as error:
        said = summary.refusal(error)
        console.print(f"[red]{said['title']}[/] {safe(said['message'])}\n{safe(said['action'])}")
        return summary.REFUSED
    console.print(f"[green]{phrase('file-written', speak)}[/] {brief(target)}")
    if arguments.open and not webbrowser.open(target.as_uri()):
        console.print(phrase("no-browser", speak))
    return 0


def page(where: Locations, journal: Journal, known: Account) -> str:
    """Return the HTML report of a job, with all pictures that are available."""
    shown: dict[int, bytes] = {}
    if known.plan is not None:
        workers = where.settings.jobs or machine.cores()
        shown = thumbnails.of_job(
            known.plan,
            standing_film(journal, known.told),
            journal,
            where.workspace(),
            workers=workers,
        )
    good = {}
    for shot in known.told.shots:
        for trouble in shot.troubles:
            kept = (
                artifacts.picture(where.home, Path(trouble.last_good).name)
                if trouble.last_good
                else None
            )
            if kept is not None:
                good[trouble.last_good] = kept
    return report(
        known.told, pictures=shown, good=good, moment=moment, speak=where.settings.language
    )
