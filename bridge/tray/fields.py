"""Composite fields of the settings page.

Each has `value`, `set_value` and a `changed` signal.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QLineEdit, QListWidget, QWidget

from bridge.tray.widgets import Tick, across, button, down
from bridge.tray.words import say
from core.messages.template import Language


class Folders(QWidget):
    """A list of folders."""

    changed = Signal()

    def __init__(self, language: Language) -> None:
        super().__init__()
        self._language = language
        self.list = QListWidget()
        self.list.setObjectName("folders")
        self.list.setFixedHeight(84)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._remove = button(say("settings-remove", language), self._take_out)
        acts = down(button(say("settings-add", language), self._add), self._remove, None)
        row = across(self.list, acts)
        row.setStretch(0, 1)
        self.setLayout(row)
        self.setFocusProxy(self.list)

    def value(self) -> tuple[str, ...]:
        """Return the folders."""
        return tuple(self.list.item(row).text() for row in range(self.list.count()))

    def set_value(self, folders: tuple[str, ...]) -> None:
        """Show these folders."""
        self.list.clear()
        for folder in folders:
            self.list.addItem(folder)
            self.list.item(self.list.count() - 1).setToolTip(folder)
        self._remove.setEnabled(bool(folders))

    def _add(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, say("setting-media_folders", self._language).replace("&", "")
        )
        if folder:
            self.set_value((*self.value(), folder))
            self.changed.emit()

    def _take_out(self) -> None:
        self.list.takeItem(max(0, self.list.currentRow()))
        self._remove.setEnabled(self.list.count() > 0)
        self.changed.emit()


class PathField(QWidget):
    """A path that the user can type or choose."""

    changed = Signal()

    def __init__(self, language: Language, folder: bool) -> None:
        super().__init__()
        self._folder = folder
        self.line = QLineEdit()
        self.line.setPlaceholderText(say("settings-auto", language))
        self.line.textChanged.connect(lambda: self.changed.emit())
        row = across(self.line, button(say("submit-choose", language), self._choose))
        row.setStretch(0, 1)
        self.setLayout(row)
        self.setFocusProxy(self.line)

    def value(self) -> str | None:
        """Return the path, or None when the field is empty."""
        return self.line.text().strip() or None

    def set_value(self, path: str | None) -> None:
        """Show this path."""
        self.line.setText(path or "")

    def _choose(self) -> None:
        if self._folder:
            chosen = QFileDialog.getExistingDirectory(self, "", self.line.text())
        else:
            chosen, _ = QFileDialog.getOpenFileName(self, "", self.line.text())
        if chosen:
            self.line.setText(chosen)


class DoorField(QWidget):
    """Watch folder setting: off, the default folder, or a folder of the user's choice."""

    changed = Signal()

    def __init__(self, language: Language) -> None:
        super().__init__()
        self.tick = Tick(say("setting-door-on", language))
        self.path = PathField(language, folder=True)
        self.path.line.setAccessibleName(say("setting-door", language))
        self.tick.toggled.connect(self._ticked)
        self.path.changed.connect(self.changed.emit)
        self.setLayout(down(self.tick, self.path, gap=4))
        self.setFocusProxy(self.tick)

    def value(self) -> str | bool:
        """Return False for off, True for the default folder, or a path."""
        return (self.path.value() or True) if self.tick.isChecked() else False

    def set_value(self, door: str | bool) -> None:
        """Show this setting."""
        self.path.set_value(door if isinstance(door, str) else None)
        self.tick.setChecked(door is not False)
        self._ticked()

    def _ticked(self) -> None:
        self.path.setEnabled(self.tick.isChecked())
        self.changed.emit()
