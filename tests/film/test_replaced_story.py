"""A newer version of a file is delivered under its name while the film is made. Real ffmpeg, the real command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.film.assembling import ROOT, House
from tests.film.barcode import Mark
from tests.film.comparing import shown
from tests.film.media import make_movie
from tests.film.test_assemble_story import cut_of

OLD, NEW, OTHER = 1, 7, 3


def _version(place: Path, codec: str, number: int, frames: int = 72) -> Path:
    return make_movie(place, source_id=number, frames=frames, codec=codec, audio="pcm").path


def _assembled(
    house: House, cut: Path, film: Path, deliver: Callable[[], None], *, preset: str
) -> tuple[int, list[dict[str, Any]]]:
    """The command, with a delivery as soon as it has laid the film out; exit code and events."""
    argv = [sys.executable, "-m", "bridge.cli.main", "assemble", str(cut), "-o", str(film), "--preset", preset, "--json", "--jobs", "1"]
    environment = {**os.environ, "HOTSPLICE_HOME": str(house.home), "PYTHONPATH": str(ROOT)}
    events = []
    with subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=ROOT, env=environment, text=True) as child:
        assert child.stdout
        for line in child.stdout:
            events.append(json.loads(line))
            if events[-1].get("kind") == "FilmPlanned" and deliver is not None:
                deliver()
                deliver = None  # type: ignore[assignment]
    return child.returncode, events


@pytest.mark.parametrize(
    ("codec", "preset", "suffix"),
    [("h264", "prores-hq", ".mov"), ("prores", "prores-hq", ".mov"), ("dnxhr", "h264", ".mp4")],
    ids=["rendered", "copied", "encoded"],
)
def test_every_frame_comes_from_the_newer_one(tmp_path: Path, codec: str, preset: str, suffix: str) -> None:
    house, film = House(tmp_path / "home"), tmp_path / f"film{suffix}"
    media, other = _version(tmp_path / "shot.mov", codec, OLD), _version(tmp_path / "other.mov", codec, OTHER)
    newer = _version(tmp_path / "delivered.mov", codec, NEW)
    cut = cut_of([(media, 0, 20), (other, 5, 30), (media, 30, 24), (media, 60, 12)], tmp_path / "one.otio")
    code, events = _assembled(house, cut, film, lambda: os.replace(newer, media), preset=preset)
    assert (code, events[-1]["outcome"], events[-1]["problems"]) == (0, "complete", [])
    wanted = [*[(NEW, n) for n in range(20)], *[(OTHER, n) for n in range(5, 35)], *[(NEW, n) for n in (*range(30, 54), *range(60, 72))]]
    assert shown(film) == [Mark(*one) for one in wanted]
    told = [event for event in events if event.get("kind") == "AttemptFailed"]
    assert {event["body"]["failure"]["code"] for event in told} == {"source-changed"}
    assert len(told) == 1, "said once"


def test_a_newer_one_that_is_shorter_is_a_slate_where_it_ends(tmp_path: Path) -> None:
    house, film = House(tmp_path / "home"), tmp_path / "film.mov"
    media = _version(tmp_path / "shot.mov", "h264", OLD)
    newer = _version(tmp_path / "delivered.mov", "h264", NEW, frames=40)
    cut = cut_of([(media, 0, 20), (media, 30, 24)], tmp_path / "one.otio", sound=False)
    code, events = _assembled(house, cut, film, lambda: os.replace(newer, media), preset="prores-hq")
    assert (code, [problem["code"] for problem in events[-1]["problems"]]) == (1, ["source-too-short"])
    pictures = shown(film)
    assert pictures[:30] == [Mark(NEW, n) for n in (*range(20), *range(30, 40))]
    assert all(not isinstance(one, Mark) for one in pictures[30:]) and len(pictures) == 44


def test_one_that_is_written_over_in_place_is_seen_as_well(tmp_path: Path) -> None:
    house, film = House(tmp_path / "home"), tmp_path / "film.mov"
    media = _version(tmp_path / "shot.mov", "h264", OLD)
    newer = _version(tmp_path / "delivered.mov", "h264", NEW)
    cut = cut_of([(media, 0, 20), (media, 30, 24)], tmp_path / "one.otio")
    code, events = _assembled(house, cut, film, lambda: shutil.copyfile(newer, media), preset="prores-hq")
    assert (code, events[-1]["outcome"]) == (0, "complete")
    assert shown(film) == [Mark(NEW, n) for n in (*range(20), *range(30, 54))]


def test_one_that_comes_between_two_runs_is_used_and_said(tmp_path: Path) -> None:
    house, film = House(tmp_path / "home"), tmp_path / "film.mov"
    media, other = _version(tmp_path / "shot.mov", "h264", OLD), _version(tmp_path / "other.mov", "h264", OTHER)
    cut = cut_of([(media, 0, 20), (other, 30, 24)], tmp_path / "one.otio")
    assert house.assemble(cut, film).code == 0
    os.replace(_version(tmp_path / "delivered.mov", "h264", NEW), media)
    again = house.assemble(cut, film)
    assert (again.code, again.made) == (0, 20)
    assert [(r["code"], r["severity"]) for r in again.summary["remarks"]] == [("source-replaced", "note")]
    assert shown(film) == [*[Mark(NEW, n) for n in range(20)], *[Mark(OTHER, n) for n in range(30, 54)]]
