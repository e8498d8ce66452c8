"""Which of the files that were found is the missing one, and what is said about it; `core.messages.relink_text` has the words.

Rules:
1. Only what is proven is taken: all bytes that the film uses are equal to what is on record, or a media hash list has the
   file's hash. A name, a size, a date or samples are never enough.
2. Of several copies the one nearest to the film's other media is tried first, and that there are others is said.
3. Of several unproven ones none is chosen: all are named, and a person decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from core.errors.failure import Lookalike, Resembles
from core.media.content import Compared
from core.tasks.spec import Match
from core.timeline.timeline import Fields, Remark

LOOKED_FOR = frozenset(
    {
        "source-missing", "source-not-a-file", "source-empty", "source-not-media", "source-no-picture", "source-no-permission",
        "source-unreadable", "source-truncated", "source-damaged", "source-name-invalid", "source-read-error",
        "source-volume-gone", "source-hung", "source-slow", "network-lost",
    }
)  # fmt: skip
"""What is wrong with a source when another copy of it would help."""

SILENT = frozenset(
    {"source-read-error", "source-volume-gone", "source-hung", "source-slow", "network-lost"}
)
"""Of these: where the file was, nothing answers; it is not looked for there."""


def promising(path: str, matches: Sequence[Match], near: Collection[str]) -> list[Match]:
    """The matches for a path that are proven or worth comparing, the best first: nearest to `near` files, then the shortest
    path, then by name."""
    likely = [match for match in matches if match.path == path and match.how in ("samples", "mhl")]
    return sorted(
        likely, key=lambda match: (-_nearness(match.to, near), len(_folders(match.to)), match.to)
    )


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
    how = "listed" if match.how == "mhl" else "compared" if compared else "same"
    fields: Fields = {"path": match.path, "to": match.to, "how": how, "history": match.history}
    fields |= {"compared": compared, "copies": copies}
    return Remark(code="source-relinked", severity="note", fields=fields)


def given(path: str, to: str) -> Remark:
    """What is said of a file that a person named: nobody has compared it with what was there before."""
    return Remark(code="source-chosen", severity="note", fields={"path": path, "to": to})


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
    """What a search took, where it took noticeably long or read much."""
    if spent.seconds <= _WORTH_SAYING_S and spent.bytes <= _WORTH_SAYING_BYTES:
        return []
    fields: Fields = {"looked_at": spent.looked_at, "missing": spent.missing, "read": spent.bytes}
    fields["seconds"] = round(spent.seconds, 1)
    return [Remark(code="search-cost", severity="note", fields=fields)]


def lookalikes(
    path: str, matches: Sequence[Match], refused: Mapping[str, Compared] = {}
) -> tuple[Lookalike, ...]:
    """What resembles a file that was not found, the likeliest first. `refused` files have its size and samples, and how they
    compare with the record."""
    unproven = [to for to, compared in refused.items() if compared.verdict != "other"]
    other = [to for to, compared in refused.items() if compared.verdict == "other"]
    others = [match for match in matches if match.path == path and match.to not in refused]
    named, unlike = (
        [match.to for match in others if match.how == how] for how in ("alike", "unlike")
    )
    rows: tuple[tuple[Resembles, list[str]], ...] = (
        ("unproven", unproven), ("named", _closest(named, path)), ("other", other), ("unlike", _closest(unlike, path))
    )  # fmt: skip
    return tuple(Lookalike(path=to, how=how) for how, row in rows for to in row)


def _closest(paths: Sequence[str], wanted: str) -> list[str]:
    """Those first whose folders are called as those of the wanted file: cameras give one name to many files."""
    ends = list(reversed(_folders(wanted)))
    return sorted(paths, key=lambda path: (-_shared(list(reversed(_folders(path))), ends), path))


def contradicted(path: str, matches: Sequence[Match]) -> list[Remark]:
    """What is said of files that have the name and are not the file."""
    return [
        Remark(
            code="source-unlike-record", severity="note", fields={"file": match.to, "wanted": path}
        )
        for match in matches
        if match.path == path and match.how == "unlike"
    ]
