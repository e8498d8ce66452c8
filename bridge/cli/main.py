"""The `hotsplice` command.

Every error ends in a message and a documented exit code, never in a traceback.
"""

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
from core.storage.sigbus import report_lost_journal
from core.system import machine, process

if TYPE_CHECKING:
    from core.errors.refusal import Refused
    from core.executors.worker_process import Hand
    from core.messages.template import Language


def main(argv: Sequence[str] | None = None, *, share: Callable[[], int] | None = None) -> int:
    """Run one command and return its exit code.

    `share` returns the number of workers that a job may use; it may change at any time.
    """
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
        # Names may not be valid text; `backslashreplace` writes the same escape as JSON does.
        sys.stdout.reconfigure(errors="backslashreplace")
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
        with report_lost_journal(lambda error: _ended(_journal_failed(error, as_json, speak))):
            return _dispatch(arguments, share)
    except CommandUnclear as error:
        return _unclear(error, as_json)
    except sqlite3.Error as error:  # damage in the middle of a journal shows late
        return _journal_failed(error, as_json)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    except Exception as error:
        # The last boundary: users never see a traceback, developers never lose one.
        return _unexpected(error, as_json)


def _language() -> Language:
    from bridge.settings import settings

    return settings.language()


_WAIT = ("assemble", "resume", "companion")
"""Commands that wait for a data folder whose drive is missing; all others report it at once."""


def _prepare_data_folder(arguments: argparse.Namespace, as_json: bool) -> Refused | None:
    """Create the data folder on first use, or wait for its drive.

    Return why it cannot be used, or None. `doctor` reports that itself.
    """
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
    """Start the log. Commands that only read are not logged, except for their failures."""
    if verb is None:
        return
    from bridge.services import logs
    from bridge.settings import settings

    logs.begin(settings.home())
    if verb in ("assemble", "resume", "answer", "rollback", "clean", "companion"):
        from bridge.services.locations import program_version

        logs.command(verb, program_version(), argv)


def _unusable(arguments: argparse.Namespace) -> Refused | None:
    """Return why a path argument cannot be used, or None.

    Journal, timelines and messages cannot store names that are not valid text. A relative name
    needs the current folder, which may be missing.
    """
    from core.errors.refusal import Refused

    said = [
        getattr(arguments, of, None)
        for of in ("timeline", "output", "film", "what", "file", "folder")
    ]
    for name in (*said, *getattr(arguments, "search", ())):
        try:
            path = os.path.abspath(name or os.sep)
        except OSError:  # the terminal's folder is gone, for example with its drive
            return Refused("output-folder-missing", path=os.environ.get("PWD", "."))
        if path.encode(errors="ignore").decode() != path:
            return Refused("name-not-text", path=os.fsencode(path).decode(errors="replace"))
    return None


def _journal_failed(error: Exception, as_json: bool, speak: Language | None = None) -> int:
    """Report a journal failure. Pass `speak` when the settings may be gone with their folder."""
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
    """Keep the traceback in a file and say where.

    Return exit code 3: what was recorded stays valid.
    """
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
    """Return title, message and action, in plain English when the catalogue itself is broken."""
    try:
        from bridge.settings import settings
        from core.messages.catalogue import words
        from core.messages.phrases import phrase

        speak = settings.language()
        detail = phrase("written-in", speak, path=kept) if kept else phrase("not-written", speak)
        said = words("unforeseen", speak, detail=detail)
        return said.title, said.message, said.action
    except Exception:  # the kept file describes it
        where = (
            f"What happened is written in {kept}." if kept else "It could not even be written down."
        )
        return (
            "Unforeseen failure",
            f"Something failed that Hotsplice did not foresee. {where}",
            "Run the same command again.",
        )


def _workers_ahead(wanted: int | None) -> AbstractContextManager[list[Hand]]:
    """Spawn workers for a job while the rest of the program is still being imported.

    Spawn none when workers must run at low priority, which this process sets first, or when the
    settings are wrong, which is reported later.
    """
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
    # Imports are late, so that `hotsplice --help` answers at once and a broken module affects only
    # its own commands.
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
            # Otherwise it is the daemon's own job, or one for this process only.
            if share is None and not alone:
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
