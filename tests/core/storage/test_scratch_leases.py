"""Who keeps segments in a scratch folder."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

import pytest

from core.storage import scratch_leases
from core.storage.scratch_leases import OWNERS, others, sign


@pytest.fixture
def homes(tmp_path: Path) -> tuple[Path, Path]:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    (tmp_path / "scratch").mkdir()
    return one, two


def test_each_sees_the_other_and_not_itself(homes, tmp_path):
    one, two = homes
    scratch = tmp_path / "scratch"
    assert others(scratch, one) == []
    for home in (one, two, one):
        sign(scratch, home)
    assert others(scratch, one) == [str(two)]
    assert others(scratch, two) == [str(one)]
    assert len(list((scratch / OWNERS).iterdir())) == 2


def test_by_another_way_it_is_the_same_data_folder(homes, tmp_path):
    (tmp_path / "link").symlink_to(homes[0])
    sign(tmp_path / "scratch", tmp_path / "link")
    assert others(tmp_path / "scratch", homes[0]) == []


def test_what_is_gone_from_this_machine_needs_nothing(homes, tmp_path):
    one, two = homes
    sign(tmp_path / "scratch", two)
    shutil.rmtree(two)
    assert others(tmp_path / "scratch", one) == []


def test_what_another_machine_keeps_cannot_be_looked_at_and_counts(homes, tmp_path, monkeypatch):
    one, two = homes
    monkeypatch.setattr(platform, "node", lambda: "elsewhere")
    sign(tmp_path / "scratch", two)
    monkeypatch.undo()
    shutil.rmtree(two)
    assert others(tmp_path / "scratch", one) == [f"elsewhere: {two}"]


def test_below_our_own_data_folder_nobody_else_keeps_anything(homes):
    sign(homes[0] / "scratch", homes[0])
    assert not (homes[0] / "scratch" / OWNERS).exists()


def test_the_mark_and_the_folders_above_it_are_flushed(homes, tmp_path, monkeypatch):
    flushed: list[Path] = []
    monkeypatch.setattr(scratch_leases, "flush_directory", flushed.append)
    sign(tmp_path / "scratch", homes[0])
    assert {tmp_path, tmp_path / "scratch", tmp_path / "scratch" / OWNERS} <= set(flushed)
