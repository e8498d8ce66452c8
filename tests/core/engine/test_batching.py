"""Which pieces of work wait to be recorded together."""

from __future__ import annotations

from core.engine.batching import LONGEST_S, MOST, SMALL_S, may_wait
from core.errors.failure import Evidence
from core.tasks.spec import Made

MADE = Made(frames=1)
BAD = Evidence(operation="render", place="source")


def test_small_pieces_wait_a_moment_while_all_workers_are_busy():
    assert may_wait([(0.0, 0.1, MADE)], idle=0, now=0.1)
    assert may_wait([(0.0, 0.1, MADE)] * (MOST - 1), idle=0, now=0.1 + LONGEST_S * 0.9)


def test_nothing_waits_for_a_record():
    assert not may_wait([], idle=0, now=0.0)
    assert not may_wait([(0.0, 0.1, MADE)], idle=1, now=0.1), "a worker has nothing to do"
    assert not may_wait([(0.0, 0.0, MADE)], idle=0, now=LONGEST_S), "long enough"
    assert not may_wait([(0.0, 0.1, MADE)] * MOST, idle=0, now=0.1)
    assert not may_wait([(0.0, 0.1, MADE), (0.0, SMALL_S, MADE)], idle=0, now=0.2), (
        "much would be lost by a kill"
    )
    assert not may_wait([(0.0, 0.1, MADE), (0.0, 0.1, BAD)], idle=0, now=0.1), (
        "a failure is decided about at once"
    )
