"""A client on a link that misbehaves. All of it: `python -m tests.proofs.wire`."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.bridge.companions import companions
from tests.film.media import make_movie
from tests.film.timelines import timeline
from tests.proofs.wire import converse


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    place = tmp_path_factory.mktemp("scene")
    reel = make_movie(place / "reel.mov", source_id=1, frames=12)
    line = timeline(Fraction(24))
    line.video().clip(reel.path, 0, 12, media_frames=12)
    line.save(place / "cut.otio")
    with companions(place / "home") as house:
        house.start("-j", "1")
        yield house, place


@pytest.mark.parametrize(("action", "at"), [("cut", 3), ("cut", 12), ("drop", 9), ("drop", 14), ("flip", 10), ("truncate", 11), ("double", 13)])
def test_a_conversation_spoilt_once_ends_with_one_job_and_everything_heard_once(scene, action, at):
    house, place = scene
    name = f"spoilt-{action}-{at}"
    wrong, pieces, fired, _ = converse(house, place / "cut.otio", place / "film.mov", place / name, name, action=action, at=at)
    assert fired, f"there were only {pieces} pieces"
    assert wrong == ""
