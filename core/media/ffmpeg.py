"""Run ffmpeg under supervision and report its exit code, log lines and frames; never a verdict.

The caller is a worker process with one thread. While ffmpeg runs, this module also watches the
worker's command pipe. A closed pipe means that the engine is gone, and ffmpeg is killed.
"""

from __future__ import annotations

import os
import selectors
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from core.system import machine, process

_TAIL_LINES = 60


class EngineGone(Exception):
    """The process that assigned the task no longer exists."""


class Supervision:
    """Count the processor seconds that this process spends on starting and supervising ffmpeg.

    Read by `core.executors.worker`.
    """

    cpu_s = 0.0


class Ran(NamedTuple):
    """How an ffmpeg run ended.

    `lines` are its last log lines, `frames` is the last frame count it reported, and `out_s` the
    number of seconds it had written.
    """

    exit_code: int
    lines: tuple[str, ...]
    frames: int
    elapsed_s: float
    out_s: float = 0.0


@contextmanager
def _mortal(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill the child when its supervision ends with an exception.

    Examples are an input that cannot be read and a broken pipe to the engine.
    """
    try:
        yield
    except BaseException:
        child.kill()
        raise


def run(
    argv: Sequence[str],
    *,
    on_frames: Callable[[int], None] = lambda frames: None,
    feed: Iterator[bytes] | None = None,
    command_pipe: int | None = None,
    heed: Callable[[str], bool] = lambda line: True,
) -> Ran:
    """Run ffmpeg to its end.

    `feed` yields the bytes for standard input. Only log lines that `heed` accepts are kept.
    `on_frames` is called with the frame count whenever it grows. For sound alone it is called with
    0 as the output grows.

    Raises EngineGone when the command pipe closes, and `core.system.process.NotStarted` when ffmpeg
    cannot be started.
    """
    started, cpu = machine.monotonic(), machine.thread_cpu()
    child = process.spawn(
        argv,
        stdin=subprocess.PIPE if feed is not None else subprocess.DEVNULL,
        from_single_thread=True,
    )
    assert child.stdout and child.stderr
    lines: deque[str] = deque(maxlen=_TAIL_LINES)
    frames = heard_us = 0
    rest = {"out": b"", "err": b""}
    pending = memoryview(b"")
    with _mortal(child), selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ, "out")
        selector.register(child.stderr, selectors.EVENT_READ, "err")
        if child.stdin:
            os.set_blocking(child.stdin.fileno(), False)
            selector.register(child.stdin, selectors.EVENT_WRITE, "in")
        if command_pipe is not None:
            selector.register(command_pipe, selectors.EVENT_READ, "engine")
        open_streams = 2
        while open_streams:
            for key, _ in selector.select():
                if key.data == "engine":
                    raise EngineGone
                if key.data == "in":
                    assert child.stdin and feed is not None
                    if not pending:
                        pending = memoryview(next(feed, b""))
                    try:
                        if pending:
                            pending = pending[os.write(child.stdin.fileno(), pending) :]
                            continue
                    except BlockingIOError:
                        continue
                    except BrokenPipeError:
                        pass  # ffmpeg has ended; its exit and log say why
                    selector.unregister(child.stdin)
                    child.stdin.close()
                    continue
                data = os.read(key.fd, 65536)
                if not data:
                    selector.unregister(key.fileobj)
                    open_streams -= 1
                    continue
                *whole, rest[key.data] = (rest[key.data] + data).split(b"\n")
                for line in whole:
                    if key.data == "err":
                        said = line.decode(errors="replace").rstrip()
                        if heed(said):
                            lines.append(said)
                    elif line.startswith(b"frame="):
                        counted = int(line[6:].strip() or b"0")
                        # A stalled ffmpeg keeps reporting, so only a growing count is progress.
                        if counted > frames:
                            frames = counted
                            on_frames(frames)
                    elif line.startswith(b"out_time_us=") and line[12:].strip().isdigit():
                        if int(line[12:]) > heard_us:
                            heard_us = int(line[12:])
                            if frames == 0:  # sound alone has no frames
                                on_frames(0)
    if rest["err"].strip() and heed(rest["err"].decode(errors="replace").rstrip()):
        lines.append(rest["err"].decode(errors="replace").rstrip())
    exit_code = child.wait()
    if (never := process.never_began(argv[0], exit_code)) is not None:
        raise never
    child.stdout.close()
    child.stderr.close()
    Supervision.cpu_s += machine.thread_cpu() - cpu
    return Ran(exit_code, tuple(lines), frames, machine.monotonic() - started, heard_us / 1_000_000)
