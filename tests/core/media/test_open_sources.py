"""A source that stays open gives the answers of one that was just opened, and is let go of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from core.media import open_sources, packet_hashes
from tests.film.media import make_movie


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    yield
    open_sources.let_go()


def _movie(path: Path, source_id: int) -> str:
    make_movie(path, source_id=source_id, frames=24, rate=Fraction(24), size=(64, 48), codec="h264")
    return str(path)


def _marks(path: str, first: int) -> dict[int, int]:
    return packet_hashes.of_pictures(
        path, 0, Fraction(first, 24), Fraction(first + 6, 24), Fraction(first, 24)
    ).marks


def test_any_order_of_readings_marks_what_a_first_one_marks(tmp_path: Path) -> None:
    path, alone = _movie(tmp_path / "a.mov", 1), {}
    for first in (12, 0, 18, 6):
        open_sources.let_go()
        alone[first] = _marks(path, first)
    assert open_sources.held()
    for first in (0, 18, 6, 6, 12, 0):
        assert _marks(path, first) == alone[first]


@pytest.mark.parametrize("beside", [True, False], ids=["renamed into place", "written in place"])
def test_another_version_is_opened_anew(tmp_path: Path, beside: bool) -> None:
    path, other = _movie(tmp_path / "a.mov", 1), Path(_movie(tmp_path / "b.mov", 2))
    wanted, before = _marks(str(other), 0), _marks(path, 0)
    if beside:
        os.replace(other, path)
    else:
        Path(path).write_bytes(other.read_bytes())
    assert before != wanted and _marks(path, 0) == wanted


def test_what_failed_is_opened_anew(tmp_path: Path) -> None:
    path = _movie(tmp_path / "a.mov", 1)
    with pytest.raises(ZeroDivisionError), open_sources.source(path):
        raise ZeroDivisionError
    assert not open_sources.held()


def test_a_file_that_is_gone_is_gone(tmp_path: Path) -> None:
    path = _movie(tmp_path / "a.mov", 1)
    _marks(path, 0)
    os.unlink(path)
    with pytest.raises(FileNotFoundError):
        _marks(path, 0)


def test_no_more_than_a_few_stay_open(tmp_path: Path) -> None:
    first = Path(_movie(tmp_path / "0.mov", 1))
    for number in range(1, 12):
        (tmp_path / f"{number}.mov").write_bytes(first.read_bytes())
    for number in range(12):
        _marks(str(tmp_path / f"{number}.mov"), 0)
    held = [
        os.readlink(f"/proc/self/fd/{fd}")
        for fd in os.listdir("/proc/self/fd")
        if os.path.exists(f"/proc/self/fd/{fd}")
    ]
    assert sum(name.startswith(str(tmp_path)) for name in held) == 8
    open_sources.let_go()
    assert not open_sources.held()
