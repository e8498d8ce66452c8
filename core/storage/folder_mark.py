"""The mark in a film's folder. It shows that the folder is the same one when its drive comes back under another number.

    <folder of the film>/.hotsplice/NAME.OWNER.place   a token; there while a job for the film NAME can be taken up

`OWNER` names the data folder (`owners.name`). The token belongs to the folder, not to one job: a job that finds a token there
records that one. So a mark that a power cut left behind serves the next job for the film, and is removed when that job ends.
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
    """The mark of a film's folder, relative to that folder."""
    return f"{BESIDE}/{output.name}.{scratch_leases.name(home)[:_OWNER_DIGITS]}.place"


def leave(output: Path, mark: str, token: str) -> str:
    """Make sure that a token stands in the film's folder, which must exist; the one that stands there. OSError."""
    found = _read(output.parent / mark)
    if found:
        return found
    write(output, mark, token)
    return token


def write(output: Path, mark: str, token: str) -> None:
    """Put this token into the film's folder, durably. OSError."""
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
    flush_directory(output.parent)  # whoever made our hidden folder may not have flushed it


def remove(output: Path, mark: str) -> None:
    """Remove a mark that no job needs. A power cut may bring it back; the next work on the film removes it again. OSError."""
    target = output.parent / mark
    target.unlink(missing_ok=True)
    target.with_name(f"{target.name}.part").unlink(missing_ok=True)


def _read(mark: Path) -> str:
    """The token in a mark; empty when there is none, or a torn one."""
    try:
        found = mark.read_bytes().decode("ascii", "replace")
    except OSError:
        return ""
    return found if len(found) == _TOKEN_LENGTH and found.isalnum() else ""
