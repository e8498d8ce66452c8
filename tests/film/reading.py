"""Decode a finished film and say what is in it: marks, samples, hashes. Nothing is scaled or converted on the way."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np
import xxhash
from numpy.typing import NDArray

from tests.film import barcode
from tests.film.barcode import Mark

_LUMA_FIRST = ("yuv", "gray", "nv12", "nv16", "p010", "p210")
_BLACK_LUMA, _NEUTRAL, _SLACK = 16, 128, 5


def frames(path: str | Path) -> Iterator[av.VideoFrame]:
    """Every frame of the first video stream, in the order of presentation. av.FFmpegError when it does not decode."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        yield from container.decode(stream)


def marks(path: str | Path, fit: tuple[int, int, int, int] | None = None) -> list[Mark | None]:
    """What each decoded frame says it is; `fit` as in `barcode.read`."""
    return [barcode.read(luma(frame), fit) for frame in frames(path)]


def samples(path: str | Path, stream: int = 0) -> NDArray[np.int32] | NDArray[np.float32]:
    """The n-th audio stream as (samples, channels): int32 with full scale 2**23 from integer PCM, else float32.

    Sound that decodes to floats (AAC) keeps full scale 1.0 and ends where the container says it does: the last packet
    is padded to 1024 samples. PCM is never trimmed. No audio stream: shape (0, 0).
    """
    blocks = [block for block, _ in _sound(path, stream)]
    return np.concatenate(blocks) if blocks else np.zeros((0, 0), np.int32)


def decoded(path: str | Path, channels: int) -> NDArray[np.float32]:
    """The sound as the bundled ffmpeg decodes it from beginning to end, (samples, channels), full scale 1.0."""
    done = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-i", str(path), "-map", "0:a:0", "-f", "f32le", "-"],
        capture_output=True, check=True,
    )  # fmt: skip
    return np.frombuffer(done.stdout, "<f4").reshape(-1, channels)


def frame_hashes(path: str | Path) -> list[str]:
    """XXH3-128 of each decoded frame: its format, its size and the visible part of its planes."""
    return [frame_hash(frame) for frame in frames(path)]


def frame_hash(frame: av.VideoFrame) -> str:
    """XXH3-128 of one decoded frame."""
    digest = xxhash.xxh3_128(f"{frame.format.name} {frame.width}x{frame.height}".encode())
    for index in range(len(frame.planes)):
        digest.update(np.ascontiguousarray(_plane(frame, index)).data)
    return digest.hexdigest()


def audio_hash(path: str | Path, stream: int = 0) -> str:
    """XXH3-128 of the sample rate, the channels and all decoded samples; how packets divide them does not matter."""
    digest, head = xxhash.xxh3_128(), ""
    for block, sample_rate in _sound(path, stream):
        if not head:
            head = f"{sample_rate} {block.shape[1]} {block.dtype}"
            digest.update(head.encode())
        digest.update(np.ascontiguousarray(block).data)
    return digest.hexdigest()


def luma(frame: av.VideoFrame) -> NDArray[Any]:
    """The luma of a frame, (height, width): a view of its plane (uint8 or uint16); other formats become 8-bit grey."""
    if not frame.format.name.startswith(_LUMA_FIRST):
        return frame.to_ndarray(format="gray")
    plane = _plane(frame, 0)
    return plane.view(np.uint16) if frame.format.components[0].bits > 8 else plane


def black(frame: av.VideoFrame) -> bool:
    """Is every pixel black and without colour, as video range has it (luma 16, chroma 128), within a coder's error?

    Planar YUV of any depth. Full range counts too: there black is 0, below the limit.
    """
    depth = frame.format.components[0].bits
    kind = np.uint16 if depth > 8 else np.uint8
    scale = 1 << (depth - 8)
    if int(luma(frame).max()) > (_BLACK_LUMA + _SLACK) * scale:
        return False
    chroma = [_plane(frame, index).view(kind) for index in range(1, len(frame.planes))]
    return all(
        np.abs(plane.astype(np.int32) - _NEUTRAL * scale).max() <= _SLACK * scale
        for plane in chroma[:2]
    )


def _plane(frame: av.VideoFrame, index: int) -> NDArray[np.uint8]:
    """The visible bytes of a plane, (rows, bytes per row): line padding is left out. A view, of packed YUV too wide."""
    plane = frame.planes[index]
    pixel = sum((part.bits + 7) // 8 for part in frame.format.components if part.plane == index)
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height]
    return rows[:, : plane.width * pixel]


def _sound(path: str | Path, stream: int) -> Iterator[tuple[NDArray[Any], int]]:
    """Decoded sound, block by block: ((samples, channels), sample rate), scaled and ended as `samples` says."""
    with av.open(str(path)) as container:
        streams = container.streams.audio
        if stream >= len(streams):
            return
        source = streams[stream]
        for frame in container.decode(source):
            raw: NDArray[Any] = frame.to_ndarray()
            block = raw.T if frame.format.is_planar else raw.reshape(frame.samples, -1)
            if block.dtype == np.int16:
                block = block.astype(np.int32) << 8
            elif block.dtype == np.int32:
                block = block >> 8
            else:
                block = block[: _left(source, frame)].astype(np.float32)
            if len(block):
                yield block, frame.sample_rate


def _left(source: av.AudioStream, frame: av.AudioFrame) -> int:
    """How many samples of a frame stand before the end its stream declares."""
    if (
        source.duration is None
        or source.time_base is None
        or frame.pts is None
        or frame.time_base is None
    ):
        return frame.samples
    end_s = ((source.start_time or 0) + source.duration) * source.time_base
    return max(
        0, min(frame.samples, round((end_s - frame.pts * frame.time_base) * frame.sample_rate))
    )
