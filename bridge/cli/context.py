"""What most commands do around their own work: find the user's place, open the journal, say in words what cannot be done."""

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
    """The exit code of a command's own work; REFUSED where it cannot be done, said in words or, with `--json`, as its summary.
    `find` says where the user's place is."""
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
    """The user's place for a command that needs the record and the companion, and none of the settings but the language: a
    mistake in them is said on standard error, and what is right in them holds."""
    where, mistake = place_anyway()
    if mistake is not None:
        speak = where.settings.language
        said = refusal(mistake, speak)
        print(
            f"{said.title}. {said.message} {phrase('settings-right-holds', speak)}", file=sys.stderr
        )
    return where


def to_read(where: Locations) -> Journal:
    """The journal for a command that records nothing. A view of a journal that cannot be written is said on standard
    error. Refused where it cannot be read either."""
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
    """Run a command with the journal open. A command that is only `reading` also works where the data folder is full or
    cannot be written; that is said on standard error."""

    def opened(where: Locations, console: Console) -> int:
        journal = to_read(where) if reading else where.journal()
        try:
            return work(where, journal, console)
        finally:
            journal.close()

    return with_place(opened, as_json=as_json, find=find)
