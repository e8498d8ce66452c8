"""`answer`, `preferences` and `cures`: answers to faults and retry outcomes.

`answer` decides about one fault, `preferences` about every later one, and `cures` lists what helped
on this machine.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bridge.cli.console import safe
from bridge.cli.context import place_with_mistakes, with_journal, with_place
from bridge.cli.daemon_calls import ask_and_follow
from bridge.cli.run import run_again
from bridge.protocol.requests import Answer
from bridge.protocol.responses import Done
from bridge.services.answers import ALWAYS, continued, put_on_record
from bridge.services.job_accounts import find_job
from bridge.services.locations import Locations, place
from core.engine.reconcile import catch_up_alone
from core.errors.refusal import Refused
from core.job.classify import TABLE
from core.messages import catalogue
from core.messages.phrases import phrase
from core.messages.template import Language
from core.report.event_text import word
from core.storage.history import History
from core.storage.journal import Journal


def run(arguments: argparse.Namespace) -> int:
    """Run one of these commands.

    Return the exit code of the run that follows an answer, 0 when nothing follows, or 2 when the
    command cannot be understood.
    """
    a = arguments

    def work(where: Locations, journal: Journal, console: Console) -> int:
        if a.verb == "preferences":
            return _preferences(where, History(journal), a.code, a.answer, console)
        return _cures(where, History(journal), a.reset, console)

    if a.verb == "answer":
        return with_place(
            lambda where, console: _answer(where, a, console), find=place_with_mistakes
        )
    reading = not a.reset if a.verb == "cures" else not a.answer
    return with_journal(work, find=place_with_mistakes, reading=reading)


def _answer(where: Locations, a: argparse.Namespace, console: Console) -> int:
    """Answer a fault, then continue the job.

    A running daemon continues the job and this command follows it; otherwise the job continues in
    this process.
    """
    journal, speak = where.journal(), where.settings.language
    try:
        job = continued(journal, find_job(journal, a.job))
        if not a.later:
            # The daemon runs in another folder, so it needs an absolute path.
            file = os.path.abspath(os.path.expanduser(a.file)) if a.file else ""
            asked = Answer(
                request="answer",
                job=job,
                about=a.about,
                answer=a.answer,
                file=file,
                always=a.always,
            )

            def told(done: Done) -> None:
                _say(console, done.notes, a.answer, speak)

            code = ask_and_follow(
                where, asked, detach=a.detach or a.answer == "stop", as_json=False, hear=told
            )
            if code is not None:
                return code
        # This process renders the film now: all settings must be valid before anything is recorded.
        if not (a.later or a.answer == "stop"):
            where = place()
        catch_up_alone(Path(journal.accepted(job).output), journal, where.workspace())
        notes = put_on_record(
            journal, job, a.about, a.answer, file=a.file, always=a.always, speak=speak
        )
        _say(console, notes, a.answer, speak)
    finally:
        journal.close()
    return 0 if a.later or a.answer == "stop" else _go_on(where, job, console)


def _say(console: Console, lines: Iterable[str], answer: str, speak: Language) -> None:
    for line in lines:
        console.print(safe(line))
    if answer == "stop":
        console.print(phrase("answer-stops", speak))


def _go_on(where: Locations, job: str, console: Console) -> int:
    try:
        return run_again(where, job)
    except Refused as error:
        if error.code != "job-running":
            raise
        console.print(phrase("answer-heard", where.settings.language))
        return 0


def _preferences(
    where: Locations, memory: History, code: str | None, answer: str | None, console: Console
) -> int:
    if code is not None:
        if code not in {row.code for row in TABLE} | {"unknown"}:
            raise Refused("answer-unclear", why="no-such-fault", fault=code)
        if answer not in (*ALWAYS, "ask"):
            raise Refused(
                "answer-unclear", why="no-such-preference", known=f"{', '.join(ALWAYS)}, ask"
            )
        memory.prefer(code, None if answer == "ask" else answer)  # type: ignore[arg-type]
    known, speak = memory.preferences(), where.settings.language
    if not known:
        console.print(phrase("no-preferences", speak))
        return 0
    table = Table(*phrase("preferences-columns", speak).split(", "), box=None, pad_edge=False)
    for fault, always in known.items():
        table.add_row(fault, catalogue.title_of(fault, speak), always)
    console.print(table)
    return 0


def _cures(where: Locations, memory: History, reset: bool, console: Console) -> int:
    if reset:
        memory.forget_cures()
    known, speak = memory.cures(), where.settings.language
    if not known:
        console.print(phrase("no-cures", speak))
        return 0
    table = Table(*phrase("cures-columns", speak).split(", "), box=None, pad_edge=False)
    for cure in known:
        table.add_row(
            cure.code, word("change", cure.change, speak), str(cure.cured), str(cure.failed)
        )
    console.print(table)
    return 0
