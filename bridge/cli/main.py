"""The command `hotsplice`. Every error ends in words and a documented exit code, never in a traceback."""

from __future__ import annotations

import argparse
import io
import sqlite3
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

from bridge.cli.unheard import Unheard

if TYPE_CHECKING:
    from core.model.refusal import Refused

EXIT_CODES = """\
exit codes:
  0    complete and verified
  1    published, but incomplete: slates stand where shots failed, or something the timeline asks for is missing
  2    the request cannot be understood or carried out; nothing was begun
  3    failed: nothing was published, an older film is untouched
  130  interrupted; hotsplice resume goes on
"""


class Unclear(Exception):
    """A command that cannot be understood: why, and how it is used."""

    def __init__(self, why: str, usage: str) -> None:
        super().__init__(why)
        self.why, self.usage = why, usage


class _Grammar(argparse.ArgumentParser):
    """Raises Unclear instead of ending the process with words of its own: those of --json read a summary."""

    def error(self, message: str) -> NoReturn:
        raise Unclear(message, self.format_usage())


def parser() -> argparse.ArgumentParser:
    """The grammar of the command line."""
    top = _Grammar(
        prog="hotsplice",
        description="Assembles a film from a timeline and cannot lose the work.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="store_true", help="print the version")
    verbs = top.add_subparsers(dest="verb", metavar="COMMAND")

    def verb(name: str, text: str, **options: object) -> argparse.ArgumentParser:
        return verbs.add_parser(
            name,
            help=text,
            description=text,
            epilog=EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **options,  # type: ignore[arg-type]
        )

    one = verb("assemble", "Assemble a film from an .otio timeline.")
    one.add_argument("timeline", metavar="TIMELINE")
    one.add_argument("-o", "--output", required=True, metavar="FILM", help="where the film shall stand")
    one.add_argument("-p", "--preset", help="how it is coded; default by the name's ending (see hotsplice presets)")
    one.add_argument("-j", "--jobs", type=_count, metavar="N", help="shots rendered at once; default: one per processor")
    one.add_argument("--wait", type=_seconds, metavar="SECONDS", help="wait so long for drives and answers")
    one.add_argument("--json", action="store_true", help="one JSON event per line, the last being the summary")
    _searching(one)
    two = verb("resume", "Go on with a job that was interrupted or failed.")
    two.add_argument("job", nargs="?", metavar="JOB", help="default: the newest unfinished one")
    two.add_argument("--from", dest="checkpoint", metavar="CHECKPOINT", help="make everything after this checkpoint again")
    two.add_argument("-j", "--jobs", type=_count, metavar="N")
    two.add_argument("--json", action="store_true")
    _searching(two)
    listed = verb("jobs", "List all jobs.")
    listed.add_argument("--json", action="store_true")
    shown = verb("show", "Tell the story of a job.")
    shown.add_argument("job", metavar="JOB")
    shown.add_argument("--json", action="store_true")
    written = verb("report", "Write what became of a job as one HTML page, for people who were not there.")
    written.add_argument("job", metavar="JOB")
    written.add_argument("-o", "--output", metavar="FILE.html", help="default: in the data folder")
    written.add_argument("--open", action="store_true", help="show it in the browser")
    bundled = verb("diagnose", "Pack everything about a job into a file for someone who can help.")
    bundled.add_argument("job", metavar="JOB")
    bundled.add_argument("-o", "--output", metavar="FILE.zip", help="default: in the current folder")
    bundled.add_argument("--mask", action="store_true", help="replace every name and path, the same one always by the same word")
    counted = verb("stats", "Say how all jobs went: success, time to recover, work saved.")
    counted.add_argument("--json", action="store_true")
    points = verb("checkpoints", "List the checkpoints of a job.")
    points.add_argument("job", metavar="JOB")
    points.add_argument("--json", action="store_true")
    checked = verb("check", "Verify a film, or all checkpoints of a job, again.")
    checked.add_argument("what", metavar="FILM|JOB")
    checked.add_argument("--deep", action="store_true", help="decode every frame and sample as well")
    checked.add_argument("--json", action="store_true")
    back = verb("rollback", "Bring back the film that was replaced; the other one is kept in turn.")
    back.add_argument("film", metavar="FILM")
    cleaned = verb("clean", "Remove segments whose film stands verified, and left-over part files.")
    cleaned.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    told = verb("answer", "Decide about shots that failed; the job then goes on, or hears it while it runs.")
    told.add_argument("job", metavar="JOB")
    told.add_argument("about", metavar="SHOT|CODE|all", help="a shot's number, a fault code, or all")
    told.add_argument("answer", choices=("retry", "relink", "skip", "previous", "stop"))
    told.add_argument("file", nargs="?", metavar="FILE", help="for relink: the file that shall be used instead")
    told.add_argument("--always", action="store_true", help="prefer this answer whenever the fault comes (skip, previous, stop)")
    told.add_argument("--later", action="store_true", help="only put it on record; do not go on now")
    liked = verb("preferences", "Show how faults are always answered; with CODE and ANSWER, change it.")
    liked.add_argument("code", nargs="?", metavar="CODE")
    liked.add_argument("answer", nargs="?", metavar="ANSWER", help="skip, previous, stop, or ask to be asked again")
    helped = verb("cures", "Show what helped against which fault on this machine.")
    helped.add_argument("--reset", action="store_true", help="forget it")
    beside = verb("companion", "Run beside the editor: take timelines from scripts and programs.")
    beside.add_argument("--background", action="store_true", help="start it and return")
    beside.add_argument("-j", "--jobs", type=_count, metavar="N", help="shots rendered at once")
    handed = verb("submit", "Hand a timeline to the companion, which is started where none runs; then follow the job.")
    handed.add_argument("timeline", metavar="TIMELINE")
    handed.add_argument("-o", "--output", required=True, metavar="FILM")
    handed.add_argument("-p", "--preset")
    handed.add_argument("--id", metavar="NAME", help="your own name for it: submitted again, it is the same job")
    handed.add_argument("--detach", action="store_true", help="return when it is on record")
    handed.add_argument("--json", action="store_true")
    followed = verb("watch", "Follow what the companion does, across its own restarts.")
    followed.add_argument("job", nargs="?", metavar="JOB", help="until its end; default: everything")
    followed.add_argument("--after", type=int, default=0, metavar="SEQ", help="only what is newer than this event")
    followed.add_argument("--json", action="store_true")
    verb("stop", "End the companion; its job is taken up when it starts again.")
    first = verb("prioritise", "Put a job of the companion before or behind others.")
    first.add_argument("job", metavar="JOB")
    first.add_argument("priority", type=_priority, metavar="N", help="-100 to 100; 1 comes next, 10 and more interrupts")
    verb("pause", "Interrupt the companion's jobs, and begin none until unpause.")
    verb("unpause", "Let the companion go on with its jobs.")
    verb("presets", "List the presets.")
    verb("doctor", "Say what this machine can do.")
    shown_off = verb("demo", "Make a small film, kill the process in the middle, resume, heal a source: see it work.")
    shown_off.add_argument("--folder", metavar="DIR", help="where to work; default: a new folder in the temporary one")
    return top


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 86400")
    return seconds
def _searching(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--search", action="append", default=[], metavar="DIR", help="look here too for media that is missing; may be repeated"
    )


def _priority(text: str) -> int:
    if not text.removeprefix("-").isdecimal() or abs(int(text)) > 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from -100 to 100")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 256")
    return int(text)


def main(argv: Sequence[str] | None = None, *, share: Callable[[], int] | None = None) -> int:
    """Run one command; its exit code. `share` says at any time how many workers a job may have from then on."""
    as_json = "--json" in (sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names that are not text; in JSON it is the very escape
        sys.stdout = Unheard(sys.stdout)  # type: ignore[assignment]
    try:
        arguments = parser().parse_args(argv)
        _begin_log(arguments.verb)
        return _dispatch(arguments, share)
    except Unclear as error:
        return _unclear(error, as_json)
    except sqlite3.DatabaseError as error:  # the middle of a journal is read late
        return _damaged(error, as_json)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    except Exception as error:  # the last boundary: nobody who edits films is shown a traceback, and no developer loses one
        return _unexpected(error, as_json)


def _begin_log(verb: str | None) -> None:
    """Commands that only ask are not logged, but for what goes wrong."""
    if verb is None:
        return
    from bridge import logs, settings

    logs.begin(settings.home())
    if verb in ("assemble", "resume", "answer", "rollback", "clean", "companion"):
        from bridge.cli.house import program_version

        logs.command(verb, program_version())


def _damaged(error: sqlite3.DatabaseError, as_json: bool) -> int:
    from bridge import settings
    from core.model.refusal import Refused

    return _refuse(Refused("journal-damaged", path=str(settings.home() / "journal.db"), detail=str(error)), "", as_json)


def _unclear(error: Unclear, as_json: bool) -> int:
    from core.model.refusal import Refused

    return _refuse(Refused("command-unclear", detail=error.why), error.usage, as_json)


def _refuse(error: Refused, usage: str, as_json: bool) -> int:
    from bridge.cli import summary

    said = summary.refusal(error)
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

    from bridge import logs

    logs.unforeseen(error)
    text = traceback.format_exc()
    try:
        with tempfile.NamedTemporaryFile("w", prefix="hotsplice-", suffix=".txt", delete=False, encoding="utf-8") as handle:
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
        from bridge import settings
        from core.explain.catalogue import words
        from core.explain.phrases import phrase

        speak = settings.language()
        detail = phrase("written-in", speak, path=kept) if kept else phrase("not-written", speak)
        said = words("unforeseen", speak, detail=detail)
        return said.title, said.message, said.action
    except Exception:  # whatever it is, it is written in the file that was just kept
        where = f"What happened is written in {kept}." if kept else "It could not even be written down."
        return "Unforeseen failure", f"Something failed that Hotsplice did not foresee. {where}", "Run hotsplice resume to go on."


def _dispatch(arguments: argparse.Namespace, share: Callable[[], int] | None) -> int:
    # Imported late: `hotsplice --help` answers at once, and a broken part does not take the others with it.
    if arguments.version:
        from bridge.cli.house import program_version

        print(f"hotsplice {program_version()}")
        return 0
    match arguments.verb:
        case "assemble":
            from bridge.cli.run import run_assemble

            a = arguments
            return run_assemble(a.timeline, a.output, a.preset, a.jobs, a.json, a.wait, a.search)
        case "resume":
            from bridge.cli.run import run_resume

            a = arguments
            return run_resume(a.job, a.checkpoint, a.jobs, a.json, a.search, share=share)
        case "jobs" | "show" | "checkpoints":
            from bridge.cli import inspect

            return inspect.run(arguments)
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
            from bridge.cli import films

            return films.run(arguments)
        case "answer" | "preferences" | "cures":
            from bridge.cli import answering

            return answering.run(arguments)
        case "companion" | "submit" | "watch" | "stop":
            from bridge.cli import companion

            return companion.run(arguments)
        case "prioritise" | "pause" | "unpause":
            from bridge.cli import queueing

            return queueing.run(arguments)
        case "presets" | "doctor":
            from bridge.cli import doctor

            return doctor.run(arguments)
        case "demo":
            from bridge.cli import demo

            return demo.run(arguments.folder)
        case _:
            parser().print_help()
            return 2


if __name__ == "__main__":
    sys.exit(main())
