"""The door as a user has it: the companion opens it by itself, and is killed while timelines lie in it."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import psutil
import pytest

from tests.bridge.companions import Companions, companions
from tests.bridge.daemon.test_daemon_story import cut_of, right
from tests.bridge.watch_folder.test_specification import SCRIPT
from tests.film.media import Movie, make_movie
from tests.film.timelines import timeline


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Movie:
    return make_movie(
        tmp_path_factory.mktemp("reel") / "reel.mov",
        source_id=5,
        frames=72,
        codec="prores",
        audio="pcm",
    )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Companions]:
    (tmp_path / "films").mkdir()
    with companions(tmp_path / "home") as made:
        made.home.mkdir()
        (made.home / "settings.yaml").write_text(f"films: {tmp_path / 'films'}\n")
        yield made


def until(so: Callable[[], object], most_s: float = 60) -> None:
    end = time.monotonic() + most_s
    while not so():
        assert time.monotonic() < end
        time.sleep(0.02)


def reply(inbox: Path, name: str) -> dict[str, object]:
    path = inbox / f"{name}.reply.json"
    return json.loads(path.read_bytes()) if path.exists() else {}


MOMENTS: dict[str, Callable[[Path], object]] = {
    "dropped": lambda inbox: True,
    "replied": lambda inbox: reply(inbox, "a.otio"),
    "put away": lambda inbox: not (inbox / "a.otio").exists(),
    "working": lambda inbox: (
        reply(inbox, "a.otio").get("state") in ("working", "complete")
    ),  # it may be a matter of a moment
}
SHORT = ("replied", "working")


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(met, id=name, marks=() if name in SHORT else pytest.mark.long)
        for name, met in MOMENTS.items()
    ],
)
def test_a_companion_killed_while_a_timeline_lies_there_ends_in_one_film_and_a_right_reply(
    house, reel, tmp_path, moment
):
    house.start("-j", "2")
    inbox = house.home / "door" / "inbox"
    until(inbox.is_dir)
    cut_of(reel, inbox / "a.otio.part").rename(inbox / "a.otio")
    until(lambda: moment(inbox))
    house.kill()
    house.start("-j", "2")
    until(lambda: reply(inbox, "a.otio").get("ended"))
    said = reply(inbox, "a.otio")
    assert house.jobs() == [said["job"]]
    assert said["state"] in ("complete", "unchanged"), (
        "unchanged where it was killed between the film's rename and the record"
    )
    done = subprocess.run(
        [sys.executable, "-m", "bridge.cli.main", "door"],
        capture_output=True,
        text=True,
        env=house.environment,
    )
    assert (
        done.returncode == 0
        and str(inbox) in done.stdout.replace("\n", "")
        and str(said["job"]) in done.stdout
    )
    assert (
        right(Path(str(said["film"]))) and Path(str(said["film"])) == tmp_path / "films" / "a.mov"
    )


def test_the_door_ends_with_the_companion_and_comes_back_when_it_dies(house):
    child = house.start()

    def doors() -> list[psutil.Process]:
        found = []
        for one in psutil.Process(child.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):  # another child that ends just now
                if one.status() != psutil.STATUS_ZOMBIE and "bridge.watch_folder" in " ".join(
                    one.cmdline()
                ):
                    found.append(one)
        return found

    until(doors)
    (first,) = doors()
    first.kill()
    until(lambda: [one for one in doors() if one.pid != first.pid])
    (second,) = doors()
    house.kill()
    until(lambda: not second.is_running() or second.status() == psutil.STATUS_ZOMBIE)


def test_another_folder_is_taken_up_while_the_companion_runs(house, reel, tmp_path):
    house.start("-j", "2")
    until((house.home / "door" / "inbox").is_dir)
    other, films = tmp_path / "other", tmp_path / "elsewhere"
    films.mkdir()
    (house.home / "settings.yaml").write_text(
        f"door: {other}\nfilms: {films}\nfilms_preset: h264\n"
    )
    until(other.is_dir)
    cut_of(reel, other / "b.otio", 1)
    until(lambda: reply(other, "b.otio").get("ended"))
    assert reply(other, "b.otio")["film"] == str(films / "b.mp4")


HARNESS = """
local inbox, timeline = arg[1], arg[2]
local io, execute, told, markers, exported = io, os.execute, {}, {}, nil
local line = {
  GetName = function() return "Reel 1" end,
  GetSetting = function(_, key) return ({timelineResolutionWidth = "320", timelineResolutionHeight = "180"})[key] or "0" end,
  Export = function(_, path)
    local data = assert(io.open(timeline, "rb")):read("*a")
    local file = assert(io.open(path, "wb")); file:write(data); file:close()
    exported = path
    return true
  end,
  AddMarker = function(_, ...) markers[#markers + 1] = {...}; return true end,
}
local script = assert(loadfile(arg[3]))
setfenv(script, { loadfile = loadfile, string = string, math = math, ipairs = ipairs, os = { time = os.time },
  bmd = { wait = function(seconds) execute("sleep " .. seconds) end } })
local said, trouble = script()(inbox, line, 7, function(reply) told[#told + 1] = reply.state end)
assert(said, trouble)
print(said.state); print(said.film); print(#markers); print(told[#told])
for _, marker in ipairs(markers) do print(marker[1], marker[2], marker[3]) end
"""


@pytest.mark.skipif(
    not (shutil.which("lua5.1") or shutil.which("luajit")), reason="no Lua 5.1 is installed here"
)
def test_a_sandboxed_script_has_a_film_made_and_marks_what_is_missing(house, reel, tmp_path):
    house.start("-j", "2")
    inbox = house.home / "door" / "inbox"
    until(inbox.is_dir)
    line = timeline(Fraction(24))
    video = line.video()
    for path in (reel.path, tmp_path / "gone.mov"):
        video.clip(path, 0, 10, media_frames=72)
    line.save(tmp_path / "cut.otio")
    (tmp_path / "main.lua").write_text(HARNESS)
    (tmp_path / "script.lua").write_text(SCRIPT, encoding="utf-8")
    lua = str(shutil.which("lua5.1") or shutil.which("luajit"))
    argv = [
        lua,
        str(tmp_path / "main.lua"),
        str(inbox),
        str(tmp_path / "cut.otio"),
        str(tmp_path / "script.lua"),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    state, film, count, last, *markers = done.stdout.splitlines()
    assert (state, film, last) == (
        "incomplete",
        str(tmp_path / "films" / "Reel 1.mov"),
        "incomplete",
    )
    assert int(count) == len(markers) and markers[0].split("\t")[:2] == ["10", "Red"]
    assert Path(film).exists()
