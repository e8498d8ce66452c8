"""Choose which of the files found replaces a missing one, and the remark about it.

The texts are in `core.messages.relink_text`.

Rules:
1. A file is used only when it is proven: all bytes that the film uses equal the record, or a media
   hash list contains the hash of the file. A name, size, date or samples alone are never enough.
2. Of several copies, the one nearest to the film's other media is tried first, and the remark
   mentions the others.
3. Of several unproven files none is chosen: all are listed and the user decides.
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
"""Faults of a source for which another copy of the file would help."""

SILENT = frozenset(
    {"source-read-error", "source-volume-gone", "source-hung", "source-slow", "network-lost"}
)
"""Those of `LOOKED_FOR` where the original location does not respond, so the search skips it."""


def promising(path: str, matches: Sequence[Match], near: Collection[str]) -> list[Match]:
    """Return the matches for a path that are proven or worth comparing, best first.

    The order is: nearest to the `near` files, then fewest folders, then by name.
    """
    likely = [match for match in matches if match.path == path and match.how in ("samples", "mhl")]
    return sorted(
        likely, key=lambda match: (-_nearness(match.to, near), len(_folders(match.to)), match.to)
    )


def _nearness(path: str, near: Collection[str]) -> int:
    """Return how many leading folders a file shares with the closest of the `near` files."""
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
    """Return the remark about a file that is used in place of another.

    `copies` counts all files that look like it. `compared` is the number of bytes compared, 0 where
    a small file was compared as a whole.
    """
    how = "listed" if match.how == "mhl" else "compared" if compared else "same"
    fields: Fields = {"path": match.path, "to": match.to, "how": how, "history": match.history}
    fields |= {"compared": compared, "copies": copies}
    return Remark(code="source-relinked", severity="note", fields=fields)


def given(path: str, to: str) -> Remark:
    """Return the remark about a file that a person chose; it was not compared with the original."""
    return Remark(code="source-chosen", severity="note", fields={"path": path, "to": to})


def replaced(path: str) -> Remark:
    """Return the remark about a source that opens but is not the file that was last used."""
    return Remark(code="source-replaced", severity="note", text=path)


def untold(path: str) -> Remark:
    """Return the remark about a source that was moved, copied or touched and cannot be compared.

    There is no record to compare it with.
    """
    return Remark(code="source-unproven", severity="note", text=path)


class Cost(NamedTuple):
    """The cost of a search: files that were missing, files examined, bytes read, seconds."""

    missing: int
    looked_at: int
    bytes: int
    seconds: float


_WORTH_SAYING_S, _WORTH_SAYING_BYTES = 1.0, 100_000_000


def cost(spent: Cost) -> list[Remark]:
    """Return a remark on the cost of a search that took noticeably long or read a lot."""
    if spent.seconds <= _WORTH_SAYING_S and spent.bytes <= _WORTH_SAYING_BYTES:
        return []
    fields: Fields = {"looked_at": spent.looked_at, "missing": spent.missing, "read": spent.bytes}
    fields["seconds"] = round(spent.seconds, 1)
    return [Remark(code="search-cost", severity="note", fields=fields)]


def lookalikes(
    path: str, matches: Sequence[Match], refused: Mapping[str, Compared] = {}
) -> tuple[Lookalike, ...]:
    """Return the files that resemble a missing one, likeliest first.

    `refused` files have the same size and samples; each is mapped to its comparison with the
    record.
    """
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
    """Sort paths so that those whose folder names match the wanted file's come first.

    Cameras give the same name to many files, so the folders tell them apart.
    """
    ends = list(reversed(_folders(wanted)))
    return sorted(paths, key=lambda path: (-_shared(list(reversed(_folders(path))), ends), path))


def contradicted(path: str, matches: Sequence[Match]) -> list[Remark]:
    """Return the remarks about files that have the right name but are not the wanted file."""
    return [
        Remark(
            code="source-unlike-record", severity="note", fields={"file": match.to, "wanted": path}
        )
        for match in matches
        if match.path == path and match.how == "unlike"
    ]
