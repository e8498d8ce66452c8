"""`door`: show the watch folder and the timelines in it."""

from __future__ import annotations

import argparse
import json
import os

import msgspec
from rich.table import Table

from bridge.cli.console import brief, plain_console, safe
from bridge.cli.summary import REFUSED, refusal
from bridge.daemon.watch_folder_process import inbox
from bridge.services.locations import place
from bridge.watch_folder import names
from bridge.watch_folder.folder import Folder, all_replies
from core.errors.refusal import Refused
from core.messages.phrases import phrase
from core.report.event_text import word


def run(arguments: argparse.Namespace) -> int:
    """Run `door` and return its exit code."""
    console = plain_console()
    try:
        where = place()
    except Refused as error:
        no = refusal(error)
        console.print(f"[red]{safe(no['title'])}[/] {safe(no['message'])}\n{safe(no['action'])}")
        return REFUSED
    folder, (usual, _), speak = inbox(where), where.films(), where.settings.language
    there = folder is not None and os.path.isdir(folder)
    listed = [reply for _, reply in all_replies(Folder(folder))] if folder and there else []
    waiting = (
        [drop.name for drop in names.drops(Folder(folder).names())] if folder and there else []
    )
    if arguments.json:
        said = {
            "inbox": str(folder or ""),
            "films": str(usual),
            "waiting": waiting,
            "replies": msgspec.to_builtins(listed),
        }
        print(json.dumps(said, ensure_ascii=False))
        return 0
    if folder is None:
        console.print(phrase("door-shut", speak))
        return 0
    console.print(safe(phrase("door-open", speak, path=folder)))
    console.print(safe(phrase("door-films", speak, path=usual)))
    table = Table(*phrase("door-columns", speak).split(", "), box=None, pad_edge=False)
    for name in waiting:
        table.add_row(brief(name), phrase("door-not-taken", speak), "", "")
    for one in listed:
        table.add_row(
            brief(one.file), safe(word("state", one.state, speak)), safe(one.job), brief(one.film)
        )
    if table.row_count:
        console.print(table)
    return 0
