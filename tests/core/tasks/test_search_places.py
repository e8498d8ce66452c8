"""Where missing media is looked for, and in which order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.tasks import search_places
from core.tasks.spec import FindSources


def of(**where: object) -> list[str]:
    return [place for place, _ in search_places.of(FindSources(wanted=(), **where))]  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def volumes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A volume A and the system's own."""
    monkeypatch.setattr(os.path, "ismount", lambda path: path in ("/", "/Volumes/A"))


def test_from_where_it_was_to_whole_volumes(tmp_path: Path) -> None:
    lost = tmp_path / "lost.mov"
    assert of(beside=(str(lost),), near=("/Volumes/A/card/CLIP/b.mov",), folders=("/Archive",)) == [
        str(tmp_path), "/Volumes/A/card/CLIP", "/Archive", "/Volumes/A/card", "/Volumes/A",
    ]  # fmt: skip


def test_nothing_is_searched_twice() -> None:
    near = ("/Volumes/A/x/b.mov", "/Volumes/A/x/c.mov", "/Volumes/A/y/d.mov")
    assert of(near=near) == ["/Volumes/A/x", "/Volumes/A/y", "/Volumes/A"]


def test_what_is_left_of_the_way_to_a_folder_that_is_gone(tmp_path: Path) -> None:
    assert of(beside=(str(tmp_path / "was" / "deep" / "a.mov"),)) == [str(tmp_path)]


def test_a_whole_system_is_never_walked_unasked() -> None:
    assert of(beside=("/no-such-folder/x/a.mov", "/a.mov"), near=("/a.mov",)) == []
    assert of(near=("/home/b.mov",)) == ["/home"], "a media folder, but nothing above it"
    assert of(folders=("/",)) == ["/"], "but where a person says so"
