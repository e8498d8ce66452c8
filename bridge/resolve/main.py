"""Helper process of the menu script, in our own interpreter: open timeline to film and markers.

    python -P -m bridge.resolve.main [VERSION OF THE SCRIPT]

Standard input and output are the pipe to the script (see `pipe`). The process ends with the script;
the job does not. The script passes its version, so that a later helper can still serve a script
that was copied into the editor long ago. So far there is one version.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from bridge.client.client import Client
from bridge.client.connection import Declined
from bridge.client.launch import start
from bridge.protocol.requests import Describe
from bridge.protocol.responses import Described, Progressed
from bridge.resolve import film_location, inspect, marker_sync, markers, submit
from bridge.resolve.console import Console
from bridge.resolve.inspect import Seen
from bridge.resolve.pipe import Editor, Failed, Gone
from bridge.services import logs
from bridge.services.locations import Locations, place, program_version
from bridge.settings.settings import home, language
from core.engine.output_path import film_at
from core.errors.refusal import Refused
from core.job.events import Fact, RunInterrupted
from core.messages import catalogue
from core.messages.phrases import phrase
from core.messages.refusal_text import refusal
from core.system import machine
from otio_adapters import editor_export

DIALOG_S, LOOK_S = 600.0, 1.0
"""Seconds to wait for Resolve's dialog to close once the film is ready, and between checks."""
ENDING_S = 10.0


def main() -> int:
    """Return the exit code; everything that happens is reported in the Console."""
    editor = Editor(sys.stdin.buffer, sys.stdout.buffer)
    # Only protocol lines may go through the pipe.
    sys.stdout = sys.stderr
    try:
        teller = Console(editor.say, language())
        try:
            where = place()
            logs.begin(where.home)
            run(editor, where, teller)
        except Refused as error:
            teller.refusal(refusal(error, teller.language))
        except Declined as error:
            teller.declined(error.refusal)
        except Failed as error:
            teller.refusal(catalogue.words("editor-failing", teller.language, detail=str(error)))
        except Gone:
            raise
        except Exception as error:
            logs.unforeseen(error)
            kept = phrase("written-in", teller.language, path=home() / "logs" / logs.FILE)
            teller.refusal(catalogue.words("unforeseen", teller.language, detail=kept))
        editor.end()
    except Gone:
        pass
    # The script then closes the pipe, so that no thread reads from it when this process exits.
    editor.gone.wait(ENDING_S)
    return 0


def run(editor: Editor, where: Locations, teller: Console) -> None:
    """Read the timeline, render its film, and set the markers.

    Raises Refused, Declined, Gone or Failed.
    """
    seen = inspect.look(editor)
    timeline = _timeline(editor, seen)
    preset, output = _film(where, seen)
    teller.begins(seen, output)
    with Client(
        where.home, program=f"hotsplice in Resolve {program_version()}", start=start(where)
    ) as client:
        asked = submit.ask(
            client, timeline, output=str(output), preset=preset, lacking=seen.lacking,
            hear=lambda arrived, size: _sending(editor, teller, arrived, size),
        )  # fmt: skip
        teller.asked(asked)
        end = submit.follow(client, asked, lambda said: _heard(editor, teller, said))
        told: Described = client.ask(Describe(request="describe", job=asked.job))
    teller.ended(told, end)
    if isinstance(end, RunInterrupted) or end.outcome == "superseded":
        return  # another job reports about this timeline
    _mark(editor, teller, seen, timeline, told)


def _sending(editor: Editor, teller: Console, arrived: int, size: int) -> None:
    if editor.gone.is_set():
        raise Gone
    teller.sending(arrived, size)


def _heard(editor: Editor, teller: Console, said: Fact | Progressed | None) -> None:
    if editor.gone.is_set():
        raise Gone
    teller.hear(said)


def _timeline(editor: Editor, seen: Seen) -> bytes:
    """Export the open timeline without our own markers, so that it is the same in every run."""
    with tempfile.TemporaryDirectory(prefix="hotsplice-", ignore_cleanup_errors=True) as folder:
        raw = inspect.export(editor, Path(folder) / "timeline.otio")
    return editor_export.settled(
        raw, marks=markers.NAME, start_frame=seen.start_frame, rate=seen.rate
    )


def _film(where: Locations, seen: Seen) -> tuple[str, Path]:
    """Return the preset, "" for the default, and the path of the film.

    Raises Refused (output-folder-missing, output-no-permission, preset-invalid).
    """
    preset = os.environ.get("HOTSPLICE_PRESET") or where.settings.films_preset or ""
    folder, may_be_made = where.films()
    if chosen := os.environ.get("HOTSPLICE_FILMS"):
        folder, may_be_made = Path(os.path.expanduser(chosen)).absolute(), False
    # The folder of an unmounted drive must not be created on the system drive.
    if not may_be_made and not os.path.isdir(folder):
        raise Refused("output-folder-missing", path=str(folder))
    known = where.presets().get(preset)
    name = film_location.file_name(seen.name, "Timeline") + (known.extension if known else ".mov")
    folder = folder / film_location.file_name(seen.project, "Project")
    try:
        folder.mkdir(parents=may_be_made, exist_ok=True)
    except OSError as error:
        raise Refused("output-no-permission", path=str(folder)) from error
    return preset, film_at(str(folder / name))  # the form of the path that the daemon uses


def _mark(editor: Editor, teller: Console, seen: Seen, sent: bytes, told: Described) -> None:
    """Set markers for the findings as soon as Resolve answers."""
    until, waiting = machine.monotonic() + DIALOG_S, False
    while not inspect.awake(editor):
        if machine.monotonic() > until:
            raise Refused("editor-silent")
        if not waiting:
            teller.waits()
        waiting = True
        machine.sleep(LOOK_S)
    wanted = markers.marks(told)
    if wanted and _changed(editor, seen, sent):
        teller.changed()
    frames = marker_sync.length(editor, seen.frames or told.frames)
    teller.pinned(marker_sync.pin(editor, wanted, job=told.job.job, frames=frames))


def _changed(editor: Editor, seen: Seen, sent: bytes) -> bool:
    """Return whether the timeline was edited since it was sent.

    A timeline that cannot be exported now counts as unchanged.
    """
    try:
        return _timeline(editor, seen) != sent
    except Refused:
        return False


if __name__ == "__main__":
    sys.exit(main())
