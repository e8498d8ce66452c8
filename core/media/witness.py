"""Decode a source with ffmpeg alone, without our own reading code, as a witness to its damage.

A source is blamed only if this witness fails as well. The witness starts at the key frame before
the range. If it complains there, it starts once more from well before, because a stream with intra
refresh, or one without an index, needs a longer run-up. One clean pass clears the source.

The decoded output decides: all frames are there, their number is right, none is concealed. Log
lines count only if a decoder reports that it lost something.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from math import floor
from typing import NamedTuple

import av

from core.media import ffmpeg, packets

RUN_UP_S = Fraction(15)
"""How much earlier the second pass begins. Cameras write a key frame at least every ten seconds."""

_STEADY = (
    "-hide_banner", "-nostdin", "-loglevel", "level+info", "-nostats", "-progress", "pipe:1", "-stats_period", "0.5",
    "-err_detect", "crccheck", "-threads", "1", "-protocol_whitelist", "file",
)  # fmt: skip
"""Options for every pass.

One thread, so that the decoder logs what it conceals; checksums are compared; no complaint ends the
pass.
"""

_LOST = re.compile(
    r"corrupt decoded frame|concealing \d+|error while decoding|Error submitting packet|Decoding error|CRC mismatch|checksum",
    re.IGNORECASE,
)
_ENDED = re.compile(
    r"partial file|File ended prematurely|Error during demuxing|Input/output error", re.IGNORECASE
)
"""Lines saying that reading ended too soon.

Frames before that place are good. Their number shows the loss or, where it is unknown, their time.
"""
_SHORT_S, _SLACK_S = 0.5, 0.001
_DECODER_ERROR = re.compile(
    r"^\[(?P<who>[a-z0-9_]+) @ 0x[0-9a-f]+\] \[(error|fatal|panic)\] (?P<what>.*)"
)
_DEMUXERS = re.compile(
    r"^(mov|mxf|mpeg|mpegts|matroska|webm|avi|flv|wav|aiff|ogg|asf|concat|image2|in#|out#)"
)
_INNOCENT = (
    re.compile(
        r"^(mmco: unref short failure|co located POCs unavailable|reference picture missing during reorder)"
    ),
    re.compile(
        r"^(Missing reference picture, default is \d+|number of reference frames \(.*\) exceeds max)"
    ),
    re.compile(
        r"^(Unknown or unsupported tag|This format is not registered|Incorrect count|invalid TIFF|Tag .* )"
    ),
    re.compile(
        r"^(illegal reordering_of_pic_nums_idc|Increasing reorder buffer|non-existing SPS \d+ referenced in buffering)"
    ),
)
"""Messages that decoders log for healthy streams.

This is only a fast path: missing and concealed frames count all the same.
"""


_AIMS_BY_STAMPS = {"mpegts", "mpeg"}
"""Formats without an index; ffmpeg finds a time in them by bisecting the file."""


class Heard(NamedTuple):
    """The result of a witness pass.

    If the range decodes, `clean` is true and `run_up_s` is how much earlier decoding had to begin.
    Otherwise `said` holds the log lines that report a loss, or the counts.
    """

    clean: bool
    run_up_s: Fraction = Fraction(0)
    said: tuple[str, ...] = ()


def of_pictures(
    program: str,
    path: str,
    stream: int,
    begin_s: Fraction,
    end_s: Fraction,
    *,
    frames: int,
    on_frames: Callable[[int], None] = lambda frames: None,
) -> Heard:
    """Decode the pictures shown from `begin_s` to `end_s`, counted from the container's start.

    At least `frames` pictures must come. An `end_s` of 0 means that the source is a still. Never
    raises EngineGone, because the caller's command pipe is not watched here.
    """
    if not end_s:
        still = (
            program,
            *_STEADY,
            "-f",
            "image2",
            "-pattern_type",
            "none",
            "-i",
            f"file:{path}",
            "-map",
            "0:0",
        )
        return _heard(
            ffmpeg.run(
                (*still, "-frames:v", "1", "-f", "null", "-"),
                on_frames=on_frames,
                heed=_tells_of_loss,
            ),
            1,
        )
    heard = Heard(clean=False)
    for run_up_s in _run_ups(begin_s):
        early_s = max(Fraction(0), begin_s - run_up_s)
        argv = (
            program, *_STEADY, *_seek(early_s), "-i", f"file:{path}", "-map", f"0:{stream}", *_seek(begin_s - early_s),
            "-t", _seconds(end_s - begin_s), "-fps_mode", "passthrough", "-enc_time_base", "1/1000000", "-f", "null", "-",
        )  # fmt: skip
        heard = _heard(
            ffmpeg.run(argv, on_frames=on_frames, heed=_tells_of_loss),
            frames,
            float(end_s - begin_s),
        )
        heard = heard._replace(run_up_s=begin_s - early_s)
        if heard.clean:
            break
    return heard


def of_sound(
    program: str,
    path: str,
    stream: int,
    begin_s: Fraction,
    samples: int,
    *,
    rate: int,
    channels: int,
    to: str,
) -> Heard:
    """Decode `samples` samples at `rate` into the file `to`: interleaved little-endian doubles."""
    argv = (
        program, *_STEADY, *_seek(begin_s), "-i", f"file:{path}", "-map", f"0:{stream}", "-t",
        _seconds(Fraction(samples, rate)), "-ar", str(rate), "-ac", str(channels), "-c:a", "pcm_f64le", "-f", "f64le",
        "-y", f"file:{to}",
    )  # fmt: skip
    return _heard(ffmpeg.run(argv, heed=_tells_of_loss), 0, samples / rate)


def opens(program: str, path: str, *, pictures: bool) -> Heard:
    """Check that ffmpeg opens a file and decodes its first picture or the start of its sound."""
    which = ("-map", "0:V:0", "-frames:v", "1") if pictures else ("-map", "0:a:0", "-t", "0.1")
    argv = (program, *_STEADY, "-i", f"file:{path}", *which, "-f", "null", "-")
    return _heard(ffmpeg.run(argv, heed=_tells_of_loss), int(pictures))


def of_film(
    program: str,
    path: str,
    *,
    frames: int,
    sound_s: float,
    on_frames: Callable[[int], None] = lambda frames: None,
) -> Heard:
    """Decode a whole film, pictures and sound.

    Exactly `frames` pictures and at least `sound_s` seconds of sound must come.
    """
    argv = (
        program,
        *_STEADY,
        "-i",
        f"file:{path}",
        "-map",
        "0:v:0",
        "-fps_mode",
        "passthrough",
        "-f",
        "null",
        "-",
    )
    ran = ffmpeg.run(argv, on_frames=on_frames, heed=_tells_of_loss)
    heard = _heard(ran, frames)
    if not heard.clean or ran.lines or ran.frames != frames or not sound_s:
        return (
            heard
            if not heard.clean
            else Heard(not ran.lines and ran.frames == frames, said=ran.lines)
        )
    sound = (program, *_STEADY, "-i", f"file:{path}", "-map", "0:a:0", "-f", "null", "-")
    ran = ffmpeg.run(sound, on_frames=on_frames, heed=_tells_of_loss)
    heard = _heard(ran, 0)
    return (
        heard
        if not heard.clean
        else Heard(not ran.lines and ran.out_s > sound_s - _SLACK_S, said=ran.lines)
    )


def misled(path: str) -> bool:
    """Return True if time stamps that jump back led the witness to another place in the file.

    In that case its result says nothing about damage. Applies to formats without an index only.
    """
    try:
        with av.open(path, options={"protocol_whitelist": "file"}) as container:
            if _AIMS_BY_STAMPS.isdisjoint(container.format.name.split(",")):
                return False
        return any(one.begins_anew for one in packets.lengths(path).values())
    except (av.FFmpegError, OSError):
        return False


def _run_ups(begin_s: Fraction) -> Iterable[Fraction]:
    return (Fraction(0), RUN_UP_S) if begin_s > 0 else (Fraction(0),)


def _seek(at_s: Fraction) -> tuple[str, ...]:
    return ("-ss", _seconds(at_s)) if at_s > 0 else ()


def _seconds(time_s: Fraction) -> str:
    whole = floor(time_s * 1_000_000)
    return f"{whole // 1_000_000}.{whole % 1_000_000:06}"


def _heard(ran: ffmpeg.Ran, frames: int, length_s: float = 0.0) -> Heard:
    """Judge a run by its exit code, its number of frames and its log lines.

    `length_s` is the length in seconds that must come if the number of frames says too little.
    """
    if ran.exit_code != 0:
        return Heard(False, said=(*ran.lines, f"ffmpeg ended with {ran.exit_code}"))
    if ran.frames < frames:
        return Heard(False, said=(*ran.lines, f"{ran.frames} of {frames} frames decode"))
    lost = tuple(line for line in ran.lines if not _ENDED.search(line))
    if length_s and len(lost) < len(ran.lines) and ran.out_s < length_s - _SHORT_S:
        return Heard(False, said=ran.lines)
    return Heard(not lost, said=lost)


def _tells_of_loss(line: str) -> bool:
    if _LOST.search(line) or _ENDED.search(line):
        return True
    error = _DECODER_ERROR.match(line)
    return (
        error is not None
        and not _DEMUXERS.match(error["who"])
        and not any(innocent.search(error["what"]) for innocent in _INNOCENT)
    )
