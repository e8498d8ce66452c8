"""Which of the files that were found is the missing one, and what is said about it.

Rules:
1. Only what is proven is taken: all bytes that the film uses are equal to what is on record, or a media hash list has the
   file's hash. A name, a size, a date or samples are never enough.
2. Of several copies the one nearest to the film's other media is tried first, and that there are others is said.
3. Of several unproven ones none is chosen: all are named, and a person decides.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from core.model.content import Compared
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


def promising(path: str, matches: Sequence[Match], near: Collection[str]) -> list[Match]:
    """The matches for a path that are proven or worth comparing, the best first: nearest to `near` files, then the shortest
    path, then by name."""
    likely = [match for match in matches if match.path == path and match.how in ("samples", "mhl")]
    return sorted(likely, key=lambda match: (-_nearness(match.to, near), len(_folders(match.to)), match.to))


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


def found_again(match: Match, copies: int, compared: int) -> Remark:
    """What is said of a file that is used in place of another. `copies` counts all that look like it, `compared` the bytes
    that were compared; where all of a small file was, 0."""
    how = f"as {match.history} says" if match.how == "mhl" else "the content is the same"
    if match.how != "mhl" and compared:
        how += f" wherever it was used: {size(compared)} compared"
    more = f"; of {copies} copies this one lies nearest to the other media" if copies > 1 else ""
    return _relinked(f"{match.path} is now {match.to} ({how}{more}).")


def given(path: str, to: str) -> Remark:
    """What is said of a file that a person named: nobody has compared it with what was there before."""
    return Remark(code="source-chosen", severity="note", text=f"{path} is now {to}, as you said.")


def replaced(path: str) -> Remark:
    """It opens as ever, and is another file than when it was last used."""
    return Remark(code="source-replaced", severity="note", text=path)


def untold(path: str) -> Remark:
    """It was moved, copied or touched, and there is no record to compare it with."""
    return Remark(code="source-unproven", severity="note", text=path)


class Cost(NamedTuple):
    """What a search took: files that were missing and that were looked at, bytes read, seconds."""

    missing: int
    looked_at: int
    bytes: int
    seconds: float


_WORTH_SAYING_S, _WORTH_SAYING_BYTES = 1.0, 100_000_000


def cost(spent: Cost) -> list[Remark]:
    """What a search took, in words, where it took noticeably long or read much."""
    if spent.seconds <= _WORTH_SAYING_S and spent.bytes <= _WORTH_SAYING_BYTES:
        return []
    text = f"{spent.looked_at} files looked at for {spent.missing} missing, {size(spent.bytes)} read in {spent.seconds:.1f} s"
    return [Remark(code="search-cost", severity="note", text=text)]


def size(count: int) -> str:
    """Bytes as people write them."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


def _relinked(text: str) -> Remark:
    return Remark(code="source-relinked", severity="note", text=text)


def detail(path: str, matches: Sequence[Match], refused: Mapping[str, Compared] = {}) -> str:
    """What a person may want to know about a file that was not found: what resembles it, in sentences; or nothing. `refused`
    files have its size and samples, and how they compare with the record."""
    alike = [match.to for match in matches if match.path == path and match.how == "alike"]
    unlike = [match.to for match in matches if match.path == path and match.how == "unlike"]
    other = [to for to, compared in refused.items() if compared.verdict == "other"]
    untold = [to for to in refused if to not in other]
    said = []
    if untold:
        said.append(f"Perhaps {_row(untold)}: same size and samples, but not all that the film uses of it is on record.")
    if alike:
        said.append(f"Perhaps {_row(alike)}: same name and size; hotsplice answer can relink it.")
    if other:
        said.append(f"Not {_row(other)}: same size, but other content where it was used: another version.")
    if unlike:
        said.append(f"Not {_row(unlike)}: same name, but other content than is on record.")
    if untold or other:
        said.append(f"If it is the right file: hotsplice answer JOB SHOT relink {_quoted((untold or other)[0])}")
    return " ".join(said)


def _quoted(path: str) -> str:
    """A path as a shell takes it."""
    return shlex.quote(path)


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
