"""The same timeline exports to the same bytes, whatever markers of ours stand in it by now."""

from __future__ import annotations

import json

import pytest

from otio_adapters.editor_export import settled
from otio_adapters.read import timeline_from
from otio_adapters.refuse import TimelineRefused
from tests.fake_resolve.exporting import exported
from tests.film.timelines import timeline

OURS = {
    "color": "Red",
    "duration": 10.0,
    "note": "n",
    "name": "Hotsplice: Media offline",
    "customData": "",
}
MINE = OURS | {"name": "Hotsplice is nice"}


@pytest.fixture
def otio(tmp_path):
    return json.loads(
        timeline(24).video().clip("/m/ä.mov", 0, 30).save(tmp_path / "t.otio").read_text("utf-8")
    )


def written(otio, **markers) -> bytes:
    return settled(
        json.dumps(otio | markers, indent=4).encode(),
        marks="Hotsplice: ",
        start_frame=None,
        rate=None,
    )


def test_markers_of_ours_leave_no_trace_and_those_of_others_stay(otio):
    bare = written(exported(otio, {}))
    assert written(exported(otio, {0: OURS, 20: OURS})) == bare
    mine = written(exported(otio, {5: MINE}))
    assert written(exported(otio, {0: OURS, 5: MINE})) == mine != bare
    assert [marker["name"] for marker in json.loads(mine)["tracks"]["markers"]] == [
        "Hotsplice is nice"
    ]


def test_the_film_is_the_same(otio, tmp_path):
    raw = json.dumps(exported(otio, {0: OURS})).encode()
    assert timeline_from(
        settled(raw, marks="Hotsplice: ", start_frame=1, rate=24.0), tmp_path / "t.otio"
    ) == timeline_from(raw, tmp_path / "t.otio")


def test_a_start_is_filled_in_where_there_is_none(otio, tmp_path):
    otio["global_start_time"] = None
    raw = settled(json.dumps(otio).encode(), marks="x", start_frame=86400, rate=24.0)
    assert timeline_from(raw, tmp_path / "t.otio").start_frame == 86400
    for start, rate in ((None, 24.0), (86400, None), (86400, 0.0)):
        raw = settled(json.dumps(otio).encode(), marks="x", start_frame=start, rate=rate)
        assert timeline_from(raw, tmp_path / "t.otio").start_frame == 0


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "3",
        '{"OTIO_SCHEMA": 4, "markers": 3}',
        '{"markers": [3, null, {"OTIO_SCHEMA": "Marker.2"}]}',
    ],
)
def test_what_is_no_timeline_is_left_to_the_reader(text):
    assert json.loads(
        settled(text.encode(), marks="Hotsplice: ", start_frame=1, rate=24.0)
    ) == json.loads(text)


def test_half_a_file_is_refused():
    with pytest.raises(TimelineRefused, match="not-json"):
        settled(b'{"OTIO_SCHEMA": "Timeline.1", ', marks="x", start_frame=None, rate=None)
