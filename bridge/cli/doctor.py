"""`doctor` and `presets`: what this machine can do, one line each, with what to do where something is missing."""

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
from bridge.cli.house import Place, place, program_version
from core.decide import commands
from core.explain import catalogue
from core.explain.filling import human_bytes
from core.model.film import Format
from core.model.preset import Preset
from core.model.refusal import Refused
from core.perform import build, ffmpeg, machine
from core.record.workspace import durable_rename

ENOUGH_FREE = 20_000_000_000


class Line(NamedTuple):
    """One finding: good, a warning or bad; `advice` is what to do about it."""

    mark: str
    what: str
    found: str
    advice: str = ""


def run(arguments: argparse.Namespace) -> int:
    """0 when a film can be assembled here, 1 when something is missing."""
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
    for line in lines:
        colour = {"ok": "green", "note": "yellow", "bad": "red"}[line.mark]
        console.print(
            f"[{colour}]{line.mark:4}[/]  {safe(line.what):18} {safe(line.found)}"
            + (f"\n{'':25}{safe(line.advice)}" if line.advice else "")
        )
    bad = sum(line.mark == "bad" for line in lines)
    console.print("This machine can assemble films." if not bad else f"{bad} of these must be mended first.")
    return 1 if bad else 0


def _presets(where: Place, console: Console) -> None:
    table = Table("Preset", "Ending", "What it is", box=None, pad_edge=False)
    for preset in where.presets().values():
        table.add_row(safe(preset.name), safe(preset.extension), safe(preset.title))
    console.print(table)
    console.print(f"Your own go into {safe(str(where.home / 'presets'))}; docs/presets.md describes them.")


def examine(where: Place) -> list[Line]:
    """Every finding, in the order in which a person would mend them."""
    lines = [
        Line(
            "ok",
            "Hotsplice",
            f"{program_version()}, Python {platform.python_version()}, {platform.system()} {platform.machine()}",
        ),
        Line("ok", "processors", f"{machine.cores()} ({where.settings.jobs or machine.cores()} shots at once)"),
    ]
    lines += _ffmpeg(where)
    for name, folder in (("data folder", where.home), ("scratch folder", where.scratch), ("this folder", Path.cwd())):
        lines += _folder(name, folder)
    lines += _parts()
    return lines


def _ffmpeg(where: Place) -> list[Line]:
    try:
        found = build.find(where.settings.ffmpeg)
    except Refused as error:
        said = catalogue.words(error.code, where.settings.language, **error.fields)
        return [Line("bad", "ffmpeg", said.message, said.action)]
    origin = "chosen in the settings" if where.settings.ffmpeg else "bundled"
    lines = [Line("ok", "ffmpeg", f"{found.version}, {origin}")]
    have = build.encoders(found)
    for preset in where.presets().values():
        names = {preset.video.encoder} | (set() if preset.audio.pcm else {preset.audio.codec})
        missing = sorted(names - have)
        if missing:
            lines.append(
                Line("note", f"  {preset.name}", f"no encoder {', '.join(missing)}", "Use another preset or another ffmpeg.")
            )
        elif not _encodes(found, preset):
            instead = f"{preset.fallback} is used instead" if preset.fallback else "Use another preset"
            lines.append(Line("note", f"  {preset.name}", "its encoder does not make a frame here", f"{instead}."))
        else:
            lines.append(Line("ok", f"  {preset.name}", preset.title))
    return lines


def _encodes(found: build.Build, preset: Preset) -> bool:
    """Whether one black frame comes out: an encoder for a graphics device is listed where there is no such device."""
    form = Format(width=640, height=360, rate=Fraction(25), sample_rate=48000, channels=2)
    with tempfile.TemporaryDirectory(prefix="hotsplice-doctor-") as folder:
        part = str(Path(folder, f"frame{preset.extension}"))
        argv = commands.prove(form=form, preset=preset, part=part, ffmpeg_path=found.path)
        return ffmpeg.run(argv).exit_code == 0


def _folder(name: str, folder: Path) -> list[Line]:
    free = machine.free_bytes(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        durable_rename(folder)
    except OSError as error:
        return [
            Line(
                "bad",
                name,
                f"{folder}: {error.strerror or error}",
                "Choose another folder in the settings (scratch) or with HOTSPLICE_HOME.",
            )
        ]
    network = machine.on_network(folder)
    space = f"{human_bytes(free)} free" if free is not None else "free space unknown"
    found = f"{folder}: {space}, rename and fsync work" + (", on a network share" if network else "")
    if network and name == "data folder":
        return [Line("bad", name, found, "The journal must be on a local disk: set HOTSPLICE_HOME.")]
    if free is not None and free < ENOUGH_FREE:
        return [Line("note", name, found, "A film and its segments need room; a two-hour ProRes HQ film about 350 GB.")]
    return [Line("ok", name, found)]


def _parts() -> list[Line]:
    checks: list[tuple[str, Callable[[], str]]] = [("timelines", _otio), ("media library", _av), ("journal", _sqlite)]
    lines = []
    for name, check in checks:
        try:
            lines.append(Line("ok", name, check()))
        except Exception as error:  # whatever is wrong with an installed part, the doctor says so and goes on
            lines.append(Line("bad", name, f"{type(error).__name__}: {error}", "Install Hotsplice again in a fresh environment."))
    return lines


def _otio() -> str:
    import opentimelineio

    return f"OpenTimelineIO {opentimelineio.__version__}"


def _av() -> str:
    import av

    return f"PyAV {av.__version__}, libavcodec {'.'.join(map(str, av.library_versions['libavcodec']))}"


def _sqlite() -> str:
    import sqlite3

    with tempfile.TemporaryDirectory() as folder:
        db = sqlite3.connect(os.path.join(folder, "probe.db"))
        mode = db.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        db.close()
    if mode != "wal":
        raise RuntimeError("SQLite refuses write-ahead logging here")
    return f"SQLite {sqlite3.sqlite_version}, write-ahead log"
