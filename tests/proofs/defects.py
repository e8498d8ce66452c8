"""Damage as disks, cables and copies make it: bytes to other bytes, by chance but seeded."""

from __future__ import annotations

import random
from collections.abc import Callable

PAGE = 4096
Defect = Callable[[bytes, random.Random], bytes]


def one_bit(good: bytes, chance: random.Random) -> bytes:
    """One bit is another."""
    at = chance.randrange(len(good))
    return good[:at] + bytes([good[at] ^ (1 << chance.randrange(8))]) + good[at + 1 :]


def sixteen_bytes(good: bytes, chance: random.Random) -> bytes:
    """Sixteen bytes in a row are noise."""
    at = chance.randrange(len(good) - 16)
    return good[:at] + chance.randbytes(16) + good[at + 16 :]


def zeroed_page(good: bytes, chance: random.Random) -> bytes:
    """A page of the file was never written."""
    at = chance.randrange(len(good) // PAGE) * PAGE
    return good[:at] + bytes(PAGE) + good[at + PAGE :]


def misplaced_page(good: bytes, chance: random.Random) -> bytes:
    """A page holds what belongs elsewhere."""
    pages = len(good) // PAGE
    at, other = (place * PAGE for place in chance.sample(range(pages), 2))
    return good[:at] + good[other : other + PAGE] + good[at + PAGE :]


def truncated(good: bytes, chance: random.Random) -> bytes:
    """The copy was cut off somewhere in its second half."""
    return good[: chance.randrange(len(good) // 2, len(good))]


def dropped_chunk(good: bytes, chance: random.Random) -> bytes:
    """A piece in the middle is missing: everything after it is too early."""
    at = chance.randrange(PAGE, len(good) - PAGE)
    return good[:at] + good[at + chance.choice((1, 512, PAGE)) :]


DEFECTS: dict[str, Defect] = {
    "one bit": one_bit,
    "16 random bytes": sixteen_bytes,
    "4 KiB zeroed": zeroed_page,
    "4 KiB misplaced": misplaced_page,
    "truncated": truncated,
    "chunk dropped": dropped_chunk,
}
