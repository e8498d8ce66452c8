"""Find out from the file itself why a source failed.

ffmpeg reports corrupt packets when a drive returns read errors, and reports nothing when a file
ends too early. This module therefore reads the file again and compares its length with the length
that its container declares.

Called only after a failure, and only in a worker process, never in the engine: reading a file may
hang.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import BinaryIO, NamedTuple

from core.system import machine

_REREAD_S = 5.0
_BLOCK, _SAMPLE, _SAMPLES = 1 << 20, 1 << 16, 16
_BOX = re.compile(rb"[A-Za-z0-9 \xa9_-]{4}")
_MOVIE_HEADS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_MOST_BOXES = 100_000


class Why(NamedTuple):
    """What the file itself shows: the errno of a failed read, the note `cut-short`, details."""

    errno: int | None = None
    note: str = ""
    detail: str = ""


HEAD = 1 << 16
"""Bytes of a file's beginning that are searched for a media signature."""
_BEGINNINGS = (
    b"RIFF", b"RIFX", b"RF64", b"BW64", b"riff", b"FORM", b"FRM8", b"OggS", b"fLaC", b"ID3", b"caff", b"MThd", b"FLV", b".RMF",
    b".snd", b"DKIF", b"YUV4MPEG2", b"DSD ", b"wvpk", b"MAC ", b"#!AMR", b"\x1aE\xdf\xa3", b"0&\xb2u", b"\x06\x0e\x2b\x34",
    b"\x1f\x07\0", b"\0\0\0\0\x01\xbc", b"\0\0\x01", b"\0\0\0\x01", b"\x0bw", b"\x7f\xfe\x80\x01", b"\x89PNG", b"\xff\xd8\xff",
    b"GIF8", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"SDPX", b"XPDS", b"v/1\x01", b"8BPS", b"\0\0\0\x0cjP",
    b"\xff\x4f\xff\x51", b"\xff\x0a", b"P5", b"P6",
)  # fmt: skip
_WITHIN = (b"\x06\x0e\x2b\x34\x02\x05\x01\x01", b"mdat", b"moov", b"mvhd", b"\x1fC\xb6u")
"""Signatures found further inside a container.

An MXF file behind a run-in, the boxes of a movie, a Matroska cluster.
"""
_TS_PACKETS = (188, 192, 204)


def begins_like_media(head: bytes) -> bool:
    """Return True if the bytes hold the signature of any container, picture or raw stream.

    `head` is the first `HEAD` bytes of a file followed by its last ones. A file whose first 512
    bytes are zero counts as media, since zeroes can take the place of a lost head.
    """
    if not head[:512].strip(b"\0") or head.startswith(_BEGINNINGS) or head[4:8] in _MOVIE_HEADS:
        return True
    if any(sign in head for sign in _WITHIN):
        return True
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:  # MPEG audio
        return True
    return any(
        all(head[at + n * size : at + n * size + 1] == b"\x47" for n in range(5))
        for size in _TS_PACKETS
        for at in range(size)
    )


def why(path: str | Path) -> Why:
    """Return why a source could not be used, as far as the file can tell.

    Checks for a read error, then for a file that was cut short, then for a hole. The read check
    stops after five seconds.
    """
    number = reading_error(path, budget_s=_REREAD_S)
    if number is not None:
        return Why(errno=number, detail=f"reading it again: {os.strerror(number)}")
    if short := cut_short(path):
        return Why(note="cut-short", detail=short)
    at = hole(path)
    return Why(detail="" if at is None else f"the file has a hole at byte {at}")


def reading_error(path: str | Path, *, budget_s: float) -> int | None:
    """Return the errno that reading the file fails with, or None if it reads cleanly.

    Reads samples spread over the whole file, then the file from its start for up to `budget_s`
    seconds. Makes system calls only and runs none of our own code, so that an error of ours is
    never mistaken for an errno of the file.
    """
    began, buffer = machine.monotonic(), bytearray(_BLOCK)
    try:
        with open(path, "rb", buffering=0) as handle:
            size = os.fstat(handle.fileno()).st_size
            for part in range(_SAMPLES + 1):
                handle.seek(max(0, size - _SAMPLE) * part // _SAMPLES)
                handle.read(_SAMPLE)
            handle.seek(0)
            while handle.readinto(buffer) and machine.monotonic() - began < budget_s:
                pass
    except OSError as error:
        return error.errno
    return None


def cut_short(path: str | Path) -> str:
    """Describe how much is missing at the end of a MOV, MP4, WAV or Matroska file.

    Compares the file size with the length that the container declares. Returns "" if nothing is
    missing or if that cannot be determined.
    """
    try:
        with Path(path).open("rb") as handle:
            size = os.fstat(handle.fileno()).st_size
            head = handle.read(16)
            if head[4:8] in _MOVIE_HEADS:
                return _boxes(handle, size)
            if head[:4] in (b"RIFF", b"RIFX"):
                said = int.from_bytes(head[4:8], "little" if head[:4] == b"RIFF" else "big") + 8
                unsaid = said in (8, (1 << 32) + 7)  # a writer to a pipe leaves these
                return (
                    "" if unsaid or said - 1 <= size else _words(said, size)
                )  # the last byte may be padding
            if head[:4] == b"\x1aE\xdf\xa3":
                return _segment(handle, size)
    except OSError:
        pass
    return ""


def hole(path: str | Path) -> int | None:
    """Return the offset in bytes of the first hole in a sparse file.

    A copy that was cut by a crash has holes. Returns None if there is no hole or the system cannot
    tell.
    """
    try:
        with Path(path).open("rb") as handle:
            at = os.lseek(handle.fileno(), 0, os.SEEK_HOLE)
            return at if at < os.fstat(handle.fileno()).st_size else None
    except (AttributeError, OSError):
        return None


def _words(said: int, size: int) -> str:
    return f"its container says {said} bytes, there are {size}"


def _boxes(handle: BinaryIO, size: int) -> str:
    """Walk the top-level boxes of a movie and describe what is missing at its end."""
    at, index = 0, False
    for _ in range(_MOST_BOXES):
        handle.seek(at)
        head = handle.read(16)
        if len(head) < 8 or not _BOX.fullmatch(head[4:8]):
            break  # the end, or trailing data that is not part of the movie
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        elif length == 0:
            length = size - at
        if length < 8:
            break
        index = index or head[4:8] in (b"moov", b"moof")
        if at + length > size:
            return _words(at + length, size)
        at += length
    return "" if index else f"its index (moov) is missing; there are {size} bytes"


def _segment(handle: BinaryIO, size: int) -> str:
    """Compare the declared end of a Matroska file's segment with the file size.

    The file has one segment, behind the EBML header.
    """
    handle.seek(4)
    head = _number(handle)
    handle.seek(head or 0, os.SEEK_CUR)
    if handle.read(4) != b"\x18S\x80g":
        return ""
    length = _number(handle)
    end = handle.tell() + (length or 0)
    return _words(end, size) if length is not None and end > size else ""


def _number(handle: BinaryIO) -> int | None:
    """Read a length in Matroska's variable-size encoding.

    The zero bits before the first set bit of the first byte give the number of further bytes. All
    ones means that the length is unknown: returns None.
    """
    first = handle.read(1)
    more = 8 - first[0].bit_length() if first and first[0] else 8
    value = int.from_bytes(first + handle.read(more), "big") & ((1 << 7 * (more + 1)) - 1)
    return None if value == (1 << 7 * (more + 1)) - 1 else value
