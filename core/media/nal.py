"""Check by their bytes alone whether H.264 and HEVC packets can come from an encoder.

A decoder silently reads past many defects: a page of zeroes in a picture ends its slice early, and
the decoder copies what is missing from the previous frame. But three zero bytes in a row, or two
zero bytes followed by 1 or 2, are not allowed in any NAL unit (ITU-T H.264, 7.4.1): encoders insert
a 3 between them. Units whose lengths do not add up are malformed as well.
"""

from __future__ import annotations

import re

import av

_FORBIDDEN = re.compile(rb"\x00\x00[\x00-\x02]")


def length_size(stream: av.VideoStream) -> int:
    """Return the size in bytes of a NAL unit's length field.

    Returns 0 if the stream does not store units by length or the codec has no units.
    """
    head = stream.codec_context.extradata or b""
    name = stream.codec_context.codec.canonical_name
    if name == "h264" and len(head) > 4 and head[0] == 1:
        return (head[4] & 3) + 1
    if name == "hevc" and len(head) > 21 and head[0] == 1:
        return (head[21] & 3) + 1
    return 0


def malformed(data: bytes, size: int, *, hevc: bool = False) -> bool:
    """Return True if a packet holds bytes that no encoder writes.

    `size` is the result of `length_size`. With 0, nothing can be checked and the result is False.
    """
    at = 0
    while size and at < len(data):
        begin = at + size
        at = begin + int.from_bytes(data[at:begin], "big")
        if at > len(data) or begin == at:
            return True
        kind = (data[begin] >> 1) & 0x3F if hevc else data[begin] & 0x1F
        is_picture = kind < 32 if hevc else 1 <= kind <= 5
        # Zero bytes at the end are padding.
        if is_picture and _FORBIDDEN.search(data[begin:at].rstrip(b"\x00")):
            return True
    return False
