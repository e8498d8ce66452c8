"""Workers that are started before there is a crew: it takes them over, and who is not needed goes."""

from __future__ import annotations

import errno
import os
import signal

import pytest

from core.executors import worker_process
from core.executors.worker_pool import WorkerPool
from core.system import process
from core.tasks.spec import Assignment, Examined, ExamineSource, Progress
from tests.core import bench
from tests.film.media import Movie


def _examined(crew: WorkerPool, media: Movie) -> int:
    """The process that examined it."""
    crew.give("one", Assignment(order=ExamineSource(path=str(media.path))))
    (busy,) = [worker.process.pid for worker in crew._workers if worker.order is not None]
    while True:
        for _, reply in crew.listen(30.0):
            if not isinstance(reply, Progress):
                assert isinstance(reply, Examined)
                return busy


def test_a_crew_takes_over_who_was_started_already_and_hires_the_rest(mjpeg: Movie) -> None:
    with worker_process.spawn_ahead(2) as hands:
        early = {hand.pid for hand in hands}
        crew = WorkerPool(3, stall_s=60, ahead=hands)
        try:
            assert hands == []
            assert early < {worker.process.pid for worker in crew._workers}
            assert _examined(crew, mjpeg) in early | {
                worker.process.pid for worker in crew._workers
            }
        finally:
            crew.dismiss()
    for pid in early:
        bench.until(lambda pid=pid: bench.dead(pid))  # type: ignore[misc]


def test_who_is_not_needed_goes() -> None:
    with worker_process.spawn_ahead(3) as hands:
        first, second, _ = (hand.pid for hand in hands)
        crew = WorkerPool(1, stall_s=60, ahead=hands)
        crew.dismiss()
        assert [hand.pid for hand in hands] == [first, second]
        assert not bench.dead(first)
    for pid in (first, second):
        bench.until(lambda pid=pid: bench.dead(pid))  # type: ignore[misc]


def test_who_died_before_there_was_a_crew_is_replaced(mjpeg: Movie) -> None:
    with worker_process.spawn_ahead(1) as hands:
        (pid,) = (hand.pid for hand in hands)
        os.kill(pid, signal.SIGKILL)
        bench.until(lambda: bench.dead(pid))
        crew = WorkerPool(1, stall_s=60, ahead=hands)
        try:
            assert crew.listen(30.0) == []
            assert _examined(crew, mjpeg) != pid
        finally:
            crew.dismiss()


def test_where_no_process_can_be_started_the_crew_is_the_one_to_say_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object, **__: object) -> worker_process.Hand:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(process, "spawn", full)
    with worker_process.spawn_ahead(2) as hands:
        assert hands == []
        with pytest.raises(BlockingIOError):
            WorkerPool(1, stall_s=60, ahead=hands)
