"""The faults, one row each: its code, how it is put in place, what else may be heard of it. What nothing here can provoke is
simulated: the evidence of its specimen comes from a stand-in for a worker, through the real engine and journal."""

from __future__ import annotations

import os
import resource
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.faults import hands
from tests.faults.hands import (
    Setting,
    asked,
    failing,
    full,
    limited,
    pulled,
    read_only,
    recipe,
    signalled,
    spoiled,
    traced,
)
from tests.faults.running import working
from tests.faults.volumes import why_no_fuse, why_no_mount
from tests.film.media import ffmpeg
from tests.specimens.making import png

PART = r"\.(mov|mp4|pcm)$"
"""Parts and segments on the scratch volume."""
FILM = r"\.hotsplice"
"""What is written beside the film's place."""


class Fault(NamedTuple):
    """`also` are codes that may be heard besides; `needs` says why it cannot be tried here; `quick` rows are tried with
    --quick. `fact` is heard instead of a failure, where nothing fails. Not `real`: the process is led to see it."""

    code: str
    how: str
    setting: Setting
    needs: Callable[[], str] = lambda: ""
    also: tuple[str, ...] = ()
    quick: bool = False
    fact: str = ""
    real: bool = True


def _program(name: str) -> Callable[[], str]:
    return lambda: "" if shutil.which(name) else f"{name} is not installed"


def _group(name: str) -> Callable[[], str]:
    place = Path("/sys/fs/cgroup") / name
    return lambda: (
        ""
        if os.access(place, os.W_OK) and (place / "tasks").exists()
        else f"no control groups of {name} (v1) here"
    )


def _truncate(share: float) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        os.truncate(path, int(path.stat().st_size * share))
        os.utime(path, (1_600_000_000, 1_600_000_000))

    return spoil


def _write(data: bytes) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        path.write_bytes(data)
        os.utime(path, (1_600_000_000, 1_600_000_000))

    return spoil


def _zero(first: float, last: float) -> Callable[[Path], None]:
    """Zeroes from here to there, as shares of the file; dates stay."""

    def spoil(path: Path) -> None:
        facts = path.stat()
        with path.open("r+b") as handle:
            handle.seek(int(facts.st_size * first))
            handle.write(bytes(int(facts.st_size * (last - first))))
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))

    return spoil


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _touch(path: Path) -> None:
    with path.open("ab") as handle:
        handle.write(b"more")


def _four_letters(old: bytes, new: bytes) -> Callable[[Path], None]:
    """Another four-letter code of a codec in the head."""

    def spoil(path: Path) -> None:
        path.write_bytes(path.read_bytes().replace(old, new))
        os.utime(path, (1_600_000_000, 1_600_000_000))

    return spoil


def _shortened(path: Path) -> None:
    _made(path, "-t", "1")


def _without_picture(path: Path) -> None:
    _made(path, "-vn")


def _made(path: Path, *words: str) -> None:
    whole = path.with_name("whole.mp4")
    path.rename(whole)
    ffmpeg("-i", whole, *words, "-c", "copy", path)
    whole.unlink()
    os.utime(path, (1_600_000_000, 1_600_000_000))


_HEAD = "name: mine\ntitle: Mine\ncontainer: mov\nextension: .mov\naudio: {codec: pcm_s24le}\n"
_RECIPE = (
    _HEAD
    + "video: {encoder: prores_ks, pixel_format: yuv422p10le, options: {%s}, cost_ms_per_megapixel: 115, bits_per_pixel: 4.4}\n"
)
_DNXHD = (
    _HEAD
    + "video: {encoder: dnxhd, pixel_format: yuv420p, options: {'profile:v': dnxhr_hqx}, cost_ms_per_megapixel: 9, bits_per_pixel: 4.4}\n"
)
_ENCODERLESS = (
    _HEAD
    + "video: {encoder: nosuch, pixel_format: yuv420p, options: {}, cost_ms_per_megapixel: 9, bits_per_pixel: 4.4}\n"
)

FAULTS: tuple[Fault, ...] = (
    # Sources: the volume.
    Fault("network-lost", "FUSE as a share: reads end in ESTALE", failing("media", "read", "open", error="ESTALE", kind="sshfs"), why_no_fuse),
    Fault("network-lost", "FUSE as a share: reads time out", failing("media", "read", "open", error="ETIMEDOUT", kind="sshfs"), why_no_fuse),
    Fault("network-lost", "FUSE as a share: reads end in EIO within a packet", failing("media", "read", error="EIO", kind="sshfs", after=3), why_no_fuse, quick=True),
    Fault("network-lost", "FUSE: the program behind a share is killed, the share mounted again", hands.vanishing("media"), why_no_fuse, also=("source-volume-gone",)),
    Fault("source-volume-gone", "a bind mount is pulled and plugged in again", pulled("media"), why_no_mount, quick=True),
    Fault("source-volume-gone", "FUSE: ENODEV", failing("media", "read", "open", error="ENODEV"), why_no_fuse),
    Fault("source-read-error", "FUSE: EIO, as of a drive's bad blocks", failing("media", "read", error="EIO", match="one"), why_no_fuse),
    Fault("source-hung", "FUSE: reads do not come back", failing("media", "read", hang=True, match="one|two"), why_no_fuse, quick=True),
    Fault("source-slow", "FUSE: every read takes two thirds of a second", failing("media", "read", delay=0.66, match="two"), why_no_fuse, also=("source-hung",)),
    Fault("source-no-permission", "FUSE: EACCES", failing("media", "open", error="EACCES", match="two", early=True), why_no_fuse),
    Fault("machine-busy", "FUSE: EBUSY", failing("media", "open", error="EBUSY", match="two"), why_no_fuse),
    Fault("source-name-invalid", "FUSE: EILSEQ", failing("media", "open", "getattr", error="EILSEQ", match="two", early=True), why_no_fuse),
    # Sources: the file.
    Fault("source-missing", "the file is removed", spoiled("two.mp4", Path.unlink), quick=True),
    Fault("source-empty", "the file is emptied", spoiled("two.mp4", _write(b""))),
    Fault("source-not-a-file", "a folder in its place", spoiled("two.mp4", _folder)),
    Fault("source-truncated", "its end, and so its index, is cut off", spoiled("two.mp4", _truncate(0.6)), quick=True),
    Fault("source-unreadable", "noise behind its first word", spoiled("voice.wav", _write(b"RIFF" + bytes(range(256)) * 99))),
    Fault("source-refused", "a playlist in its place", spoiled("two.mp4", _write(b"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\none.mov\n#EXT-X-ENDLIST\n"))),
    Fault("source-not-media", "subtitles in its place", spoiled("voice.wav", _write(b"1\n00:00:01,000 --> 00:00:02,000\nGood evening.\n"))),
    Fault("source-damaged", "a fifth of the file is zeroes", spoiled("two.mp4", _zero(0.3, 0.5)), also=("source-changed",), quick=True),
    Fault("source-codec-unsupported", "an unknown four-letter code", spoiled("one.mov", _four_letters(b"AVdh", b"zzzz"))),
    Fault("source-too-short", "the same recording, but a second of it", spoiled("two.mp4", _shortened), also=("source-changed",)),
    Fault("source-no-picture", "its sound alone", spoiled("two.mp4", _without_picture)),
    Fault("picture-too-large", "a still of 60000 by 60000 in its place", spoiled("two.mp4", _write(png(60_000, 60_000)))),
    Fault("source-growing", "somebody writes to it without end", hands.growing("two.mp4")),
    Fault("source-changed", "its date is set while rendering", spoiled("one.mov", os.utime, late=True)),
    # Scratch.
    Fault("scratch-full", "a small tmpfs is filled while rendering", full("scratch", 120_000), why_no_mount, quick=True),
    Fault("scratch-full", "FUSE: ENOSPC", failing("scratch", "write", error="ENOSPC", match=PART), why_no_fuse),
    Fault("scratch-quota", "FUSE: EDQUOT", failing("scratch", "write", error="EDQUOT", match=PART), why_no_fuse, quick=True),
    Fault("scratch-failing", "FUSE: EIO", failing("scratch", "write", error="EIO", match=PART), why_no_fuse),
    Fault("scratch-read-only", "a tmpfs is remounted read-only", read_only("scratch"), why_no_mount),
    Fault("scratch-read-only", "FUSE: EROFS", failing("scratch", "write", "create", error="EROFS", match=PART), why_no_fuse),
    Fault("scratch-gone", "FUSE: ENODEV", failing("scratch", "write", "create", error="ENODEV", match=PART), why_no_fuse),
    Fault("scratch-hung", "FUSE: writes do not come back", failing("scratch", "write", hang=True, match=PART), why_no_fuse),
    Fault("scratch-no-permission", "FUSE: EACCES", failing("scratch", "create", error="EACCES", match=PART), why_no_fuse),
    Fault("seal-damaged", "a bit flips in a checkpoint", hands.checkpoint_flipped(), quick=True),
    Fault("file-too-large", "RLIMIT_FSIZE of 100 kB", limited(resource.RLIMIT_FSIZE, 100_000), quick=True),
    Fault("pipe-broken", "FUSE: EPIPE", failing("scratch", "write", error="EPIPE", match=PART), why_no_fuse),
    Fault("scratch-failing", "strace: the first fsync of each worker ends in EIO", traced("fsync:error=EIO:when=1"), _program("strace")),
    # The film's volume.
    Fault("output-full", "a small tmpfs is filled while rendering", full("out", 60_000), why_no_mount, quick=True),
    Fault("output-quota", "FUSE: EDQUOT", failing("out", "write", error="EDQUOT", match=FILM), why_no_fuse),
    Fault("output-failing", "FUSE: EIO", failing("out", "write", error="EIO", match=FILM), why_no_fuse),
    Fault("output-read-only", "FUSE: EROFS", failing("out", "write", "create", error="EROFS", match=FILM), why_no_fuse),
    Fault("output-gone", "FUSE: ENODEV", failing("out", "write", "create", error="ENODEV", match=FILM), why_no_fuse),
    Fault("output-gone", "the film's drive is a bind mount that is pulled and plugged in again", pulled("out"), why_no_mount, quick=True),
    Fault("film-not-durable", "FUSE: the flush of the film's folder ends in EIO", failing("out", "fsyncdir", error="EIO", match="^/$"), why_no_fuse),
    Fault("output-hung", "FUSE: writes do not come back", failing("out", "write", hang=True, match=FILM), why_no_fuse),
    Fault("output-no-permission", "FUSE: EACCES", failing("out", "create", error="EACCES", match=FILM), why_no_fuse),
    Fault("film-damaged", "FUSE: a bit flips in what is read back", failing("out", "read", flip=200_000, match=FILM), why_no_fuse),
    # Processes and the machine.
    Fault("ffmpeg-crashed", "SIGSEGV to ffmpeg", signalled(signal.SIGSEGV), quick=True),
    Fault("ffmpeg-killed", "SIGKILL to ffmpeg", signalled(signal.SIGKILL)),
    Fault("ffmpeg-killed", "the kernel's memory killer (control group)", hands.starved(), _group("memory"), quick=True),
    Fault("out-of-memory", "the kernel's memory killer takes a worker (control group)", hands.starved(working, "8M"), _group("memory")),
    Fault("ffmpeg-stopped", "SIGTERM to ffmpeg", signalled(signal.SIGTERM)),
    Fault("program-hung", "SIGSTOP to ffmpeg", signalled(signal.SIGSTOP), quick=True),
    Fault("worker-died", "SIGKILL to a worker", signalled(signal.SIGKILL, working), quick=True),
    Fault("out-of-memory", "FUSE: ENOMEM", failing("scratch", "write", error="ENOMEM", match=PART), why_no_fuse),
    Fault("machine-busy", "RLIMIT_AS of 250 MB: no room for one more thread", limited(resource.RLIMIT_AS, 250_000_000), also=("out-of-memory", "ffmpeg-crashed")),
    Fault("too-many-files", "RLIMIT_NOFILE of 8 on the workers", limited(resource.RLIMIT_NOFILE, 8)),
    Fault("too-many-processes", "a control group without room for one more", hands.crowded(0), _group("pids")),
    Fault("memory-low", "another program takes the memory", hands.hogged(), hands.why_no_hog),
    Fault("clock-jumped", "the process reads a clock that was set an hour ahead", hands.clocks(3600, 0), fact="ClockJumped", real=False),
    Fault("clock-jumped", "the process reads a clock that was set back by a day", hands.clocks(-86400, 0), fact="ClockJumped", real=False),
    Fault("machine-slept", "the process reads clocks of a machine that slept for ten minutes", hands.clocks(600, 600), fact="ClockJumped", real=False),
    # The request and its recipe.
    Fault("ffmpeg-missing", "a path that leads nowhere", asked(ffmpeg="/nowhere/ffmpeg"), quick=True),
    Fault("encoder-missing", "an encoder that does not exist", recipe(_ENCODERLESS)),
    Fault("preset-unfit", "a pixel format that the profile does not take", recipe(_DNXHD)),
    Fault("program-mismatch", "an option that ffmpeg does not have", recipe(_RECIPE % "nosuch: 1"), quick=True),
    Fault("decoder-device-gone", "cuda asked for, no such device", asked(hwaccel="cuda")),
)  # fmt: skip
