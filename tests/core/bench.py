"""The bench: small pieces of real media, and patience with a deadline, for the tests of what touches media."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg

from core.graph import ffmpeg_args
from core.graph.nodes import Black, Fit, Picture, Piece, Segment
from core.graph.preset import Preset
from core.media import hashes
from core.tasks import render
from core.tasks.spec import Made, RenderSegment
from core.timeline.timeline import Format
from tests.film.media import Movie

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
SMALL = Format(width=320, height=180, rate=Fraction(24), sample_rate=48000, channels=2)
WHOLE = Fit(width=320, height=180, x=0, y=0)
ENDLESS = (
    FFMPEG, "-v", "error", "-nostats", "-progress", "pipe:1", "-stats_period", "0.05", "-re", "-f", "lavfi",
    "-i", "testsrc=size=32x32:rate=100", "-f", "null", "-",
)  # fmt: skip
"""An ffmpeg that goes on until it is killed, and says how far it is."""


def until(true: Callable[[], bool], *, within_s: float = 15.0) -> None:
    """Wait for something that will come; an assertion fails when it does not."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


def dead(pid: int) -> bool:
    """Whether a process runs no more; one that nobody has waited for yet counts as dead."""
    said = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return not said or said[0] == "Z"


def payloads(path: str | Path) -> list[bytes]:
    """The bytes of every video packet, in decoding order."""
    with av.open(str(path)) as container:
        return [
            bytes(packet) for packet in container.demux(container.streams.video[0]) if packet.size
        ]


def flip(path: str | Path, packet: int = 0, *, stream: str = "video") -> None:
    """Change one byte in the middle of a packet's payload; size and modification time stay as they were."""
    with av.open(str(path)) as container:
        found = [p for p in container.demux(getattr(container.streams, stream)[0]) if p.size][
            packet
        ]
        at = Path(path).read_bytes().index(bytes(found)) + found.size // 2
    flip_at(path, at)


def flip_at(path: str | Path, at: int) -> None:
    """Change the byte at a place; size and modification time stay as they were."""
    facts = os.stat(path)
    with Path(path).open("rb+") as handle:
        handle.seek(at)
        old = handle.read(1)
        handle.seek(at)
        handle.write(bytes([old[0] ^ 0xFF]))
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def piece(movie: Movie, first: int) -> Piece:
    """Frames of a movie from `first` on, filling the small frame."""
    return Piece(
        path=str(movie.path), fingerprint=hashes.fingerprint(movie.path), stream=0, first_frame=first, source_rate=movie.rate,
        seek_s=(first - Fraction(1, 2)) / movie.rate, phase_s=Fraction(1, 2) / movie.rate, fit=WHOLE, matrix=1,
    )  # fmt: skip


def order(
    part: Path, picture: Picture, frames: int, preset: Preset, form: Format = SMALL
) -> RenderSegment:
    """The order that makes a segment in `part`; its key is the part's name."""
    segment = Segment(key=part.stem, shot=1, record_in=0, frames=frames, picture=picture)
    argv = ffmpeg_args.render(segment, form=form, preset=preset, part=str(part), ffmpeg_path=FFMPEG)
    source = (
        {"source": picture.path, "fingerprint": picture.fingerprint}
        if isinstance(picture, Piece)
        else {}
    )
    return RenderSegment(
        key=part.stem, argv=argv, part=str(part), frames=frames, signature="", **source
    )


def made(part: Path, picture: Picture | None, frames: int, preset: Preset) -> Made:
    """A segment, rendered now; black without a picture."""
    done = render.render(
        order(part, picture or Black(), frames, preset), SMALL.rate, lambda frames: None, None
    )
    assert isinstance(done, Made), done
    return done
