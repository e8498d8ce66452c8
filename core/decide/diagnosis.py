"""Evidence to Failure: one ordered table, most specific first, an honest `unknown` last.

A row matches when every condition it states holds. Place decides before cause: disk full on the scratch disk and on
the output disk are two faults with two remedies. Sources of the rows: ffmpeg 5.1 and 9.0 run against each fault.
"""

from __future__ import annotations

import errno
import re
from typing import NamedTuple

from core.model.failure import ErrorType, Evidence, Failure

_E = ErrorType


class Row(NamedTuple):
    """`place`, `note`, `errnos`, `stderr` (searched), `exits`, `network`: conditions; None or empty is no condition."""

    code: str
    type: ErrorType
    place: tuple[str, ...] = ()
    note: tuple[str, ...] = ()
    errnos: tuple[int, ...] = ()
    stderr: str = ""
    exits: tuple[int, ...] = ()
    network: bool | None = None
    operation: tuple[str, ...] = ()

    def matches(self, seen: Evidence) -> bool:
        """Whether this row recognises the evidence. Errno and stderr are two ways to say one cause: either will do."""
        cause = bool(self.errnos and _errno(seen) in self.errnos) or bool(
            self.stderr and re.search(self.stderr, "\n".join(seen.stderr), re.IGNORECASE)
        )
        return (
            (not self.place or seen.place in self.place)
            and (not self.note or seen.note in self.note)
            and (cause or not (self.errnos or self.stderr))
            and (not self.exits or seen.exit_code in self.exits)
            and (self.network is None or seen.network == self.network)
            and (not self.operation or seen.operation in self.operation)
        )


def _errno(seen: Evidence) -> int | None:
    """ffmpeg 9 ends with 256 - errno (ffmpeg 5 with 1); 255 is a signal as often as EPERM and says nothing."""
    if seen.errno is None and seen.exit_code is not None and 128 <= seen.exit_code < 255:
        return 256 - seen.exit_code
    return seen.errno


def _numbers(*names: str) -> tuple[int, ...]:
    return tuple(number for name in names if (number := getattr(errno, name, None)) is not None)


_FULL = _numbers("ENOSPC", "EDQUOT")
_SAYS_FULL = r"No space left on device|Disk quota exceeded"
_NETWORK = _numbers(
    "ESTALE",
    "ETIMEDOUT",
    "ENOTCONN",
    "EHOSTDOWN",
    "EHOSTUNREACH",
    "ENETDOWN",
    "ENETUNREACH",
    "ENETRESET",
    "ECONNRESET",
    "ECONNABORTED",
    "ECONNREFUSED",
    "EREMOTEIO",
)
_SAYS_NETWORK = r"Stale file handle|timed out|Host is down|Transport endpoint|Connection (reset|refused|aborted)"
_SAYS_FORBIDDEN = r"Permission denied|file:.+: Operation not permitted|Error opening (input|output\S*): Operation not permitted"
_DAMAGE = (
    r"corrupt decoded frame|Invalid data found|moov atom not found|error while decoding|Packet corrupt|damaged|partial file"
    r"|File ended prematurely|invalid frame header|Invalid NAL unit|concealing|decode errors|header damaged|unknown header"
    r"|Error submitting packet to decoder|Decoding error|Invalid PCM packet"
)

TABLE: tuple[Row, ...] = (
    # What our own checks name.
    Row("source-changed", _E.TRANSIENT_RESOURCE, note=("source-changed",)),
    Row("source-unlike-record", _E.PERMANENT_FILE_CORRUPTION, place=("source",), note=("unlike-record",)),
    Row("seal-damaged", _E.PERMANENT_FILE_CORRUPTION, place=("scratch",), note=("seal-damaged",)),
    Row("source-volume-gone", _E.TRANSIENT_RESOURCE, place=("source",), note=("volume-gone",)),
    Row("source-not-a-file", _E.USER_INPUT_INVALID, note=("not-a-file",)),
    Row("source-empty", _E.PERMANENT_FILE_CORRUPTION, note=("empty-file",)),
    Row("source-not-media", _E.USER_INPUT_INVALID, note=("not-media", "no-streams")),
    Row("source-no-picture", _E.USER_INPUT_INVALID, note=("no-picture",)),
    Row("source-hung", _E.TRANSIENT_NETWORK, place=("source",), note=("hung",), network=True),
    Row("source-hung", _E.TRANSIENT_RESOURCE, place=("source",), note=("hung",)),
    Row("program-hung", _E.TRANSIENT_RESOURCE, note=("hung",)),
    # Space, memory, descriptors: the machine's own limits.
    Row("output-full", _E.SYSTEM_RESOURCE_EXCEEDED, place=("output",), errnos=_FULL, stderr=_SAYS_FULL),
    Row("scratch-full", _E.SYSTEM_RESOURCE_EXCEEDED, errnos=_FULL, stderr=_SAYS_FULL),
    Row("output-full", _E.SYSTEM_RESOURCE_EXCEEDED, place=("output",), note=("space-low",)),
    Row("scratch-full", _E.SYSTEM_RESOURCE_EXCEEDED, note=("space-low",)),
    Row("file-too-large", _E.SYSTEM_RESOURCE_EXCEEDED, errnos=_numbers("EFBIG"), stderr=r"File too large"),
    Row("file-too-large", _E.SYSTEM_RESOURCE_EXCEEDED, exits=(-25,)),
    Row("out-of-memory", _E.SYSTEM_RESOURCE_EXCEEDED, note=("out-of-memory",)),
    Row("out-of-memory", _E.SYSTEM_RESOURCE_EXCEEDED, errnos=_numbers("ENOMEM"), stderr=r"Cannot allocate memory|malloc of size"),
    Row("too-many-files", _E.SYSTEM_RESOURCE_EXCEEDED, errnos=_numbers("EMFILE", "ENFILE"), stderr=r"Too many open files"),
    Row(
        "machine-busy",
        _E.TRANSIENT_RESOURCE,
        errnos=_numbers("EAGAIN", "EBUSY", "ETXTBSY"),
        stderr=r"Resource temporarily unavailable",
    ),
    # Volumes that come and go.
    Row("network-lost", _E.TRANSIENT_NETWORK, errnos=_NETWORK, stderr=_SAYS_NETWORK),
    Row("network-lost", _E.TRANSIENT_NETWORK, errnos=_numbers("EIO"), stderr=r"Input/output error", network=True),
    Row("source-read-error", _E.HARDWARE_FAILURE, place=("source",), errnos=_numbers("EIO"), stderr=r"Input/output error"),
    Row("source-volume-gone", _E.TRANSIENT_RESOURCE, place=("source",), errnos=_numbers("ENODEV", "ENXIO", "ENOMEDIUM")),
    Row(
        "output-failing",
        _E.HARDWARE_FAILURE,
        place=("output",),
        errnos=_numbers("EIO", "ENODEV", "ENXIO"),
        stderr=r"Input/output error",
    ),
    Row("scratch-failing", _E.HARDWARE_FAILURE, errnos=_numbers("EIO", "ENODEV", "ENXIO"), stderr=r"Input/output error"),
    Row("output-read-only", _E.USER_INPUT_INVALID, place=("output",), errnos=_numbers("EROFS"), stderr=r"Read-only file system"),
    Row("scratch-read-only", _E.USER_INPUT_INVALID, errnos=_numbers("EROFS"), stderr=r"Read-only file system"),
    # What a person has to mend.
    Row(
        "source-no-permission",
        _E.USER_INPUT_INVALID,
        place=("source",),
        errnos=_numbers("EACCES", "EPERM"),
        stderr=_SAYS_FORBIDDEN,
    ),
    Row(
        "output-no-permission",
        _E.USER_INPUT_INVALID,
        place=("output",),
        errnos=_numbers("EACCES", "EPERM"),
        stderr=_SAYS_FORBIDDEN,
    ),
    Row("scratch-no-permission", _E.USER_INPUT_INVALID, errnos=_numbers("EACCES", "EPERM"), stderr=_SAYS_FORBIDDEN),
    Row(
        "source-missing",
        _E.USER_INPUT_INVALID,
        place=("source",),
        errnos=_numbers("ENOENT", "ENOTDIR"),
        stderr=r"No such file or directory",
    ),
    Row(
        "source-not-a-file",
        _E.USER_INPUT_INVALID,
        place=("source",),
        errnos=_numbers("EISDIR", "ELOOP", "ENAMETOOLONG"),
        stderr=r"Is a directory|Too many levels of symbolic|File name too long",
    ),
    Row(
        "scratch-gone",
        _E.HARDWARE_FAILURE,
        place=("scratch",),
        errnos=_numbers("ENOENT", "ENOTDIR"),
        stderr=r"No such file or directory",
    ),
    Row(
        "output-gone",
        _E.HARDWARE_FAILURE,
        place=("output",),
        errnos=_numbers("ENOENT", "ENOTDIR"),
        stderr=r"No such file or directory",
    ),
    # The program itself.
    Row("encoder-missing", _E.HARDWARE_FAILURE, stderr=r"Unknown encoder|Encoder not found|Error selecting an encoder"),
    Row(
        "encoder-device-gone",
        _E.HARDWARE_FAILURE,
        stderr=r"Cannot load libcuda|Device creation failed|MFX session|No device available|Hardware device setup failed",
    ),
    Row("source-codec-unsupported", _E.USER_INPUT_INVALID, stderr=r"no decoder found|Decoder .* not found|Unknown decoder"),
    Row("ffmpeg-crashed", _E.TRANSIENT_RESOURCE, exits=(-11, -6, -4, -8, -7)),
    Row("ffmpeg-killed", _E.SYSTEM_RESOURCE_EXCEEDED, exits=(-9,)),
    Row("ffmpeg-stopped", _E.TRANSIENT_RESOURCE, exits=(-15, -2, -1, 255), note=("",)),
    Row("worker-died", _E.TRANSIENT_RESOURCE, note=("worker-died",)),
    # What is in the media.
    Row(
        "source-unreadable",
        _E.PERMANENT_FILE_CORRUPTION,
        place=("source",),
        note=("invalid-data", "media-error"),
        operation=("examine",),
    ),
    Row(
        "source-damaged", _E.PERMANENT_FILE_CORRUPTION, place=("source",), note=("invalid-data", "media-error", "log-says-damage")
    ),
    Row("source-damaged", _E.PERMANENT_FILE_CORRUPTION, place=("source",), stderr=_DAMAGE),
    Row("source-too-short", _E.PERMANENT_FILE_CORRUPTION, place=("source",), note=("too-few-frames", "too-few-samples")),
    Row("source-too-short", _E.PERMANENT_FILE_CORRUPTION, place=("source",), stderr=r"Output file is empty|Empty output"),
    Row(
        "render-unlike",
        _E.TRANSIENT_RESOURCE,
        note=("other-signature", "off-grid", "too-many-frames", "too-few-frames", "log-says-damage"),
    ),
    Row("film-damaged", _E.HARDWARE_FAILURE, place=("output",), note=("refuted", "too-few-samples")),
)


def diagnose(seen: Evidence) -> Failure:
    """The failure this evidence is. Never fails: what no row knows is `unknown`, with its evidence kept."""
    for row in TABLE:
        if row.matches(seen):
            return Failure(type=row.type, code=row.code, evidence=seen)
    return Failure(type=ErrorType.TRANSIENT_RESOURCE, code="unknown", evidence=seen)
