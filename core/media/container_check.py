"""Why a source failed, asked of the file itself. ffmpeg speaks of corrupt packets when a drive returns errors, and of
nothing at all when a file ends too soon: so it is read once more, and its container's own word is taken on its length.

Called only after a failure, and never in the engine: whoever reads may hang.
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
    """What the file itself says: the errno that reading it ends in, `cut-short` as a note, words."""

    errno: int | None = None
    note: str = ""
    detail: str = ""


HEAD = 1 << 16
"""So much of a file is looked at for a sign of what it is."""
_BEGINNINGS = (
    b"RIFF", b"RIFX", b"RF64", b"BW64", b"riff", b"FORM", b"FRM8", b"OggS", b"fLaC", b"ID3", b"caff", b"MThd", b"FLV", b".RMF",
    b".snd", b"DKIF", b"YUV4MPEG2", b"DSD ", b"wvpk", b"MAC ", b"#!AMR", b"\x1aE\xdf\xa3", b"0&\xb2u", b"\x06\x0e\x2b\x34",
    b"\x1f\x07\0", b"\0\0\0\0\x01\xbc", b"\0\0\x01", b"\0\0\0\x01", b"\x0bw", b"\x7f\xfe\x80\x01", b"\x89PNG", b"\xff\xd8\xff",
    b"GIF8", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"SDPX", b"XPDS", b"v/1\x01", b"8BPS", b"\0\0\0\x0cjP",
    b"\xff\x4f\xff\x51", b"\xff\x0a", b"P5", b"P6",
)  # fmt: skip
_WITHIN = (b"\x06\x0e\x2b\x34\x02\x05\x01\x01", b"mdat", b"moov", b"mvhd", b"\x1fC\xb6u")
"""What a container writes further on: an MXF behind a run-in, a movie's boxes, a cluster of Matroska."""
_TS_PACKETS = (188, 192, 204)


def begins_like_media(head: bytes) -> bool:
    """Whether the first `HEAD` bytes of a file (with its last put behind them) hold the signature of any container, picture or
    raw stream; or begin with zeroes, which stand where a head was lost."""
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
    """Why a source could not be used, as far as the file can tell. Reads for five seconds at the most."""
    number = reading_error(path, budget_s=_REREAD_S)
    if number is not None:
        return Why(errno=number, detail=f"reading it again: {os.strerror(number)}")
    if short := cut_short(path):
        return Why(note="cut-short", detail=short)
    at = hole(path)
    return Why(detail="" if at is None else f"the file has a hole at byte {at}")


def reading_error(path: str | Path, *, budget_s: float) -> int | None:
    """The errno that reading this file ends in, None when it reads well: samples all over it, then all of it from its head
    on for as long as `budget_s` allows. It calls the system and nothing of ours, so that no error of ours is taken for an
    errno of the file."""
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
    """In words how much of a MOV, MP4, WAV or Matroska file is missing at its end, by its own word; empty when nothing is,
    or when that cannot be told."""
    try:
        with Path(path).open("rb") as handle:
            size = os.fstat(handle.fileno()).st_size
            head = handle.read(16)
            if head[4:8] in _MOVIE_HEADS:
                return _boxes(handle, size)
            if head[:4] in (b"RIFF", b"RIFX"):
                said = int.from_bytes(head[4:8], "little" if head[:4] == b"RIFF" else "big") + 8
                unsaid = said in (8, (1 << 32) + 7)  # written to a pipe
                return (
                    "" if unsaid or said - 1 <= size else _words(said, size)
                )  # the last byte may be padding
            if head[:4] == b"\x1aE\xdf\xa3":
                return _segment(handle, size)
    except OSError:
        pass
    return ""


def hole(path: str | Path) -> int | None:
    """Where the first hole of a sparse file is: copies that were cut by a crash have them. None when there is none, or when
    the system does not tell."""
    try:
        with Path(path).open("rb") as handle:
            at = os.lseek(handle.fileno(), 0, os.SEEK_HOLE)
            return at if at < os.fstat(handle.fileno()).st_size else None
    except (AttributeError, OSError):
        return None


def _words(said: int, size: int) -> str:
    return f"its container says {said} bytes, there are {size}"


def _boxes(handle: BinaryIO, size: int) -> str:
    """The outermost boxes of a movie, one after the other."""
    at, index = 0, False
    for _ in range(_MOST_BOXES):
        handle.seek(at)
        head = handle.read(16)
        if len(head) < 8 or not _BOX.fullmatch(head[4:8]):
            break  # the end, or something behind the movie that is none of it
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
    """The one segment behind a Matroska file's head."""
    handle.seek(4)
    head = _number(handle)
    handle.seek(head or 0, os.SEEK_CUR)
    if handle.read(4) != b"\x18S\x80g":
        return ""
    length = _number(handle)
    end = handle.tell() + (length or 0)
    return _words(end, size) if length is not None and end > size else ""


def _number(handle: BinaryIO) -> int | None:
    """A length as Matroska writes it: as many more bytes as the first has zeroes before its one. All ones: not known."""
    first = handle.read(1)
    more = 8 - first[0].bit_length() if first and first[0] else 8
    value = int.from_bytes(first + handle.read(more), "big") & ((1 << 7 * (more + 1)) - 1)
    return None if value == (1 << 7 * (more + 1)) - 1 else value
