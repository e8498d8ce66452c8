"""What Resolve answers, in all the forms it was seen in."""

from __future__ import annotations

import pytest

from bridge.resolve import manners
from bridge.resolve.manners import Marker


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (23.976, 23.976), ("23.976", 23.976), ("29.97 DF", 29.97), (24, 24.0), ("1920", 1920.0), ("", None), (None, None),
        (False, None), (True, None), ("fast", None), (float("nan"), None), (float("inf"), None), ({}, None), ("  ", None),
    ],
)  # fmt: skip
def test_numbers(said, meant):
    assert manners.number(said) == meant


@pytest.mark.parametrize(("said", "meant"), [(86400.0, 86400), ("320", 320), (0.5, None), (1e30, None), (None, None)])
def test_whole_numbers(said, meant):
    assert manners.whole(said) == meant


@pytest.mark.parametrize(("said", "meant"), [("1", True), ("0", False), (1.0, True), (True, True), ("", None), (None, None)])
def test_switches(said, meant):
    assert manners.yes(said) == meant


def test_text_is_printable_and_short():
    assert manners.text("  a\nb\x1b[31m ") == "a b [31m" and manners.text(None) == manners.text(False) == ""
    assert len(manners.text("x" * 900)) == 500


def test_settings_of_the_new_form_count_and_those_of_the_old_fill_in():
    assert manners.settings({"a": "1", "b": ""}, {"a": "2", "b": "3", "c": None}) == {"a": "1", "b": "3", "c": None}
    assert manners.settings(None, {"a": "2"}) == manners.settings(False, {"a": "2"}) == {"a": "2"}


def test_markers_have_floats_for_keys_and_are_in_order():
    said = {"96.0": {"color": "Red", "duration": 2.0, "note": "n", "name": "a", "customData": "c"}, 3.0: {"color": "Blue"}}
    assert manners.markers(said) == (Marker(3, "Blue", "", "", 1), Marker(96, "Red", "a", "n", 2, "c"))
    assert manners.markers({}) == () and manners.markers(None) is None and manners.markers(False) is None
    assert manners.markers({"x": {}, "1.0": None}) == ()
