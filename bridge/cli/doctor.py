"""`doctor` and `presets`: report what this machine can do, with advice for what is missing."""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from bridge.cli import summary
from bridge.cli.console import plain_console, safe
from bridge.services.locations import JOURNAL, Locations, place, program_version
from core.errors.refusal import Refused
from core.graph import ffmpeg_args
from core.graph.preset import Preset
from core.media import ffmpeg_binary
from core.messages.phrases import phrase
from core.messages.refusal_text import refusal
from core.messages.template import Language, human_bytes, middle
from core.report.event_text import word
from core.storage.journal_view import JournalView
from core.storage.workspace import durable_rename
from core.system import machine, private_files, process
from core.system.process import NotStarted
from core.timeline.timeline import Format

ENOUGH_FREE = 20_000_000_000
FRAME_LIMIT_S = 60.0
"""Seconds allowed for encoding one black frame; a graphics driver may hang."""
MARKS = {"ok": "green", "note": "yellow", "bad": "red"}
"""Levels of a finding, with their colours."""


class Line(NamedTuple):
    """One finding: its level, its subject, the result, and advice on how to fix it."""

    mark: str
    what: str
    found: str
    advice: str = ""


def run(arguments: argparse.Namespace) -> int:
    """Run the command. Return 0 when a film can be assembled here, 1 when something is missing."""
    console = plain_console()
    try:
        where = place()
        if arguments.verb == "presets":
            _presets(where, console)
            return 0
        lines = examine(where)
    except Refused as error:
        said = summary.refusal(error)
        console.print(f"[red]{said['title']}[/] {safe(said['message'])}\n{safe(said['action'])}")
        return summary.REFUSED
    speak = where.settings.language
    marks = {mark: word("mark", mark, speak) for mark in MARKS}
    wide = max(4, *map(len, marks.values()))
    for line in lines:
        console.print(
            f"[{MARKS[line.mark]}]{marks[line.mark]:{wide}}[/]  {safe(line.what):18} {safe(line.found)}"
            + (f"\n{'':{wide + 21}}{safe(line.advice)}" if line.advice else "")
        )
    bad = sum(line.mark == "bad" for line in lines)
    console.print(phrase("doctor-ill", speak, count=bad) if bad else phrase("doctor-well", speak))
    return 1 if bad else 0


def _presets(where: Locations, console: Console) -> None:
    speak = where.settings.language
    table = Table(*phrase("presets-columns", speak).split(", "), box=None, pad_edge=False)
    for preset in where.presets().values():
        table.add_row(safe(preset.name), safe(preset.extension), safe(preset.title))
    console.print(table)
    console.print(safe(phrase("presets-own", speak, path=where.home / "presets")))


def examine(where: Locations) -> list[Line]:
    """Return all findings, in the order in which a user would fix them."""
    speak, cores = where.settings.language, machine.cores()
    at_once = phrase("doctor-at-once", speak, cores=cores, jobs=where.settings.jobs or cores)
    ours = f"{program_version()}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    lines = [Line("ok", "Hotsplice", ours), Line("ok", phrase("doctor-processors", speak), at_once)]
    lines += _ffmpeg(where, speak)
    lines += _folder(phrase("doctor-data-folder", speak), where.home, speak, journal=True)
    lines += _folder(phrase("doctor-scratch-folder", speak), where.scratch, speak)
    lines += _folder(phrase("doctor-this-folder", speak), Path.cwd(), speak)
    lines += _parts(speak)
    lines += _journal(where, speak)
    return lines


def _journal(where: Locations, speak: Language) -> list[Line]:
    """Check whether the user's journal is readable and writable. Return [] when none exists yet."""
    if not (where.home / JOURNAL).exists():
        return []
    name = phrase("doctor-record", speak)
    try:
        journal = where.journal_to_read()
        try:
            journal.check()
            jobs = len(journal.jobs())
        finally:
            journal.close()
        if isinstance(journal, JournalView):
            raise journal.fault
    except Refused as error:
        said = refusal(error, speak)
        return [Line("bad", name, f"{said.title}. {said.message}", said.action)]
    return [
        Line(
            "ok", name, phrase("doctor-record-whole", speak, path=where.home / JOURNAL, count=jobs)
        )
    ]


def _ffmpeg(where: Locations, speak: Language) -> list[Line]:
    try:
        found = ffmpeg_binary.find(where.settings.ffmpeg, where.home)
        have = ffmpeg_binary.encoders(found)
    except Refused as error:
        said = refusal(error, speak)
        return [Line("bad", "ffmpeg", said.message, said.action)]
    except (NotStarted, process.TimeoutExpired) as error:
        said = refusal(Refused("ffmpeg-not-running", path=found.path, detail=str(error)), speak)
        return [Line("bad", "ffmpeg", said.message, said.action)]
    lines = [
        Line(
            "ok",
            "ffmpeg",
            f"{found.version}, {phrase(f'doctor-{found.origin}', speak)}: {found.path}",
        )
    ]
    if found.passed_over is not None:
        said = refusal(found.passed_over, speak)
        lines.append(
            Line(
                "note",
                f"  {phrase('doctor-bundled', speak)}",
                said.message,
                phrase("doctor-bundled-again", speak),
            )
        )
    for preset in where.presets().values():
        names = {preset.video.encoder} | (set() if preset.audio.pcm else {preset.audio.codec})
        missing = sorted(names - have)
        if missing:
            none = phrase("doctor-no-encoder", speak, names=", ".join(missing))
            lines.append(
                Line("note", f"  {preset.name}", none, phrase("doctor-another-preset", speak))
            )
        elif not _encodes(found, preset):
            advice = phrase("doctor-other-preset", speak)
            if preset.fallback:
                advice = phrase("doctor-instead", speak, name=preset.fallback)
            lines.append(Line("note", f"  {preset.name}", phrase("doctor-no-frame", speak), advice))
        else:
            lines.append(Line("ok", f"  {preset.name}", preset.title))
    return lines


def _encodes(found: ffmpeg_binary.FfmpegBinary, preset: Preset) -> bool:
    """Return whether the preset encodes one black frame.

    ffmpeg lists an encoder for a graphics device even when the device is missing.
    """
    form = Format(width=640, height=360, rate=Fraction(25), sample_rate=48000, channels=2)
    with tempfile.TemporaryDirectory(prefix="hotsplice-doctor-") as folder:
        part = str(Path(folder, f"frame{preset.extension}"))
        argv = ffmpeg_args.prove(form=form, preset=preset, part=part, ffmpeg_path=found.path)
        try:
            return process.hear(argv, timeout_s=FRAME_LIMIT_S).exit_code == 0
        except (NotStarted, process.TimeoutExpired):
            return False


def _folder(name: str, folder: Path, speak: Language, *, journal: bool = False) -> list[Line]:
    free = machine.free_bytes(folder)
    try:
        private_files.make_folder(folder)
        durable_rename(folder)
    except OSError as error:
        why = f"{middle(str(folder))}: {middle(error.strerror or str(error))}"
        return [Line("bad", name, why, phrase("doctor-other-folder", speak))]
    network = phrase("doctor-on-network", speak) if machine.on_network(folder) else ""
    found = phrase("doctor-folder-unknown", speak, path=folder, network=network)
    if free is not None:
        found = phrase(
            "doctor-folder", speak, path=folder, free=human_bytes(free, speak), network=network
        )
    if network and journal:
        return [Line("bad", name, found, phrase("doctor-local", speak))]
    if free is not None and free < ENOUGH_FREE:
        return [Line("note", name, found, phrase("doctor-room", speak))]
    return [Line("ok", name, found)]


def _parts(speak: Language) -> list[Line]:
    checks: list[tuple[str, Callable[[], str]]] = [
        (phrase("doctor-timelines", speak), _otio),
        (phrase("doctor-media", speak), _av),
        (phrase("doctor-journal", speak), lambda: f"{_sqlite()}, {phrase('doctor-log', speak)}"),
    ]
    lines = []
    for name, check in checks:
        try:
            lines.append(Line("ok", name, check()))
        except Exception as error:
            # Whatever is wrong with an installed part, report it and continue.
            why = f"{type(error).__name__}: {middle(str(error))}"
            lines.append(Line("bad", name, why, phrase("doctor-install-again", speak)))
    return lines


def _otio() -> str:
    import opentimelineio

    return f"OpenTimelineIO {opentimelineio.__version__}"


def _av() -> str:
    import av

    return (
        f"PyAV {av.__version__}, libavcodec {'.'.join(map(str, av.library_versions['libavcodec']))}"
    )


def _sqlite() -> str:
    import sqlite3

    with tempfile.TemporaryDirectory() as folder:
        db = sqlite3.connect(os.path.join(folder, "probe.db"))
        mode = db.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        db.close()
    if mode != "wal":
        raise RuntimeError("SQLite refuses write-ahead logging here")
    return f"SQLite {sqlite3.sqlite_version}"
