"""The settings in the window: what stands in the file is shown, what is changed is written there, comments and all else stay."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from bridge.settings import settings
from bridge.settings.options import OPTIONS
from bridge.tray.presenter import AGAIN
from tests.bridge.tray.samples import jobs
from tests.bridge.tray.test_qt_window import buttons, texts

FILE = """\
# mine
jobs: 3      # not more, the fan is loud
media_folders: [/Volumes/Archive]
"""


@pytest.fixture
def shown(display, tmp_path):
    (tmp_path / "settings.yaml").write_text(FILE, encoding="utf-8")
    made = display(said=(jobs(),))
    made.window.go("settings")
    made.draw()
    return made


def field(shown, name: str):
    return next(
        one
        for one in shown.window.settings.findChildren(object)
        if getattr(one, "accessibleName", str)() == name
    )


def test_what_stands_in_the_file_is_shown(shown):
    page = shown.window.settings
    assert field(shown, "Shots rendered at once").value() == 3
    assert field(shown, "Folders for missing media").value() == ("/Volumes/Archive",)
    assert page.changes() == {} and not buttons(page)["Save"].isEnabled()


def test_what_is_changed_is_written_and_all_else_stays(shown, qtbot, tmp_path):
    field(shown, "Shots rendered at once").setValue(5)
    field(shown, "Beside the editor").setChecked(True)
    assert shown.window.settings.changes() == {"jobs": 5, "low_priority": True}
    qtbot.mouseClick(buttons(shown.window.settings)["Save"], Qt.MouseButton.LeftButton)
    text = (tmp_path / "settings.yaml").read_text(encoding="utf-8")
    assert "# mine" in text and "# not more, the fan is loud" in text and "/Volumes/Archive" in text
    read = settings.load(tmp_path)
    assert (read.jobs, read.low_priority, read.media_folders) == (5, True, ("/Volumes/Archive",))
    assert "Saved." in texts(shown.window) and shown.window.settings.changes() == {}


def test_the_budget_of_scratch_is_written_as_it_was_said(shown, qtbot, tmp_path):
    box = field(shown, "Scratch budget")
    for said, kept in (("200 GB", "200 GB"), ("off", False), ("", None)):
        box.setText(said)
        qtbot.mouseClick(buttons(shown.window.settings)["Save"], Qt.MouseButton.LeftButton)
        assert settings.load(tmp_path).scratch_budget == kept and box.text() == said
        assert shown.window.settings.changes() == {}


def test_a_setting_goes_back_to_its_default(shown, qtbot, tmp_path):
    field(shown, "Shots rendered at once").setValue(0)
    field(shown, "Folders for missing media").set_value(())
    shown.window.settings._look()
    qtbot.mouseClick(buttons(shown.window.settings)["Save"], Qt.MouseButton.LeftButton)
    read = settings.load(tmp_path)
    assert (read.jobs, read.media_folders) == (None, ())


def test_changes_are_undone_and_do_not_get_lost_by_going_elsewhere(shown, qtbot):
    box = field(shown, "Shots rendered at once")
    box.setValue(7)
    shown.window.go("jobs")
    shown.window.go("settings")
    shown.draw()
    assert box.value() == 7
    qtbot.mouseClick(buttons(shown.window.settings)["Undo changes"], Qt.MouseButton.LeftButton)
    assert box.value() == 3


def test_what_cannot_be_kept_is_said_and_nothing_is_written(shown, qtbot, tmp_path):
    field(shown, "Scratch folder").set_value("not/whole")
    qtbot.mouseClick(buttons(shown.window.settings)["Save"], Qt.MouseButton.LeftButton)
    assert (
        "scratch" in texts(shown.window.settings)
        and (tmp_path / "settings.yaml").read_text(encoding="utf-8") == FILE
    )


def test_every_setting_has_its_place(shown):
    assert set(shown.window.settings._fields) == set(OPTIONS)


def test_the_door_the_preset_and_the_address_are_chosen_and_kept(shown, qtbot, tmp_path):
    page, door = shown.window.settings, field(shown, "Door for timelines")
    assert door.value() is True and field(shown, "Preset for them").currentData() is None
    door.tick.click()
    assert page.changes() == {"door": False} and not door.path.isEnabled()
    door.tick.click()
    door.path.set_value(str(tmp_path / "inbox"))
    box = field(shown, "Preset for them")
    box.setCurrentIndex(box.findData("h264"))
    field(shown, "Reached from other machines").setText(" 192.168.1.5:5310 ")
    qtbot.mouseClick(buttons(page)["Save"], Qt.MouseButton.LeftButton)
    read = settings.load(tmp_path)
    assert (read.door, read.films_preset, read.listen) == (
        str(tmp_path / "inbox"),
        "h264",
        "192.168.1.5:5310",
    )
    assert page.changes() == {} and "when the companion starts again" in texts(shown.window)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("Reached from other machines", "5310"), ("Reached from other machines", "studio:80")],
)
def test_an_address_that_cannot_be_is_said_where_it_is_seen(shown, qtbot, tmp_path, name, wrong):
    field(shown, name).setText(wrong)
    bar = shown.window.settings._scroll.verticalScrollBar()
    bar.setValue(bar.maximum())
    qtbot.mouseClick(buttons(shown.window.settings)["Save"], Qt.MouseButton.LeftButton)
    assert "listen" in texts(shown.window.settings) and bar.value() == 0
    assert (tmp_path / "settings.yaml").read_text(encoding="utf-8") == FILE


def test_what_was_written_by_hand_is_shown_and_stays(display, tmp_path):
    (tmp_path / "settings.yaml").write_text("films_preset: my-own\ndoor: false\n", encoding="utf-8")
    made = display(said=(jobs(),))
    made.window.go("settings")
    made.draw()
    assert (
        field(made, "Preset for them").currentText() == "my-own"
        and field(made, "Door for timelines").value() is False
    )
    assert made.window.settings.changes() == {}


def test_a_file_with_a_mistake_is_said(display, tmp_path):
    (tmp_path / "settings.yaml").write_text("jobs: many\n", encoding="utf-8")
    made = display(said=(jobs(),))
    made.window.go("settings")
    made.draw()
    assert "The settings cannot be read" in texts(made.window.settings)


def test_another_language_begins_the_display_anew(shown, qtbot, monkeypatch):
    ended = []
    monkeypatch.setattr(QApplication, "exit", lambda code=0: ended.append(code))
    box = field(shown, "Language")
    box.setCurrentIndex(box.findData("de"))
    qtbot.mouseClick(buttons(shown.window.settings)["Save"], Qt.MouseButton.LeftButton)
    assert ended == [AGAIN]
