"""Where the time of a run goes: start-up, work, and what recovery held up."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from core.engine.run_metrics import RunMetrics
from core.system import machine


@dataclass
class _Crew:
    size: int = 2
    waits: bool = False
    cpu_s: float = 3.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the machine tells, for a moment and for the processor."""
    now = [100.0]
    monkeypatch.setattr(machine, "_begun", None)
    for name in ("monotonic", "process_cpu", "thread_cpu"):
        monkeypatch.setattr(machine, name, lambda: now[0])
    return now


def test_start_up_is_counted_apart_also_when_the_film_is_planned_again(clock: list[float]) -> None:
    tally = RunMetrics()
    clock[0] = 104.0
    tally.work_begins()
    clock[0] = 110.0
    tally.work_ends()
    clock[0] = 111.0
    tally.work_begins()
    clock[0] = 113.0
    end = tally.finished("complete", _Crew())  # type: ignore[arg-type]
    assert (end.startup_s, end.seconds, end.cpu_s) == (5.0, 8.0, 16.0)


def test_records_hold_up_whoever_waits(clock: list[float]) -> None:
    tally = RunMetrics()
    with tally.recording():
        clock[0] += 1.0
    tally.work_begins()
    for waits in (True, False):
        with tally.recording(_Crew(waits=waits)):  # type: ignore[arg-type]
            clock[0] += 2.0
    assert (tally.recording_s, tally.held_s, tally.startup_held_s) == (5.0, 3.0, 1.0)


def test_checks_hold_up_by_the_share_of_the_workers_unless_nobody_else_works(
    clock: list[float],
) -> None:
    tally = RunMetrics()
    tally.work_begins()
    tally.checked(1.0, _Crew(), cpu_s=0.25)  # type: ignore[arg-type]
    tally.checked(1.0, _Crew(), alone=True)  # type: ignore[arg-type]
    assert (tally.checking_s, tally.held_s, tally.checking_cpu_s) == (2.0, 1.5, 0.25)


def test_a_command_tells_one_run_when_it_began(clock: list[float]) -> None:
    machine.begin()
    clock[0] = 103.0
    assert (machine.begun().at, machine.begun().at) == (100.0, 103.0)
