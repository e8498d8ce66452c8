"""What Resolve answers, in all the forms it was seen in."""

from __future__ import annotations

import pytest

from bridge.resolve import api_values
from bridge.resolve.api_values import Marker


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (23.976, 23.976), ("23.976", 23.976), ("29.97 DF", 29.97), (24, 24.0), ("1920", 1920.0), ("", None), (None, None),
        (False, None), (True, None), ("fast", None), (float("nan"), None), (float("inf"), None), ({}, None), ("  ", None),
    ],
)  # fmt: skip
def test_numbers(said, meant):
    assert api_values.number(said) == meant


@pytest.mark.parametrize(
    ("said", "meant"), [(86400.0, 86400), ("320", 320), (0.5, None), (1e30, None), (None, None)]
)
def test_whole_numbers(said, meant):
    assert api_values.whole(said) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [("1", True), ("0", False), (1.0, True), (True, True), ("", None), (None, None)],
)
def test_switches(said, meant):
    assert api_values.yes(said) == meant


def test_text_is_printable_and_short():
    assert (
        api_values.text("  a\nb\x1b[31m ") == "a b [31m"
        and api_values.text(None) == api_values.text(False) == ""
    )
    assert len(api_values.text("x" * 900)) == 500


def test_settings_of_the_new_form_count_and_those_of_the_old_fill_in():
    assert api_values.settings({"a": "1", "b": ""}, {"a": "2", "b": "3", "c": None}) == {
        "a": "1",
        "b": "3",
        "c": None,
    }
    assert (
        api_values.settings(None, {"a": "2"})
        == api_values.settings(False, {"a": "2"})
        == {"a": "2"}
    )


def test_markers_have_floats_for_keys_and_are_in_order():
    said = {
        "96.0": {"color": "Red", "duration": 2.0, "note": "n", "name": "a", "customData": "c"},
        3.0: {"color": "Blue"},
    }
    assert api_values.markers(said) == (
        Marker(3, "Blue", "", "", 1),
        Marker(96, "Red", "a", "n", 2, "c"),
    )
    assert (
        api_values.markers({}) == ()
        and api_values.markers(None) is None
        and api_values.markers(False) is None
    )
    assert api_values.markers({"x": {}, "1.0": None}) == ()
