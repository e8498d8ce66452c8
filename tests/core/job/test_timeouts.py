"""How long silence may last."""

from __future__ import annotations

import msgspec
import pytest

from core.job.pending_tasks import PendingTask
from core.job.state import JobState
from core.job.timeouts import expected_s, patience_s
from tests.core.job.playbook import seal
from tests.core.props import BUILD, POLICY, PRORES, SLATES, clip, cut, picture, plan, source

LONG = plan(cut([clip(0, 39, source_in=0), clip(39, 10, source_in=20)]), source(video=picture()))


def state(**policy: object) -> JobState:
    return JobState(
        plan=LONG,
        preset=PRORES,
        policy=msgspec.structs.replace(POLICY, **policy),
        build=BUILD,
        slate_words=SLATES,
        claimed={},
    )


def test_before_anything_was_made_the_preset_says_how_long_it_takes():
    made = state()
    need = PendingTask("render", "v", segment=LONG.segments[0])
    assert expected_s(need, made) == pytest.approx(39 * 0.115 * 1920 * 1080 / 1e6)


def test_then_what_was_made_in_this_run_says_it():
    made = state()
    for number, seconds in enumerate([12.0, 24.0, 48.0, 1000.0, 0.0]):
        key = f"v{number}"
        made.fold(msgspec.structs.replace(seal(key), seconds=seconds, reused=number > 2))
    assert expected_s(PendingTask("render", "v", segment=LONG.segments[0]), made) == pytest.approx(
        39 * 1.0
    ), "reused ones say nothing"


@pytest.mark.parametrize(
    ("least", "most", "patience"), [(5.0, 600.0, 93.0), (5.0, 60.0, 60.0), (200.0, 600.0, 200.0)]
)
def test_a_hang_is_many_times_the_shots_own_time(least, most, patience):
    need = PendingTask("render", "v", segment=LONG.segments[0])
    made = state(stall_least_s=least, stall_s=most, stall_factor=10.0)
    assert patience_s(need, made) == pytest.approx(patience, abs=0.2)


def test_joining_has_the_whole_patience():
    assert patience_s(PendingTask("join", "cut"), state()) == POLICY.stall_s
