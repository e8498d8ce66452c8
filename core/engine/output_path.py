"""Decide where a film may be written.

This one place decides for the command line, the daemon, the watch folder, the window and Resolve
alike. A path that a user names becomes the path by which the film is known, or is refused with an
explanation.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from core.errors.refusal import Refused
from core.storage import output_names
from core.storage.workspace import LONGEST_ENDING
from core.system import machine

_ABSENT = (errno.ENOENT, errno.ENOTDIR)
_TOO_LONG = (errno.ENAMETOOLONG,)


def film_at(named: str) -> Path:
    """Return the path by which a film is known: absolute, links resolved.

    A film that is reached through a linked folder, or by a link of its own, is the same film, with
    one lock, one record and one predecessor. Raises Refused if no path can have that name, or if
    the path cannot be examined.
    """
    if "\0" in named:
        raise Refused("output-name-unusable", path=named, why="name-control")
    try:
        return Path(os.path.realpath(os.path.abspath(os.path.expanduser(named))))
    except OSError as error:  # the working folder is gone, for example with its drive
        raise unreachable(named, error) from error


def look(path: Path) -> os.stat_result | None:
    """Return the `os.stat` of a path, links followed; None if nothing is there.

    Raises Refused if that cannot be determined.
    """
    try:
        return os.stat(path)
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise unreachable(str(path), error) from error
    except ValueError as error:  # a NUL in the name
        raise Refused("output-name-unusable", path=str(path), why="name-control") from error


def unreachable(path: str, error: OSError) -> Refused:
    """Return the refusal for an OSError from a path check.

    Either the path is too long, or it cannot be examined; the detail is then the system's own text.
    """
    if error.errno in _TOO_LONG:
        return Refused("output-name-too-long", path=path)
    return Refused("output-unreachable", path=path, detail=error.strerror or str(error))


def check_output(output: Path, ours: Iterable[Path] = ()) -> None:
    """Raise Refused if a film cannot be written to this path, before any work is done.

    `ours` are the folders in which Hotsplice removes files.
    """
    _check_name(output)
    real = Path(os.path.realpath(output.parent))
    _check_outside(output, real, ours)
    there = look(output)
    if there is not None and stat.S_ISDIR(there.st_mode):
        raise Refused("output-is-folder", path=str(output))
    if there is not None and not stat.S_ISREG(
        there.st_mode
    ):  # a rename would replace a pipe or a device with a film
        raise Refused("output-no-file", path=str(output))
    folder = look(output.parent)
    if folder is None or not stat.S_ISDIR(folder.st_mode):
        raise Refused("output-folder-missing", path=str(output.parent))
    limit = output_names.too_long(
        str(real / output.name),
        len(os.fsencode(output.name)),
        longest_name=machine.longest_name(real),
        longest_path=machine.longest_path(real),
        endings=LONGEST_ENDING,
    )
    if limit is not None:
        raise Refused(
            "output-name-too-long" if limit == "name" else "output-path-too-long", path=str(output)
        )
    if not os.access(output.parent, os.W_OK | os.X_OK) or (
        there is not None and not os.access(output, os.W_OK)
    ):
        raise Refused("output-no-permission", path=str(output.parent))


def _check_name(output: Path) -> None:
    """Raise Refused for a name that no film may have, in whatever folder."""
    if output.parent == output:  # the root
        raise Refused("output-is-folder", path=str(output))
    for_windows = (
        os.name == "nt"
        or machine.listed_mount(output.parent)[1] in output_names.WINDOWS_FILE_SYSTEMS
    )
    fault = output_names.fault_of(output.name, for_windows=for_windows)
    if fault == "name-not-text":
        raise Refused("name-not-text", path=os.fsencode(output).decode(errors="replace"))
    if fault is not None:
        raise Refused("output-name-unusable", path=str(output), why=fault)


def _check_outside(output: Path, real: Path, ours: Iterable[Path]) -> None:
    """Raise Refused inside folders whose files Hotsplice manages, however they are reached."""
    hidden = any(output_names.is_hidden_folder(part) for part in (*output.parts, *real.parts))
    if hidden or any(_inside(real, Path(os.path.realpath(folder))) for folder in ours):
        raise Refused("output-in-our-folder", path=str(output.parent))


def _inside(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents
