"""Keep sources open in a worker process between its tasks.

Opening a source takes longer than reading the packets of a short shot.

Only a source that gives the same answer again stays open: a movie with a complete index, in the
state in which it was opened. An idle worker closes all its sources, so that a drive can be ejected
and an editor can replace a file.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

import av

from core.media import packets

IDLE_S = 1.0
"""Seconds after which a worker without a task closes its sources."""
_MOST = 8
_open: OrderedDict[str, tuple[tuple[int, ...], av.container.InputContainer]] = OrderedDict()


@contextmanager
def source(path: str) -> Iterator[av.container.InputContainer]:
    """Yield a file as `packets.opened` opens it, and keep it open afterwards.

    The container is closed instead if its use ends with an exception. Raises av.FFmpegError or
    OSError.
    """
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
    # On Windows, nobody can replace a file that is open.
    if os.name == "nt" or not _indexed(container) or _state(path) != state:
        container.close()
        return
    _open[path] = state, container
    while len(_open) > _MOST:
        _open.popitem(last=False)[1][1].close()


def held() -> bool:
    """Return True if any source is open."""
    return bool(_open)


def let_go() -> None:
    """Close all open sources."""
    while _open:
        _open.popitem()[1][1].close()


def _state(path: str) -> tuple[int, ...]:
    facts = os.stat(path)
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def _indexed(container: av.container.InputContainer) -> bool:
    """Return True if every packet was known when the file was opened.

    A demuxer that finds packets as it reads may seek to another one the next time.
    """
    return "mov" in container.format.name.split(",") and all(
        stream.frames for stream in container.streams.video
    )
