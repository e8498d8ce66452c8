"""Read files that have a checkpoint; nothing is used before it was compared with the checkpoint.

A file that is gone, is no longer media or has other bytes raises Damaged, and its task runs again.
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
    """Turn read errors of a part into Damaged.

    If the file still has the hash from its checkpoint, the error is our own and is raised as a
    RuntimeError.
    """
    try:
        yield
    except (OSError, av.FFmpegError, IndexError) as error:
        if _as_sealed(part):
            raise RuntimeError(
                f"{type(error).__name__} in reading an intact checkpoint: {error}"
            ) from error
        raise Damaged(part.key, part.file) from error


def _as_sealed(part: JoinVideo | JoinSound) -> bool:
    """Return True if a plain read finds the bytes of the checkpoint.

    False if their hash is not known.
    """
    try:
        return bool(part.file_hash) and hashes.file_hash(part.file) == part.file_hash
    except OSError:
        return False


def pictures(part: JoinVideo, signature: str) -> list[Packet]:
    """Return every packet of a segment after checking all of them.

    A damaged segment therefore leaves no trace in the film.

    Raises Damaged.
    """
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
    """Return the samples of a chunk of the sound track. Raises Damaged."""
    with believing(part):
        data = Path(part.file).read_bytes()
    if xxhash.xxh3_128_hexdigest(data) != part.digest:
        raise Damaged(part.key, part.file)
    return data


def track(part: JoinSound, container: av.container.InputContainer) -> Iterator[Packet]:
    """Yield the packets of the encoded sound track.

    The digest is known, and compared, only after the last packet. Raises Damaged.
    """
    digest = xxhash.xxh3_128()
    with believing(part):
        for packet in container.demux(container.streams.audio[0]):
            if packet.size and packet.pts is not None:
                digest.update(packet)
                yield packet
    if digest.hexdigest() != part.digest:
        raise Damaged(part.key, part.file)
