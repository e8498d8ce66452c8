"""The log, for finding out later what happened.

It has one JSON object per line in `<home>/logs/hotsplice.log`. Each line has `time` (ISO 8601,
UTC), `at` (the same in Unix seconds), `level`, `pid`, `event` and `message`, followed by fields for
programs. `message` is a plain English sentence that says what happened, to which file, and what was
decided. `time` and `message` alone tell the whole story.

Only this module sets up logging. Each line is opened, appended in one write and closed, so that
several processes can log at once and none holds a file that another one rotates. No error in here
ever reaches the caller. Folders are created only for the first line, because the data folder may be
on a drive that is gone; a line that cannot be written is dropped. If the disk is full, `RESERVE` is
given up for the lines that say so. The log does not repeat in full what the journal contains. It
never contains the environment, or words that look like secrets.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import platform
import re
import signal
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors.failure import Failure
from core.job.events import (
    Answered,
    AttemptFailed,
    ClockJumped,
    Fact,
    FilmPublished,
    GateClosed,
    GateOpened,
    JobAccepted,
    JobFinished,
    ProblemFound,
    RunInterrupted,
    RunStarted,
    SealBroken,
    SegmentParted,
    ShotSlated,
    SoundSilenced,
    SourceMoved,
)
from core.storage import artifacts
from core.system import codec, machine, private_files

FILE = "hotsplice.log"
MOST_BYTES, KEEP = 2_000_000, 5
SAID = "companion.log"
"""The output of a daemon without a terminal and of the programs that it starts.

It is rare, and important when it occurs.
"""
SHORTEN_S = 60.0
RESERVE, RESERVE_BYTES = "reserve", 65_536
"""A file of zeros next to the log and its size in bytes.

It is removed when the disk is full, so that the last lines find room.
"""
LONGEST = 16_000
"""Maximum length of a line in characters; a longer one loses its fields, but not its event."""

_log = logging.getLogger("hotsplice")
_SECRETS = (  # each starts at a word boundary, to keep the cost linear in the line's length
    (re.compile(r"\b(\w+://)[^/\s@\"']+@"), r"\1…@"),
    (
        re.compile(
            r"(?i)(?<![\w-])([\w-]*(?:token|passwo?r?d|passwd|secret|api_?key|signature|authorization|cookie)\s*[=:]\s*)[^\s&\"',;]+"
        ),
        r"\1…",
    ),
)
_ROOT = Path(__file__).resolve().parents[2]


class _Lines(logging.Handler):
    """Appends records to a file that it opens for each record."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self._begun = path, False

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = line_of(record)
            if not self._begun:
                self._begun = True
                with contextlib.suppress(OSError):
                    artifacts.hold_room(self.path.with_name(RESERVE), RESERVE_BYTES)
            try:
                self._append(line)
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                    raise
                artifacts.give_up(self.path.with_name(RESERVE))
                self._append(line)
        except Exception:  # a log that cannot be written must not cost anyone a film
            pass

    def _append(self, line: bytes) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if os.write(handle, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            full = os.fstat(handle).st_size > MOST_BYTES
        finally:
            os.close(handle)
        if full:
            artifacts.rotate(self.path, KEEP, MOST_BYTES)


def line_of(record: logging.LogRecord) -> bytes:
    """Format a record as one line, with control characters escaped and secrets removed."""
    head = {
        "time": iso(record.created),
        "at": round(record.created, 3),
        "level": record.levelname.lower(),
        "pid": record.process,
        "event": record.getMessage(),
    }
    fields = dict(getattr(record, "said", {}))
    message = {"message": fields.pop("message")} if "message" in fields else {}
    said = (
        head | message | {f"{key}_" if key in head else key: value for key, value in fields.items()}
    )
    text = json.dumps(_without_secrets(said), ensure_ascii=True)
    if len(text) > LONGEST:
        text = json.dumps(head | {"left_out": len(text)})
    return text.encode("ascii") + b"\n"


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        for pattern, instead in _SECRETS:
            value = pattern.sub(instead, value)
        return value
    if isinstance(value, dict):
        return {key: _without_secrets(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(one) for one in value]
    return value


def iso(at: float) -> str:
    """Format a time (Unix seconds) as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def begin(home: Path) -> None:
    """Log into this data folder from now on."""
    _counted.clear()
    _under_way.clear()
    _log.setLevel(logging.INFO)
    _log.propagate = False
    for old in list(_log.handlers):
        _log.removeHandler(old)
    _log.addHandler(_Lines(home / artifacts.LOGS / FILE))


def _say(level: int, event: str, **fields: Any) -> None:
    if _log.handlers:
        _log.log(level, "%s", event, extra={"said": fields})


def command(verb: str, version: str, arguments: Sequence[str] = ()) -> None:
    """Log the start of a command, with its arguments and the machine that it runs on."""
    asked = " ".join(["hotsplice", *(arguments or [verb])])
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {machine.cores()} cores"
    message = f"Hotsplice {version} begins: {asked}. This machine: {system}."
    _under_way[:] = [(verb, machine.monotonic())]
    _say(logging.INFO, "command", message=message, verb=verb, version=version)


_under_way: list[tuple[str, float]] = []
"""The command of this process whose start was logged, and when it started (monotonic)."""


def ended(code: int) -> None:
    """Log the end of the command whose start was logged.

    If this line is missing, the process was killed or the machine stopped.
    """
    if not _under_way:
        return
    verb, began = _under_way.pop()
    meaning, seconds = _MEANING.get(code, ""), machine.monotonic() - began
    message = f"The command {verb} ended after {seconds:.1f} s with exit code {code}{f': {meaning}' if meaning else ''}."
    _say(
        logging.INFO if code in (0, 130) else logging.WARNING,
        "command ended",
        message=message,
        verb=verb,
        exit_code=code,
    )


_MEANING = {
    0: "all right",
    1: "the film is published but incomplete",
    2: "the request was refused, nothing was begun",
    3: "the job failed, nothing was published",
    130: "it was interrupted and can go on",
}


def fact(job: str, seq: int, said: Fact) -> None:
    """Log an event that is in the journal.

    The line has a sentence, the event's kind and number, and for a failure its code, place and
    decision.
    """
    level = logging.WARNING if isinstance(said, _WRONG) else logging.INFO
    fields: dict[str, Any] = {}
    failure = getattr(said, "failure", None)
    if failure is not None:
        seen = failure.evidence
        fields = {
            "code": failure.code,
            "type": failure.type.value,
            "operation": seen.operation,
            "place": seen.place,
        }
        fields |= {"path": seen.path, "volume": seen.volume, "errno": seen.errno}
        fields |= {
            "note": seen.note,
            "exit_code": seen.exit_code,
            "detail": seen.detail,
            "stderr": list(seen.stderr[-3:]),
        }
        fields |= {"free_bytes": seen.free_bytes, "free_memory_bytes": seen.free_memory_bytes}
        fields = {name: value for name, value in fields.items() if value not in (None, "", [])}
    elif isinstance(said, _TOLD):
        fields = {
            name: value
            for name, value in codec.plain(said).items()
            if name != "is" and value not in (None, "", [])
        }
    for name in ("shot", "attempt", "gate"):
        if getattr(said, name, 0):
            fields[name] = getattr(said, name)
    if isinstance(said, AttemptFailed):
        fields["strategy"] = said.recovery.strategy.value
        if said.recovery.change:
            fields["change"] = said.recovery.change
    times = _times(job, said)
    more = (
        f" So far {times} times; those between are in the journal alone."
        if times > _IN_FULL
        else ""
    )
    if not more or not times & (times - 1):
        _say(level, type(said).__name__, message=_sentence(said) + more, job=job, seq=seq, **fields)


_IN_FULL, _MOST_COUNTED = 3, 1000
"""How often one cause in one file is logged line by line, and how many causes are counted.

After that the cause is logged at each doubling of its count, so that bisecting one damage does not
bury the rest.
"""
_counted: dict[tuple[str, str, str, str], int] = {}


def _times(job: str, said: Fact) -> int:
    """Return how often this process has logged one cause in one file of a job.

    Returns 1 for events that end the job or a shot.
    """
    if not isinstance(said, AttemptFailed | SegmentParted) or (
        isinstance(said, AttemptFailed) and said.recovery.fatal
    ):
        return 1
    cause = (
        (said.failure.code, said.failure.evidence.path)
        if isinstance(said, AttemptFailed)
        else ("", "")
    )
    about = (job, type(said).__name__, *cause)
    if len(_counted) < _MOST_COUNTED or about in _counted:
        _counted[about] = _counted.get(about, 0) + 1
    return _counted.get(about, 1)


def _sentence(said: Fact) -> str:
    """Describe an event in English, whatever the language of the interface."""
    from core.messages import catalogue  # late: most commands log nothing that needs words
    from core.report.event_text import sentence

    failure: Failure | None = getattr(said, "failure", None)
    try:
        told = sentence(said)
        if failure is not None and not isinstance(said, AttemptFailed):
            told = f"{told} {catalogue.explain(failure).message}"
        if isinstance(said, ClockJumped) and not said.slept:
            way = "back" if said.by_s < 0 else "ahead"
            told = f"{told} It was set {way} by {abs(said.by_s) / 3600:.2f} hours; later lines have times by the new clock."
        return told + _cause(failure) if failure is not None else told
    except Exception:  # an event that cannot be described must not cost anyone a film
        return type(said).__name__


def _cause(failure: Failure) -> str:
    """Describe the error of the operating system, for readers who look for the cause.

    The sentences before it say what it means.
    """
    seen = failure.evidence
    parts = []
    if seen.errno:
        parts.append(
            f"the system answered {errno.errorcode.get(seen.errno, seen.errno)} ({os.strerror(seen.errno)})"
        )
    if seen.exit_code is not None and seen.exit_code < 0:
        with contextlib.suppress(ValueError):
            parts.append(
                f"the process was ended by signal {-seen.exit_code} ({signal.Signals(-seen.exit_code).name})"
            )
    elif seen.exit_code:
        parts.append(f"the process ended with exit code {seen.exit_code}")
    if seen.oom_kills:
        parts.append(
            f"meanwhile the kernel killed {seen.oom_kills} process(es) because memory ran out (OOM killer)"
        )
    elif seen.exit_code == -signal.SIGKILL and sys.platform == "linux":
        parts.append("the kernel counts no kill for want of memory, so somebody else sent it")
    if (
        seen.frames_wanted is not None
        and seen.frames_seen is not None
        and seen.frames_seen != seen.frames_wanted
    ):
        parts.append(f"{seen.frames_seen} of {seen.frames_wanted} frames were made")
    if seen.note == "hung":
        parts.append(f"no sign of life for {seen.elapsed_s:.0f} s")
    if seen.note == "hung" and seen.detail == "stopped":
        parts.append("the process was stopped")
    if seen.free_bytes is not None and seen.errno in (errno.ENOSPC, errno.EDQUOT):
        parts.append(f"{seen.free_bytes} bytes were free")
    if seen.volume not in ("", "/"):  # once a drive is gone, its paths are on the system's own
        parts.append(f"volume {seen.volume}")
    return f" Seen: {'; '.join(parts)}." if parts else ""


_TOLD = (
    ProblemFound, JobFinished, JobAccepted, RunStarted, GateOpened, ClockJumped, SealBroken, Answered, SourceMoved,
    RunInterrupted, FilmPublished,
)  # fmt: skip
"""Events that are short enough to be logged with all their fields."""
_WRONG = (AttemptFailed, GateClosed, ProblemFound, ShotSlated, SoundSilenced)


def refused(code: str, message: str) -> None:
    """Log a request that was refused before it started, with the text of the refusal."""
    _say(logging.WARNING, "refused", code=code, message=message)


def unforeseen(error: BaseException) -> None:
    """Log an uncaught exception with its places in the program.

    The path to the program is left out.
    """
    told: list[dict[str, Any]] = []
    link: BaseException | None = error
    while link is not None and len(told) < 5:
        frames = traceback.extract_tb(link.__traceback__)[-30:]
        places = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
        told.append({"type": type(link).__name__, "message": str(link)[:1000], "places": places})
        link = link.__cause__ or link.__context__
    message = f"A mistake in Hotsplice itself: {type(error).__name__}: {str(error)[:300]}. The places in the program are listed."
    _say(logging.ERROR, "unforeseen", message=message, errors=told)


def _short(filename: str) -> str:
    path = Path(filename)
    return (
        path.relative_to(_ROOT).as_posix()
        if path.is_relative_to(_ROOT)
        else "/".join(path.parts[-2:])
    )


def files(home: Path) -> list[Path]:
    """Return the existing logs, newest first."""
    first = home / artifacts.LOGS / FILE
    return [
        path
        for path in (first, *(first.with_name(f"{FILE}.{n}") for n in range(1, KEEP + 1)))
        if path.is_file()
    ]


def speak_into_file(home: Path) -> None:
    """Redirect the output of this process and its children to `SAID` in the data folder.

    Raises OSError.
    """
    private_files.make_folder(home)
    handle = os.open(home / SAID, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for number in (1, 2):
        os.dup2(handle, number)
    os.close(handle)
    if sys.stdout is None:  # a program without a window has none on Windows
        sys.stdout = sys.stderr = os.fdopen(
            1, "w", encoding="utf-8", errors="backslashreplace", buffering=1
        )


class Shortening:
    """Shortens `SAID` at intervals, so that it does not grow for ever.

    The file is open in a child, so that it cannot be replaced by another one.
    """

    def __init__(self, home: Path) -> None:
        self._path, self._last = home / SAID, -SHORTEN_S

    def look(self) -> None:
        """Shorten the file if `SHORTEN_S` seconds have passed since the last check."""
        if machine.monotonic() - self._last >= SHORTEN_S:
            self._last = machine.monotonic()
            with contextlib.suppress(OSError):  # a failing log must not cost anyone a film
                artifacts.shorten(self._path, MOST_BYTES)
