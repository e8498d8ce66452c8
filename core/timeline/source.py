"""What an opened media file turned out to be. Facts only; no judgement."""

from __future__ import annotations

from fractions import Fraction

from core.system.codec import Value
from core.timeline.timeline import UNSPECIFIED, Colour


class VideoFacts(Value, frozen=True):
    """The first video stream. `start_s` counts from the container's own start, as ffmpeg's `-ss` does.

    `frames` is the container's count, else duration times rate, else 0; where it is `counted`, all packets were read.
    `begins_anew` tells that time stamps go back within the file: several recordings lie in it end to end. `constant_rate` is
    true when every frame stands on the grid of `rate`; `grid` is that of their stamps where it is not `rate` to the last digit
    (2997/125 is meant as 24000/1001, and an hour later shows another frame). `rotation` is in degrees clockwise.
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
    """One audio stream; `samples` at its own `sample_rate`, 0 when the container does not say. `counted` and `begins_anew` as of
    pictures."""

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

    `fingerprint` stands for the state of the file: size, modification and change times, and hashes of samples of it. While it
    stays the same, nothing was written to the file. `inode` is (device, inode): an output path is compared with it, since
    ffmpeg overwrites its own source through a hard link without a word. `mark` is over the size and the samples alone: files
    with different marks differ, files with one mark may still differ between the samples. `identity` names the content in
    content keys; two files have one identity only where their bytes were compared (`core.engine.source_identity`). `modified_ns` is the
    modification time in unix nanoseconds, `volume` the mount point, `short_bytes` by how much the file ends before its own
    head says.
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
        """The n-th audio stream of the file."""
        return self.audio[order] if 0 <= order < len(self.audio) else None


def version(fingerprint: str) -> str:
    """The part of a fingerprint that stays the same when a file is renamed, linked or given other permissions: all but its
    change time."""
    return fingerprint.partition("+")[0]
