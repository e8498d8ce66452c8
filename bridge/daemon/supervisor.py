"""Supervises the running jobs: their processes, their shares of workers and their output.

daemon --(stdin)-->  one line: how many workers the job may use from now on
daemon <--(stdout)-- progress and summary of the job, as lines of JSON
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import zmq

from bridge.daemon.children import Child
from bridge.daemon.scheduler import Now
from bridge.protocol.responses import Progressed
from core.system import machine

STOPPING_S = 15.0
"""Seconds after which a job that ignored the stop request is killed. Its checkpoints remain."""

_log = logging.getLogger("hotsplice")


@dataclass
class Work:
    """The process of a job.

    `going` says that it has a plan and counts frames. `stopping` is when it was asked to stop, or
    None.
    """

    child: Child
    workers: int
    going: bool = False
    stopping: float | None = None
    summary: dict[str, Any] = field(default_factory=dict)


class Supervisor:
    """Holds the processes of all running jobs. `progress` receives their progress."""

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], progress: Callable[[Progressed], None]
    ) -> None:
        self._context, self._progress = context, progress
        self._works: dict[str, Work] = {}

    @property
    def names(self) -> Collection[str]:
        """Jobs that have a process."""
        return self._works.keys()

    @property
    def stopping(self) -> Collection[str]:
        """Those of them that were asked to stop."""
        return [name for name, work in self._works.items() if work.stopping is not None]

    @property
    def settled_in(self) -> bool:
        """Whether no job is just starting; a job that starts should have the machine to itself."""
        return not self._works or any(work.going for work in self._works.values())

    def do(self, now: Now) -> None:
        """Start and interrupt jobs and distribute workers as decided by the scheduler."""
        for job in now.interrupt:
            self.stop(job)
        for job in now.begin:
            workers = now.workers[job]
            child = Child(
                job, "bridge.cli.job_process", [job, "--jobs", str(workers)], self._context
            )
            self._works[job] = Work(child, workers)
            words = f"The companion begins to work on job {job}: process {child.process.pid}, {workers} shots at once."
            _log.info(
                "job begun",
                extra={
                    "said": {
                        "message": words,
                        "job": job,
                        "child": child.process.pid,
                        "workers": workers,
                    }
                },
            )
        for job, workers in now.workers.items():
            work = self._works.get(job)
            if work is not None and work.workers != workers:
                work.workers = workers
                work.child.tell(f"{workers}\n".encode())

    def stop(self, job: str) -> None:
        """Interrupt a job cleanly."""
        work = self._works.get(job)
        if work is not None and work.stopping is None:
            work.stopping = machine.monotonic()
            work.child.ask_to_stop()

    def stop_all(self, jobs: Iterable[str] | None = None) -> None:
        """Interrupt these jobs, or all."""
        for job in list(self._works) if jobs is None else jobs:
            self.stop(job)

    def tend(self) -> None:
        """Kill jobs that ignored the stop request."""
        for work in self._works.values():
            if work.stopping is not None and machine.monotonic() - work.stopping > STOPPING_S:
                work.stopping = machine.monotonic()
                work.child.kill()

    def kill(self) -> None:
        """Kill all jobs."""
        for work in self._works.values():
            work.child.kill()

    def hear(self, job: str, line: bytes) -> Work | None:
        """Handle a line from a job's process.

        Returns the job's `Work` if that was its end, otherwise None.
        """
        work = self._works.get(job)
        if work is None:
            return None
        if not line:
            return self._works.pop(job)
        try:
            event = json.loads(line)
        except ValueError:
            return None  # the process died in the middle of a line
        match event.pop("event", ""):
            case "step":
                self._progress(
                    Progressed(
                        job=job,
                        at=event["at"],
                        step=event["step"],
                        done=event["done"],
                        total=event["total"],
                    )
                )
            case "progress":
                work.going = True
                at = event.pop("at")
                event.pop("job", None)
                self._progress(
                    Progressed(job=job, at=at, snapshot=msgspec.Raw(msgspec.json.encode(event)))
                )
            case "summary":
                work.summary = event
            case _:
                pass  # events are read from the journal
        return None
