"""Worker pool: the worker processes and their current tasks.

The pool replaces a worker that dies or stays silent for too long. The engine sees only replies: a
worker crash arrives as `Evidence`, like any other failure.
"""

from __future__ import annotations

import os
import selectors
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from core.errors.failure import Evidence
from core.executors import kernel_waits, suspects
from core.executors.worker_process import Hand, spawn_worker, terminate
from core.system import codec, machine
from core.tasks.spec import Assignment, Order, Outcome, Progress, Reply


@dataclass
class _Worker:
    process: Hand
    buffer: bytes = b""
    order: Order | None = None
    name: str = ""
    heard: float = 0.0
    stall_s: float = 0.0
    begun: float = 0.0
    frames: int | None = None
    read_bytes: int | None = None
    lines: list[str] = field(default_factory=list)
    knows: set[type[Order]] = field(default_factory=set)


class WorkerPool:
    """A pool of `size` workers.

    Call `give` to send a named task while `idle` is not zero; `listen` returns the replies.

    Every `listen` asks `share`, if given, for the number of workers allowed from now on. Missing
    workers are started at once; surplus workers exit after their current task. Workers that are
    already running are taken from `ahead`; those left in the list do not belong to the pool.
    `ffmpeg` is the program that workers consult for a second opinion before they blame a source.

    A worker is replaced after `stall_s` seconds of silence, unless its task sets another limit, and
    between two tasks if it holds more than `memory_bytes`.
    """

    def __init__(
        self,
        size: int,
        *,
        stall_s: float,
        memory_bytes: int | None = None,
        share: Callable[[], int] | None = None,
        ahead: list[Hand] | None = None,
        ffmpeg: str = "",
    ) -> None:
        self.size, self._share, self._ffmpeg = size, share, ffmpeg
        self._ahead = [] if ahead is None else ahead
        self._stall_s, self._memory_bytes = stall_s, memory_bytes
        self._abandoned: dict[str, Hand] = {}
        self._left_cpu_s = 0.0
        self._selector = selectors.DefaultSelector()
        self._workers: list[_Worker] = []
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        for _ in range(size):
            self._start()

    @property
    def wake_fd(self) -> int:
        """File descriptor for signal handlers: writing a byte to it ends `listen` early."""
        return self._wake_write

    @property
    def idle(self) -> int:
        """Number of workers that can take a task now."""
        free = sum(worker.order is None for worker in self._workers)
        return max(0, min(free, self.size - (len(self._workers) - free)))

    @property
    def waits(self) -> bool:
        """Whether a worker is idle or has sent something that has not been read yet."""
        return self.idle > 0 or bool(self._selector.select(0))

    @property
    def busy(self) -> dict[str, Order]:
        """Tasks in flight, by name."""
        return {worker.name: worker.order for worker in self._workers if worker.order is not None}

    @property
    def cpu_s(self) -> float:
        """Processor seconds of all workers so far, including their programs that have ended."""
        return self._left_cpu_s + sum(
            machine.family_cpu(worker.process.pid) for worker in self._workers
        )

    def would_learn(self, kind: type[Order]) -> bool:
        """Whether a worker would have to spend time and memory to load this kind of task.

        This is so if all workers that have done this kind of task are busy.
        """
        return any(kind in worker.knows for worker in self._workers) and not any(
            kind in worker.knows for worker in self._workers if worker.order is None
        )

    def _patience_s(self, worker: _Worker) -> float:
        return worker.stall_s or self._stall_s

    def stuck(self, name: str) -> bool:
        """Whether the worker of this task was killed but cannot end.

        The kernel itself then waits for a dead volume.
        """
        process = self._abandoned.get(name)
        if process is not None and process.poll() is not None:
            del self._abandoned[name]
        return name in self._abandoned

    def _start(self) -> None:
        child = self._ahead.pop() if self._ahead else spawn_worker()
        worker = _Worker(child)
        assert child.stdout and child.stderr
        self._selector.register(child.stdout, selectors.EVENT_READ, worker)
        self._selector.register(child.stderr, selectors.EVENT_READ, worker)
        self._workers.append(worker)

    def _drop(self, worker: _Worker) -> int | None:
        ours = {key.fileobj for key in self._selector.get_map().values()}
        for stream in (worker.process.stdout, worker.process.stderr):
            if stream in ours:
                assert stream is not None
                self._selector.unregister(stream)
        self._left_cpu_s += machine.family_cpu(worker.process.pid)
        terminate(worker.process)
        self._workers.remove(worker)
        if worker.process.returncode is None:
            self._abandoned[worker.name] = worker.process
        return worker.process.returncode

    def give(self, name: str, assignment: Assignment) -> None:
        """Send a task to an idle worker; its replies come back under `name`."""
        kind = type(assignment.order)
        idle = [worker for worker in self._workers if worker.order is None]
        worker = min(
            idle, key=lambda one: kind not in one.knows
        )  # prefer a worker that has already loaded what this kind of task needs
        worker.knows.add(kind)
        worker.order, worker.name, worker.heard = assignment.order, name, machine.monotonic()
        worker.stall_s, worker.begun, worker.frames, worker.read_bytes = (
            assignment.stall_s,
            worker.heard,
            None,
            None,
        )
        assert worker.process.stdin
        try:
            worker.process.stdin.write(
                codec.encode(msgspec.structs.replace(assignment, ffmpeg=self._ffmpeg)) + b"\n"
            )
            worker.process.stdin.flush()
        except BrokenPipeError:
            pass  # the worker died; `listen` will see the end of its output and report it

    def listen(self, timeout_s: float) -> list[tuple[str, Progress | Outcome]]:
        """Return the replies that arrived; wait up to `timeout_s` seconds for the first one.

        An outcome frees its worker.
        """
        said: list[tuple[str, Progress | Outcome]] = []
        self._fit()
        soonest = min(
            (w.heard + self._patience_s(w) for w in self._workers if w.order is not None),
            default=None,
        )
        if soonest is not None:
            timeout_s = min(timeout_s, max(0.0, soonest - machine.monotonic()))
        for key, _ in self._selector.select(timeout_s):
            worker = key.data
            if worker is None:
                os.read(self._wake_read, 4096)
                continue
            if worker not in self._workers:
                continue
            data = os.read(key.fd, 1 << 20)
            if key.fileobj is worker.process.stderr:
                worker.lines.extend(data.decode(errors="replace").splitlines())
                del worker.lines[:-40]
                if not data:
                    self._selector.unregister(key.fileobj)
                continue
            if not data:
                said.extend(self._replace(worker, "worker-died"))
                continue
            *whole, worker.buffer = (worker.buffer + data).split(b"\n")
            for line in whole:
                reply: Reply = codec.decode(line, Reply)  # type: ignore[arg-type]
                worker.heard, worker.read_bytes = machine.monotonic(), None
                said.append((worker.name, reply))
                if isinstance(reply, Progress):
                    worker.frames = reply.frames
                else:
                    worker.order = None
                    self._relieve(worker)
        for worker in [worker for worker in self._workers if worker.order is not None]:
            silent_s, patience_s = machine.monotonic() - worker.heard, self._patience_s(worker)
            if silent_s > patience_s:
                said.extend(self._replace(worker, "hung"))
            elif silent_s > patience_s / 2 and worker.read_bytes is None:
                worker.read_bytes = kernel_waits.kernel_wait_of(worker.process.pid).read_bytes
        return said

    def _fit(self) -> None:
        """Start or end workers until there are as many as are allowed now."""
        if self._share is not None:
            self.size = max(1, self._share())
        for worker in [worker for worker in self._workers if worker.order is None][
            : max(0, len(self._workers) - self.size)
        ]:
            self._drop(worker)
        while len(self._workers) < self.size:
            self._start()

    def _relieve(self, worker: _Worker) -> None:
        """Replace a worker that has grown too large; this frees the memory that it leaked."""
        held = machine.resident_bytes(worker.process.pid) if self._memory_bytes else None
        if held is not None and self._memory_bytes is not None and held > self._memory_bytes:
            self._drop(worker)
            self._start()

    def _replace(self, worker: _Worker, note: str) -> Iterable[tuple[str, Evidence]]:
        order, name = worker.order, worker.name
        heard = (
            kernel_waits.kernel_wait_of(worker.process.pid)
            if note == "hung"
            else kernel_waits.KernelWait()
        )
        code = self._drop(worker)
        self._start()
        kills = machine.new_oom_kills()
        if order is not None:
            place, path = suspects.suspect(order, heard)
            if note == "worker-died" and place != "source":
                place = "program"  # a crash is blamed on a source or the program, never on a disk
            if note == "worker-died" and code == -signal.SIGKILL and kills:
                note, place = (
                    "memory-kill",
                    "program",
                )  # the kernel's choice says nothing about the file
            if (
                place == "source"
                and worker.read_bytes is not None
                and heard.read_bytes > worker.read_bytes
                and heard.paths
            ):
                note = "slow"
            yield (
                name,
                Evidence(
                    operation=type(order).__name__,
                    place=place,
                    path=path,
                    note=note,
                    exit_code=code if note in ("worker-died", "memory-kill") else None,
                    stderr=tuple(worker.lines),
                    argv=getattr(order, "argv", ()),
                    frames_seen=worker.frames,
                    frames_wanted=getattr(order, "frames", None),
                    elapsed_s=machine.monotonic() - worker.begun,
                    free_memory_bytes=machine.free_memory(),
                    oom_kills=kills,
                    volume=machine.listed_mount(path)[0] if path else "",
                    network=bool(path) and machine.on_network(path),
                    detail="stopped" if heard.stopped else "; ".join(heard.paths[:3]),
                ),
            )

    def dismiss(self) -> None:
        """Kill every worker and its programs. Nothing is lost: part files are never trusted."""
        for worker in list(self._workers):
            self._drop(worker)
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)
