"""Which objects are read, and what is taken out of a file so that it can be read."""

from __future__ import annotations

import subprocess
import sys

import pytest
from opentimelineio import schema
from otio_building import as_json, clip, file, gap, message, span, timeline, track

from otio_adapters import schemas


def film_with(**edits):
    """The JSON of a film whose only clip has these fields."""
    made = as_json(timeline(track(clip())))
    made["tracks"]["children"][0]["children"][0].update(edits)
    return made


@pytest.mark.parametrize(
    "root",
    [
        [],
        3,
        '"x"',
        "null",
        1.5,
        {},
        {"OTIO_SCHEMA": 3},
        {"OTIO_SCHEMA": "Timeline"},
        {"tracks": []},
    ],
)
def test_json_that_is_no_otio(refused, root):
    assert refused(root).code == "timeline-not-otio"


@pytest.mark.parametrize("item", [clip(), gap(5), track(clip()), schema.Stack(), file()])
def test_otio_that_is_no_timeline(refused, item):
    error = refused(item)
    assert error.code == "timeline-not-otio"
    assert type(item).__name__ in message(error)


def test_a_collection_of_exactly_one_timeline_is_a_timeline(read, refused):
    assert (
        read(
            schema.SerializableCollection("bin", [clip(), timeline(track(clip()), name="one")])
        ).name
        == "one"
    )
    assert refused(schema.SerializableCollection("bin", [])).code == "timeline-not-otio"
    two = [timeline(track(clip())), timeline(track(clip()))]
    assert "2 timelines" in message(refused(schema.SerializableCollection("bin", two)))


@pytest.mark.parametrize(
    "name", ["Subtitles.1", "Timeline.2", "Timeline.0", "UnknownSchema.1", "Timeline.999999"]
)
def test_an_unknown_root_is_named(refused, name):
    error = refused({"OTIO_SCHEMA": name})
    assert (error.code, name in message(error)) == ("timeline-schema-unknown", True)


@pytest.mark.parametrize(
    "name", ["Clip.99", "Shot.1", "UnknownSchema.1", "Item.1", "SchemaDef.1", "Clip.-1", "Clip"]
)
def test_an_unknown_item_is_named(refused, name):
    error = refused(film_with(OTIO_SCHEMA=name))
    assert (error.code, name in message(error)) == ("timeline-schema-unknown", True)


def test_an_unknown_media_reference_is_named(refused):
    error = refused(
        film_with(media_references={"DEFAULT_MEDIA": {"OTIO_SCHEMA": "ImageReference.1"}})
    )
    assert (error.code, "ImageReference.1" in message(error)) == ("timeline-schema-unknown", True)


def test_markers_of_any_version_are_left_out(read):
    marker = {
        "OTIO_SCHEMA": "Marker.3",
        "color": {"OTIO_SCHEMA": "Color.1", "r": 1},
        "metadata": {},
    }
    made = film_with(markers=[marker], color={"OTIO_SCHEMA": "Color.7"})
    made["tracks"]["markers"] = [marker]
    assert len(read(made).tracks[0].clips) == 1


def test_objects_in_metadata_are_only_data(read):
    """Unknown versions there would have OpenTimelineIO refuse the whole film; `UnknownSchema` ends the process."""
    nested = {
        "OTIO_SCHEMA": "UnknownSchema.1",
        "deep": [{"OTIO_SCHEMA": "Clip.99"}, {"OTIO_SCHEMA": 5}],
    }
    assert read(film_with(metadata={"other": nested})).frames == 24


def test_an_unknown_effect_is_reported_and_not_fatal(read):
    effects = [{"OTIO_SCHEMA": "AudioVolume.1", "gain": 2}, {"OTIO_SCHEMA": "LinearTimeWarp.7"}]
    remarks = read(film_with(effects=effects)).tracks[0].clips[0].remarks
    assert [remark.code for remark in remarks] == ["effect-not-rendered"]
    assert "AudioVolume.1" in remarks[0].text
    assert "LinearTimeWarp.7" in remarks[0].text


def test_the_clips_of_older_versions_are_read(read):
    old = {"OTIO_SCHEMA": "Clip.1", "name": "old", "source_range": as_json(clip())["source_range"]}
    for reference in (
        {"media_reference": as_json(file("/m/old.mov"))},
        {"media_reference": None},
        {},
    ):
        made = as_json(timeline(track(gap(1))))
        made["tracks"]["children"][0]["OTIO_SCHEMA"] = "Sequence.1"
        made["tracks"]["children"][0]["children"] = [{**old, **reference}]
        found = read(made).tracks[0].clips[0]
        assert found.media.path == ("/m/old.mov" if reference.get("media_reference") else None)


@pytest.mark.parametrize(
    "edit",
    [
        {"media_references": {"DEFAULT_MEDIA": None}},
        {"media_references": {"DEFAULT_MEDIA": {}}},
        {"media_references": {"DEFAULT_MEDIA": as_json(gap(1))}},
        {"media_references": 3},
        {"source_range": as_json(gap(1))},
        {"source_range": 5},
        {"effects": [{"OTIO_SCHEMA": 3}]},
        {"effects": [7]},
        {"OTIO_SCHEMA": "RationalTime.1"},
        {"OTIO_SCHEMA": None},
        {"OTIO_SCHEMA": "Clip.1", "media_reference": {"rate": 1}},
        {"OTIO_SCHEMA": "Clip.1", "media_reference": {"OTIO_SCHEMA": "Gap.1"}},
    ],
)
def test_an_object_in_the_wrong_place_is_invalid(refused, edit):
    assert refused(film_with(**edit)).code == "timeline-invalid"


def test_the_names_are_those_that_the_installed_library_reads():
    """A newer library may read more; then this table grows."""
    import opentimelineio as otio

    versions = otio.core.type_version_map()
    for name in set(versions) & set(schemas.READABLE):
        assert versions[name] == schemas.READABLE[name]


def test_the_guard_is_needed():
    """The library, alone, ends its process on this."""
    code = 'import opentimelineio as o; o.core.deserialize_json_from_string(\'{"OTIO_SCHEMA": "UnknownSchema.1"}\')'
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, timeout=60, check=False
    )
    assert ended.returncode != 0
    assert b"Traceback" not in ended.stderr


def test_media_shared_by_two_clips_is_read_and_a_timeline_in_itself_is_refused(read, refused):
    made = as_json(timeline(track(clip("a"), clip("b"))))
    first, second = made["tracks"]["children"][0]["children"]
    first["media_references"]["DEFAULT_MEDIA"]["OTIO_REF_ID"] = "m"
    second["media_references"]["DEFAULT_MEDIA"] = {
        "OTIO_SCHEMA": "SerializableObjectRef.1",
        "id": "m",
    }
    assert [c.media.path for c in read(made).tracks[0].clips] == ["/media/a.mov"] * 2
    made = as_json(timeline(track(clip(), source_range=span(0, 5))))
    made["tracks"]["OTIO_REF_ID"] = "s"
    made["tracks"]["children"][0]["children"].append(
        {"OTIO_SCHEMA": "SerializableObjectRef.1", "id": "s"}
    )
    assert refused(made).code == "timeline-invalid"
