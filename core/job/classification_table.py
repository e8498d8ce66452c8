"""The classification table: which evidence means which fault. The first matching row wins.

The order is: what our own checks named; what ffmpeg reports about the program, the preset and the
devices; the limits of the machine; volumes that come and go; what a person has to fix; how a
process ended; what is in the media. Within a cause, the row with a place precedes the row without.
Every row has a specimen (`tests/specimens`), and no row hides another.

An ffmpeg message counts only where ffmpeg puts it: at the start of a line (`_said`) or, for the
operating system's own words, at its end (`_because`). So no file name is mistaken for a cause.
"""

from __future__ import annotations

import errno
import re
from typing import NamedTuple

from core.errors.failure import ErrorType

_NETWORK, _MOMENT = ErrorType.TRANSIENT_NETWORK, ErrorType.TRANSIENT_RESOURCE
_CORRUPT, _USER = ErrorType.PERMANENT_FILE_CORRUPTION, ErrorType.USER_INPUT_INVALID
_EXCEEDED, _HARDWARE = ErrorType.SYSTEM_RESOURCE_EXCEEDED, ErrorType.HARDWARE_FAILURE


class Row(NamedTuple):
    """Conditions that must all hold; None or an empty tuple is no condition.

    `errnos` and `stderr` express one cause in two ways: a match of either is enough. Each pattern
    of `stderr` is searched in ffmpeg's lines.
    """

    code: str
    type: ErrorType
    place: tuple[str, ...] = ()
    note: tuple[str, ...] = ()
    errnos: tuple[int, ...] = ()
    stderr: tuple[re.Pattern[str], ...] = ()
    exits: tuple[int, ...] = ()
    network: bool | None = None
    operation: tuple[str, ...] = ()


def _numbers(*names: str) -> tuple[int, ...]:
    """Return the errno numbers of these names on this system; no system defines all of them."""
    return tuple(number for name in names if (number := getattr(errno, name, None)) is not None)


_WHO = r"^(?:\[[^\]\n]*\] ?)*"
"""Matches the sender before a message, as in `[mov,mp4 @ 0x1] [error] `."""


def _said(*messages: str) -> tuple[re.Pattern[str], ...]:
    """Compile patterns for messages at the start of a line, before any file name."""
    return tuple(re.compile(_WHO + message, re.MULTILINE) for message in messages)


def _because(*reasons: str) -> tuple[re.Pattern[str], ...]:
    """Compile patterns for the operating system's words at the end of a message.

    Examples: `name: No space left on device`, `-28 (No space left on device)`.
    """
    return tuple(re.compile(rf"(?:^|: |-\d+ \(){reason}\)?$", re.MULTILINE) for reason in reasons)


_LOST = _numbers(
    "ESTALE", "ETIMEDOUT", "ENOTCONN", "EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH", "ENETRESET", "ECONNRESET",
    "ECONNABORTED", "ECONNREFUSED", "EREMOTEIO",
)  # fmt: skip
_SAYS_LOST = _because(
    "Stale file handle", "Connection timed out", "Host is down", "No route to host", "Network is down", "Network is unreachable",
    "Transport endpoint is not connected", "Remote I/O error", "Connection reset by peer", "Connection refused",
    "Software caused connection abort", "Network dropped connection on reset",
)  # fmt: skip
_FULL, _SAYS_FULL = _numbers("ENOSPC"), _because("No space left on device")
_QUOTA, _SAYS_QUOTA = _numbers("EDQUOT"), _because("Disk quota exceeded")
_EIO, _SAYS_EIO = _numbers("EIO"), _because("Input/output error")
_NO_DEVICE = _numbers("ENODEV", "ENXIO", "ENOMEDIUM")
_SAYS_NO_DEVICE = _because("No such device", "No such device or address", "No medium found")
_READ_ONLY, _SAYS_READ_ONLY = _numbers("EROFS"), _because("Read-only file system")
_FORBIDDEN = _numbers("EACCES", "EPERM")
_SAYS_FORBIDDEN = _because("Permission denied") + tuple(
    re.compile(
        rf"{_WHO}{where}: Operation not permitted$", re.MULTILINE
    )  # elsewhere a missing device ends in this too
    for where in ("file:.+", "Error opening (?:input|output.*)")
)
_ABSENT, _SAYS_ABSENT = (
    _numbers("ENOENT", "ENOTDIR"),
    _because("No such file or directory", "Not a directory"),
)
_NO_FILE, _SAYS_NO_FILE = (
    _numbers("EISDIR", "ELOOP"),
    _because("Is a directory", "Too many levels of symbolic links"),
)
_SAYS_TOO_LONG = _because("File name too long")

_SAYS_CUT_SHORT = _said(
    "moov atom not found", r"stream \d+, offset 0x[0-9a-f]+: partial file", "File ended prematurely"
)
_SAYS_DAMAGE = (
    *_said(
        "Packet corrupt", "corrupt input packet", "corrupt decoded frame", "error while decoding MB",
        "invalid frame header", "Invalid NAL unit", "unknown header", "Decoding error",
        "Error submitting packet to decoder",
    ),
    # A demuxer or decoder complaint.
    re.compile(r"^\[[a-z0-9_,]+(?: @ 0x[0-9a-f]+)?\] \[error\]", re.MULTILINE),
    *_because("corrupt decoded frame in stream \\d+", "corrupt input packet in stream \\d+"),
    *_because("Invalid data found when processing input"),
)  # fmt: skip

CRASHES = (-11, -6, -4, -8, -7)
STOPS = (-15, -2, -1, 255)

TABLE: tuple[Row, ...] = (
    # Named by our own checks.
    Row("program-fault", _MOMENT, note=("program",)),
    Row("source-not-handled", _MOMENT, note=("not-made",)),
    Row("source-begins-anew", _USER, place=("source",), note=("begins-anew",)),
    Row("read-failed-once", _MOMENT, place=("source",), note=("read-failed-once",)),
    Row("source-changed", _MOMENT, note=("source-changed",)),
    Row("source-growing", _MOMENT, place=("source",), note=("growing",)),
    Row("source-unlike-record", _CORRUPT, place=("source",), note=("unlike-record",)),
    Row("source-refused", _USER, place=("source",), note=("refused",)),
    Row("source-name-invalid", _USER, place=("source",), note=("name-invalid",)),
    Row("picture-too-large", _USER, place=("source",), note=("picture-too-large",)),
    Row("source-volume-gone", _MOMENT, place=("source",), note=("volume-gone",)),
    Row("source-not-a-file", _USER, note=("not-a-file",)),
    Row("source-empty", _CORRUPT, note=("empty-file",)),
    Row("source-not-media", _USER, note=("not-media", "no-streams")),
    Row("source-no-picture", _USER, note=("no-picture",)),
    Row("source-codec-unsupported", _USER, place=("source",), note=("no-decoder",)),
    Row("seal-damaged", _CORRUPT, place=("scratch",), note=("seal-damaged",)),
    Row("film-changed", _CORRUPT, place=("output",), note=("film-changed",)),
    Row("film-part-gone", _MOMENT, place=("output",), note=("staged-gone",)),
    Row("film-not-durable", _HARDWARE, place=("output",), note=("name-not-durable",)),
    Row("film-damaged", _HARDWARE, place=("output",), note=("refuted", "too-few-samples")),
    Row("render-too-fast", _MOMENT, note=("too-fast",)),
    Row("source-slow", _NETWORK, place=("source",), note=("slow",)),
    Row("source-hung", _NETWORK, place=("source",), note=("hung",), network=True),
    Row("source-hung", _MOMENT, place=("source",), note=("hung",)),
    Row("scratch-hung", _MOMENT, place=("scratch",), note=("hung", "slow")),
    Row("output-hung", _MOMENT, place=("output",), note=("hung", "slow")),
    Row("program-hung", _MOMENT, note=("hung",)),
    Row("machine-slept", _MOMENT, note=("slept",)),
    Row("clock-jumped", _MOMENT, note=("clock-jumped",)),
    Row("memory-low", _EXCEEDED, note=("memory-low",)),
    Row("worker-bloated", _EXCEEDED, note=("bloated",)),
    Row("output-full", _EXCEEDED, place=("output",), note=("space-low",)),
    Row("scratch-full", _EXCEEDED, note=("space-low",)),
    Row("out-of-memory", _EXCEEDED, note=("out-of-memory", "memory-kill")),
    Row("worker-died", _MOMENT, note=("worker-died",)),
    # Devices and encoders. Checked before the errnos, because ffmpeg goes on to name a meaningless
    # errno.
    Row(
        "decoder-device-gone",
        _HARDWARE,
        stderr=_said(
            "No device available for decoder", "(?:Hardware d|D)evice setup failed for decoder"
        ),
    ),
    Row(
        "encoder-device-gone",
        _HARDWARE,
        stderr=_said(
            "Cannot load (?:lib)?(?:nv)?cuda",
            "Device creation failed",
            "Error (?:initializing|creating) (?:an internal|a) MFX session",
            "Failed to set value '.*' for option 'vaapi_device'",
        ),
    ),
    Row(
        "encoder-missing",
        _HARDWARE,
        stderr=_said("Unknown encoder '", "Error selecting an encoder"),
    ),
    Row(
        "source-codec-unsupported",
        _USER,
        stderr=_said(
            "Decoding requested, but no decoder found",
            "Decoder (?:\\(codec .*\\) )?not found",
            "Unknown decoder '",
        ),
    ),
    # The ffmpeg command: an unsuitable preset, an option that this ffmpeg does not know, or a bug
    # of ours.
    Row(
        "program-error",
        _USER,
        stderr=_said("Output .* same as Input #", "Failed to configure (?:input|output) pad on"),
    ),
    Row(
        "program-error",
        _USER,
        place=("scratch", "output"),
        errnos=_numbers("EISDIR", "ELOOP", "ENAMETOOLONG"),
        stderr=_because("Is a directory"),
    ),
    Row(
        "program-mismatch",
        _USER,
        stderr=_said(
            "No such filter: '",
            "Error applying option '.*' to filter '",
            "Unrecognized option '",
            "Option '.*' not found",
            "Error splitting the argument list",
            "Requested output format '.*' is not",
            "Unable to (?:find|choose) a(?:n| suitable) output format",
        ),
    ),
    Row(
        "preset-unfit",
        _USER,
        stderr=_said(
            "(?:width|height) not divisible by 2",
            "pixel format is incompatible with DNx",
            "video parameters incompatible with DNxHD",
            r"Frame size: \d+x\d+[ip]?; bitrate: ",
            "Unknown pixel format requested",
            "Error setting option .* to value",
            "Only .* are supported for WebM",
            "Could not find tag for codec .* in stream #",
            "Error applying encoder options",
        ),
    ),
    Row(
        "source-refused",
        _USER,
        place=("source",),
        stderr=_said("Protocol '.*' not on whitelist", "Unsafe file name '"),
    ),
    Row(
        "picture-too-large",
        _USER,
        place=("source",),
        stderr=_said(r"Picture size \d+x\d+ is invalid", "Invalid image size"),
    ),
    Row(
        "source-no-picture",
        _USER,
        place=("source",),
        stderr=_said("Stream map '.*' matches no streams"),
    ),
    # Disk space, memory, file descriptors, processes: the limits of the machine.
    Row("output-full", _EXCEEDED, place=("output",), errnos=_FULL, stderr=_SAYS_FULL),
    Row("scratch-full", _EXCEEDED, errnos=_FULL, stderr=_SAYS_FULL),
    Row("output-quota", _EXCEEDED, place=("output",), errnos=_QUOTA, stderr=_SAYS_QUOTA),
    Row("scratch-quota", _EXCEEDED, errnos=_QUOTA, stderr=_SAYS_QUOTA),
    Row("file-too-large", _EXCEEDED, errnos=_numbers("EFBIG"), stderr=_because("File too large")),
    Row("file-too-large", _EXCEEDED, exits=(-25,)),
    Row(
        "out-of-memory",
        _EXCEEDED,
        errnos=_numbers("ENOMEM"),
        stderr=(*_because("Cannot allocate memory"), *_said("malloc of size")),
    ),
    Row(
        "too-many-files",
        _EXCEEDED,
        errnos=_numbers("EMFILE", "ENFILE"),
        stderr=_because("Too many open files", "Too many open files in system"),
    ),
    Row(
        "too-many-processes",
        _EXCEEDED,
        place=("program",),
        errnos=_numbers("EAGAIN"),
        stderr=_because("Resource temporarily unavailable"),
    ),
    Row(
        "too-many-processes",
        _EXCEEDED,
        stderr=_said("Error while opening decoder: Resource temporarily unavailable$"),
    ),
    Row(
        "machine-busy",
        _MOMENT,
        errnos=_numbers("EAGAIN", "EBUSY", "ETXTBSY", "EDEADLK", "ENOLCK"),
        stderr=_because(
            "Resource temporarily unavailable", "Device or resource busy", "Text file busy"
        ),
    ),
    Row("pipe-broken", _MOMENT, errnos=_numbers("EPIPE"), stderr=_because("Broken pipe")),
    # Volumes that come and go.
    Row("network-lost", _NETWORK, errnos=_LOST, stderr=_SAYS_LOST),
    Row("network-lost", _NETWORK, errnos=_EIO, stderr=_SAYS_EIO, network=True),
    Row("source-read-error", _HARDWARE, place=("source",), errnos=_EIO, stderr=_SAYS_EIO),
    Row(
        "source-volume-gone", _MOMENT, place=("source",), errnos=_NO_DEVICE, stderr=_SAYS_NO_DEVICE
    ),
    Row("output-failing", _HARDWARE, place=("output",), errnos=_EIO, stderr=_SAYS_EIO),
    Row("output-gone", _HARDWARE, place=("output",), errnos=_NO_DEVICE, stderr=_SAYS_NO_DEVICE),
    Row("scratch-failing", _HARDWARE, errnos=_EIO, stderr=_SAYS_EIO),
    Row("scratch-gone", _HARDWARE, place=("scratch",), errnos=_NO_DEVICE, stderr=_SAYS_NO_DEVICE),
    Row("output-read-only", _USER, place=("output",), errnos=_READ_ONLY, stderr=_SAYS_READ_ONLY),
    Row("scratch-read-only", _USER, errnos=_READ_ONLY, stderr=_SAYS_READ_ONLY),
    # Faults that a person has to fix.
    Row(
        "ffmpeg-missing", _USER, place=("program",), errnos=_numbers("ENOENT", "EACCES", "ENOEXEC")
    ),
    Row(
        "source-no-permission", _USER, place=("source",), errnos=_FORBIDDEN, stderr=_SAYS_FORBIDDEN
    ),
    Row(
        "output-no-permission", _USER, place=("output",), errnos=_FORBIDDEN, stderr=_SAYS_FORBIDDEN
    ),
    Row("scratch-no-permission", _USER, errnos=_FORBIDDEN, stderr=_SAYS_FORBIDDEN),
    Row("source-missing", _USER, place=("source",), errnos=_ABSENT, stderr=_SAYS_ABSENT),
    Row("scratch-gone", _HARDWARE, place=("scratch",), errnos=_ABSENT, stderr=_SAYS_ABSENT),
    Row("output-gone", _HARDWARE, place=("output",), errnos=_ABSENT, stderr=_SAYS_ABSENT),
    Row("source-not-a-file", _USER, place=("source",), errnos=_NO_FILE, stderr=_SAYS_NO_FILE),
    Row(
        "source-name-invalid",
        _USER,
        place=("source",),
        errnos=_numbers("ENAMETOOLONG", "EILSEQ", "EINVAL"),
        stderr=_SAYS_TOO_LONG,
    ),
    # An encoder that did not start, without a reason given.
    Row(
        "preset-unfit",
        _USER,
        stderr=_said(
            "Error while opening encoder",
            "Error initializing output stream .* -- Error while opening encoder",
        ),
    ),
    # How a process ended, where nothing else is known.
    Row("ffmpeg-crashed", _MOMENT, exits=CRASHES),
    Row("ffmpeg-killed", _EXCEEDED, exits=(-9,)),
    Row("ffmpeg-stopped", _MOMENT, exits=STOPS, note=("",)),
    # Faults in the media itself.
    Row(
        "sound-too-short",
        _CORRUPT,
        place=("source",),
        note=("too-few-frames", "too-few-samples"),
        operation=("mix",),
    ),
    Row("source-truncated", _CORRUPT, place=("source",), note=("cut-short",)),
    Row("source-truncated", _CORRUPT, place=("source",), stderr=_SAYS_CUT_SHORT),
    Row(
        "source-unreadable",
        _CORRUPT,
        place=("source",),
        note=("invalid-data", "media-error"),
        operation=("examine",),
    ),
    Row(
        "sound-damaged",
        _CORRUPT,
        place=("source",),
        note=("invalid-data", "media-error"),
        operation=("mix",),
    ),
    Row(
        "source-damaged",
        _CORRUPT,
        place=("source",),
        note=("invalid-data", "media-error", "log-says-damage"),
    ),
    Row("source-damaged", _CORRUPT, place=("source",), stderr=_SAYS_DAMAGE),
    Row(
        "source-too-short", _CORRUPT, place=("source",), note=("too-few-frames", "too-few-samples")
    ),
    Row(
        "source-too-short",
        _CORRUPT,
        place=("source",),
        stderr=_said("Output file is empty", "Empty output"),
    ),
    Row(
        "render-unlike",
        _MOMENT,
        note=(
            "other-signature",
            "off-grid",
            "too-many-frames",
            "too-few-frames",
            "log-says-damage",
        ),
    ),
)
