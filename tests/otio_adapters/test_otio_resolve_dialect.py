"""What DaVinci Resolve writes in its own way."""

from __future__ import annotations

import pytest
from opentimelineio import schema
from otio_building import clip, parameter, resolve_effect, span, timeline, track

RESOLVE = {"Resolve_OTIO": {}}
TOUCHED = parameter(1.2, 1.0)
BAND = parameter(2, 2)


def only(read, item, kind="Video"):
    return read(timeline(track(item, kind=kind))).tracks[0].clips[0]


def test_offline_media_keeps_its_path_literally(read):
    missing = schema.MissingReference(
        "a.mp4", span(0, 500), {"Resolve_OTIO": {"Media Url": "/Users/j/a %20b.mp4"}}
    )
    found = only(read, clip(media=missing, metadata=RESOLVE))
    assert (found.media.kind, found.media.path, found.media.name) == (
        "file",
        "/Users/j/a %20b.mp4",
        "a.mp4",
    )


def test_a_missing_reference_without_a_path_is_a_title_where_resolve_wrote_it(read):
    assert (
        only(read, clip(media=schema.MissingReference(), metadata=RESOLVE)).media.kind
        == "generator"
    )
    assert only(read, clip(media=schema.MissingReference())).media.kind == "none"


@pytest.mark.parametrize("url", ["", "  ", 5, None, []])
def test_a_media_url_that_is_none_is_not_used(read, url):
    missing = schema.MissingReference(metadata={"Resolve_OTIO": {"Media Url": url}})
    assert only(read, clip(media=missing)).media.kind == "none"


def pairs(*channels):
    return {
        "Resolve_OTIO": {
            "Channels": [{"Source Channel ID": c, "Source Track ID": t} for t, c in channels]
        }
    }


def test_channels_are_stream_and_channel(read):
    assert only(read, clip(metadata=pairs((0, 0), (0, 1), (2, 0))), "Audio").channels == (
        (0, 0),
        (0, 1),
        (2, 0),
    )
    assert only(read, clip(metadata=pairs((0.0, 1.0))), "Audio").channels == ((0, 1),)


@pytest.mark.parametrize(
    "said",
    [
        pairs((0, -1)),
        pairs((0, 64)),
        pairs((0, True)),
        pairs((0, 0.5)),
        pairs((0, "1")),
        pairs(*[(0, 0)] * 65),
        {"Resolve_OTIO": {"Channels": [3]}},
        {"Resolve_OTIO": {"Channels": "x"}},
        {"Resolve_OTIO": []},
        {"Resolve_OTIO": 3},
        {},
    ],
)
def test_channels_that_make_no_sense_are_all_channels(read, said):
    assert only(read, clip(metadata=said), "Audio").channels == ()


def test_pictures_have_no_channels(read):
    assert only(read, clip(metadata=pairs((0, 0)))).channels == ()


@pytest.mark.parametrize(
    "effect",
    [
        resolve_effect("Transform"),
        resolve_effect("Dynamic Zoom", parameter(0.8, 1.0), enabled=False),
        resolve_effect("Fairlight Equaliser Band", BAND),
        resolve_effect("Transform", parameter([0.0, 0.0], [0.0, 0.0])),
        resolve_effect("Transform", parameter(1.2, 1.0, {"0": 1.0, "9": 1.0})),
    ],
)
def test_an_effect_that_changes_nothing_is_not_mentioned(read, effect):
    assert only(read, clip(effects=[effect])).remarks == ()


@pytest.mark.parametrize(
    "effect",
    [
        resolve_effect("Transform", TOUCHED),
        resolve_effect("Transform", parameter(1.0, 1.0, {"0": 1.0, "9": 2.0})),
        resolve_effect("Transform", {"Parameter Value": 1}),
        resolve_effect("Transform", parameter(1, 1), TOUCHED),
    ],
)
def test_an_effect_that_changes_something_is_a_loss(read, effect):
    remarks = only(read, clip("shot", effects=[effect])).remarks
    assert [(r.code, r.severity, r.record_in) for r in remarks] == [
        ("effect-not-rendered", "loss", 0)
    ]
    assert "shot" in remarks[0].text
    assert "Transform" in remarks[0].text


def test_all_effects_of_a_clip_are_one_remark(read):
    effects = [resolve_effect(name, TOUCHED) for name in ("Transform", "Composite", "Transform")]
    (remark,) = only(read, clip(effects=effects)).remarks
    assert remark.text.count("Transform") == remark.text.count("Composite") == 1


def test_the_bands_of_an_equaliser_that_is_off_are_off(read):
    band = resolve_effect("Fairlight Equaliser Band", TOUCHED)
    off, on = (
        resolve_effect("Fairlight Clip Equaliser", enabled=enabled) for enabled in (False, True)
    )
    assert only(read, clip(effects=[off, band.clone()]), "Audio").remarks == ()
    assert len(only(read, clip(effects=[on, band.clone()]), "Audio").remarks) == 1


def test_an_effect_without_a_list_of_parameters_is_a_loss(read):
    odd = schema.Effect("", "Resolve Effect", {"Resolve_OTIO": {"Effect Name": "Glow"}})
    assert "Glow" in only(read, clip(effects=[odd])).remarks[0].text
