"""Common frame of most commands: find the data folder, open the journal, report refusals."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from rich.console import Console

from bridge.cli import summary
from bridge.cli.console import plain_console, safe
from bridge.client.connection import Declined
from bridge.services import logs
from bridge.services.locations import Locations, place, place_anyway
from core.errors.refusal import Refused
from core.messages.phrases import phrase
from core.messages.refusal_text import refusal
from core.storage.journal import Journal
from core.storage.journal_view import JournalView


def with_place(
    work: Callable[[Locations, Console], int],
    *,
    as_json: bool = False,
    find: Callable[[], Locations] = place,
) -> int:
    """Run a command's own work and return its exit code.

    When the work is refused, print the reason in words, or as a JSON summary with `as_json`, and
    return REFUSED. `find` returns the user's locations.
    """
    console = plain_console()
    try:
        return work(find(), console)
    except Declined as error:
        no = error.refusal
        head = {"exit_code": summary.REFUSED, "outcome": "refused", "code": no.code}
        said: dict[str, Any] = {
            **head,
            "title": f"{no.title}.",
            "message": no.message,
            "action": no.action,
        }
    except Refused as error:
        said = summary.refusal(error)
    if as_json:
        print(json.dumps({"event": "summary", **said}, ensure_ascii=False))
    else:
        console.print(
            f"[red]{safe(said['title'])}[/] {safe(said['message'])}\n{safe(said['action'])}"
        )
    return summary.REFUSED


def place_with_mistakes() -> Locations:
    """Return the user's locations for a command that uses no setting but the language.

    Such a command needs only the journal and the daemon. A mistake in the settings is reported on
    standard error; the valid settings apply.
    """
    where, mistake = place_anyway()
    if mistake is not None:
        speak = where.settings.language
        said = refusal(mistake, speak)
        print(
            f"{said.title}. {said.message} {phrase('settings-right-holds', speak)}", file=sys.stderr
        )
    return where


def to_read(where: Locations) -> Journal:
    """Open the journal for a command that records nothing.

    When the journal is readable but not writable, a view of it is returned and the fault is
    reported on standard error. Raises Refused when it is not readable either.
    """
    journal = where.journal_to_read()
    if isinstance(journal, JournalView):
        speak = where.settings.language
        said = refusal(journal.fault, speak)
        logs.refused(journal.fault.code, said.message)
        print(
            f"{said.title}. {said.message} {phrase('journal-viewed', speak)}\n{said.action}",
            file=sys.stderr,
        )
    return journal


def with_journal(
    work: Callable[[Locations, Journal, Console], int],
    *,
    as_json: bool = False,
    find: Callable[[], Locations] = place,
    reading: bool = False,
) -> int:
    """Run a command with the journal open.

    A command that is only `reading` also works when the data folder is full or not writable; the
    fault is then reported on standard error.
    """

    def opened(where: Locations, console: Console) -> int:
        journal = to_read(where) if reading else where.journal()
        try:
            return work(where, journal, console)
        finally:
            journal.close()

    return with_place(opened, as_json=as_json, find=find)
