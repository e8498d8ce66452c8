"""Effects and speed changes that the film will not show."""

from __future__ import annotations

import pytest
from opentimelineio import schema
from otio_building import clip, stack, timeline, track


def remarks(read, *effects):
    return (
        read(timeline(track(clip("lead"), clip("shot", effects=list(effects)))))
        .tracks[0]
        .clips[1]
        .remarks
    )


def test_a_warp_of_one_is_inert(read):
    assert (
        remarks(read, schema.LinearTimeWarp("w", 1.0), schema.LinearTimeWarp("w", 1 + 6e-8)) == ()
    )


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        (schema.LinearTimeWarp("w", 2.5), "2.5"),
        (schema.LinearTimeWarp("w", -1.0), "backwards"),
        (schema.LinearTimeWarp("w", 0.75), "0.75"),
        (schema.FreezeFrame(), "freeze"),
        (schema.LinearTimeWarp("w", 0.0), "freeze"),
        (schema.TimeEffect("TimeWarp1", "TimeWarp"), "varying"),
    ],
)
def test_a_changed_speed_is_a_loss_at_its_clip(read, effect, said):
    (remark,) = remarks(read, effect)
    assert (remark.code, remark.severity, remark.record_in) == (
        "speed-change-unsupported",
        "loss",
        24,
    )
    assert "shot" in remark.text
    assert said in remark.text


def test_effects_of_other_editors_are_a_loss_by_name(read):
    (remark,) = remarks(
        read, schema.Effect("Blur", "x"), schema.Effect("", "Key"), schema.Effect("", "")
    )
    assert remark.code == "effect-not-rendered"
    assert all(name in remark.text for name in ("Blur", "Key", "an effect"))


def test_a_disabled_effect_is_not_mentioned(read):
    off = schema.LinearTimeWarp("w", 2.0)
    off.enabled = False
    assert remarks(read, off) == ()


def test_effects_of_tracks_nests_and_the_timeline_are_remarks_of_the_timeline(read):
    nest = stack(track(clip()), effects=[schema.FreezeFrame()], name="inner")
    made = timeline(track(clip(), nest, effects=[schema.Effect("Grade", "g")], name="V1"))
    made.tracks.effects.append(schema.Effect("Look", "l"))
    found = [(r.code, r.record_in) for r in read(made).remarks]
    assert found == [
        ("effect-not-rendered", None),
        ("effect-not-rendered", 0),
        ("speed-change-unsupported", 24),
    ]


def test_effects_of_a_disabled_track_are_not_mentioned(read):
    assert (
        read(timeline(track(clip(), effects=[schema.Effect("Grade", "g")], enabled=False))).remarks
        == ()
    )
