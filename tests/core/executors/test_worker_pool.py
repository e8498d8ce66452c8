"""Worker processes: orders out, replies in, and a worker that fails is replaced."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors.failure import Evidence
from core.executors.worker_pool import WorkerPool
from core.tasks.spec import (
    Assignment,
    Examined,
    ExamineSource,
    Order,
    Outcome,
    Progress,
    RenderSegment,
    ValidateSeal,
)
from tests.core import bench
from tests.film.media import Movie


@pytest.fixture
def crew() -> Iterator[WorkerPool]:
    """Two workers."""
    crew = WorkerPool(2, stall_s=60)
    yield crew
    crew.dismiss()


def _asleep(folder: Path, name: str = "k") -> RenderSegment:
    """An order whose program sleeps and leaves its number behind."""
    argv = ("sh", "-c", f"echo $$ > {folder}/{name}.pid; exec sleep 120")
    return RenderSegment(
        key=name,
        argv=argv,
        part=str(folder / f"{name}.part"),
        frames=9,
        signature="",
        source="/media/a.mov",
    )


def _pid(folder: Path, name: str = "k") -> int:
    path = folder / f"{name}.pid"
    bench.until(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())


def _outcomes(crew: WorkerPool, count: int, within_s: float = 30) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    deadline = time.monotonic() + within_s
    while len(found) < count:
        assert time.monotonic() < deadline, found
        found.update(
            {name: reply for name, reply in crew.listen(1.0) if not isinstance(reply, Progress)}
        )
    return found


def _workers(crew: WorkerPool) -> list[int]:
    return [worker.process.pid for worker in crew._workers]


def _of(crew: WorkerPool, name: str) -> int:
    return next(
        worker.process.pid
        for worker in crew._workers
        if worker.name == name and worker.order is not None
    )


def test_orders_are_answered_under_their_names(
    crew: WorkerPool, mjpeg: Movie, prores: Movie, tmp_path: Path
) -> None:
    assert (crew.idle, crew.busy) == (2, {})
    orders: dict[str, Order] = {
        "one": ExamineSource(path=str(mjpeg.path)),
        "two": ExamineSource(path=str(prores.path)),
    }
    for name, order in orders.items():
        crew.give(name, Assignment(order=order))
    assert (crew.idle, crew.busy) == (0, orders)
    found = _outcomes(crew, 2)
    assert (crew.idle, crew.busy) == (2, {})
    for name, order in orders.items():
        outcome = found[name]
        assert (
            isinstance(outcome, Examined)
            and isinstance(order, ExamineSource)
            and outcome.source.path == order.path
        )
    crew.give("three", Assignment(order=ExamineSource(path=str(tmp_path / "none.mov"))))
    missing = _outcomes(crew, 1)["three"]
    assert isinstance(missing, Evidence) and (missing.place, missing.errno) == ("source", 2)


def test_an_order_goes_to_who_has_done_its_kind_before(
    crew: WorkerPool, mjpeg: Movie, tmp_path: Path
) -> None:
    look, check = (
        ExamineSource(path=str(mjpeg.path)),
        ValidateSeal(key="k", path=str(mjpeg.path), bytes=1, file_hash="x"),
    )
    for name, order in (("a", look), ("b", check)):
        crew.give(name, Assignment(order=order))
    looker, checker = _of(crew, "a"), _of(crew, "b")
    _outcomes(crew, 2)
    for turn in range(3):
        crew.give(f"c{turn}", Assignment(order=check))
        assert _of(crew, f"c{turn}") == checker
        crew.give(f"d{turn}", Assignment(order=look))
        assert _of(crew, f"d{turn}") == looker
        _outcomes(crew, 2)


def test_progress_is_heard_before_the_end(crew: WorkerPool, tmp_path: Path) -> None:
    argv = ("sh", "-c", "for n in 1 2 3 4; do echo frame=$n; sleep 0.15; done; exit 7")
    crew.give(
        "k",
        Assignment(
            order=RenderSegment(
                key="k", argv=argv, part=str(tmp_path / "k"), frames=9, signature=""
            )
        ),
    )
    heard: list[object] = []
    deadline = time.monotonic() + 30
    while crew.busy:
        assert time.monotonic() < deadline
        heard += [reply for _, reply in crew.listen(1.0)]
    assert heard[:-1] == [Progress(frames=n) for n in (1, 2, 3, 4)]
    assert isinstance(heard[-1], Evidence) and (heard[-1].exit_code, heard[-1].frames_seen) == (
        7,
        4,
    )


def test_a_killed_worker_is_evidence_and_replaced(
    crew: WorkerPool, mjpeg: Movie, tmp_path: Path
) -> None:
    crew.give("k", Assignment(order=_asleep(tmp_path)))
    program, worker = _pid(tmp_path), _of(crew, "k")
    os.kill(worker, signal.SIGKILL)
    died = _outcomes(crew, 1)["k"]
    assert isinstance(died, Evidence)
    assert (died.note, died.exit_code, died.operation) == (
        "worker-died",
        -signal.SIGKILL,
        "RenderSegment",
    )
    assert (died.place, died.path) == ("source", "/media/a.mov")
    bench.until(lambda: bench.dead(program))
    assert crew.idle == 2 and worker not in _workers(crew)
    for name in ("one", "two"):
        crew.give(name, Assignment(order=ExamineSource(path=str(mjpeg.path))))
    assert {type(outcome) for outcome in _outcomes(crew, 2).values()} == {Examined}


def test_an_idle_worker_that_dies_is_replaced_in_silence(crew: WorkerPool, mjpeg: Movie) -> None:
    before = _workers(crew)
    for worker in before:
        os.kill(worker, signal.SIGKILL)
        bench.until(lambda worker=worker: bench.dead(worker))  # type: ignore[misc]
    bench.until(lambda: crew.listen(0.2) == [] and not set(before) & set(_workers(crew)))
    assert crew.idle == 2
    crew.give("one", Assignment(order=ExamineSource(path=str(mjpeg.path))))
    assert isinstance(_outcomes(crew, 1)["one"], Examined)


def test_an_order_given_to_a_dead_worker_is_evidence(crew: WorkerPool) -> None:
    for worker in _workers(crew):
        os.kill(worker, signal.SIGKILL)
        bench.until(lambda worker=worker: bench.dead(worker))  # type: ignore[misc]
    crew.give(
        "k", Assignment(order=ValidateSeal(key="k", path="/scratch/k.mov", bytes=1, file_hash=""))
    )
    died = _outcomes(crew, 1)["k"]
    assert isinstance(died, Evidence) and (died.note, died.place) == ("worker-died", "program")


def test_a_worker_that_says_nothing_is_hung_and_replaced(tmp_path: Path) -> None:
    crew = WorkerPool(1, stall_s=0.5)
    try:
        (worker,) = _workers(crew)
        os.kill(worker, signal.SIGSTOP)
        crew.give("k", Assignment(order=ExamineSource(path="/media/far/a.mov")))
        began = time.monotonic()
        hung = _outcomes(crew, 1)["k"]
        assert 0.5 <= time.monotonic() - began < 20
        assert isinstance(hung, Evidence)
        assert (hung.note, hung.exit_code, hung.path) == ("hung", None, "/media/far/a.mov")
        told = (
            ("program", "stopped") if sys.platform == "linux" else ("source", "")
        )  # it waits for no file
        assert (hung.place, hung.detail) == told
        assert bench.dead(worker)
        assert crew.idle == 1 and _workers(crew) != [worker]
    finally:
        crew.dismiss()


def test_a_program_that_repeats_itself_is_hung_too(tmp_path: Path) -> None:
    """Output alone is no life: frames must be made."""
    crew = WorkerPool(1, stall_s=60)
    argv = ("sh", "-c", f"echo $$ > {tmp_path}/k.pid; while :; do echo frame=1; sleep 0.1; done")
    try:
        crew.give(
            "k",
            Assignment(
                order=RenderSegment(
                    key="k", argv=argv, part=str(tmp_path / "k"), frames=9, signature=""
                )
            ),
        )
        program = _pid(tmp_path)
        crew._stall_s = 0.6  # short only now: a worker takes its time to begin
        hung = _outcomes(crew, 1)["k"]
        assert isinstance(hung, Evidence) and hung.note == "hung"
        bench.until(lambda: bench.dead(program))
    finally:
        crew.dismiss()


def test_a_byte_wakes_the_listener(crew: WorkerPool) -> None:
    os.write(crew.wake_fd, b"\0")
    began = time.monotonic()
    assert crew.listen(30) == []
    assert time.monotonic() - began < 10
    assert crew.listen(0) == []


def test_a_wake_that_nobody_reads_never_blocks(crew: WorkerPool) -> None:
    with pytest.raises(BlockingIOError):
        while True:
            os.write(crew.wake_fd, bytes(4096))


def test_dismissing_leaves_no_process(tmp_path: Path) -> None:
    crew = WorkerPool(3, stall_s=60)
    workers = _workers(crew)
    for name in ("a", "b"):
        crew.give(name, Assignment(order=_asleep(tmp_path, name)))
    programs = [_pid(tmp_path, name) for name in ("a", "b")]
    assert not any(bench.dead(pid) for pid in (*workers, *programs))
    crew.dismiss()
    assert len(set(workers)) == 3
    for pid in (*workers, *programs):
        bench.until(lambda pid=pid: bench.dead(pid))  # type: ignore[misc]


def test_an_order_may_have_a_patience_of_its_own(tmp_path: Path) -> None:
    crew = WorkerPool(1, stall_s=60)
    try:
        bench.until(lambda: crew.listen(0.05) == [] and crew.idle == 1)
        began = time.monotonic()
        crew.give("k", Assignment(order=_asleep(tmp_path), stall_s=1.5))
        hung = _outcomes(crew, 1)["k"]
        assert isinstance(hung, Evidence) and hung.note == "hung"
        assert time.monotonic() - began < 30, "not the crew's own"
        assert not crew.stuck("k"), "it could be killed"
    finally:
        crew.dismiss()


def test_a_worker_that_grew_too_large_is_relieved_after_its_order(mjpeg: Movie) -> None:
    crew = WorkerPool(1, stall_s=60, memory_bytes=1)
    try:
        (before,) = _workers(crew)
        crew.give("one", Assignment(order=ExamineSource(path=str(mjpeg.path))))
        assert isinstance(_outcomes(crew, 1)["one"], Examined)
        (after,) = _workers(crew)
        assert before != after and bench.dead(before)
        crew.give("two", Assignment(order=ExamineSource(path=str(mjpeg.path))))
        assert isinstance(_outcomes(crew, 1)["two"], Examined)
    finally:
        crew.dismiss()


def test_who_has_learnt_a_kind_of_order_is_waited_for(
    crew: WorkerPool, mjpeg: Movie, tmp_path: Path
) -> None:
    assert not crew.would_learn(ExamineSource), "nobody knows it yet"
    crew.give("one", Assignment(order=ExamineSource(path=str(mjpeg.path))))
    assert crew.would_learn(ExamineSource), "who learns it is at it"
    _outcomes(crew, 1)
    assert not crew.would_learn(ExamineSource), "who knows it is idle"
    taught = next(worker for worker in crew._workers if ExamineSource in worker.knows)
    for name in ("a", "b"):
        crew.give(name, Assignment(order=_asleep(tmp_path, name)))
        if taught.order is not None:
            break
    assert crew.would_learn(ExamineSource)
    os.kill(taught.process.pid, signal.SIGKILL)
    _outcomes(crew, 1)
    assert not crew.would_learn(ExamineSource), "what a worker knew goes with it"


def test_a_crew_grows_at_once_and_shrinks_when_orders_are_done(
    mjpeg: Movie, tmp_path: Path
) -> None:
    may = [1]
    crew = WorkerPool(1, stall_s=60, share=lambda: may[0])
    try:
        assert crew.idle == 1
        may[0] = 3
        crew.listen(0)
        assert (crew.size, crew.idle, len(_workers(crew))) == (3, 3, 3)
        for name in ("long", "longer"):
            crew.give(name, Assignment(order=_asleep(tmp_path, name)))
        may[0] = 1
        crew.listen(0)
        assert (crew.idle, len(_workers(crew))) == (0, 2), (
            "nobody is cut off in the midst of his order"
        )
        os.kill(_pid(tmp_path, "long"), signal.SIGKILL)
        assert set(_outcomes(crew, 1)) == {"long"}
        assert crew.idle == 0, "he has no other order to wait for"
        crew.listen(0)
        assert _workers(crew) == [_of(crew, "longer")]
        may[0] = 2
        crew.listen(0)
        crew.give("new", Assignment(order=ExamineSource(path=str(mjpeg.path))))
        assert isinstance(_outcomes(crew, 1)["new"], Examined)
    finally:
        crew.dismiss()
