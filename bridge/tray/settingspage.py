"""The settings page: every setting of `settings.yaml`, with an explanation.

The file remains the source of truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from bridge.settings.options import DEVICES, MOST_AT_ONCE, MOST_JOBS, MOST_KEPT
from bridge.settings.settings import Settings
from bridge.tray.fields import DoorField, Folders, PathField
from bridge.tray.style import UNIT
from bridge.tray.widgets import (
    Choice,
    Column,
    Number,
    Tick,
    across,
    button,
    plain,
    scrolled,
    wrapped,
)
from bridge.tray.words import say
from core.messages.template import Language

_LANGUAGES = (("English", "en"), ("Deutsch", "de"))


class SettingsPage(QWidget):
    """Form for the settings.

    `saved` is emitted with the changed values by key, `open_file` when the user wants the file
    itself.
    """

    saved = Signal(dict)
    open_file = Signal()

    def __init__(self, language: Language, path: str, presets: Iterable[str]) -> None:
        super().__init__()
        self.setObjectName("page")
        self._language, self._presets = language, tuple(presets)
        self._read = Settings()
        self._fields: dict[str, tuple[Callable[[], Any], Callable[[Any], None]]] = {}
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(3 * UNIT)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._build_fields()
        self._wrong = wrapped("strong")
        self._save = button(say("settings-save", language), self._save_all, primary=True)
        self._undo = button(say("settings-undo", language), lambda: self.show_settings(self._read))
        inside = Column()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(3 * UNIT, 3 * UNIT, 3 * UNIT, 2 * UNIT)
        layout.setSpacing(UNIT)
        layout.addWidget(plain("title", say("settings", language).replace("&", "")))
        layout.addWidget(wrapped("dim", say("settings-words", language, path=path)))
        layout.addWidget(self._wrong)
        layout.addSpacing(UNIT)
        layout.addLayout(self._grid)
        layout.addStretch(1)
        self._scroll = scrolled(inside)
        foot = across(
            button(say("settings-file", language), self.open_file.emit),
            None,
            self._undo,
            self._save,
        )
        foot.setContentsMargins(3 * UNIT, UNIT, 3 * UNIT, 2 * UNIT)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self._scroll, 1)
        outer.addLayout(foot)
        self.show_settings(self._read)

    def show_settings(self, read: Settings) -> None:
        """Show the settings as read from the file."""
        self._read = read
        self._wrong.hide()
        for key, (_, write) in self._fields.items():
            write(getattr(read, key))
        self._look()

    def show_wrong(self, words: str) -> None:
        """Show why the file cannot be read, or why a value cannot be saved."""
        self._wrong.setText(words)
        self._wrong.show()
        self._scroll.verticalScrollBar().setValue(0)  # the message is above all fields

    def changes(self) -> dict[str, Any]:
        """Return the user's changes by key."""
        now = {key: read() for key, (read, _) in self._fields.items()}
        return {key: value for key, value in now.items() if value != getattr(self._read, key)}

    def _save_all(self) -> None:
        self.saved.emit(self.changes())

    def _look(self) -> None:
        changed = bool(self.changes())
        self._save.setEnabled(changed)
        self._undo.setEnabled(changed)

    def _build_fields(self) -> None:
        auto = say("settings-auto", self._language)
        self._choice("language", _LANGUAGES)
        self._number("jobs", 0, MOST_JOBS, auto, lambda n: n or None, lambda value: value or 0)
        self._number("jobs_at_once", 1, MOST_AT_ONCE, "", int, int)
        self._tick("low_priority")
        self._path("scratch", folder=True)
        self._budget(auto)
        self._path("films", folder=True)
        self._choice("films_preset", ((auto, None), *((name, name) for name in self._presets)))
        self._field("door", DoorField(self._language))
        self._field("media_folders", Folders(self._language))
        self._number(
            "wait",
            -1,
            86400,
            auto,
            lambda n: None if n < 0 else float(n),
            lambda value: -1 if value is None else int(value),
            " s",
        )
        self._number("kept_films", 1, MOST_KEPT, "", int, int)
        self._choice(
            "decode_with",
            ((say("settings-none", self._language), None), *((name, name) for name in DEVICES)),
        )
        self._path("ffmpeg", folder=False)
        self._line("listen", say("setting-listen-none", self._language))

    def _choice(self, key: str, choices: tuple[tuple[str, Any], ...]) -> None:
        box = Choice()
        for text, value in choices:
            box.addItem(text, value)
        box.setFixedWidth(220)
        box.currentIndexChanged.connect(self._look)

        def choose(value: Any) -> None:
            # Keep a value written by hand or by another version until the user selects another one.
            if box.findData(value) < 0:
                box.addItem(str(value), value)
            box.setCurrentIndex(box.findData(value))

        self._row(key, box, box.currentData, choose)

    def _number(
        self,
        key: str,
        least: int,
        most: int,
        special: str,
        out: Callable[[int], Any],
        into: Callable[[Any], int],
        suffix: str = "",
    ) -> None:
        box = Number()
        box.setRange(least, most)
        box.setSpecialValueText(special)
        box.setSuffix(suffix)
        box.setFixedWidth(220)
        box.valueChanged.connect(self._look)
        self._row(key, box, lambda: out(box.value()), lambda value: box.setValue(into(value)))

    def _tick(self, key: str) -> None:
        box = Tick(say(f"setting-{key}-on", self._language))
        box.toggled.connect(self._look)
        self._row(key, box, box.isChecked, box.setChecked)

    def _path(self, key: str, *, folder: bool) -> None:
        self._field(key, PathField(self._language, folder))

    def _line(self, key: str, none: str) -> None:
        box = QLineEdit()
        box.setPlaceholderText(none)
        box.textChanged.connect(self._look)
        self._row(
            key, box, lambda: box.text().strip() or None, lambda value: box.setText(value or "")
        )

    def _budget(self, none: str) -> None:
        box = QLineEdit()
        box.setPlaceholderText(none)
        box.setFixedWidth(220)
        box.textChanged.connect(self._look)

        def read() -> str | bool | None:
            text = box.text().strip()
            return False if text == "off" else text or None

        self._row(
            "scratch_budget",
            box,
            read,
            lambda value: box.setText("off" if value is False else value or ""),
        )

    def _field(self, key: str, field: PathField | Folders | DoorField) -> None:
        field.changed.connect(self._look)
        self._row(key, field, field.value, field.set_value)

    def _row(
        self, key: str, field: QWidget, read: Callable[[], Any], write: Callable[[Any], None]
    ) -> None:
        label = QLabel(say(f"setting-{key}", self._language))
        words = say(f"setting-{key}-words", self._language)
        label.setBuddy(field)
        label.setContentsMargins(0, 7, 0, 0)
        field.setAccessibleName(label.text().replace("&", ""))
        field.setAccessibleDescription(words)
        self._fields[key] = (read, write)
        row = self._grid.rowCount()
        self._grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(field, row, 1)
        self._grid.addWidget(wrapped("hint", words), row + 1, 1)
        self._grid.setRowMinimumHeight(row + 2, UNIT)
