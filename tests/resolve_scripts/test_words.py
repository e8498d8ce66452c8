"""What somebody reads in the Console when nothing can come of it. The script runs in a bare Python, so the hand is used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.services import launcher_info
from tests.fake_resolve.running import Resolve, pythons
from tests.film.timelines import timeline

CLOSED = "then choose the script again."


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where a companion has run before, and does not now."""
    folder = tmp_path / "home"
    folder.mkdir()
    launcher_info.leave(folder, "test")
    return folder


@pytest.fixture
def desk(tmp_path: Path, home: Path) -> Iterator[Any]:
    """Starts a Resolve with manners of the test's choice; markers of the user stand in its timeline."""
    otio = timeline(24).video().clip(str(tmp_path / "a.mov"), 0, 30).save(tmp_path / "t.otio")
    opened: list[Resolve] = []

    def start(**state: Any) -> Resolve:
        opened.append(Resolve(tmp_path / "films", otio, home=home, **state))
        opened[0].mark(3, "mine", "Red")
        return opened[0]

    yield start
    for one in opened:
        assert one.markers().keys() == {3}
        assert not {"Fusion.UIManager", "Timeline.DeleteMarkersByColor"} & set(one.do("calls"))
        one.close()
    assert not (home / "journal.db").exists(), "nothing was begun"


def test_nothing_is_installed(desk, home):
    (home / "program.json").unlink()
    assert desk().run() == [
        f"Hotsplice was not found for this user: {home / 'program.json'} does not exist.",
        "Open a terminal, run `hotsplice companion --background` once, then choose this script again.",
    ]


def test_the_interpreter_is_gone(desk, home):
    (home / "program.json").write_text(json.dumps({"python": "/gone/python", "path": []}))
    said = desk().run()
    assert (
        said[0] == "Hotsplice's own program could not be started (No such file or directory)."
        and len(said) == 2
    )


def test_the_program_is_broken(desk, home, tmp_path):
    told = json.loads((home / "program.json").read_text())
    (home / "program.json").write_text(
        json.dumps(told | {"path": [str(tmp_path / "broken"), *told["path"]]})
    )
    (tmp_path / "broken" / "bridge").mkdir(parents=True)
    (tmp_path / "broken" / "bridge" / "__init__.py").write_text(
        "raise ImportError('half an update')"
    )
    (line,) = desk().run()
    assert (
        line.startswith("Hotsplice's part of this script ended before its time.")
        and str(home / "resolve.log") in line
    )
    assert "half an update" in (home / "resolve.log").read_text(), "who can help finds the cause"


def test_no_resolve_is_there(desk):
    assert (
        desk(given="nothing")
        .run()[0]
        .startswith("Hotsplice found no DaVinci Resolve to speak with.")
    )


def test_no_project_is_open(desk):
    one = desk()
    one.do("open", project=False)
    assert one.run() == [
        "No project is open. There is no open project to take a timeline from.",
        f"Open a project and a timeline, {CLOSED}",
    ]


@pytest.mark.parametrize("given", ["menu", "app", "module"])
def test_no_timeline_is_open(desk, given):
    one = desk(given=given, project="Hafen")
    one.do("open", timeline=None)
    assert one.run()[0] == "No timeline is open. In the project Hafen no timeline is open."


@pytest.mark.parametrize("python", pythons())
def test_the_hand_is_reached_from_every_python_there_is(desk, python):
    one = desk(python=(python, "-S", "-E"))
    one.do("open", timeline=None)
    assert one.run()[0] == "No timeline is open. In the project Harbour no timeline is open."


def test_the_language_is_the_companions(desk, home):
    (home / "settings.yaml").write_text("language: de\n")
    one = desk()
    one.do("open", timeline=None)
    assert one.run()[0] == "Keine Timeline ist offen. Im Projekt Harbour ist keine Timeline offen."


@pytest.mark.parametrize("manner", ["refuses", "lies", "empty"])
def test_the_export_fails(desk, manner):
    said = desk(export=manner).run()
    assert (
        said[0]
        == "The export failed. The editor was asked to export the timeline and wrote no file."
    )


def test_the_export_is_damaged(desk):
    assert "not a timeline in the OpenTimelineIO format" in desk(export="damaged").run()[0]


def test_resolve_shows_a_dialog(desk):
    one = desk()
    one.do("set", manners={"dialog": True})
    assert one.run()[0].startswith("The editor does not answer.")
    one.do("set", manners={"dialog": False})


def test_the_free_edition_whose_dialog_another_script_has_opened(desk, tmp_path):
    one = desk(studio=False)
    other = tmp_path / "other.py"
    other.write_text("fusion.UIManager\n")
    one.choose(other)
    one.ended()
    one.do("calls", forget=True)
    assert one.run()[0].startswith("The editor does not answer.")
    one.do("set", manners={"dialog": False})


def test_an_old_version_cannot_export_otio(desk):
    assert desk(version=[18, 1, 4, 1]).run()[:1] == [
        "The editor is too old. This version of the editor cannot export a timeline as OpenTimelineIO."
    ]


@pytest.mark.parametrize(
    "method", ["Timeline.GetName", "Timeline.Export", "Resolve.GetProductName"]
)
def test_a_call_breaks_off(desk, method):
    assert (
        desk(raises=[method])
        .run()[0]
        .startswith("The editor failed. The editor broke off a request:")
    )


def test_the_films_folder_is_gone(desk, tmp_path):
    said = desk().run(HOTSPLICE_FILMS=str(tmp_path / "drive"))
    assert str(tmp_path / "drive") in said[0] and not (tmp_path / "drive").exists()


def test_the_settings_are_wrong(desk, home):
    (home / "settings.yaml").write_text("films: here\n")
    assert "“films” must be a whole path" in desk().run()[0]
