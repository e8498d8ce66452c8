"""The command `hotsplice`. Every error ends in words and a documented exit code, never in a traceback."""

from __future__ import annotations

import argparse
import io
import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from bridge.cli.i18n import spoken
from bridge.cli.parser import CommandUnclear, parser
from bridge.cli.safe_stdout import SafeStdout
from core.storage.sigbus import last_words
from core.system import machine, process

if TYPE_CHECKING:
    from core.errors.refusal import Refused
    from core.executors.worker_process import Hand
    from core.messages.template import Language


def main(argv: Sequence[str] | None = None, *, share: Callable[[], int] | None = None) -> int:
    """Run one command; its exit code. `share` says at any time how many workers a job may have from then on."""
    words = list(sys.argv[1:] if argv is None else argv)
    return _ended(_command(words, share))


def _ended(code: int) -> int:
    if "bridge.services.logs" in sys.modules:
        from bridge.services import logs

        logs.ended(code)
    return code


def _command(argv: Sequence[str], share: Callable[[], int] | None) -> int:
    as_json = "--json" in argv
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(
            errors="backslashreplace"
        )  # names that are not text; in JSON it is the very escape
        sys.stdout = SafeStdout(sys.stdout)  # type: ignore[assignment]
    try:
        machine.begin()
        process.trust_no_relative_path()
        speak = _language()
        with spoken(speak):
            arguments = parser().parse_args(argv)
            if arguments.verb is None and not arguments.version:
                parser().print_help()
                return 2
        refused = _prepare_data_folder(arguments, as_json)
        if refused:
            return _refuse(refused, "", as_json)
        _begin_log(arguments.verb, argv)
        refused = _unusable(arguments)
        if refused:
            return _refuse(refused, "", as_json)
        with last_words(lambda error: _ended(_journal_failed(error, as_json, speak))):
            return _dispatch(arguments, share)
    except CommandUnclear as error:
        return _unclear(error, as_json)
    except sqlite3.Error as error:  # the middle of a journal is read late
        return _journal_failed(error, as_json)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    except Exception as error:  # the last boundary: nobody who edits films is shown a traceback, and no developer loses one
        return _unexpected(error, as_json)


def _language() -> Language:
    from bridge.settings import settings

    return settings.language()


_WAIT = ("assemble", "resume", "companion")
"""Commands that wait for a data folder whose drive is away; all others say so at once."""


def _prepare_data_folder(arguments: argparse.Namespace, as_json: bool) -> Refused | None:
    """Create the data folder at its first use, or wait for its drive; why it cannot be used. `doctor` says that itself."""
    if arguments.verb in (None, "doctor", "demo"):
        return None
    from bridge.services.locations import prepare_data_folder
    from core.errors.refusal import Refused

    wait_s = getattr(arguments, "wait", None) if arguments.verb in _WAIT else 0.0

    def hear(error: Refused) -> None:
        from bridge.settings.settings import language
        from core.messages.phrases import phrase

        if not as_json:
            print(
                phrase("waiting-for-data-folder", language(), path=error.fields["path"]),
                file=sys.stderr,
            )

    try:
        prepare_data_folder(
            wait_s, accept=bool(getattr(arguments, "accept_folder", False)), hear=hear
        )
    except Refused as error:
        return error
    return None


def _begin_log(verb: str | None, argv: Sequence[str]) -> None:
    """Commands that only ask are not logged, but for what goes wrong."""
    if verb is None:
        return
    from bridge.services import logs
    from bridge.settings import settings

    logs.begin(settings.home())
    if verb in ("assemble", "resume", "answer", "rollback", "clean", "companion"):
        from bridge.services.locations import program_version

        logs.command(verb, program_version(), argv)


def _unusable(arguments: argparse.Namespace) -> Refused | None:
    """Why a name cannot be meant: no journal, timeline or message holds bytes that are no text; a name alone needs a folder."""
    from core.errors.refusal import Refused

    said = [
        getattr(arguments, of, None)
        for of in ("timeline", "output", "film", "what", "file", "folder")
    ]
    for name in (*said, *getattr(arguments, "search", ())):
        try:
            path = os.path.abspath(name or os.sep)
        except OSError:  # the folder that the terminal is in went away, as with its drive
            return Refused("output-folder-missing", path=os.environ.get("PWD", "."))
        if path.encode(errors="ignore").decode() != path:
            return Refused("name-not-text", path=os.fsencode(path).decode(errors="replace"))
    return None


def _journal_failed(error: Exception, as_json: bool, speak: Language | None = None) -> int:
    """`speak` where the settings may be gone with their folder."""
    from bridge.services.locations import JOURNAL
    from bridge.settings import settings
    from core.storage.journal_faults import fault

    found = fault(error, settings.home() / JOURNAL)
    return _unexpected(error, as_json) if found is None else _refuse(found, "", as_json, speak)


def _unclear(error: CommandUnclear, as_json: bool) -> int:
    from core.errors.refusal import Refused

    return _refuse(Refused("command-unclear", detail=error.why), error.usage, as_json)


def _refuse(error: Refused, usage: str, as_json: bool, speak: Language | None = None) -> int:
    from bridge.cli import summary

    said = summary.refusal(error, speak)
    if as_json:
        import json

        print(json.dumps({"event": "summary", **said}, ensure_ascii=False))
    else:
        print(f"{usage}{said['title']} {said['message']}\n{said['action']}", file=sys.stderr)
    return summary.REFUSED


def _unexpected(error: Exception, as_json: bool) -> int:
    """Keep the traceback in a file and say where. Exit code 3: what was recorded holds."""
    import tempfile
    import traceback

    from bridge.services import logs

    logs.unforeseen(error)
    text = traceback.format_exc()
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="hotsplice-", suffix=".txt", delete=False, encoding="utf-8"
        ) as handle:
            handle.write(text)
        kept = handle.name
    except OSError:
        kept = ""
    title, message, action = _unforeseen(kept)
    if as_json:
        import json

        print(
            json.dumps(
                {
                    "event": "summary",
                    "exit_code": 3,
                    "outcome": "failed",
                    "code": "unforeseen",
                    "title": f"{title}.",
                    "message": message,
                    "action": action,
                }
            )
        )
    else:
        print(f"{title}. {message}\n{action}", file=sys.stderr)
    return 3


def _unforeseen(kept: str) -> tuple[str, str, str]:
    """Title, message and action. The catalogue itself may be what is broken: then in plain English."""
    try:
        from bridge.settings import settings
        from core.messages.catalogue import words
        from core.messages.phrases import phrase

        speak = settings.language()
        detail = phrase("written-in", speak, path=kept) if kept else phrase("not-written", speak)
        said = words("unforeseen", speak, detail=detail)
        return said.title, said.message, said.action
    except Exception:  # whatever it is, it is written in the file that was just kept
        where = (
            f"What happened is written in {kept}." if kept else "It could not even be written down."
        )
        return (
            "Unforeseen failure",
            f"Something failed that Hotsplice did not foresee. {where}",
            "Run the same command again.",
        )


def _workers_ahead(wanted: int | None) -> AbstractContextManager[list[Hand]]:
    """Workers for a job, started while the rest of the program is still being read. None where they should step back with us
    first, or where the settings are wrong, which is told later."""
    from bridge.settings import settings
    from core.errors.refusal import Refused
    from core.executors import worker_process
    from core.system import machine

    try:
        chosen = settings.load(settings.home())
    except Refused:
        return worker_process.spawn_ahead(0)
    return worker_process.spawn_ahead(
        0 if chosen.low_priority else wanted or chosen.jobs or machine.cores()
    )


def _dispatch(arguments: argparse.Namespace, share: Callable[[], int] | None) -> int:
    # Imported late: `hotsplice --help` answers at once, and a broken part does not take the others with it.
    if arguments.version:
        from bridge.services.locations import program_version

        print(f"hotsplice {program_version()}")
        return 0
    match arguments.verb:
        case "assemble":
            a = arguments
            with _workers_ahead(a.jobs) as ahead:
                from bridge.cli.run import run_assemble

                return run_assemble(
                    a.timeline, a.output, a.preset, a.jobs, a.json, a.wait, a.search, accept_folder=a.accept_folder,
                    replace_complete=a.replace_complete, ahead=ahead,
                )  # fmt: skip
        case "resume":
            a = arguments
            alone = a.checkpoint or a.jobs or a.search or a.accept_folder or a.wait is not None
            if share is None and not alone:  # else it is the companion's own, or for us alone
                from bridge.cli.handover import hand_over

                code = hand_over(a.job, detach=a.detach, as_json=a.json)
                if code is not None:
                    return code
            with _workers_ahead(share() if share else a.jobs) as ahead:
                from bridge.cli.run import run_resume

                return run_resume(
                    a.job, a.checkpoint, a.jobs, a.json, a.search, wait_s=a.wait, accept_folder=a.accept_folder, share=share,
                    ahead=ahead,
                )  # fmt: skip
        case "jobs" | "show" | "checkpoints":
            from bridge.cli import show

            return show.run(arguments)
        case "report":
            from bridge.cli import report

            return report.run(arguments)
        case "diagnose":
            from bridge.cli import diagnose

            return diagnose.run(arguments)
        case "stats":
            from bridge.cli import stats

            return stats.run(arguments)
        case "check" | "rollback" | "clean":
            from bridge.cli import film_commands

            return film_commands.run(arguments)
        case "answer" | "preferences" | "cures":
            from bridge.cli import answer

            return answer.run(arguments)
        case "companion" | "submit" | "watch" | "stop":
            from bridge.cli import daemon_commands

            return daemon_commands.run(arguments)
        case "prioritise" | "pause" | "unpause" | "cancel":
            from bridge.cli import queue_commands

            return queue_commands.run(arguments)
        case "tray":
            from bridge.cli import tray

            return tray.run(arguments)
        case "door":
            from bridge.cli import watch_folder

            return watch_folder.run(arguments)
        case "pair":
            from bridge.cli import pair

            return pair.run(arguments)
        case "presets" | "doctor":
            from bridge.cli import doctor

            return doctor.run(arguments)
        case "demo":
            from bridge.cli import demo

            return demo.run(arguments.folder)
        case _:
            raise AssertionError(f"{arguments.verb} is in the grammar and done nowhere")


if __name__ == "__main__":
    sys.exit(main())
