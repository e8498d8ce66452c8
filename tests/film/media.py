"""Write real media with the bundled ffmpeg: movies, stills and sound that say of themselves what they are."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.film import barcode, picture
from tests.film.sound import expected_audio, make_wav, packed, samples_of

__all__ = ["Movie", "expected_audio", "ffmpeg", "make_movie", "make_still", "make_wav"]

Codec = Literal["prores", "dnxhr", "h264", "ffv1", "mjpeg"]
Audio = Literal["pcm", "aac"]

# Output never depends on the machine: x264 and FFV1 change theirs with the number of threads.
_CODECS: dict[str, tuple[str, ...]] = {
    "prores": (
        "-c:v",
        "prores_ks",
        "-profile:v",
        "3",
        "-vendor",
        "apl0",
        "-pix_fmt",
        "yuv422p10le",
    ),
    "dnxhr": ("-c:v", "dnxhd", "-profile:v", "dnxhr_hq", "-pix_fmt", "yuv422p"),
    "h264": (
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-crf",
        "18",
        "-bf",
        "3",
        "-pix_fmt",
        "yuv420p",
    ),
    "ffv1": (
        "-c:v",
        "ffv1",
        "-level",
        "3",
        "-slices",
        "4",
        "-slicecrc",
        "1",
        "-pix_fmt",
        "yuv422p10le",
    ),
    "mjpeg": ("-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj422p"),
}
_BT709 = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709")
_SCALER = ("-sws_flags", "bicubic+accurate_rnd+bitexact")
_REPEATABLE = ("-threads", "2", "-fflags", "+bitexact", "-flags", "+bitexact", *_SCALER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Movie:
    """What was asked of `make_movie`, and so what a reader must find. `bits` and `tone` say what the audio is."""

    path: Path
    source_id: int
    frames: int
    rate: Fraction
    size: tuple[int, int]
    codec: Codec
    audio: Audio | None
    sample_rate: int
    channels: int
    bits: int
    tone: bool
    start_timecode: str | None

    @property
    def start_frame(self) -> int:
        """The first frame's number by the file's timecode; 0 without one."""
        return (
            picture.frames_of_timecode(self.start_timecode, self.rate) if self.start_timecode else 0
        )

    @property
    def samples(self) -> int:
        """Samples per channel; 0 without audio."""
        return samples_of(self.frames, self.rate, self.sample_rate) if self.audio else 0

    def sound(self, start_sample: int = 0, count: int | None = None) -> NDArray[np.int32]:
        """The samples the file holds there, (count, channels), full scale 2**23."""
        count = self.samples - start_sample if count is None else count
        return expected_audio(
            self.source_id, start_sample, count, self.channels,
            bits=self.bits, tone=self.tone, sample_rate=self.sample_rate,
        )  # fmt: skip


def make_movie(
    path: str | Path,
    *,
    source_id: int,
    frames: int,
    rate: Fraction | int = Fraction(24),
    size: tuple[int, int] = (320, 180),
    codec: Codec = "prores",
    audio: Audio | None = None,
    sample_rate: int = 48000,
    channels: int = 2,
    bits: int = 24,
    tone: bool | None = None,
    start_timecode: str | None = None,
    gop: int = 48,
    human: bool = False,
    name: str | None = None,
) -> Movie:
    """Write a movie whose every frame carries `Mark(source_id, number)`; RuntimeError with ffmpeg's words.

    The container follows the suffix: .mov, .mp4 or .mkv. `size` is (width, height), both even; DNxHR from 256 x 120.
    Audio is exact noise in `bits` of PCM, or tones (the default for AAC). `human` burns in `name` and the timecode.
    """
    movie = Movie(
        path=Path(path), source_id=source_id, frames=frames, rate=Fraction(rate), size=size, codec=codec, audio=audio,
        sample_rate=sample_rate, channels=channels, bits=bits, tone=audio == "aac" if tone is None else tone,
        start_timecode=start_timecode,
    )  # fmt: skip
    caption = None
    if human:
        drop = ";" in (start_timecode or "")
        caption = picture.Caption(
            size, name or movie.path.stem, movie.rate, movie.start_frame, drop_frame=drop
        )
    with (
        tempfile.TemporaryDirectory() as scratch,
        (Path(scratch) / "stderr").open("w+b") as complaint,
    ):
        sound = Path(scratch) / "sound.pcm"
        if audio:
            sound.write_bytes(packed(movie.sound(), bits))
        with subprocess.Popen(
            _command(movie, sound, gop), stdin=subprocess.PIPE, stderr=complaint
        ) as process:
            assert process.stdin
            try:
                _feed(process.stdin.write, movie, caption)
                process.stdin.close()
            except BrokenPipeError:  # ffmpeg gave up; its own words are worth more
                with suppress(
                    BrokenPipeError
                ):  # what is still in the buffer cannot be flushed either
                    process.stdin.close()
        complaint.seek(0)
        if process.returncode or not movie.path.exists():
            raise RuntimeError(
                f"{movie.path}: ffmpeg ended with {process.returncode}: {complaint.read().decode()}"
            )
    return movie


def make_still(path: str | Path, size: tuple[int, int], source_id: int, *, number: int = 0) -> Path:
    """Write a still (PNG, or what the suffix says) of width x height that carries `Mark(source_id, number)`."""
    luma, u, v = next(picture.raw_frames(1, size, source_id, tall_chroma=True, full_range=True))
    barcode.draw(luma, barcode.Mark(source_id, number), black=0, white=255)
    planes = [luma, *(np.repeat(plane, 2, axis=1) for plane in (u, v))]
    Image.merge("YCbCr", [Image.fromarray(plane) for plane in planes]).convert("RGB").save(path)
    return Path(path)


def ffmpeg(*arguments: str | Path) -> None:
    """Run the bundled ffmpeg with these arguments, overwriting; RuntimeError with its words when it fails."""
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-nostdin",
        "-hide_banner",
        "-v",
        "error",
        "-y",
        *map(str, arguments),
    ]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"ffmpeg ended with {done.returncode}: {done.stderr}")


def _feed(write: Callable[[bytes], object], movie: Movie, caption: picture.Caption | None) -> None:
    """Draw the frames one after the other into ffmpeg's pipe."""
    tall, full = movie.codec != "h264", movie.codec == "mjpeg"
    planes = picture.raw_frames(
        movie.frames, movie.size, movie.source_id, tall_chroma=tall, full_range=full
    )
    for number, (luma, u, v) in enumerate(planes):
        if caption:
            caption.paste(luma, number)
        write(luma.tobytes() + u.tobytes() + v.tobytes())


def _command(movie: Movie, sound: Path, gop: int) -> list[str]:
    """The whole command line; pictures come through stdin."""
    width, height = movie.size
    layout = {"h264": "yuv420p", "mjpeg": "yuvj422p"}.get(movie.codec, "yuv422p")
    colour = (*_BT709, "-color_range", "pc" if movie.codec == "mjpeg" else "tv")
    line = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-v", "error", "-y",
        "-f", "rawvideo", "-pix_fmt", layout, "-video_size", f"{width}x{height}", "-framerate", str(movie.rate),
        *colour, "-i", "pipe:0",
    ]  # fmt: skip
    if movie.audio:
        line += [
            "-f",
            f"s{movie.bits}le",
            "-ar",
            str(movie.sample_rate),
            "-ac",
            str(movie.channels),
            "-i",
            str(sound),
        ]
    line += ["-map", "0:v", *_CODECS[movie.codec], *colour]
    if movie.codec == "h264":
        line += ["-g", str(gop)]
    if movie.audio == "pcm":
        line += ["-map", "1:a", "-c:a", f"pcm_s{movie.bits}le"]
    elif movie.audio == "aac":
        line += [
            "-map",
            "1:a",
            "-c:a",
            "aac",
            "-b:a",
            "192k",
            "-aac_pns",
            "0",
        ]  # no made-up noise: every decode is the same
    if movie.start_timecode:
        tag = ["-metadata:s:v:0", f"timecode={movie.start_timecode}"]
        line += tag if movie.path.suffix == ".mkv" else ["-timecode", movie.start_timecode]
    return [*line, *_REPEATABLE, str(movie.path)]
