"""Values that describe a file's content and its comparison with a file; sent to a worker and back.

A place in a stream is a packet's time stamp in the stream's time base. For uncompressed sound it is
the index of a block of `core.media.packet_hashes.BLOCK` samples, counted from the first.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from core.system.codec import Value

WHOLE = -1
"""Stream number under which the hash of a whole file is recorded."""


class Places(Value, frozen=True):
    """Map the places of a stream to times in its file.

    Place p starts at p * unit_s - zero_s seconds from the start of the file and lasts `lasts_s`.
    `touches` means that a place may also be audible one place earlier and later.
    """

    unit_s: Fraction
    zero_s: Fraction
    lasts_s: Fraction
    touches: bool


class Marks(Value, frozen=True):
    """Packet hashes (xxh3-64), by place, of the content that a task used from one stream of a file.

    `before` holds the hashes of the packets where decoding began, ahead of the first packet shown.
    `unmarked` counts packets that were used but have no place of their own, so they cannot be
    compared later. `header` is the hash of what the container declares about the stream
    (`core.media.packet_hashes.header_of`), 0 if it was not requested. `places` is set for sound.
    The engine adds the `identity` of the file.
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
    """What the history holds about one stream: the hash of its header and the hash at each place.

    For a whole file (`WHOLE`), places 0 and 1 hold the high and the low half of its XXH3-128.
    """

    stream: int
    header: int
    marks: dict[int, int]


class Use(Value, frozen=True):
    """A range of a stream that a film shows or plays, in seconds from the container's start.

    For `WHOLE` it means the entire file.
    """

    stream: int
    begin_s: Fraction = Fraction(0)
    end_s: Fraction = Fraction(0)


class CompareSource(Value, frozen=True):
    """Compare a file with a recorded content, and check that the record covers what a film uses.

    `fingerprint` is the expected state of the file, `known` everything on record about the content,
    `used` the ranges that must be covered. `holders` are other paths recorded for the same content.
    If `alone` is set, nothing is read while one of them still leads to a different file.
    """

    path: str
    fingerprint: str
    known: tuple[Known, ...]
    used: tuple[Use, ...] = ()
    holders: tuple[str, ...] = ()
    alone: bool = False


class Compared(Value, frozen=True):
    """The result of `CompareSource`.

    `verdict` is `same` if every recorded place matches, `other` if one differs, and `unknown` if
    that cannot be determined. `covered` is true if everything used is on record. `held` is the path
    that still leads to another file with this content, or "". `bytes` counts the coded content
    read.
    """

    verdict: Literal["same", "other", "unknown"]
    covered: bool = False
    held: str = ""
    bytes: int = 0
