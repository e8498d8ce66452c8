"""`stats`: how all jobs went, from the journal. What each figure means stands in `core.explain.statistics`."""

from __future__ import annotations

import argparse
import json
from typing import Any

from rich.console import Console
from rich.table import Table

from bridge.accounts import account
from bridge.cli.console import safe
from bridge.cli.house import Place
from bridge.cli.opened import with_journal
from core.explain import catalogue
from core.explain.statistics import Recovering, Statistics, statistics
from core.explain.wording import share, span
from core.model import codec
from core.record.journal import Journal


def run(arguments: argparse.Namespace) -> int:
    """0, or 2 when the journal cannot be read."""

    def work(_: Place, journal: Journal, console: Console) -> int:
        told = statistics(account(journal, job).told for job, _ in journal.jobs())
        if arguments.json:
            print(json.dumps({"event": "summary", "exit_code": 0, **as_plain(told)}, ensure_ascii=False))
        else:
            _tell(told, console)
        return 0

    return with_journal(work, as_json=arguments.json)


def as_plain(told: Statistics) -> dict[str, Any]:
    """The figures as JSON says them."""
    body: dict[str, Any] = codec.plain(told)
    body.pop("is")
    body["recovering"].pop("is")
    for one in body["by_fault"].values():
        one.pop("is")
    return body


def _tell(told: Statistics, console: Console) -> None:
    if not told.jobs:
        console.print("No jobs yet. Start one with hotsplice assemble TIMELINE -o FILM.")
        return
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in told.outcomes.items())
    cured = f"{told.recovering.cured} of {told.recovering.episodes}"
    rows = [
        ("Jobs", f"{told.jobs}: {outcomes}"),
        ("Success", f"{_rate(told.success_rate)} of {told.ended} that ended came to the film that was asked for"),
        (
            "  without users' faults",
            f"{_rate(told.success_rate_without_users_faults)}; {told.users_faults} fell short by media or requests alone",
        ),
        ("  any verified film", _rate(told.film_rate)),
        ("Time to recover", f"p50 {_span(told.recovering.p50_s)}, p95 {_span(told.recovering.p95_s)}; {cured} troubles cured"),
        ("Failures, retries", f"{told.failures}, {told.retries}"),
        ("Saved by checkpoints", f"{told.frames_saved} frames, {span(told.seconds_saved)} of rendering"),
        (
            "Made",
            f"{told.frames_made} frames in {span(told.worked_s)}, {span(told.recovering_s)} of it with something to make good",
        ),
        ("Overhead", _rate(told.overhead)),
    ]
    table = Table(box=None, show_header=False, pad_edge=False)
    for title, figure in rows:
        table.add_row(title, figure)
    console.print(table)
    if told.by_fault:
        faults = Table("Fault", "", "Troubles", "Cured", "p50", "p95", "Longest", box=None, pad_edge=False)
        for code, times in told.by_fault.items():
            faults.add_row(safe(code), catalogue.title_of(code), *_cells(times))
        console.print()
        console.print(faults)


def _cells(times: Recovering) -> tuple[str, ...]:
    return (str(times.episodes), str(times.cured), _span(times.p50_s), _span(times.p95_s), _span(times.longest_s))


def _rate(value: float | None) -> str:
    return "–" if value is None else share(value)


def _span(value: float | None) -> str:
    return "–" if value is None else span(value)
