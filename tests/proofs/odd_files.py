"""Healthy files that readers stumble over, made by ffmpeg of one marked master: 40 and more, each a function of nothing else.

`pictures` says that frames can be read from it, `sound` that it has sound. What a recipe makes is healthy by construction.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from tests.film.media import ffmpeg, make_movie, make_still

FRAMES = 48


class Odd(NamedTuple):
    """A healthy file. `make` writes it of the master at a path."""

    name: str
    make: Callable[[Path, Path], None]
    pictures: bool = True
    sound: bool = False
    still: bool = False


def _of(*words: str) -> Callable[[Path, Path], None]:
    return lambda master, path: ffmpeg("-i", master, *words, path)


_H264 = ("-an", "-c:v", "libx264", "-preset", "veryfast", "-crf", "12", "-pix_fmt", "yuv420p")
_NO_SOUND, _NO_PICTURE = ("-an",), ("-vn",)


def _joined(suffix: str, *codec: str) -> Callable[[Path, Path], None]:
    """Two recordings behind each other: time stamps begin anew."""

    def make(master: Path, path: Path) -> None:
        part = path.with_name(f"{path.stem}-part{suffix}")
        ffmpeg("-i", master, "-an", *codec, part)
        path.write_bytes(part.read_bytes() * 2)
        part.unlink()

    return make


def _sized(master: Path, path: Path) -> None:
    """The size changes midway, as in a stream that adapts to its line."""
    both = []
    for number, size in enumerate(("320:180", "640:360")):
        part = path.with_name(f"{path.stem}-{number}.ts")
        scaled = ("-vf", f"scale={size}", *_H264, "-g", "12", "-output_ts_offset", str(number))
        ffmpeg("-ss", str(number), "-t", "1", "-i", master, *scaled, part)
        both.append(part.read_bytes())
        part.unlink()
    path.write_bytes(b"".join(both))


def _tiff(**options: object) -> Callable[[Path, Path], None]:
    def make(master: Path, path: Path) -> None:
        still = make_still(path.with_suffix(".png"), (320, 180), 9)
        with Image.open(still) as picture:
            picture.save(path, **options)
        still.unlink()

    return make


def _with_chunks(master: Path, path: Path) -> None:
    """A WAV with chunks that few readers know, of odd length and with a padding byte, before and behind its sound."""
    plain = path.with_suffix(".plain.wav")
    ffmpeg("-i", master, "-vn", "-c:a", "pcm_s16le", plain)
    data = plain.read_bytes()
    plain.unlink()
    odd = (
        b"iXML"
        + (7).to_bytes(4, "little")
        + b"<a/>   \0"
        + b"JUNK"
        + (3).to_bytes(4, "little")
        + b"abc\0"
    )
    body = b"WAVE" + odd + data[12:] + odd
    path.write_bytes(b"RIFF" + len(body).to_bytes(4, "little") + body)


def _cover(master: Path, path: Path) -> None:
    cover = make_still(path.with_suffix(".png"), (64, 64), 8)
    ffmpeg(
        "-i",
        master,
        "-i",
        cover,
        "-map",
        "0:a",
        "-map",
        "1:v",
        "-c:a",
        "aac",
        "-c:v",
        "mjpeg",
        "-disposition:v",
        "attached_pic",
        path,
    )
    cover.unlink()


def _padded(master: Path, path: Path) -> None:
    """Motion JPEG whose pictures end in padding behind their end marker, as hardware writes it."""
    plain = path.with_suffix(".mjpeg")
    ffmpeg(
        "-i",
        master,
        "-an",
        "-c:v",
        "mjpeg",
        "-q:v",
        "2",
        "-pix_fmt",
        "yuvj420p",
        "-f",
        "mjpeg",
        plain,
    )
    plain.write_bytes(
        plain.read_bytes().replace(b"\xff\xd9\xff\xd8", b"\xff\xd9" + bytes(64) + b"\xff\xd8")
    )
    ffmpeg("-f", "mjpeg", "-r", "24", "-i", plain, "-c", "copy", path)
    plain.unlink()


def _through_a_pipe(kind: str, *codec: str) -> Callable[[Path, Path], None]:
    """Written to a pipe: no duration, no index, no length in its head."""

    def make(master: Path, path: Path) -> None:
        words = ["ffmpeg", "-v", "error", "-i", str(master), *codec, "-f", kind, "-"]
        path.write_bytes(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout)

    return make


ODD = (
    Odd("tiff-dpi.tif", _tiff(dpi=(300, 300)), still=True),
    Odd("tiff-lzw.tif", _tiff(compression="tiff_lzw", dpi=(72, 72)), still=True),
    Odd("tiff-plain.tif", _tiff(), still=True),
    Odd("jpeg-exif.jpg", _tiff(quality=97, dpi=(300, 300)), still=True),
    Odd("h264-eos.mp4", _of(*_H264, "-bsf:v", "h264_mp4toannexb", "-x264-params", "aud=1:eos=1")),
    Odd(
        "h264-intra-refresh.mp4", _of(*_H264, "-x264-params", "intra-refresh=1:keyint=24:bframes=0")
    ),
    Odd("h264-open-gop.mp4", _of(*_H264, "-x264-params", "open-gop=1:keyint=12:bframes=3")),
    Odd("h264-one-key-frame.mp4", _of(*_H264, "-g", "600")),
    Odd("h264-fragments.mp4", _of(*_H264, "-movflags", "frag_keyframe+empty_moov")),
    Odd("h264-negative-stamps.mp4", _of(*_H264, "-bf", "3", "-movflags", "negative_cts_offsets")),
    Odd("h264-late.mp4", _of(*_H264, "-output_ts_offset", "5.5")),
    Odd("h264-size-changes.ts", _sized),
    Odd("h264.ts", _of(*_H264)),
    Odd("h264.m2ts", _of(*_H264, "-f", "mpegts", "-mpegts_m2ts_mode", "1")),
    Odd("h264.flv", _of(*_H264)),
    Odd("h264-raw.h264", _of(*_H264)),
    Odd("h264-joined.ts", _joined(".ts", *_H264[1:])),
    Odd("mpeg2.mpg", _of(*_NO_SOUND, "-c:v", "mpeg2video", "-q:v", "2", "-r", "25")),
    Odd("mpeg2.vob", _of(*_NO_SOUND, "-c:v", "mpeg2video", "-q:v", "2", "-r", "25", "-f", "vob")),
    Odd("mpeg2.ts", _of(*_NO_SOUND, "-c:v", "mpeg2video", "-q:v", "2", "-r", "25")),
    Odd("mpeg2.mxf", _of(*_NO_SOUND, "-c:v", "mpeg2video", "-q:v", "2", "-r", "25")),
    Odd(
        "dnxhr.mxf",
        _of(*_NO_SOUND, "-c:v", "dnxhd", "-profile:v", "dnxhr_sq", "-pix_fmt", "yuv422p"),
    ),
    Odd("mjpeg-padded.avi", _padded),
    Odd("mjpeg.avi", _of(*_NO_SOUND, "-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p")),
    Odd("mpeg4-b.avi", _of(*_NO_SOUND, "-c:v", "mpeg4", "-q:v", "2", "-bf", "2")),
    Odd(
        "vfr.mkv",
        _of(
            *_H264,
            "-vf",
            "select=not(mod(n\\,3)),setpts=PTS+random(1)*0.004/TB",
            "-fps_mode",
            "vfr",
        ),
    ),
    Odd(
        "vp9.webm",
        _of(
            *_NO_SOUND,
            "-c:v",
            "libvpx-vp9",
            "-crf",
            "20",
            "-deadline",
            "realtime",
            "-cpu-used",
            "8",
        ),
    ),
    Odd(
        "vp8-pipe.webm",
        _through_a_pipe(
            "webm", "-an", "-c:v", "libvpx", "-crf", "10", "-b:v", "2M", "-deadline", "realtime"
        ),
    ),
    Odd("h264-pipe.mkv", _through_a_pipe("matroska", *_H264)),
    Odd("ffv1.mkv", _of(*_NO_SOUND, "-c:v", "ffv1", "-g", "12")),
    Odd("prores.mov", _of(*_NO_SOUND, "-c:v", "prores_ks", "-profile:v", "1")),
    Odd("odd-size.mkv", _of(*_NO_SOUND, "-vf", "crop=319:179:0:0,format=yuv444p", "-c:v", "ffv1")),
    Odd("one-frame.mov", _of(*_NO_SOUND, "-frames:v", "1", "-c:v", "prores_ks")),
    Odd("one-frame.mp4", _of(*_H264, "-frames:v", "1")),
    Odd("sound-odd-chunks.wav", _with_chunks, pictures=False, sound=True),
    Odd(
        "sound.rf64.wav",
        _of(*_NO_PICTURE, "-c:a", "pcm_s24le", "-rf64", "always"),
        pictures=False,
        sound=True,
    ),
    Odd(
        "sound-pipe.wav",
        _through_a_pipe("wav", "-vn", "-c:a", "pcm_s16le"),
        pictures=False,
        sound=True,
    ),
    Odd("sound.aiff", _of(*_NO_PICTURE, "-c:a", "pcm_s24be"), pictures=False, sound=True),
    Odd("sound.flac", _of(*_NO_PICTURE, "-c:a", "flac"), pictures=False, sound=True),
    Odd("sound.opus", _of(*_NO_PICTURE, "-c:a", "libopus"), pictures=False, sound=True),
    Odd(
        "sound.ogg", _of(*_NO_PICTURE, "-c:a", "libvorbis", "-q:a", "8"), pictures=False, sound=True
    ),
    Odd(
        "sound-adts.aac", _of(*_NO_PICTURE, "-c:a", "aac", "-f", "adts"), pictures=False, sound=True
    ),
    Odd(
        "sound.mp3",
        _of(*_NO_PICTURE, "-c:a", "libmp3lame", "-q:a", "2"),
        pictures=False,
        sound=True,
    ),
    Odd("sound-cover.m4a", _cover, pictures=False, sound=True),
)


def master(folder: Path) -> Path:
    """Two seconds of marked frames with a tone, of which every odd file is made."""
    return make_movie(
        folder / "master.mov", source_id=9, frames=FRAMES, audio="pcm", tone=True
    ).path
