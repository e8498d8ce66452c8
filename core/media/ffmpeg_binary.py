"""Choose the ffmpeg to use and check that it runs.

The order is: the one named in the settings, the one bundled with the installation, the one on PATH.
The result is always an absolute path. The current working folder is never searched for programs.
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
"""Seconds within which ffmpeg must print its version; a cold disk and a virus scanner take some."""
TRIES = 2
_AGAIN = frozenset({errno.ETXTBSY, errno.EAGAIN, errno.ENOMEM, errno.EIO, errno.EINTR})
"""Start errors that may not recur on another attempt."""
_LIBRARY = re.compile(r"error while loading shared libraries: ([^:]+):|Library not loaded: (\S+)")


class FfmpegBinary(NamedTuple):
    """An ffmpeg program.

    `path` is absolute, `version` the version word, `identity` the string that identifies its
    output, and `origin` where it was found. `passed_over` says why the bundled ffmpeg is not used.
    It is None if the bundled one is used or another one was chosen.
    """

    path: str
    version: str
    identity: str
    origin: Origin = "chosen"
    passed_over: Refused | None = None


def find(chosen: str | None, base: Path | None = None) -> FfmpegBinary:
    """Return the ffmpeg to use.

    `chosen` is an absolute path, a path relative to `base` (the data folder), or the name of a
    command on PATH. If the chosen one does not run, nothing else is tried in its place.

    Raises Refused (`ffmpeg-missing`, `ffmpeg-not-running`).
    """
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
    """Return the path of the ffmpeg in the installed package imageio-ffmpeg, or None.

    Starts nothing. The package's own search is not used because it starts any program called
    `ffmpeg` and has no time limit.
    """
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
    """Return the absolute path of a program on PATH, or None.

    Skips empty and relative entries and the current folder, as well as the folders that Windows
    searches before PATH.
    """
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
    """Return the absolute path of the executable file that the settings name.

    Raises Refused (`ffmpeg-missing`).
    """
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
    """Start the program once to read its version.

    Raises Refused (`ffmpeg-missing`, `ffmpeg-not-running`).
    """
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
    # Only NotStarted: any other exception is a bug of ours, and ffmpeg is not blamed for it.
    except NotStarted as error:
        if error.errno == errno.ENOEXEC or getattr(error.__cause__, "winerror", None) in (193, 216):
            raise Refused("ffmpeg-not-running", path=path, why="ffmpeg-architecture") from error
        # The file exists, so its loader or interpreter is missing.
        if error.errno == errno.ENOENT:
            raise Refused("ffmpeg-not-running", path=path, why="ffmpeg-loader") from error
        raise Refused(
            "ffmpeg-not-running", path=path, detail=error.strerror or str(error)
        ) from error


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, NotStarted) and error.errno in _AGAIN


def encoders(build: FfmpegBinary) -> set[str]:
    """Return the names of the encoders in this build.

    Raises NotStarted or process.TimeoutExpired.
    """
    lines = process.output_of([build.path, "-hide_banner", "-encoders"]).splitlines()
    return {line.split()[1] for line in lines if len(line.split()) > 1 and line[:1] == " "} - {
        "="
    }  # "=" comes from the legend above the list
