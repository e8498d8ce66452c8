"""What really differs between a good file and a damaged one, decoded frame by frame; and what ffmpeg itself has to say."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from tests.film import reading

SAMPLES_PER_FRAME = 2000
_SAYS_DAMAGE = re.compile(
    r"\[(error|fatal)\]|corrupt|damaged|partial file|prematurely|concealing|Invalid", re.IGNORECASE
)


def pictures(path: Path, rate: int) -> dict[int, str]:
    """Frame number to hash, of everything that decodes with a decoder that forgives; damage that stops it ends the list."""
    found: dict[int, str] = {}
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            start = (stream.start_time or 0) * (stream.time_base or Fraction(1))
            packets: Iterable[av.Packet | None] = [*_forgiving(container.demux(stream)), None]
            for packet in packets:
                try:
                    frames = stream.codec_context.decode(packet)
                except av.FFmpegError:
                    continue
                for frame in frames:
                    if frame.pts is not None and frame.time_base is not None:
                        found[round((frame.pts * frame.time_base - start) * rate)] = (
                            reading.frame_hash(frame)
                        )
    except (av.FFmpegError, OSError, IndexError):
        pass
    return found


def _forgiving(packets: Iterable[av.Packet]) -> Iterable[av.Packet]:
    try:
        yield from (packet for packet in packets if packet.size)
    except av.FFmpegError:
        return


def sound(path: Path) -> NDArray[np.int32]:
    """All samples that can be read, (samples, channels)."""
    try:
        return reading.samples(path)
    except (av.FFmpegError, OSError, IndexError, ValueError):
        return np.zeros((0, 0), np.int32)


def other_frames(good: dict[int, str], bad: dict[int, str]) -> set[int]:
    """Numbers of frames that are not what they were."""
    return {number for number, is_ in good.items() if bad.get(number) != is_}


def other_samples(good: NDArray[np.int32], bad: NDArray[np.int32]) -> set[int]:
    """Numbers of frames (of so many samples) in which a sample is not what it was, or is not there."""
    if not bad.size or bad.shape[1] != good.shape[1]:
        return set(range(-(-len(good) // SAMPLES_PER_FRAME)))
    length = min(len(good), len(bad))
    differs = np.flatnonzero((good[:length] != bad[:length]).any(axis=1))
    missing = (
        range(length // SAMPLES_PER_FRAME, -(-len(good) // SAMPLES_PER_FRAME))
        if length < len(good)
        else ()
    )
    return {*map(int, np.unique(differs // SAMPLES_PER_FRAME)), *missing}


def complains(path: Path, frames: int, first: int | None = None, rate: int = 24) -> str:
    """What a strict ffmpeg says of a whole file, or (`first`) of so many frames in it; empty when it decodes without a word
    and in full."""
    seek = ["-ss", f"{max(0.0, (first - 0.5) / rate):.6f}"] if first else []
    argv = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-v", "level+warning", "-nostats", "-progress", "pipe:1",
        "-xerror", "-err_detect", "explode", "-threads", "1", *seek, "-i", str(path), *(["-t", f"{frames / rate:.6f}"] if first else []),
        "-f", "null", "-",
    ]  # fmt: skip
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    lines = [line for line in done.stderr.splitlines() if _SAYS_DAMAGE.search(line)]
    if lines or done.returncode:
        return (lines or done.stderr.splitlines() or [f"exit {done.returncode}"])[0]
    counts = re.findall(r"^frame=\s*(\d+)", done.stdout, re.MULTILINE)
    if counts and first is None and int(counts[-1]) != frames:
        return f"{counts[-1]} of {frames} frames"
    return ""
