"""What most commands do around their own work: find the user's place, open the journal, and say a refusal in words."""

from __future__ import annotations

import json
from collections.abc import Callable

from rich.console import Console

from bridge.cli import summary
from bridge.cli.console import plain_console, safe
from bridge.cli.house import Place, place
from core.model.refusal import Refused
from core.record.journal import Journal
from otio_adapters.refused import TimelineRefused

Work = Callable[[Place, Journal, Console], int]


def with_journal(work: Work, *, as_json: bool = False) -> int:
    """The exit code of a command's own work; REFUSED where it cannot be done, said in words or, with `--json`, as its summary."""
    console = plain_console()
    try:
        where = place()
        journal = where.journal()
        try:
            return work(where, journal, console)
        finally:
            journal.close()
    except (Refused, TimelineRefused) as error:
        return refuse(error, console, as_json=as_json)


def refuse(error: Refused | TimelineRefused, console: Console, *, as_json: bool = False) -> int:
    """Say no; the exit code."""
    said = summary.refusal(error)
    if as_json:
        print(json.dumps({"event": "summary", **said}, ensure_ascii=False))
    else:
        console.print(f"[red]{safe(said['title'])}[/] {safe(said['message'])}\n{safe(said['action'])}")
    return summary.REFUSED
