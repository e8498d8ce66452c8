"""Which ffmpeg is used, and whether it runs.

In this order: the one that the settings choose; the one that comes with the installation; one on PATH. The result is always an
absolute path. A program is never looked for in the folder that the user stands in.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from importlib import util
from pathlib import Path
from typing import Literal, NamedTuple

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_fixed

from core.errors.refusal import Refused
from core.system import machine, process
from core.system.process import NotStarted

Origin = Literal["chosen", "bundled", "path"]

START_LIMIT_S = 10.0
"""Seconds in which an ffmpeg must print its version; a cold disk and a virus scanner take some of them."""
TRIES = 2
_AGAIN = frozenset({errno.ETXTBSY, errno.EAGAIN, errno.ENOMEM, errno.EIO, errno.EINTR})
"""Errors of a start that another start may not meet."""
_LIBRARY = re.compile(r"error while loading shared libraries: ([^:]+):|Library not loaded: (\S+)")


class FfmpegBinary(NamedTuple):
    """An ffmpeg: its absolute path, its version word, an identity under which its output is known again, and where it was
    found. `passed_over` says why the bundled one is not used, None where it is used or another one was chosen."""

    path: str
    version: str
    identity: str
    origin: Origin = "chosen"
    passed_over: Refused | None = None


def find(chosen: str | None, base: Path | None = None) -> FfmpegBinary:
    """The ffmpeg to use. `chosen` is an absolute path, a path relative to `base` (the data folder), or the name of a command on
    PATH; where it does not run, nothing else is tried in its place. Refused(ffmpeg-missing, ffmpeg-not-running)."""
    if chosen:
        return _started(_resolved(chosen, base), "chosen")
    why: Refused | None = None
    for origin, path in _candidates():
        try:
            return _started(path, origin)._replace(passed_over=why)
        except Refused as error:
            why = why or error
    raise why or Refused("ffmpeg-missing", path="ffmpeg", why="ffmpeg-not-bundled")


def _candidates() -> list[tuple[Origin, str]]:
    found: list[tuple[Origin, str | None]] = [("bundled", bundled()), ("path", on_path("ffmpeg"))]
    return [(origin, path) for origin, path in found if path]


def bundled() -> str | None:
    """The ffmpeg in the installed package imageio-ffmpeg, without starting anything; None where the package has none. Its own
    search is not used: it starts whatever is called `ffmpeg`, without a time limit."""
    found = util.find_spec("imageio_ffmpeg")
    if found is None or not found.origin:
        return None
    try:
        names = sorted(
            name
            for name in os.listdir(Path(found.origin).parent / "binaries")
            if name.startswith("ffmpeg-")
        )
    except OSError:
        return None
    return os.path.abspath(Path(found.origin).parent / "binaries" / names[-1]) if names else None


def on_path(name: str) -> str | None:
    """The absolute path of a program on PATH. Entries that are empty, relative or the current folder are passed over, and so is
    what Windows looks through before PATH."""
    try:
        here = os.path.realpath(os.getcwd())
    except OSError:  # the working folder was removed
        here = ""
    names = [name + ending for ending in ("", ".exe")] if os.name == "nt" else [name]
    for entry in os.environ.get("PATH", os.defpath).split(os.pathsep):
        folder = entry.strip('"') if os.name == "nt" else entry
        if not os.path.isabs(folder) or os.path.realpath(folder) == here:
            continue
        for full in (os.path.join(folder, one) for one in names):
            if os.path.isfile(full) and os.access(full, os.X_OK):
                return os.path.abspath(full)
    return None


def _resolved(chosen: str, base: Path | None) -> str:
    """The absolute path that the settings mean, of a file that may be run. Refused(ffmpeg-missing)."""
    named = os.path.expanduser(chosen)
    if os.sep not in named and not (os.altsep and os.altsep in named):
        path = on_path(named)
        if path is None:
            raise Refused("ffmpeg-missing", path=chosen, why="ffmpeg-not-found")
        return path
    path = os.path.abspath(named if os.path.isabs(named) or base is None else base / named)
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError as error:
        raise Refused("ffmpeg-missing", path=path, why="ffmpeg-not-found") from error
    except (OSError, ValueError) as error:
        raise Refused(
            "ffmpeg-missing", path=path, detail=getattr(error, "strerror", None) or str(error)
        ) from error
    if not stat.S_ISREG(mode):
        raise Refused("ffmpeg-missing", path=path, why="ffmpeg-no-file")
    if not os.access(path, os.X_OK):
        raise Refused("ffmpeg-missing", path=path, why="ffmpeg-not-executable")
    return path


def _started(path: str, origin: Origin) -> FfmpegBinary:
    """Start it once for its version. Refused."""
    said = _version(path)
    first = said.text.splitlines()[0] if said.text else ""
    words = first.split()
    library = _LIBRARY.search(said.text)
    if library:
        raise Refused(
            "ffmpeg-not-running", path=path, why="ffmpeg-library", name=library[1] or library[2]
        )
    if said.exit_code < 0:
        raise Refused("ffmpeg-not-running", path=path, why="ffmpeg-crashed", signal=-said.exit_code)
    if len(words) < 3 or words[0] != "ffmpeg":
        raise Refused("ffmpeg-missing", path=path, why="ffmpeg-strange")
    return FfmpegBinary(path, words[2], f"{first} {os.path.getsize(path)}", origin)


def _version(path: str) -> process.Said:
    retrying = Retrying(
        retry=retry_if_exception(
            lambda error: isinstance(error, process.TimeoutExpired) or _may_pass(error)
        ),
        stop=stop_after_attempt(TRIES),
        wait=wait_fixed(0.2),
        sleep=machine.sleep,
        reraise=True,
    )
    try:
        return retrying(process.hear, [path, "-version"], timeout_s=START_LIMIT_S)
    except process.TimeoutExpired as error:
        raise Refused(
            "ffmpeg-not-running",
            path=path,
            why="ffmpeg-hangs",
            seconds=f"{START_LIMIT_S:g}",
            count=TRIES,
        ) from error
    except (
        NotStarted
    ) as error:  # any other exception is a mistake of ours, and ffmpeg is not blamed for it
        if error.errno == errno.ENOEXEC or getattr(error.__cause__, "winerror", None) in (193, 216):
            raise Refused("ffmpeg-not-running", path=path, why="ffmpeg-architecture") from error
        if (
            error.errno == errno.ENOENT
        ):  # the file is there: what is missing is its loader or interpreter
            raise Refused("ffmpeg-not-running", path=path, why="ffmpeg-loader") from error
        raise Refused(
            "ffmpeg-not-running", path=path, detail=error.strerror or str(error)
        ) from error


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, NotStarted) and error.errno in _AGAIN


def encoders(build: FfmpegBinary) -> set[str]:
    """Names of the encoders this build has. NotStarted, process.TimeoutExpired."""
    lines = process.output_of([build.path, "-hide_banner", "-encoders"]).splitlines()
    return {line.split()[1] for line in lines if len(line.split()) > 1 and line[:1] == " "} - {
        "="
    }  # of the legend above them
