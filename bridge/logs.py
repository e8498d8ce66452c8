"""The log: one JSON object per line in `<home>/logs/hotsplice.log`, for someone who must find out later what happened.

The one place that sets it up. Each line is opened, appended in one write and closed, so that several processes can log at
once and none holds a file that another rotates. Nothing that goes wrong here ever reaches whoever logs. What the journal
says is not repeated in full: facts stand here by kind and code. Never: the environment, and words that look like secrets.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import sys
import traceback
from pathlib import Path
from typing import Any

from core.model import codec
from core.model.facts import AttemptFailed, Fact, GateClosed, JobFinished, ProblemFound, ShotSlated, SoundSilenced
from core.perform import machine
from core.record import papers

FILE = "hotsplice.log"
MOST_BYTES, KEEP = 2_000_000, 5
SAID = "companion.log"
"""What a companion without a terminal, and the programs it starts, print: seldom anything, and all the more wanted then."""
SHORTEN_S = 60.0
LONGEST = 16_000
"""Characters of one line; a longer one loses its fields, not its event."""

_log = logging.getLogger("hotsplice")
_SECRETS = (
    (re.compile(r"(\w+://)[^/\s@\"']+@"), r"\1…@"),
    (
        re.compile(
            r"(?i)\b((?:[\w-]*(?:token|passwo?r?d|passwd|secret|api_?key|signature)|authorization|cookie)\s*[=:]\s*)[^\s&\"',;]+"
        ),
        r"\1…",
    ),
)
_ROOT = Path(__file__).resolve().parents[1]


class _Lines(logging.Handler):
    """Appends records to a file that it opens for each."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._append(line_of(record))
        except Exception:  # a log that cannot be written costs nobody his film
            pass

    def _append(self, line: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line)
            full = os.fstat(handle).st_size > MOST_BYTES
        finally:
            os.close(handle)
        if full:
            papers.rotate(self.path, KEEP, MOST_BYTES)


def line_of(record: logging.LogRecord) -> bytes:
    """A record as one line: control characters escaped, secrets left out."""
    said = {
        "at": round(record.created, 3),
        "level": record.levelname.lower(),
        "pid": record.process,
        "event": record.getMessage(),
        **getattr(record, "said", {}),
    }
    text = json.dumps(_without_secrets(said), ensure_ascii=True)
    if len(text) > LONGEST:
        text = json.dumps({key: said[key] for key in ("at", "level", "pid", "event")} | {"left_out": len(text)})
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


def begin(home: Path) -> None:
    """Log into this data folder from now on."""
    _log.setLevel(logging.INFO)
    _log.propagate = False
    for old in list(_log.handlers):
        _log.removeHandler(old)
    _log.addHandler(_Lines(home / papers.LOGS / FILE))


def _say(level: int, event: str, **fields: Any) -> None:
    if _log.handlers:
        _log.log(level, "%s", event, extra={"said": fields})


def command(verb: str, version: str) -> None:
    """A command began."""
    _say(logging.INFO, "command", verb=verb, version=version)


def fact(job: str, seq: int, said: Fact) -> None:
    """A fact that the journal has: its kind and number, and for what went wrong the code and the place."""
    level = logging.WARNING if isinstance(said, _WRONG) else logging.INFO
    fields: dict[str, Any] = {}
    failure = getattr(said, "failure", None)
    if failure is not None:
        seen = failure.evidence
        fields = {"code": failure.code, "type": failure.type.value, "path": seen.path, "errno": seen.errno, "note": seen.note}
        fields |= {"exit_code": seen.exit_code, "detail": seen.detail, "stderr": list(seen.stderr[-3:])}
        fields = {name: value for name, value in fields.items() if value not in (None, "", [])}
    elif isinstance(said, ProblemFound | JobFinished):
        fields = {name: value for name, value in codec.plain(said).items() if name != "is"}
    for name in ("shot", "attempt"):
        if getattr(said, name, 0):
            fields[name] = getattr(said, name)
    if isinstance(said, AttemptFailed):
        fields["strategy"] = said.recovery.strategy.value
    _say(level, type(said).__name__, job=job, seq=seq, **fields)


_WRONG = (AttemptFailed, GateClosed, ProblemFound, ShotSlated, SoundSilenced)


def refused(code: str, message: str) -> None:
    """A request that was not begun, with the words that were said about it."""
    _say(logging.WARNING, "refused", code=code, message=message)


def unforeseen(error: BaseException) -> None:
    """An exception that nobody caught, with the places in the program that it came through, without the path to the program."""
    told: list[dict[str, Any]] = []
    link: BaseException | None = error
    while link is not None and len(told) < 5:
        frames = traceback.extract_tb(link.__traceback__)[-30:]
        places = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
        told.append({"type": type(link).__name__, "message": str(link)[:1000], "places": places})
        link = link.__cause__ or link.__context__
    _say(logging.ERROR, "unforeseen", errors=told)


def _short(filename: str) -> str:
    path = Path(filename)
    if path.is_relative_to(_ROOT):
        return path.relative_to(_ROOT).as_posix()
    return "/".join(path.parts[-2:])


def files(home: Path) -> list[Path]:
    """The logs that are there, the newest first."""
    first = home / papers.LOGS / FILE
    return [path for path in (first, *(first.with_name(f"{FILE}.{n}") for n in range(1, KEEP + 1))) if path.is_file()]


def speak_into_file(home: Path) -> None:
    """What this process and its children print goes to `SAID` in the data folder from now on. OSError."""
    home.mkdir(parents=True, exist_ok=True)
    handle = os.open(home / SAID, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for number in (1, 2):
        os.dup2(handle, number)
    os.close(handle)
    if sys.stdout is None:  # a program without a window on Windows has none
        sys.stdout = sys.stderr = os.fdopen(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1)


class Shortening:
    """Sees to it, once in a while, that `SAID` does not grow for ever. It is a child's open file: no other can take its place."""

    def __init__(self, home: Path) -> None:
        self._path, self._last = home / SAID, -SHORTEN_S

    def look(self) -> None:
        """Now and then."""
        if machine.monotonic() - self._last >= SHORTEN_S:
            self._last = machine.monotonic()
            with contextlib.suppress(OSError):  # a log that cannot be written costs nobody his film
                papers.shorten(self._path, MOST_BYTES)
