"""Which of the files that were found is the missing one, and what is said about it.

Rules:
1. Only what is proven by its content is taken; a name, a size or a date never is enough.
2. Of several proven copies the one nearest to the film's other media is taken, and that there are others is said.
3. Of several unproven ones none is chosen: all are named, and a person decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from core.model.film import Remark
from core.model.orders import Match

LOOKED_FOR = frozenset(
    {
        "source-missing", "source-not-a-file", "source-empty", "source-not-media", "source-no-picture", "source-no-permission",
        "source-unreadable", "source-truncated", "source-damaged", "source-name-invalid", "source-read-error",
        "source-volume-gone", "source-hung", "source-slow", "network-lost",
    }
)  # fmt: skip
"""What is wrong with a source when another copy of it would help."""

SILENT = frozenset({"source-read-error", "source-volume-gone", "source-hung", "source-slow", "network-lost"})
"""Of these: where the file was, nothing answers; it is not looked for there."""

_MOST_NAMED = 3


def proven(path: str, matches: Sequence[Match], near: Collection[str]) -> list[Match]:
    """The matches for a path that are certainly its content, the best first: nearest to `near` files, then the shortest
    path, then by name."""
    sure = [match for match in matches if match.path == path and match.how in ("content", "mhl")]
    return sorted(sure, key=lambda match: (-_nearness(match.to, near), len(_folders(match.to)), match.to))


def _nearness(path: str, near: Collection[str]) -> int:
    """How many folders a file shares, from the root on, with the nearest of others."""
    return max((_shared(_folders(path), _folders(other)) for other in near), default=0)


def _folders(path: str) -> list[str]:
    return re.split(r"[\\/]", path)[:-1]


def _shared(one: list[str], other: list[str]) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def found_again(match: Match, copies: int) -> Remark:
    """What is said of a file that is used in place of another. `copies` counts all that are proven."""
    how = f"as {match.history} says" if match.how == "mhl" else "the content is the same"
    more = f"; of {copies} copies this one lies nearest to the other media" if copies > 1 else ""
    return _relinked(f"{match.path} is now {match.to} ({how}{more}).")


def given(path: str, to: str) -> Remark:
    """What is said of a file that a person named: nobody has compared it with what was there before."""
    return Remark(code="source-chosen", severity="note", text=f"{path} is now {to}, as you said.")


def replaced(path: str) -> Remark:
    """It opens as ever, and is another file than when it was last used."""
    return Remark(code="source-replaced", severity="note", text=path)


def _relinked(text: str) -> Remark:
    return Remark(code="source-relinked", severity="note", text=text)


def detail(path: str, matches: Sequence[Match]) -> str:
    """What a person may want to know about a file that was not found: what resembles it, in sentences; or nothing."""
    alike = [match.to for match in matches if match.path == path and match.how == "alike"]
    unlike = [match.to for match in matches if match.path == path and match.how == "unlike"]
    said = []
    if alike:
        said.append(f"Perhaps {_row(alike)}: same name and size; hotsplice answer can relink it.")
    if unlike:
        said.append(f"Not {_row(unlike)}: same name, but other content than is on record.")
    return " ".join(said)


def contradicted(path: str, matches: Sequence[Match]) -> list[Remark]:
    """What is said of files that have the name and are not the file."""
    return [
        Remark(code="source-unlike-record", severity="note", text=f"{match.to} has the name of {path} and other content")
        for match in matches
        if match.path == path and match.how == "unlike"
    ]


def _row(paths: list[str]) -> str:
    more = f" or one of {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    return " or ".join(paths[:_MOST_NAMED]) + more
