"""`diagnose`: pack everything about a job into one file for someone who can help."""

from __future__ import annotations

import argparse
import io
import os
import zipfile
from pathlib import Path

from bridge.cli import summary
from bridge.cli.bundle import bundle
from bridge.cli.console import brief, plain_console, safe
from bridge.cli.context import to_read
from bridge.services.job_accounts import account, find_job
from bridge.services.locations import place
from core.errors.refusal import Refused
from core.messages.phrases import phrase
from core.messages.template import human_bytes
from core.storage import artifacts


def run(arguments: argparse.Namespace) -> int:
    """Write a bundle and return 0; return 2 for an unknown job or an unwritable file."""
    console = plain_console()
    try:
        where = place()
        speak = where.settings.language
        chosen = Path(os.path.expanduser(arguments.output)).absolute() if arguments.output else None
        if chosen is not None and chosen.suffix.lower() != ".zip":
            raise Refused("paper-wrong-extension", path=str(chosen), detail=".zip")
        journal = to_read(where)
        try:
            known = account(journal, find_job(journal, arguments.job))
            files = bundle(where, journal, known, masked=arguments.mask)
        finally:
            journal.close()
        target = (
            chosen or Path.cwd() / f"hotsplice-{known.job}{'-masked' if arguments.mask else ''}.zip"
        )
        data = packed(files)
        artifacts.write_whole(target, data)
    except Refused as error:
        said = summary.refusal(error)
        console.print(f"[red]{said['title']}[/] {safe(said['message'])}\n{safe(said['action'])}")
        return summary.REFUSED
    written, size = phrase("file-written", speak), human_bytes(len(data), speak)
    console.print(
        f"[green]{written}[/] {brief(target)} ({size}). {phrase('bundle-written', speak)}"
    )
    for name, content in files.items():
        console.print(f"  {name:15} {human_bytes(len(content), speak)}")
    if not arguments.mask:
        console.print(phrase("bundle-holds", speak))
    return 0


def packed(files: dict[str, bytes]) -> bytes:
    """Return a zip archive of `files` that does not reveal when or where it was created."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return memory.getvalue()
