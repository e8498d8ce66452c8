"""Whatever the file says, it is read or refused."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentimelineio import schema
from opentimelineio.opentime import RationalTime
from otio_building import (
    as_json,
    clip,
    file,
    gap,
    message,
    parameter,
    resolve_effect,
    span,
    stack,
    timeline,
    track,
)

from core.messages.template import LANGUAGES
from otio_adapters.read import timeline_from
from otio_adapters.refuse import TimelineRefused

CODES = {
    "timeline-too-large",
    "timeline-not-json",
    "timeline-not-otio",
    "timeline-schema-unknown",
    "timeline-empty",
    "timeline-invalid",
}
OURS = (AttributeError, TypeError, IndexError, AssertionError, RecursionError, UnboundLocalError)
"""What would be a mistake of ours behind a refusal, rather than of the file."""


def everything() -> Any:
    """A timeline with one of each."""
    pictures = schema.ImageSequenceReference(
        "/s", "p.", ".exr", 1, 1, 24.0, 4, available_range=span(0, 9)
    )
    offline = schema.MissingReference(metadata={"Resolve_OTIO": {"Media Url": "/m/off.mov"}})
    channels = {"Resolve_OTIO": {"Channels": [{"Source Channel ID": 0, "Source Track ID": 0}]}}
    dissolve = schema.Transition("x", "SMPTE_Dissolve", RationalTime(5, 24), RationalTime(5, 24))
    effects = [
        schema.LinearTimeWarp("w", 2.0),
        resolve_effect("Transform", parameter(1, 2, {"0": 1})),
    ]
    made = timeline(
        track(
            clip("a", media=file("file:///m/a%20b.mov", span(0, 100))),
            dissolve,
            clip("b", effects=effects),
            gap(5),
            stack(
                track(clip("n")),
                track(clip("t", media=schema.GeneratorReference())),
                source_range=span(2, 10),
            ),
            track(clip("p", media=pictures), source_range=span(1, 9)),
            source_range=span(1, 90),
        ),
        track(clip("o", media=offline, metadata=channels), kind="Audio"),
        start=(86400, 24),
        hotsplice={"width": 64, "height": 48, "name": "x"},
    )
    return as_json(made)


def spots(node: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in the data."""
    keys = (
        list(node)
        if isinstance(node, dict)
        else list(range(len(node)))
        if isinstance(node, list)
        else []
    )
    return [spot for key in keys for spot in [(node, key), *spots(node[key])]]


BASE = everything()
SPOTS = len(spots(BASE))
names = st.sampled_from(
    [
        *sorted({node["OTIO_SCHEMA"] for node, key in spots(BASE) if key == "OTIO_SCHEMA"}),
        "Clip.1",
        "Clip.99",
        "UnknownSchema.1",
        "Marker.3",
        "Sequence.1",
        "Filler.1",
        "SerializableObjectRef.1",
        "SerializableCollection.1",
    ]
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 200),
    st.integers(),
    st.floats(),
    st.text(max_size=6),
    names,
    st.sampled_from(
        [
            "Video",
            "Audio",
            "",
            "/m/\0",
            "http://x/y",
            0.0004,
            1e300,
            23.976,
            10**30,
            "\ud800",
            "file://%ff",
        ]
    ),
)
replaced = st.one_of(
    scalars,
    st.lists(scalars, max_size=2),
    st.builds(lambda name: {"OTIO_SCHEMA": name}, names),
    st.dictionaries(
        st.sampled_from(["OTIO_SCHEMA", "rate", "value", "id", "name"]), scalars, max_size=3
    ),
)
hows = st.sampled_from(["set", "set", "delete", "copy", "double"])
places = st.integers(0, SPOTS - 1)
edits = st.lists(st.tuples(places, hows, replaced, places), min_size=1, max_size=3)


def mutated(changes: list[tuple[int, str, Any, int]]) -> Any:
    data = copy.deepcopy(BASE)
    for where, how, value, other in changes:
        found = spots(data)
        if not found:
            break
        (node, key), (source, name) = found[where % len(found)], found[other % len(found)]
        if how == "delete":
            del node[key]
        elif how == "double" and isinstance(node, list):
            node.append(copy.deepcopy(node[key]))
        else:
            node[key] = copy.deepcopy(source[name]) if how == "copy" else value
    return data


def outcome(raw: bytes) -> None:
    try:
        made = timeline_from(raw, Path("/edit/reel.otio"))
    except TimelineRefused as error:
        assert error.code in CODES
        assert all(message(error, language).isprintable() for language in LANGUAGES)
        assert not isinstance(error.__cause__, OURS), error.__cause__
    else:
        assert made.frames > 0
        ids = [c.id for t in made.tracks for c in t.clips]
        assert len(ids) == len(set(ids))
        assert all(r.text for c in made.tracks for c in c.clips for r in c.remarks)


def test_the_base_is_read():
    made = timeline_from(json.dumps(BASE).encode(), Path("/edit/reel.otio"))
    assert [len(t.clips) for t in made.tracks] == [4, 1]


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(edits)
def test_a_mutated_timeline_is_read_or_refused(changes):
    outcome(json.dumps(mutated(changes)).encode())


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.binary(max_size=6), st.integers(0, 4))
def test_a_damaged_file_is_read_or_refused(at, put, cut):
    raw = json.dumps(BASE).encode()
    outcome(raw[: at % len(raw)] + put + raw[at % len(raw) + cut :])


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused(raw):
    outcome(raw)
