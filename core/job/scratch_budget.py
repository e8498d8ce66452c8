"""Scratch budget: how much space segments may take, and which to remove first. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from core.job.events import SegmentSealed

DEFAULT = "50%"
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]i?B|%)", re.IGNORECASE)
_POWERS = "kmgt"


class Budget(NamedTuple):
    """A size in bytes, or a share of the whole disk; the other field is 0."""

    size: int = 0
    share: float = 0.0

    def limit(self, disk_bytes: int | None) -> int | None:
        """Return the limit in bytes, or None for a share of a disk whose size is not known."""
        if not self.share:
            return self.size
        return None if disk_bytes is None else int(disk_bytes * self.share)


class Stored(NamedTuple):
    """A stored segment: its checkpoint, and when it was rendered or last reused (Unix seconds)."""

    seal: SegmentSealed
    used_at: float


@dataclass(frozen=True)
class Removal:
    """Segments that were or would be removed because they are part of a verified film."""

    film: str
    segments: int
    bytes: int


@dataclass(frozen=True)
class Collected:
    """The result of a collection; sizes in bytes.

    `told` is True when the user is to be told that the budget is exceeded: once, until it has been
    met again. `trouble` is the exception that ended the collection.
    """

    used: int
    limit: int
    removals: tuple[Removal, ...] = ()
    told: bool = False
    trouble: Exception | None = None

    @property
    def freed(self) -> int:
        """Bytes freed."""
        return sum(one.bytes for one in self.removals)

    @property
    def left(self) -> int:
        """Bytes that segments take now."""
        return self.used - self.freed


def budget(text: str | bool | None) -> Budget | None:
    """Parse a budget from the settings: `200 GB`, `1.5 TiB`, `20%`.

    None means the default; False and `off` mean no budget, for which None is returned. Raises
    ValueError for anything else.
    """
    if text is False or (isinstance(text, str) and text.strip().lower() == "off"):
        return None
    found = _SIZE.fullmatch(DEFAULT if text is None else str(text).strip())
    if found is None:
        raise ValueError(text)
    number, unit = float(found[1]), found[2].lower()
    if unit == "%":
        if not 0 < number <= 100:
            raise ValueError(text)
        return Budget(share=number / 100)
    size = int(number * (1024 if "i" in unit else 1000) ** (_POWERS.index(unit[0]) + 1))
    if not size:
        raise ValueError(text)
    return Budget(size=size)


def oldest_first(stored: Iterable[Stored], excess: int) -> list[Stored]:
    """Return the segments to remove to free `excess` bytes, least recently used first.

    Returns all of them where that is not enough.
    """
    chosen: list[Stored] = []
    for one in sorted(stored, key=lambda one: (one.used_at, one.seal.key)):
        if excess <= 0:
            break
        chosen.append(one)
        excess -= one.seal.bytes
    return chosen
