"""Whether H.264 and HEVC packets can be what an encoder wrote, by their bytes alone.

A decoder reads on over many defects without a word: a page of zeroes in a picture ends its slice early, and what is missing is
copied from the frame before. But three zero bytes in a row, or two and a 1 or 2, may stand in no unit (ITU-T H.264, 7.4.1):
encoders put a 3 between. Units whose lengths do not add up are wrong as well.
"""

from __future__ import annotations

import re

import av

_FORBIDDEN = re.compile(rb"\x00\x00[\x00-\x02]")


def length_size(stream: av.VideoStream) -> int:
    """How many bytes tell a unit's length; 0 where units are not stored by length, or the codec has none."""
    head = stream.codec_context.extradata or b""
    name = stream.codec_context.codec.canonical_name
    if name == "h264" and len(head) > 4 and head[0] == 1:
        return (head[4] & 3) + 1
    if name == "hevc" and len(head) > 21 and head[0] == 1:
        return (head[21] & 3) + 1
    return 0


def malformed(data: bytes, size: int, *, hevc: bool = False) -> bool:
    """Whether a packet holds what no encoder writes. `size` is that of `length_size`; 0: nothing can be said."""
    at = 0
    while size and at < len(data):
        begin = at + size
        at = begin + int.from_bytes(data[at:begin], "big")
        if at > len(data) or begin == at:
            return True
        kind = (data[begin] >> 1) & 0x3F if hevc else data[begin] & 0x1F
        is_picture = kind < 32 if hevc else 1 <= kind <= 5
        if is_picture and _FORBIDDEN.search(
            data[begin:at].rstrip(b"\x00")
        ):  # zeroes at the end are padding
            return True
    return False
