"""Folders of ours: created for this user alone, and nothing above a folder that may be on a drive that is away."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from core.system import private_files


def test_nothing_above_a_folder_is_created(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        private_files.make_folder(tmp_path / "drive" / "inbox")
    assert not (tmp_path / "drive").exists()


def test_within_a_folder_that_exists_those_between_are_created(tmp_path: Path) -> None:
    private_files.make_folder_within(tmp_path, tmp_path / "door" / "deep" / "inbox")
    made = [tmp_path / "door", tmp_path / "door" / "deep", tmp_path / "door" / "deep" / "inbox"]
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in made] == [0o700] * 3


def test_beside_that_folder_nothing_between_is_created(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with pytest.raises(FileNotFoundError):
        private_files.make_folder_within(tmp_path / "home", tmp_path / "drive" / "inbox")
