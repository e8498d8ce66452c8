"""Markers into a timeline that does what a real one does: refuses, takes what is beyond its end, and belongs to somebody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.resolve import marker_sync
from bridge.resolve.markers import Mark
from tests.fake_resolve.near import Near
from tests.film.timelines import timeline


class Watched(Near):
    """Remembers calls; `before` may do something before one."""

    def __init__(self, otio: Path) -> None:
        super().__init__(otio)
        self.calls: list[str] = []
        self.before: Any = lambda method: None
        self.keep("manager", "resolve", "GetProjectManager")
        self.keep("project", "manager", "GetCurrentProject")
        self.keep("timeline", "project", "GetCurrentTimeline")

    def call(self, owner: str, method: str, *words: Any) -> Any:
        self.calls.append(method)
        self.before(method)
        return super().call(owner, method, *words)


@pytest.fixture
def editor(tmp_path: Path) -> Watched:
    return Watched(timeline(24).video().clip("/m/a.mov", 0, 100).save(tmp_path / "t.otio"))


def mark(first: int, *, low: int = 0, title: str = "Media offline") -> Mark:
    return Mark(first, first + 10, low, low + 20, "error", title, "note", 1)


def frames(editor: Watched) -> dict[int, str]:
    return {frame: said["name"] for frame, said in sorted(editor.timeline.markers.items())}


def pin(editor: Watched, *wanted: Mark, job: str = "j1") -> marker_sync.Pinned:
    return marker_sync.pin(editor, wanted, job=job, frames=100)  # type: ignore[arg-type]


def test_markers_come_and_those_of_an_earlier_run_go(editor):
    editor.timeline.AddMarker(5, "Red", "mine", "", 1, "")
    assert pin(editor, mark(0), mark(10))[:2] == (2, 0)
    assert pin(editor, mark(12), job="j2")[:2] == (1, 2)
    assert frames(editor) == {5: "mine", 12: "Hotsplice: Media offline"}
    assert pin(editor, job="j3")[:2] == (0, 1) and frames(editor) == {5: "mine"}
    assert not {"DeleteMarkersByColor", "DeleteMarkerByCustomData"} & set(editor.calls)


def test_what_stands_as_it_should_is_left_alone(editor):
    pin(editor, mark(0))
    editor.calls.clear()
    assert pin(editor, mark(0))[:2] == (1, 0) and editor.calls == ["GetMarkers"]


def test_ours_go_though_their_customdata_was_lost(editor):
    editor.timeline.manners.custom_lost = True
    pin(editor, mark(0))
    assert pin(editor, job="j2").removed == 1 and frames(editor) == {}


def test_a_frame_that_is_taken_between_the_look_and_the_marker(editor):
    def taken(method: str) -> None:
        if method == "AddMarker":
            editor.before = lambda method: None
            editor.timeline.AddMarker(0, "Blue", "just now", "", 1, "")

    editor.before = taken
    assert pin(editor, mark(0), mark(10)).standing == 2
    assert frames(editor) == {
        0: "just now",
        1: "Hotsplice: Media offline",
        10: "Hotsplice: Media offline",
    }


def test_a_timeline_that_takes_no_markers_is_said_to(editor):
    editor.timeline.AddMarker = lambda *words: False
    done = pin(editor, mark(0), mark(10))
    assert done.standing == 0 and len(done.homeless) == 2


def test_the_length_is_that_of_now_and_otherwise_what_was_seen(editor):
    assert marker_sync.length(editor, 7) == 100  # type: ignore[arg-type]
    editor.timeline.GetEndFrame = lambda: None
    assert marker_sync.length(editor, 7) == 7  # type: ignore[arg-type]
