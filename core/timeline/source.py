"""Properties of an opened media file. Facts only; no judgement."""

from __future__ import annotations

from fractions import Fraction

from core.system.codec import Value
from core.timeline.timeline import UNSPECIFIED, Colour


class VideoFacts(Value, frozen=True):
    """The first video stream.

    `start_s` counts from the container's own start, as ffmpeg's `-ss` does. `frames` is the
    container's count, otherwise duration times rate, otherwise 0; with `counted`, all packets were
    read. `begins_anew` means that time stamps go back within the file: it contains several
    recordings, one after another. `constant_rate` is true if every frame is on the grid of `rate`.
    `grid` is the rate of the time stamps if it does not equal `rate` to the last digit (2997/125
    means 24000/1001, and shows another frame an hour later). `rotation` is in degrees clockwise.
    `signature` names the coded format (`core.graph.nodes`).
    """

    stream: int
    codec: str
    width: int
    height: int
    pixel_format: str
    rate: Fraction
    frames: int
    start_s: Fraction
    constant_rate: bool
    intra_only: bool
    still: bool
    signature: str
    pixel_aspect: Fraction = Fraction(1)
    rotation: int = 0
    colour: Colour = UNSPECIFIED
    alpha: bool = False
    interlaced: bool = False
    grid: Fraction | None = None
    counted: bool = False
    begins_anew: bool = False


class AudioFacts(Value, frozen=True):
    """One audio stream.

    `samples` is at the stream's own `sample_rate`, 0 if the container does not give it. `counted`
    and `begins_anew` are as in `VideoFacts`.
    """

    stream: int
    codec: str
    sample_rate: int
    channels: int
    samples: int
    start_s: Fraction
    counted: bool = False
    begins_anew: bool = False


class Source(Value, frozen=True):
    """A media file as found on disk.

    `fingerprint` represents the state of the file: size, modification and change times, and hashes
    of samples of its content. While it stays the same, nothing was written to the file. `inode` is
    (device, inode); the output path is compared with it, because ffmpeg silently overwrites its own
    source through a hard link.

    `mark`, the content mark, covers only the size and the samples: files with different marks
    differ, but files with the same mark may still differ between the samples. `identity` names the
    content in content keys; two files have the same identity only if their bytes were compared
    (`core.engine.source_identity`).

    `modified_ns` is the modification time in Unix nanoseconds, `volume` the mount point.
    `short_bytes` is by how much the file is shorter than its own header says.
    """

    path: str
    size: int
    fingerprint: str
    inode: tuple[int, int]
    video: VideoFacts | None
    audio: tuple[AudioFacts, ...]
    timecode_s: Fraction | None = None
    short_bytes: int = 0
    mark: str = ""
    volume: str = ""
    identity: str = ""
    modified_ns: int = 0

    def audio_stream(self, order: int) -> AudioFacts | None:
        """Return the n-th audio stream of the file (from 0), or None."""
        return self.audio[order] if 0 <= order < len(self.audio) else None


def version(fingerprint: str) -> str:
    """Return the part of a fingerprint without the file's change time.

    It stays the same when the file is renamed, linked or given other permissions.
    """
    return fingerprint.partition("+")[0]
