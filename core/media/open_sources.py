"""Sources that stay open in a worker between its orders: opening one takes longer than reading the packets of a short shot.

Only what gives the same answer again is kept: a movie with a complete index, in the state in which it was opened. A worker that
has nothing to do lets go of everything, so that a drive can be ejected and an editor can replace a file.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

import av

from core.media import packets

IDLE_S = 1.0
"""A worker without an order for so long closes its sources."""
_MOST = 8
_open: OrderedDict[str, tuple[tuple[int, ...], av.container.InputContainer]] = OrderedDict()


@contextmanager
def source(path: str) -> Iterator[av.container.InputContainer]:
    """A file as `packets.opened` opens it. It is not kept when an exception ends its use. av.FFmpegError, OSError."""
    state = _state(path)
    kept, container = _open.pop(path, ((), None))
    if container is not None and kept != state:
        container.close()
        container = None
    if container is None:
        container = packets.opened(path)
    try:
        yield container
    except BaseException:
        container.close()
        raise
    if (
        os.name == "nt" or not _indexed(container) or _state(path) != state
    ):  # on Windows nobody could replace an open file
        container.close()
        return
    _open[path] = state, container
    while len(_open) > _MOST:
        _open.popitem(last=False)[1][1].close()


def held() -> bool:
    """Whether any source is open."""
    return bool(_open)


def let_go() -> None:
    """Close them all."""
    while _open:
        _open.popitem()[1][1].close()


def _state(path: str) -> tuple[int, ...]:
    facts = os.stat(path)
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def _indexed(container: av.container.InputContainer) -> bool:
    """Whether every packet was known when the file was opened. A demuxer that finds them while it reads may seek to another
    one the next time."""
    return "mov" in container.format.name.split(",") and all(
        stream.frames for stream in container.streams.video
    )
