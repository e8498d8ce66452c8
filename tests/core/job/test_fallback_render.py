"""Which earlier render may stand in for a shot."""

from __future__ import annotations

import msgspec
import pytest

from core.graph.nodes import Plan
from core.job.fallback_render import earlier_render
from tests.core.job.playbook import seal
from tests.core.props import SIGNATURE, clip, cut, offline, picture, plan, source

PATH = "/media/a.mov"
MOVIE = source(PATH, picture())
FILM = cut([clip(0, 24), clip(24, 100, source_in=20)])
GOOD = plan(FILM, MOVIE)
NOW = plan(FILM, {PATH: offline(PATH)})
SEALS = {segment.key: seal(segment.key) for segment in GOOD.segments}


def found(*earlier: Plan, seals: object = SEALS, shot: int = 2) -> str:
    used = earlier_render(
        NOW.shots[shot - 1], NOW, [(f"job{n}", one) for n, one in enumerate(earlier)], seals
    )  # type: ignore[arg-type]
    return f"{used.job} {len(used.seals)}" if used else ""


def test_the_same_clip_and_frames_in_the_newest_plan_that_has_them():
    pieces = sum(segment.shot == 2 for segment in GOOD.segments)
    assert pieces > 1
    assert found(NOW, GOOD, GOOD) == f"job1 {pieces}", "a plan of slates is no render"


def test_where_it_stood_in_the_film_does_not_matter():
    earlier = plan(cut([clip(0, 100, source_in=20), clip(100, 24)]), MOVIE)
    assert found(earlier, seals={s.key: seal(s.key) for s in earlier.segments}).startswith("job0")


@pytest.mark.parametrize(
    "other",
    [
        plan(cut([clip(0, 24), clip(24, 100, source_in=21)]), MOVIE),
        plan(cut([clip(0, 24), clip(24, 99, source_in=20), clip(123, 1)]), MOVIE),
        plan(FILM, MOVIE, signature="prores 2 1920x1080 yuv422p10le"),
        msgspec.structs.replace(GOOD, format=msgspec.structs.replace(GOOD.format, width=1280)),
        plan(FILM, source(PATH, picture(signature=SIGNATURE, intra_only=True))),
    ],
    ids=[
        "other frames",
        "other length",
        "other codec",
        "other size",
        "copied from the source that is missing",
    ],
)
def test_another_render_is_none(other):
    assert found(other, seals={s.key: seal(s.key) for s in other.segments}) == ""


def test_every_piece_must_be_there_still():
    last = next(segment.key for segment in reversed(GOOD.segments))
    assert found(GOOD, seals={key: one for key, one in SEALS.items() if key != last}) == ""
