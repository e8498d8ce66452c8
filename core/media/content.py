"""What is known of a file's content, and how a file is compared with it. Values that travel to a worker and back.

A place in a stream is a packet's time stamp in the stream's time base, or for uncompressed sound the number of a block of
`core.media.packet_hashes.BLOCK` samples, counted from the first.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from core.system.codec import Value

WHOLE = -1
"""The number under which the hash of a whole file stands among the hashes of its streams."""


class Places(Value, frozen=True):
    """When in a file the places of a stream are: place p is at p * unit_s - zero_s seconds from its start, and lasts so long.
    `touches` tells that a place may be heard one place earlier and later too."""

    unit_s: Fraction
    zero_s: Fraction
    lasts_s: Fraction
    touches: bool


class Marks(Value, frozen=True):
    """Hashes (xxh3-64) by place of the coded content that a piece of work used from one stream of a file.

    `before` are hashes of what decoding began with, earlier than anything that is shown. `unmarked` counts packets that were
    used and have no place of their own: they cannot be compared later. `header` is a hash of what the container says of the
    stream (`core.media.packet_hashes.header_of`), 0 where that was not asked. `places` are given for sound. The engine adds the
    `identity` of the file.
    """

    path: str
    stream: int
    marks: dict[int, int]
    places: Places | None = None
    before: dict[int, int] = {}
    unmarked: int = 0
    header: int = 0
    identity: str = ""


class Known(Value, frozen=True):
    """What is on record of one stream: the hash of its header and the hash at each place; of a whole file (`WHOLE`) the high
    and the low half of its XXH3-128 at places 0 and 1."""

    stream: int
    header: int
    marks: dict[int, int]


class Use(Value, frozen=True):
    """A stretch of a stream that a film shows or plays, in seconds from the container's start; of `WHOLE` everything."""

    stream: int
    begin_s: Fraction = Fraction(0)
    end_s: Fraction = Fraction(0)


class CompareSource(Value, frozen=True):
    """Compare a file, whose state is `fingerprint`, with everything that is `known` of a content, and find out whether that
    covers the `used` stretches. `holders` are other paths that stand for this content on record; with `alone` nothing is read
    where one of them still leads to another file."""

    path: str
    fingerprint: str
    known: tuple[Known, ...]
    used: tuple[Use, ...] = ()
    holders: tuple[str, ...] = ()
    alone: bool = False


class Compared(Value, frozen=True):
    """`verdict`: every place on record is the `same`, one is an`other`, or that cannot be told (`unknown`). `covered`: all
    that is used is on record. `held`: the path that still leads to another file of this content, or empty. `bytes` of coded
    content were read."""

    verdict: Literal["same", "other", "unknown"]
    covered: bool = False
    held: str = ""
    bytes: int = 0
