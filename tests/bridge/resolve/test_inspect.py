"""What is read of an open timeline, in every version's way of telling it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from bridge.protocol.requests import Lacking
from bridge.resolve.inspect import Seen, look
from tests.fake_resolve.near import Near
from tests.film.timelines import timeline


def seen(
    tmp_path: Path, rate: Fraction | int = 24, start: str = "01:00:00:00", **state: Any
) -> Seen:
    otio = timeline(rate, start=start).video().clip("/m/a.mov", 0, 48).save(tmp_path / "t.otio")
    said = {"timecode": start, **state.pop("timeline", {})}
    return look(Near(otio, timeline=said, **state))  # type: ignore[arg-type]


def test_everything_that_otio_lacks(tmp_path):
    assert seen(tmp_path) == Seen(
        product="DaVinci Resolve Studio", version="20.3.2.9", project="Harbour", name="Reel 1", start_timecode="01:00:00:00",
        start_frame=86400, frames=48, rate=24.0,
        lacking=Lacking(
            name="Reel 1", width=320, height=180, drop_frame=False, sample_rate=48000, project="Harbour",
            editor="DaVinci Resolve Studio", editor_version="20.3.2.9",
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    "manners",
    [
        {"rate_as": "text"},
        {"version": (21, 1, 0, 17)},
        {"version": (21, 1, 0, 17), "singular": False},
        {"studio": False},
    ],
)
def test_in_every_version_the_same(tmp_path, manners):
    one, other = seen(tmp_path), seen(tmp_path, **manners)
    assert other._replace(product=one.product, version=one.version, lacking=one.lacking) == one
    said = other.lacking
    assert (said.width, said.height, said.drop_frame, said.sample_rate) == (320, 180, False, 48000)


def test_rates_are_as_resolve_rounds_them(tmp_path):
    assert seen(tmp_path, Fraction(24000, 1001), rate_as="text").rate == 23.976
    assert seen(tmp_path, Fraction(30000, 1001)).rate == 29.97


@pytest.mark.parametrize(
    ("said", "start", "drops"),
    [
        ({}, "01:00:00:00", False), ({}, "01:00:00;00", True), ({"timelineDropFrameTimecode": "1"}, "01:00:00:00", True),
        ({"timelineFrameRate": "29.97 DF"}, "01:00:00:00", True), ({"timelineDropFrameTimecode": ""}, "01:00:00:00", None),
    ],
)  # fmt: skip
def test_drop_frame(tmp_path, said, start, drops):
    assert (
        seen(tmp_path, Fraction(30000, 1001), start, timeline={"settings": said}).lacking.drop_frame
        is drops
    )


def test_what_the_timeline_does_not_say_the_project_does(tmp_path):
    said = {"timelineResolutionWidth": "", "timelineResolutionHeight": None}
    found = seen(tmp_path, timeline={"settings": said}).lacking
    assert (found.width, found.height) == (1920, 1080)


@pytest.mark.parametrize("odd", ["0", "-5", "1e9", "wide", "320.5"])
def test_a_size_that_makes_no_sense_is_left_out(tmp_path, odd):
    assert (
        seen(tmp_path, timeline={"settings": {"timelineResolutionWidth": odd}}).lacking.width
        is None
    )


def test_a_name_of_many_characters_is_cut_to_what_the_protocol_takes(tmp_path):
    assert len(seen(tmp_path, timeline={"name": "x" * 900}).lacking.name or "") == 500
