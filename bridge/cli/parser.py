"""Parser of the command line: the commands and their arguments."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from bridge.cli.i18n import say

_EXIT_CODES = {
    0: "complete and verified",
    1: "published, but incomplete: slates stand where shots failed, or something the timeline asks for is missing",
    2: "the request cannot be understood or carried out; nothing was begun",
    3: "failed: nothing was published, an older film is untouched",
    130: "interrupted; hotsplice resume goes on",
}


class CommandUnclear(Exception):
    """A command that cannot be understood, with the reason and the usage text."""

    def __init__(self, why: str, usage: str) -> None:
        super().__init__(why)
        self.why, self.usage = why, usage


class _Grammar(argparse.ArgumentParser):
    """Parser with translated help texts.

    It raises CommandUnclear instead of ending the process with a message of its own, because users
    of `--json` expect a summary.
    """

    def add_argument(self, *names: Any, **how: Any) -> argparse.Action:
        if "help" in how:
            how["help"] = say(how["help"])
        return super().add_argument(*names, **how)

    def error(self, message: str) -> NoReturn:
        raise CommandUnclear(message, self.format_usage())


def parser() -> argparse.ArgumentParser:
    """Create the parser of the command line, in the language set by `spoken`."""
    codes = "\n".join(
        [say("exit codes:"), *(f"  {code:<4} {say(text)}" for code, text in _EXIT_CODES.items())]
    )
    top = _Grammar(
        prog="hotsplice",
        description=say("Assembles a film from a timeline and cannot lose the work."),
        epilog=codes,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="store_true", help="print the version")
    verbs = top.add_subparsers(dest="verb", metavar="COMMAND")

    def verb(name: str, text: str, **options: object) -> argparse.ArgumentParser:
        return verbs.add_parser(
            name,
            help=say(text),
            description=say(text),
            epilog=codes,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **options,  # type: ignore[arg-type]
        )

    one = verb("assemble", "Assemble a film from an .otio timeline.")
    one.add_argument("timeline", metavar="TIMELINE")
    one.add_argument(
        "-o", "--output", required=True, metavar="FILM", help="where the film shall stand"
    )
    one.add_argument(
        "-p",
        "--preset",
        help="how it is coded; default by the name's ending (see hotsplice presets)",
    )
    one.add_argument(
        "-j",
        "--jobs",
        type=_count,
        metavar="N",
        help="shots rendered at once; default: one per processor",
    )
    one.add_argument(
        "--wait", type=_seconds, metavar="SECONDS", help="wait so long for drives and answers"
    )
    one.add_argument(
        "--json", action="store_true", help="one JSON event per line, the last being the summary"
    )
    one.add_argument(
        "--replace-complete",
        action="store_true",
        help="an incomplete film, too, takes the place of a complete one",
    )
    _placing(one)
    _searching(one)
    two = verb("resume", "Go on with a job that was interrupted or failed.")
    two.add_argument("job", nargs="?", metavar="JOB", help="default: the newest unfinished one")
    two.add_argument(
        "--from",
        dest="checkpoint",
        metavar="CHECKPOINT",
        help="make everything after this checkpoint again",
    )
    two.add_argument("-j", "--jobs", type=_count, metavar="N")
    two.add_argument(
        "--detach",
        action="store_true",
        help="leave it to the companion, where one runs, and return",
    )
    two.add_argument(
        "--wait", type=_seconds, metavar="SECONDS", help="wait so long for drives and answers"
    )
    two.add_argument("--json", action="store_true")
    _placing(two)
    _searching(two)
    listed = verb("jobs", "List all films with their newest job.")
    listed.add_argument(
        "--all", action="store_true", help="every job, also the earlier ones of a film"
    )
    listed.add_argument("--json", action="store_true")
    shown = verb("show", "Tell the story of a job.")
    shown.add_argument("job", metavar="JOB")
    shown.add_argument("--json", action="store_true")
    written = verb(
        "report", "Write what became of a job as one HTML page, for people who were not there."
    )
    written.add_argument("job", metavar="JOB")
    written.add_argument("-o", "--output", metavar="FILE.html", help="default: in the data folder")
    written.add_argument("--open", action="store_true", help="show it in the browser")
    bundled = verb("diagnose", "Pack everything about a job into a file for someone who can help.")
    bundled.add_argument("job", metavar="JOB")
    bundled.add_argument(
        "-o", "--output", metavar="FILE.zip", help="default: in the current folder"
    )
    bundled.add_argument(
        "--mask",
        action="store_true",
        help="replace every name and path, the same one always by the same word",
    )
    counted = verb("stats", "Say how all jobs went: success, time to recover, work saved.")
    counted.add_argument("--json", action="store_true")
    points = verb("checkpoints", "List the checkpoints of a job.")
    points.add_argument("job", metavar="JOB")
    points.add_argument("--json", action="store_true")
    checked = verb("check", "Verify a film, or all checkpoints of a job, again.")
    checked.add_argument("what", metavar="FILM|JOB")
    checked.add_argument(
        "--deep", action="store_true", help="decode every frame and sample as well"
    )
    checked.add_argument("--json", action="store_true")
    back = verb("rollback", "Bring back the film that was replaced; the other one is kept in turn.")
    back.add_argument("film", metavar="FILM")
    back.add_argument(
        "--to",
        type=int,
        metavar="N",
        default=1,
        help="which of the films that are kept; default: 1, the newest",
    )
    back.add_argument(
        "--list", action="store_true", help="only list the films that are kept, newest first"
    )
    back.add_argument("--json", action="store_true", help="with --list: for programs")
    cleaned = verb("clean", "Remove segments whose film stands verified, and left-over part files.")
    cleaned.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    cleaned.add_argument(
        "--superseded",
        action="store_true",
        help="also segments of cuts that were replaced; going back to one makes them again",
    )
    told = verb(
        "answer", "Decide about shots that failed; the job then goes on, or hears it while it runs."
    )
    told.add_argument("job", metavar="JOB")
    told.add_argument(
        "about", metavar="SHOT|CODE|all", help="a shot's number, a fault code, or all"
    )
    told.add_argument("answer", choices=("retry", "relink", "skip", "previous", "stop"))
    told.add_argument(
        "file", nargs="?", metavar="FILE", help="for relink: the file that shall be used instead"
    )
    told.add_argument(
        "--always",
        action="store_true",
        help="prefer this answer whenever the fault comes (skip, previous, stop)",
    )
    told.add_argument(
        "--later", action="store_true", help="only put it on record; do not go on now"
    )
    told.add_argument(
        "--detach",
        action="store_true",
        help="leave it to the companion, where one runs, and return",
    )
    liked = verb(
        "preferences", "Show how faults are always answered; with CODE and ANSWER, change it."
    )
    liked.add_argument("code", nargs="?", metavar="CODE")
    liked.add_argument(
        "answer", nargs="?", metavar="ANSWER", help="skip, previous, stop, or ask to be asked again"
    )
    helped = verb("cures", "Show what helped against which fault on this machine.")
    helped.add_argument("--reset", action="store_true", help="forget it")
    beside = verb("companion", "Run beside the editor: take timelines from scripts and programs.")
    beside.add_argument("--background", action="store_true", help="start it and return")
    beside.add_argument(
        "--log", action="store_true", help="write what it says to companion.log in the data folder"
    )
    beside.add_argument(
        "--at-login",
        choices=("on", "off", "status"),
        help="whether it starts with your session; then return",
    )
    beside.add_argument("-j", "--jobs", type=_count, metavar="N", help="shots rendered at once")
    handed = verb(
        "submit",
        "Hand a timeline to the companion, which is started where none runs; then follow the job.",
    )
    handed.add_argument("timeline", metavar="TIMELINE")
    handed.add_argument("-o", "--output", required=True, metavar="FILM")
    handed.add_argument("-p", "--preset")
    handed.add_argument(
        "--id", metavar="NAME", help="your own name for it: submitted again, it is the same job"
    )
    handed.add_argument(
        "--at",
        metavar="NAME",
        default="",
        help="to the companion of another machine (see hotsplice pair)",
    )
    handed.add_argument("--detach", action="store_true", help="return when it is on record")
    handed.add_argument("--json", action="store_true")
    followed = verb("watch", "Follow what the companion does, across its own restarts.")
    followed.add_argument(
        "job", nargs="?", metavar="JOB", help="until its end; default: everything"
    )
    since = "only what is newer than this event; beyond the last: from now on"
    followed.add_argument("--after", "--since", type=_event, default=0, metavar="SEQ", help=since)
    followed.add_argument(
        "--at", metavar="NAME", default="", help="of another machine (see hotsplice pair)"
    )
    followed.add_argument("--json", action="store_true")
    verb("stop", "End the companion; its job is taken up when it starts again.")
    ended = verb(
        "cancel", "Stop a job, or do not begin it; what was made stays, and resume goes on."
    )
    ended.add_argument("job", metavar="JOB")
    first = verb("prioritise", "Put a job of the companion before or behind others.")
    first.add_argument("job", metavar="JOB")
    first.add_argument(
        "priority",
        type=_priority,
        metavar="N",
        help="-100 to 100; 1 comes next, 10 and more interrupts",
    )
    verb("pause", "Interrupt the companion's jobs, and begin none until unpause.")
    verb("unpause", "Let the companion go on with its jobs.")
    seen = verb(
        "tray",
        "Show an icon in the tray, and a window with all jobs; run again, it opens the window.",
    )
    seen.add_argument("--window", action="store_true", help="open the window at once")
    dropped = verb(
        "door",
        "Say into which folder timelines may be dropped, and what became of those that were.",
    )
    dropped.add_argument("--json", action="store_true")
    paired = verb("pair", "Let another machine use this one's companion, or use another one's.")
    paired.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="your name for the other machine: letters, digits and -",
    )
    paired.add_argument(
        "key", nargs="?", metavar="KEY", help="its key, as hotsplice pair --show says there"
    )
    paired.add_argument(
        "--with",
        dest="address",
        metavar="HOST:PORT",
        help="use its companion there, which has this KEY",
    )
    paired.add_argument(
        "--show",
        action="store_true",
        help="show the keys of this machine, and where its companion listens",
    )
    paired.add_argument("--list", action="store_true", help="list the machines that are paired")
    paired.add_argument("--remove", metavar="NAME", help="end it, both ways")
    verb("presets", "List the presets.")
    verb("doctor", "Say what this machine can do.")
    shown_off = verb(
        "demo",
        "Make a small film, kill the process in the middle, resume, heal a source: see it work.",
    )
    shown_off.add_argument(
        "--folder", metavar="DIR", help="where to work; default: a new folder in the temporary one"
    )
    return top


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86400:
        raise argparse.ArgumentTypeError(
            f"{text!r} {say('is not a number of seconds from 0 to 86400')}"
        )
    return seconds


def _placing(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--accept-folder", action="store_true",
        help="use the film's folder and the scratch folder as they are, though they are not the ones on record",
    )  # fmt: skip


def _searching(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--search",
        action="append",
        default=[],
        metavar="DIR",
        help="look here too for media that is missing; may be repeated",
    )


def _event(text: str) -> int:
    if not text.isdecimal() or int(text) > 2**53:
        raise argparse.ArgumentTypeError(f"{text!r} {say('is not the number of an event')}")
    return int(text)


def _priority(text: str) -> int:
    if not text.removeprefix("-").isdecimal() or abs(int(text)) > 100:
        raise argparse.ArgumentTypeError(f"{text!r} {say('is not a number from -100 to 100')}")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError(f"{text!r} {say('is not a number from 1 to 256')}")
    return int(text)
