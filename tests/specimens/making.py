"""Make the endings of ffmpeg in `ffmpeg_stderr`, by really running both generations against each fault.

    python -m tests.specimens.making [NAME ...]         on Linux, as root, with strace and a system ffmpeg of 5.1

Each scene is a command, with the words that our own commands begin with, and the fault: of the files, the machine, or
injected into a system call by strace, which must say that it fired. What ffmpeg wrote is kept but for addresses in memory
and the folder's own name. A specimen that is there already keeps its verdict; a new one gets the scene's.
"""

from __future__ import annotations

import errno
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

from core.errors.failure import Evidence
from core.job.classify import diagnose
from tests.film.media import make_movie

FOLDER = Path(__file__).parent / "ffmpeg_stderr"
BINARIES = {"5.1": "/usr/bin/ffmpeg", "9.0": imageio_ffmpeg.get_ffmpeg_exe()}
CAREFUL = (
    "-hide_banner", "-nostdin", "-y", "-loglevel", "level+warning", "-xerror", "-abort_on", "empty_output+empty_output_stream",
)  # fmt: skip
PICTURES = ("-c:v", "prores_ks", "-pix_fmt", "yuv422p10le", "-frames:v", "12")


@dataclass(frozen=True)
class Scene:
    """`words` come after the careful ones; `{d}` in them is the folder. `inject` is a system call's fault for strace, on
    `path` alone; `only` names the one generation that has the fault. `errno`
    is what our own reading of the source finds afterwards. `lenient`: without -xerror. `deaf`: nobody reads standard output."""

    name: str
    slug: str
    place: str
    code: str
    words: Sequence[str]
    inject: str = ""
    path: str = ""
    network: bool = False
    frames: str = ""
    only: str = ""
    errno: str = ""
    lenient: bool = False
    deaf: bool = False


def _source(name: str = "a.mov", *options: str) -> tuple[str, ...]:
    return ("-protocol_whitelist", "file", *options, "-i", f"file:{{d}}/{name}")


def _copied(
    slug: str, name: str, code: str, call: str, error: str, *, network: bool = False
) -> Scene:
    """A source whose reads fail from the fifth on."""
    words = (*_source(), *PICTURES, "file:{d}/out.mov")
    return Scene(
        name,
        slug,
        "source",
        code,
        words,
        f"read:error={error}:when=5+",
        "{d}/a.mov",
        network=network,
        errno=error,
    )


def _written(slug: str, name: str, code: str, fault: str, place: str = "scratch") -> Scene:
    """A part file for which a system call fails."""
    return Scene(
        name, slug, place, code, (*_source(), *PICTURES, "file:{d}/out.mov"), fault, "{d}/out.mov"
    )


def _opened(error: str) -> Scene:
    """A source that cannot be opened for one of the system's reasons."""
    words = (*_source(), *PICTURES, "file:{d}/out.mov")
    return Scene(
        f"opening fails with {error}",
        f"open-{error.lower()}",
        "source",
        OPENING[error],
        words,
        f"openat:error={error}",
        "{d}/a.mov",
    )


OPENING = {
    "ENOTDIR": "source-missing", "ENODEV": "source-volume-gone", "ENXIO": "source-volume-gone", "ENOMEDIUM": "source-volume-gone",
    "ENFILE": "too-many-files", "EBUSY": "machine-busy", "ETXTBSY": "machine-busy", "EAGAIN": "machine-busy",
    "ESTALE": "network-lost", "ETIMEDOUT": "network-lost", "EHOSTDOWN": "network-lost", "EHOSTUNREACH": "network-lost",
    "ENETDOWN": "network-lost", "ENETUNREACH": "network-lost", "ENOTCONN": "network-lost", "EREMOTEIO": "network-lost",
    "ECONNRESET": "network-lost", "ECONNABORTED": "network-lost", "ENETRESET": "network-lost",
}  # fmt: skip
"""Errors of opening a source, each with its code."""

PROGRAM, PRESET = "program-mismatch", "preset-unfit"
SCENES = (
    # The command and the recipe.
    Scene("a filter that this ffmpeg does not have", "unknown-filter", "source", PROGRAM, (*_source(), "-vf", "nosuch", *PICTURES, "file:{d}/out.mov")),
    Scene("an option that the filter does not have", "bad-filter-option", "source", PROGRAM, (*_source(), "-vf", "scale=foo=1", *PICTURES, "file:{d}/out.mov")),
    Scene("a crop larger than the picture", "crop-out-of-range", "source", "program-error", (*_source(), "-vf", "crop=9999:9999", *PICTURES, "file:{d}/out.mov")),
    Scene("an option that ffmpeg does not have", "unknown-option", "program", PROGRAM, (*_source(), "-nosuch", "1", "file:{d}/out.mov")),
    Scene("a container that ffmpeg does not have", "unknown-muxer", "scratch", PROGRAM, (*_source(), *PICTURES, "file:{d}/out.xyz")),
    Scene("a container asked for by a wrong name", "unknown-format", "scratch", PROGRAM, (*_source(), *PICTURES, "-f", "nosuch", "file:{d}/out.mov")),
    Scene("a pixel format that does not exist", "unknown-pixel-format", "scratch", PRESET, (*_source(), "-pix_fmt", "nosuch", "-frames:v", "2", "file:{d}/out.mov")),
    Scene("a codec that the container cannot hold", "codec-not-in-container", "scratch", PRESET, (*_source(), *PICTURES, "file:{d}/out.webm")),
    Scene("a codec without a tag in the container", "codec-without-tag", "scratch", PRESET, (*_source(), "-c:v", "prores_ks", "-frames:v", "2", "file:{d}/out.mp4")),
    Scene("an odd size for 4:2:0", "odd-size", "scratch", PRESET, (*_source(), "-vf", "scale=321:181", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-frames:v", "2", "file:{d}/out.mov")),
    Scene("a pixel format that the DNxHR profile does not take", "dnxhr-size", "scratch", PRESET, (*_source(), "-c:v", "dnxhd", "-profile:v", "dnxhr_hqx", "-pix_fmt", "yuv422p", "-frames:v", "2", "file:{d}/out.mov")),
    Scene("a DNxHD size that does not exist", "dnxhd-size", "scratch", PRESET, (*_source(), "-c:v", "dnxhd", "-b:v", "36M", "-pix_fmt", "yuv422p", "-frames:v", "2", "file:{d}/out.mov")),
    Scene("an option that the encoder does not know", "text-for-a-video-encoder", "scratch", PRESET, (*_source(), "-c:v", "prores_ks", "-profile:v", "tall", "-frames:v", "2", "file:{d}/out.mov")),
    Scene("output = input", "output-is-input", "scratch", "program-error", (*_source(), "-c", "copy", "file:{d}/a.mov")),
    Scene("output is a folder", "output-is-folder", "scratch", "program-error", (*_source(), *PICTURES, "-f", "mov", "file:{d}/folder")),
    # The source.
    Scene("a source behind a protocol that is not allowed", "protocol-refused", "source", "source-refused", ("-protocol_whitelist", "file", "-i", "http://127.0.0.1:9/x.mp4", *PICTURES, "file:{d}/out.mov")),
    Scene("a list that leads to other files", "not-permitted", "source", "source-refused", (*_source("list.txt", "-f", "concat"), *PICTURES, "file:{d}/out.mov")),
    Scene("a picture of absurd size", "huge-picture", "source", "picture-too-large", (*_source("huge.png", "-f", "image2"), *PICTURES, "file:{d}/out.mov")),
    Scene("no such stream in the source", "no-such-stream", "source", "source-no-picture", (*_source("sound.wav"), "-map", "0:v", *PICTURES, "file:{d}/out.mov")),
    Scene("the name of the source is too long", "name-too-long", "source", "source-name-invalid", (*_source("a" * 300 + ".mov"), *PICTURES, "file:{d}/out.mov")),
    Scene("no moov in the source", "moov-missing", "source", "source-truncated", (*_source("headless.mov"), *PICTURES, "file:{d}/out.mov")),
    Scene("zero-length file", "empty-file", "source", "source-truncated", (*_source("empty.mov"), *PICTURES, "file:{d}/out.mov")),
    Scene("text file as media", "text-as-media", "source", "source-truncated", (*_source("text.mov"), *PICTURES, "file:{d}/out.mov")),
    Scene("moov stands first, the end is missing", "cut-behind-moov", "source", "source-truncated", (*_source("cut.mov"), *PICTURES[:-2], "-frames:v", "24", "file:{d}/out.mov"), only="5.1", lenient=True, frames="14 of 24"),
    Scene("a Matroska file that was cut", "cut-matroska", "source", "source-truncated", (*_source("cut.mkv"), *PICTURES[:-2], "-frames:v", "24", "file:{d}/out.mov"), only="5.1", lenient=True, frames="14 of 24"),
    Scene("zeroes in H.264", "zeroes-in-h264", "source", "source-damaged", (*_source("bad.mp4", "-err_detect", "explode"), "-an", *PICTURES[:-2], "file:{d}/out.mov")),
    Scene("zeroes in DNxHR", "zeroes-in-dnxhr", "source", "source-damaged", (*_source("bad-dnxhr.mov", "-err_detect", "explode"), *PICTURES[:-2], "file:{d}/out.mov")),
    Scene("noise in DNxHR", "noise-in-dnxhr", "source", "source-damaged", (*_source("noise-dnxhr.mov", "-err_detect", "explode"), *PICTURES[:-2], "file:{d}/out.mov")),
    Scene("sound cut within a sample", "cut-sample", "source", "source-damaged", (*_source("odd.wav"), "file:{d}/out.wav")),
    Scene("cuda decoding without a device", "cuda-decode-without-device", "source", "decoder-device-gone", ("-hwaccel", "cuda", "-hwaccel_output_format", "cuda", *_source("h264.mp4"), *PICTURES, "file:{d}/out.mov")),
    # Volumes, by injected errors.
    _copied("source-read-error", "the source's drive returns errors", "source-read-error", "read", "EIO"),
    _copied("source-read-error-share", "the source's share returns errors", "network-lost", "read", "EIO", network=True),
    _copied("stale-handle", "the share was exported anew", "network-lost", "read", "ESTALE", network=True),
    _copied("read-timed-out", "the share does not answer any more", "network-lost", "read", "ETIMEDOUT", network=True),
    _copied("source-device-gone", "the source's drive was pulled out", "source-volume-gone", "read", "ENODEV"),
    _written("quota", "the quota is used up", "scratch-quota", "write:error=EDQUOT:when=2+"),
    _written("write-error", "the scratch disk returns errors", "scratch-failing", "write:error=EIO:when=2+"),
    _written("read-only", "the scratch volume is read-only", "scratch-read-only", "openat:error=EROFS"),
    _written("scratch-device-gone", "the scratch drive was pulled out", "scratch-gone", "write:error=ENODEV:when=2+"),
    _written("file-too-large", "the file grew beyond what the volume allows", "file-too-large", "write:error=EFBIG:when=2+"),
    _written("scratch-busy", "the volume is busy", "machine-busy", "openat:error=EBUSY"),
    *(_opened(error) for error in OPENING),
    Scene("a size that the encoder does not know", "dv-size", "scratch", PRESET, (*_source(), "-c:v", "dvvideo", "-pix_fmt", "yuv420p", "-frames:v", "2", "file:{d}/out.mov")),
    Scene("standard output closed", "broken-pipe", "scratch", "pipe-broken", (*_source(), *PICTURES, "-f", "matroska", "pipe:1"), deaf=True),
    Scene("no more files may be opened", "too-many-files-xerror", "source", "too-many-files", (*_source(), *PICTURES, "file:{d}/out.mov"), "openat:error=EMFILE", "{d}/a.mov"),
)  # fmt: skip


def prepare(folder: Path) -> None:
    """The good and the bad files that the scenes are about."""
    movie = make_movie(folder / "a.mov", source_id=1, frames=24, codec="prores", audio="pcm").path
    make_movie(folder / "h264.mp4", source_id=2, frames=24, codec="h264", audio="aac")
    (folder / "folder").mkdir()
    (folder / "empty.mov").touch()
    (folder / "text.mov").write_text("no film at all\n" * 200, encoding="utf-8")
    (folder / "list.txt").write_text(
        f"ffconcat version 1.0\nfile {folder}/a.mov\n", encoding="utf-8"
    )
    whole = movie.read_bytes()
    (folder / "headless.mov").write_bytes(whole[: len(whole) // 2])
    for words, name in (
        (("-i", movie, "-c", "copy", "-movflags", "+faststart"), "cut.mov"),
        (("-i", movie, "-c", "copy"), "cut.mkv"),
        (("-i", movie, "-vn"), "sound.wav"),
    ):
        subprocess.run([BINARIES["9.0"], "-v", "error", "-y", *words, folder / name], check=True)
    for name in ("cut.mov", "cut.mkv"):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: len(data) * 6 // 10])
    dnxhr = make_movie(
        folder / "dnxhr.mov", source_id=3, frames=24, codec="dnxhr", audio="none"
    ).path.read_bytes()
    coded = (folder / "h264.mp4").read_bytes()
    sound = (folder / "sound.wav").read_bytes()
    for name, data, hole, size in (
        ("bad.mp4", coded, bytes(6000), len(coded)),
        ("bad-dnxhr.mov", dnxhr, bytes(100_000), len(dnxhr)),
        ("noise-dnxhr.mov", dnxhr, random.Random(1).randbytes(4096), len(dnxhr)),
        ("odd.wav", sound, b"", len(sound) // 2 + 1),
    ):
        middle = len(data) // 2
        (folder / name).write_bytes((data[:middle] + hole + data[middle + len(hole) :])[:size])
    (folder / "huge.png").write_bytes(png(60_000, 60_000))


def png(width: int, height: int) -> bytes:
    """The head of a picture of this size, and hardly a body."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def play(scene: Scene, generation: str, folder: Path) -> tuple[int, list[str]]:
    """Run it; the exit code as Python has it, and the lines. RuntimeError when the injected fault did not fire."""
    binary = str(Path(BINARIES[generation]).resolve())
    careful = [word for word in CAREFUL if not (scene.lenient and word == "-xerror")]
    words = [binary, *careful, *(word.replace("{d}", str(folder)) for word in scene.words)]
    trace = folder / "trace"
    if scene.inject:
        where = ["-P", scene.path.replace("{d}", str(folder))] if scene.path else []
        call = scene.inject.partition(":")[0]
        words = [
            "strace",
            "-f",
            "-qq",
            "-o",
            str(trace),
            *where,
            "-e",
            f"trace={call}",
            "-e",
            f"inject={scene.inject}",
            *words,
        ]
    hears, speaks = os.pipe()
    if scene.deaf:
        os.close(hears)
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        stdout=speaks,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(speaks)
    if not scene.deaf:
        os.close(hears)
    if scene.inject and "INJECTED" not in trace.read_text(errors="replace"):
        raise RuntimeError(f"{scene.slug}: the fault did not fire")
    text = done.stderr.decode(errors="replace").replace(str(folder), "/media")
    text = re.sub(r"a{250,}", "a" * 60 + "...", re.sub(r" @ 0x[0-9a-f]+", "", text))
    return done.returncode, text.splitlines()


def main(names: Sequence[str]) -> int:
    """Make the scenes of these names, or all; how many were not diagnosed as their scene says."""
    wrong = 0
    for scene in SCENES:
        if names and scene.slug not in names:
            continue
        for generation in [scene.only] if scene.only else list(BINARIES):
            with tempfile.TemporaryDirectory() as place:
                prepare(Path(place))
                code, lines = play(scene, generation, Path(place))
            seen = Evidence(
                operation="render", place=scene.place, path="/media/a.mov",  # type: ignore[arg-type]
                exit_code=code, stderr=tuple(lines[-60:]), network=scene.network,
                errno=getattr(errno, scene.errno) if scene.errno else None, note="log-says-damage" if code == 0 else "",
            )  # fmt: skip
            found = diagnose(seen)
            head = [
                f"name: {scene.name}",
                f"generation: {generation}",
                f"exit: {code}",
                f"place: {scene.place}",
            ]
            head += ["network: yes"] if scene.network else []
            head += [f"errno: {scene.errno}"] if scene.errno else []
            kind = found.type.value if found.code == scene.code else "?"
            head += [f"frames: {scene.frames}"] if scene.frames else []
            head += [f"expected: {scene.code} {kind}", "---", *lines[-60:]]
            (FOLDER / f"{scene.slug}.{generation}.txt").write_text(
                "\n".join(head) + "\n", encoding="utf-8"
            )
            if found.code != scene.code:
                wrong += 1
                print(
                    f"{scene.slug}.{generation}: exit {code}, {found.code} instead of {scene.code}"
                )
                print(*(f"    {line[:180]}" for line in lines[-12:]), sep="\n")
    return wrong


if __name__ == "__main__":
    if missing := [word for word in ("strace", BINARIES["5.1"]) if not shutil.which(word)]:
        raise SystemExit(f"needed, and not installed: {', '.join(missing)}")
    sys.exit(1 if main(sys.argv[1:]) else 0)
