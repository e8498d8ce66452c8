"""A newer version of a file is delivered under its name while the film is made. Real ffmpeg, the real command, held where
something happens."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.job.events import REPLAN
from tests.film import reading
from tests.film.assembling import ROOT, House
from tests.film.barcode import Mark
from tests.film.comparing import shown
from tests.film.cutlist import SLATE
from tests.film.delivering import Happening
from tests.film.media import ffmpeg, make_movie
from tests.film.test_assemble_story import cut_of

OLD, NEW, OTHER = 1, 7, 3


def _version(place: Path, codec: str, number: int, frames: int = 72) -> Path:
    return make_movie(place, source_id=number, frames=frames, codec=codec, audio="pcm").path


def _assembled(
    house: House,
    cut: Path,
    film: Path,
    *happenings: Happening,
    preset: str,
    hear: Callable[[dict[str, Any]], None] = dict,
) -> tuple[int, list[dict[str, Any]]]:
    """The command, to which something happens; exit code and events."""
    told = film.with_suffix(".happenings.json")
    told.write_bytes(msgspec.json.encode(happenings))
    words = ["assemble", str(cut), "-o", str(film), "--preset", preset, "--json", "--jobs", "1"]
    argv = [sys.executable, "-m", "tests.film.delivering", str(told), *words]
    environment = {**os.environ, "HOTSPLICE_HOME": str(house.home), "PYTHONPATH": str(ROOT)}
    events = []
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, cwd=ROOT, env=environment, text=True
    ) as child:
        assert child.stdout
        for line in child.stdout:
            events.append(json.loads(line))
            hear(events[-1])
    return child.returncode, events


def _facts(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event["body"] for event in events if event.get("kind") == kind]


def _marks(number: int, *runs: range) -> list[Mark]:
    return [Mark(number, n) for run in runs for n in run]


WAYS = {
    "rendered": ("h264", "prores-hq", ".mov", 5),
    "copied": ("prores", "prores-hq", ".mov", 5),
    "encoded": ("dnxhr", "h264", ".mp4", 6),
}
WHENS = ("at once", "when some is made", "when all is made")
SHORT = {("rendered", WHENS[1]), ("copied", WHENS[2]), ("encoded", WHENS[0])}


@pytest.mark.parametrize(
    ("way", "when"),
    [
        pytest.param(way, when, marks=() if (way, when) in SHORT else pytest.mark.long)
        for way in WAYS
        for when in WHENS
    ],
)
def test_every_frame_comes_from_the_newer_one(tmp_path: Path, way: str, when: str) -> None:
    codec, preset, suffix, pieces = WAYS[way]
    kind, nth = {"at once": ("FilmPlanned", 1), "when some is made": ("SegmentSealed", 2)}.get(
        when, ("SegmentSealed", pieces)
    )
    house, film = House(tmp_path / "home"), tmp_path / f"film{suffix}"
    media, other = (
        _version(tmp_path / "shot.mov", codec, OLD),
        _version(tmp_path / "other.mov", codec, OTHER),
    )
    newer = _version(tmp_path / "delivered.mov", codec, NEW)
    cut = cut_of(
        [(media, 0, 20), (other, 5, 12), (media, 30, 24), (media, 60, 12)], tmp_path / "one.otio"
    )
    happening = Happening("renamed", str(media), str(newer), kind=kind, nth=nth)
    code, events = _assembled(house, cut, film, happening, preset=preset)
    assert (code, events[-1]["outcome"], events[-1]["problems"]) == (0, "complete", [])
    assert shown(film) == [
        *_marks(NEW, range(20)),
        *_marks(OTHER, range(5, 17)),
        *_marks(NEW, range(30, 54), range(60, 72)),
    ]
    told = _facts(events, "AttemptFailed")
    assert {fact["failure"]["code"] for fact in told} == {"source-changed"}
    assert len(told) <= 3, "what the one worker was at, its next, and nothing else"
    assert [(r["code"], r["severity"]) for r in events[-1]["remarks"]] == [
        ("source-replaced", "note")
    ]


def _unlike_any_other(place: Path) -> None:
    """What is lost is looked for by its content: no other test may have it."""
    with place.open("ab") as handle:
        handle.write((24).to_bytes(4, "big") + b"free" + os.urandom(16))


def _garbage(place: Path) -> Path:
    place.write_bytes(bytes(range(256)) * 1000)
    return place


def _voice(place: Path) -> Path:
    ffmpeg("-i", _version(place.with_suffix(".mkv"), "h264", NEW), "-vn", "-c:a", "copy", place)
    return place


PICTURES = {
    "of the same kind": lambda place: _version(place, "prores", NEW),
    "of another kind": lambda place: _version(place, "h264", NEW),
    "no media": _garbage,
    "no picture": _voice,
}
"""What may come in the place of a file whose packets are to be copied."""


LESS = ("of another kind", "no picture", "nothing")


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(what, marks=pytest.mark.long if what in LESS else ())
        for what in (*PICTURES, "nothing")
    ],
)
def test_what_comes_when_everything_is_made_costs_its_shots_at_most_and_not_the_film(
    tmp_path: Path, what: str
) -> None:
    house, film = House(tmp_path / "home"), tmp_path / "film.mov"
    media, other = (
        _version(tmp_path / "shot.mov", "prores", OLD),
        _version(tmp_path / "other.mov", "prores", OTHER),
    )
    cut = cut_of(
        [(media, 0, 10), (other, 5, 12), (media, 30, 10), (media, 60, 8)],
        tmp_path / "one.otio",
        sound=False,
    )
    _unlike_any_other(media)
    newer = PICTURES[what](tmp_path / "delivered.mov") if what in PICTURES else tmp_path
    how = "renamed" if what in PICTURES else "removed"
    code, events = _assembled(
        house,
        cut,
        film,
        Happening(how, str(media), str(newer), kind="SegmentSealed", nth=4),
        preset="prores-hq",
    )
    used = what.startswith("of ")
    assert (code, events[-1]["outcome"]) == ((0, "complete") if used else (1, "incomplete"))
    wanted = [
        *_marks(NEW, range(10)),
        *_marks(OTHER, range(5, 17)),
        *_marks(NEW, range(30, 40), range(60, 68)),
    ]
    assert shown(film) == [mark if used or mark.source == OTHER else SLATE for mark in wanted]
    joins = [
        fact
        for fact in _facts(events, "AttemptFailed")
        if fact["failure"]["evidence"]["operation"] == "join"
    ]
    assert len(joins) == 1, "the film is written twice, however many shots it has of the file"


@pytest.mark.parametrize(
    "what", [pytest.param("no media", marks=pytest.mark.long), "half of it", "nothing"]
)
def test_what_cannot_be_used_costs_nothing_that_was_made(tmp_path: Path, what: str) -> None:
    house, film = House(tmp_path / "home"), tmp_path / "film.mov"
    media = _version(tmp_path / "shot.mov", "h264", OLD)
    newer = (
        _garbage(tmp_path / "delivered.mov")
        if what == "no media"
        else _version(tmp_path / "delivered.mov", "h264", NEW)
    )
    cut = cut_of([(media, 0, 20), (media, 30, 24)], tmp_path / "one.otio")
    how = {"no media": "renamed", "half of it": "begun", "nothing": "removed"}[what]
    happening = Happening(how, str(media), str(newer), kind="SegmentSealed", nth=3)  # type: ignore[arg-type]
    code, events = _assembled(house, cut, film, happening, preset="prores-hq")
    assert (code, events[-1]["outcome"], _facts(events, "AttemptFailed")) == (0, "complete", [])
    assert shown(film) == _marks(OLD, range(20), range(30, 54))


def test_the_right_file_that_comes_when_its_shots_are_slates_is_used(tmp_path: Path) -> None:
    house, film = House(tmp_path / "home"), tmp_path / "film.mov"
    media = _version(tmp_path / "shot.mov", "h264", OLD, frames=40)
    newer = _version(tmp_path / "delivered.mov", "h264", NEW)
    cut = cut_of([(media, 0, 20), (media, 30, 24)], tmp_path / "one.otio", sound=False)
    happening = Happening("renamed", str(media), str(newer), kind="SegmentSealed", nth=3)
    code, events = _assembled(house, cut, film, happening, preset="prores-hq")
    assert [body["code"] for body in _facts(events, "ProblemFound")] == ["source-too-short"]
    assert (code, events[-1]["outcome"], events[-1]["problems"]) == (0, "complete", [])
    assert shown(film) == _marks(NEW, range(20), range(30, 54))


def test_sound_is_from_the_newer_one_as_well(tmp_path: Path) -> None:
    house, film = House(tmp_path / "home"), tmp_path / "film.mov"
    media = _version(tmp_path / "shot.mov", "prores", OLD)
    silent = tmp_path / "delivered.mov"
    ffmpeg("-i", media, "-c:v", "copy", "-af", "volume=0", "-c:a", "pcm_s16le", silent)
    cut = cut_of([(media, 0, 20), (media, 30, 24)], tmp_path / "one.otio")
    code, events = _assembled(
        house, cut, film, Happening("renamed", str(media), str(silent)), preset="prores-hq"
    )
    assert (code, events[-1]["outcome"], events[-1]["problems"]) == (0, "complete", [])
    assert shown(film) == _marks(OLD, range(20), range(30, 54))
    assert not reading.samples(film).any()


@pytest.mark.long
def test_a_newer_one_that_is_shorter_is_a_slate_where_it_ends(tmp_path: Path) -> None:
    house, film = House(tmp_path / "home"), tmp_path / "film.mov"
    media = _version(tmp_path / "shot.mov", "h264", OLD)
    newer = _version(tmp_path / "delivered.mov", "h264", NEW, frames=40)
    cut = cut_of([(media, 0, 20), (media, 30, 24)], tmp_path / "one.otio", sound=False)
    code, events = _assembled(
        house, cut, film, Happening("renamed", str(media), str(newer)), preset="prores-hq"
    )
    assert (code, [problem["code"] for problem in events[-1]["problems"]]) == (
        1,
        ["source-too-short"],
    )
    assert shown(film) == [*_marks(NEW, range(20), range(30, 40)), *[SLATE] * 14]


@pytest.mark.long
def test_one_that_is_written_over_in_place_is_seen_as_well(tmp_path: Path) -> None:
    house, film = House(tmp_path / "home"), tmp_path / "film.mov"
    media = _version(tmp_path / "shot.mov", "h264", OLD)
    newer = _version(tmp_path / "delivered.mov", "h264", NEW)
    cut = cut_of([(media, 0, 20), (media, 30, 24)], tmp_path / "one.otio")
    code, events = _assembled(
        house, cut, film, Happening("copied", str(media), str(newer)), preset="prores-hq"
    )
    assert (code, events[-1]["outcome"]) == (0, "complete")
    assert shown(film) == _marks(NEW, range(20), range(30, 54))


def test_one_that_is_still_being_written_when_nothing_else_is_left_is_waited_for(
    tmp_path: Path,
) -> None:
    house, film = House(tmp_path / "home"), tmp_path / "film.mov"
    media = _version(tmp_path / "shot.mov", "h264", OLD)
    newer = _version(tmp_path / "delivered.mov", "h264", NEW)
    cut = cut_of([(media, 0, 20), (media, 30, 24)], tmp_path / "one.otio")

    def go_on(event: dict[str, Any]) -> None:
        """Who writes has written all of it once it is seen that somebody waits for it."""
        if event.get("step") == "settle":
            shutil.copyfile(newer, media)

    code, events = _assembled(
        house, cut, film, Happening("begun", str(media), str(newer)), preset="prores-hq", hear=go_on
    )
    assert "settle" in {event.get("step") for event in events}
    assert (code, events[-1]["outcome"], events[-1]["problems"]) == (0, "complete", [])
    assert shown(film) == _marks(NEW, range(20), range(30, 54))


def test_killed_between_the_two_plans_the_next_run_makes_the_film_of_the_newer_one(
    tmp_path: Path,
) -> None:
    house, film = House(tmp_path / "home"), tmp_path / "film.mov"
    media, other = (
        _version(tmp_path / "shot.mov", "h264", OLD),
        _version(tmp_path / "other.mov", "h264", OTHER),
    )
    newer = _version(tmp_path / "delivered.mov", "h264", NEW)
    cut = cut_of([(media, 0, 20), (other, 30, 24)], tmp_path / "one.otio")
    happenings = (
        Happening("renamed", str(media), str(newer)),
        Happening("killed", kind="RunInterrupted"),
    )
    code, events = _assembled(house, cut, film, *happenings, preset="prores-hq")
    assert code == -signal.SIGKILL and not film.exists()
    assert [fact["reason"] for fact in _facts(events, "RunInterrupted")] == [REPLAN]
    again = house.assemble(cut, film, "prores-hq")
    assert (again.code, again.made) == (0, 20), "what was made of the other is known again"
    assert shown(film) == [*_marks(NEW, range(20)), *_marks(OTHER, range(30, 54))]


def test_one_that_comes_between_two_runs_is_used_and_said(tmp_path: Path) -> None:
    house, film = House(tmp_path / "home"), tmp_path / "film.mov"
    media, other = (
        _version(tmp_path / "shot.mov", "h264", OLD),
        _version(tmp_path / "other.mov", "h264", OTHER),
    )
    cut = cut_of([(media, 0, 20), (other, 30, 24)], tmp_path / "one.otio")
    assert house.assemble(cut, film).code == 0
    os.replace(_version(tmp_path / "delivered.mov", "h264", NEW), media)
    again = house.assemble(cut, film)
    assert (again.code, again.made) == (0, 20)
    assert [(r["code"], r["severity"]) for r in again.summary["remarks"]] == [
        ("source-replaced", "note")
    ]
    assert shown(film) == [*_marks(NEW, range(20)), *_marks(OTHER, range(30, 54))]
