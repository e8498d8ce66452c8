"""How much room segments may take, and which of them go first when they take more. Pure."""

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
    """A size in bytes, or a share of the disk's whole size; the other one is 0."""

    size: int = 0
    share: float = 0.0

    def limit(self, disk_bytes: int | None) -> int | None:
        """Bytes; None where the share is of a disk whose size is not known."""
        if not self.share:
            return self.size
        return None if disk_bytes is None else int(disk_bytes * self.share)


class Stored(NamedTuple):
    """A segment in the store: its seal, and when it was made or last reused (unix seconds)."""

    seal: SegmentSealed
    used_at: float


@dataclass(frozen=True)
class Removal:
    """Segments that went, or would go, because they are in a film that was verified."""

    film: str
    segments: int
    bytes: int


@dataclass(frozen=True)
class Collected:
    """What a collection found and did; sizes in bytes. `told` when a person is to hear that the budget is not met: once, until
    it was met again. `trouble` is the exception that ended it."""

    used: int
    limit: int
    removals: tuple[Removal, ...] = ()
    told: bool = False
    trouble: Exception | None = None

    @property
    def freed(self) -> int:
        """Bytes."""
        return sum(one.bytes for one in self.removals)

    @property
    def left(self) -> int:
        """Bytes that segments take now."""
        return self.used - self.freed


def budget(text: str | bool | None) -> Budget | None:
    """A budget as the settings have it: `200 GB`, `1.5 TiB`, `20%`; None for the default, False and `off` for none. ValueError
    for anything else."""
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
    """Those whose removal brings so many bytes, the ones that were unused for longest; all where that is not enough."""
    chosen: list[Stored] = []
    for one in sorted(stored, key=lambda one: (one.used_at, one.seal.key)):
        if excess <= 0:
            break
        chosen.append(one)
        excess -= one.seal.bytes
    return chosen
