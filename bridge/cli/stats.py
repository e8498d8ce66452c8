"""`stats`: report how all jobs went. `core.report.statistics` defines each figure."""

from __future__ import annotations

import argparse
import json

from rich.console import Console
from rich.table import Table

from bridge.cli.console import safe
from bridge.cli.context import place_with_mistakes, with_journal
from bridge.services.job_accounts import account
from bridge.services.locations import Locations
from core.messages import catalogue
from core.messages.phrases import phrase
from core.messages.template import Language
from core.report.event_text import word
from core.report.labels import share, span
from core.report.statistics import Statistics, as_plain, statistics
from core.storage.journal import Journal


def run(arguments: argparse.Namespace) -> int:
    """Run `stats`. Return 0, or 2 when the journal cannot be read."""

    def work(where: Locations, journal: Journal, console: Console) -> int:
        told = statistics(account(journal, job).told for job, _ in journal.jobs())
        if arguments.json:
            print(
                json.dumps(
                    {"event": "summary", "exit_code": 0, **as_plain(told)}, ensure_ascii=False
                )
            )
        else:
            _tell(told, console, where.settings.language)
        return 0

    return with_journal(work, as_json=arguments.json, find=place_with_mistakes, reading=True)


def _tell(told: Statistics, console: Console, speak: Language) -> None:
    if not told.jobs:
        console.print(phrase("no-jobs", speak))
        return

    def rate(value: float | None) -> str:
        return "–" if value is None else share(value, speak)

    def time(value: float | None) -> str:
        return "–" if value is None else span(value, speak)

    outcomes = ", ".join(
        f"{count} {word('state', outcome, speak)}" for outcome, count in told.outcomes.items()
    )
    took = told.recovering
    recovered = phrase(
        "stats-recover-is",
        speak,
        middle=time(took.p50_s),
        most=time(took.p95_s),
        cured=took.cured,
        count=took.episodes,
    )
    saved = phrase(
        "stats-saved-is", speak, count=told.frames_saved, seconds=time(told.seconds_saved)
    )
    worked, recovering = time(told.worked_s), time(told.recovering_s)
    made = phrase(
        "stats-made-is", speak, count=told.frames_made, seconds=worked, recovering=recovering
    )
    without = phrase(
        "stats-without-is",
        speak,
        rate=rate(told.success_rate_without_users_faults),
        count=told.users_faults,
    )
    rows = [
        (phrase("stats-jobs", speak), f"{told.jobs}: {outcomes}"),
        (
            phrase("stats-success", speak),
            phrase("stats-success-is", speak, rate=rate(told.success_rate), count=told.ended),
        ),
        (f"  {phrase('stats-without', speak)}", without),
        (f"  {phrase('stats-any-film', speak)}", rate(told.film_rate)),
        (phrase("stats-recover", speak), recovered),
        (phrase("stats-failures", speak), f"{told.failures}, {told.retries}"),
        (phrase("stats-saved", speak), saved),
        (phrase("stats-made", speak), made),
        (
            phrase("stats-overhead", speak),
            phrase(
                "stats-overhead-is",
                speak,
                time=rate(told.overhead),
                work=rate(told.overhead_of_work),
                processor=rate(told.overhead_cpu),
            ),
        ),
        (
            phrase("stats-startup", speak),
            phrase("stats-startup-is", speak, seconds=time(told.startup_s)),
        ),
    ]
    table = Table(box=None, show_header=False, pad_edge=False)
    for title, figure in rows:
        table.add_row(title, figure)
    console.print(table)
    if told.by_fault:
        columns = phrase("stats-faults-columns", speak).split(", ")
        faults = Table(phrase("fault-column", speak), "", *columns, box=None, pad_edge=False)
        for code, times in told.by_fault.items():
            cells = (
                str(times.episodes),
                str(times.cured),
                time(times.p50_s),
                time(times.p95_s),
                time(times.longest_s),
            )
            faults.add_row(safe(code), catalogue.title_of(code, speak), *cells)
        console.print()
        console.print(faults)
