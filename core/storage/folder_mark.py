"""Marker file that identifies a film's folder when its drive comes back with another device number.

    <folder of the film>/.hotsplice/NAME.OWNER.place

The file contains a token. It exists while a job for the film NAME can be resumed. `OWNER`
identifies the data folder (`scratch_leases.name`). The token belongs to the folder, not to one job:
a job that finds a token records that token. A marker that a power cut left behind therefore serves
the next job for the film, and is removed when that job ends.
"""

from __future__ import annotations

import os
from pathlib import Path

from core.storage import scratch_leases
from core.storage.workspace import BESIDE, flush_directory, make_below, take_place
from core.system import private_files

_OWNER_DIGITS = 12
_TOKEN_LENGTH = 16


def name(home: Path, output: Path) -> str:
    """Return the path of the marker file, relative to the film's folder."""
    return f"{BESIDE}/{output.name}.{scratch_leases.name(home)[:_OWNER_DIGITS]}.place"


def leave(output: Path, mark: str, token: str) -> str:
    """Make sure that the film's folder, which must exist, has a token; return the one in effect.

    An existing token is kept. Raises OSError.
    """
    found = _read(output.parent / mark)
    if found:
        return found
    write(output, mark, token)
    return token


def write(output: Path, mark: str, token: str) -> None:
    """Write a token to the film's folder, durably. Raises OSError."""
    target = output.parent / mark
    make_below(target.parent, output.parent)
    private_files.share(target.parent)
    part = target.with_name(f"{target.name}.part")
    with open(part, "wb", opener=private_files.opener) as handle:
        handle.write(os.fsencode(token))
        handle.flush()
        os.fsync(handle.fileno())
    take_place(part, target)
    flush_directory(target.parent)
    flush_directory(output.parent)  # the creator of our hidden folder may not have flushed it


def remove(output: Path, mark: str) -> None:
    """Remove a marker that no job needs.

    A power cut may bring the file back; the next job for the film removes it again. Raises OSError.
    """
    target = output.parent / mark
    target.unlink(missing_ok=True)
    target.with_name(f"{target.name}.part").unlink(missing_ok=True)


def _read(mark: Path) -> str:
    """Return the token in a marker file, or "" if it is missing or torn."""
    try:
        found = mark.read_bytes().decode("ascii", "replace")
    except OSError:
        return ""
    return found if len(found) == _TOKEN_LENGTH and found.isalnum() else ""
