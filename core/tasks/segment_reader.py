"""Reading what was sealed: nothing of a file is used before it was compared with its checkpoint.

A sealed file that is gone, is no media any more or has other bytes is Damaged; its work is done again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import av
import xxhash

from core.media import hashes, packets
from core.media.media_errors import Damaged
from core.tasks.spec import JoinSound, JoinVideo

Packet: TypeAlias = "av.Packet[Any]"


@contextmanager
def believing(part: JoinVideo | JoinSound) -> Iterator[None]:
    """What goes wrong in reading this part is damage of it, unless its file still has the hash it was sealed with: then the
    error is our own, and goes up as a RuntimeError."""
    try:
        yield
    except (OSError, av.FFmpegError, IndexError) as error:
        if _as_sealed(part):
            raise RuntimeError(
                f"{type(error).__name__} in reading an intact checkpoint: {error}"
            ) from error
        raise Damaged(part.key, part.file) from error


def _as_sealed(part: JoinVideo | JoinSound) -> bool:
    """Whether a plain reading of the file finds what was sealed; False where its hash is not known."""
    try:
        return bool(part.file_hash) and hashes.file_hash(part.file) == part.file_hash
    except OSError:
        return False


def pictures(part: JoinVideo, signature: str) -> list[Packet]:
    """Every packet of a sealed segment: a damaged segment leaves no trace in the film."""
    digest = xxhash.xxh3_128()
    with believing(part), packets.opened(part.file) as container:
        stream = container.streams.video[0]
        held = [
            packet for packet in container.demux(stream) if packet.size and packet.pts is not None
        ]
        fits = packets.agrees(stream, signature)
    for packet in held:
        digest.update(packet)
    if len(held) != part.frames or digest.hexdigest() != part.digest or not fits:
        raise Damaged(part.key, part.file)
    return held


def pcm(part: JoinSound) -> bytes:
    """The samples of a sealed chunk of the sound track."""
    with believing(part):
        data = Path(part.file).read_bytes()
    if xxhash.xxh3_128_hexdigest(data) != part.digest:
        raise Damaged(part.key, part.file)
    return data


def track(part: JoinSound, container: av.container.InputContainer) -> Iterator[Packet]:
    """The packets of the encoded sound track; its digest is known, and compared, when the last has been read."""
    digest = xxhash.xxh3_128()
    with believing(part):
        for packet in container.demux(container.streams.audio[0]):
            if packet.size and packet.pts is not None:
                digest.update(packet)
                yield packet
    if digest.hexdigest() != part.digest:
        raise Damaged(part.key, part.file)
