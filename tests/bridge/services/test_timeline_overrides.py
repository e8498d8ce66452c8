"""What the editor says beside its timeline, written into it."""

from __future__ import annotations

import json

import pytest

from bridge.protocol.requests import Lacking
from bridge.services.timeline_overrides import complete
from otio_adapters.refuse import TimelineRefused

TIMELINE = (
    b'{"OTIO_SCHEMA": "Timeline.1", "metadata": {"hotsplice": {"width": 640}, "x": 1}, "name": ""}'
)
SAID = Lacking(name="Reel", width=1920, height=1080, drop_frame=False, editor="E")


def test_it_becomes_settings_of_the_timeline_and_what_that_says_itself_counts_more():
    root = json.loads(complete(TIMELINE, SAID))
    assert root["metadata"] == {
        "hotsplice": {
            "name": "Reel",
            "width": 640,
            "height": 1080,
            "drop_frame": False,
            "editor": "E",
        },
        "x": 1,
    }


def test_nothing_lacking_leaves_the_bytes_alone():
    assert complete(b" {broken", Lacking()) == b" {broken"
    assert complete(TIMELINE, Lacking()) is TIMELINE


@pytest.mark.parametrize(
    "text",
    [
        b"[]",
        b'{"OTIO_SCHEMA": "Clip.1"}',
        b'{"OTIO_SCHEMA": "Timeline.1", "metadata": 3}',
        b'{"OTIO_SCHEMA": 4}',
    ],
)
def test_what_is_no_timeline_is_left_to_the_reader(text):
    assert complete(text, SAID) == text


def test_what_cannot_be_read_is_refused():
    with pytest.raises(TimelineRefused, match="not-json"):
        complete(b"{", SAID)
