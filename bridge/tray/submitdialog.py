"""The dialog for a new film."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QGridLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from bridge.tray.style import UNIT
from bridge.tray.submitting import Wanted, film_beside, with_ending
from bridge.tray.widgets import Choice, across, button, plain, wrapped
from bridge.tray.words import say
from core.messages.template import Language


class SubmitDialog(QDialog):
    """Asks for timeline, film and preset.

    `wanted` is the user's choice. `presets` maps preset names to the file extensions of their
    films.
    """

    def __init__(
        self, parent: QWidget | None, language: Language, presets: dict[str, str], timeline: str
    ) -> None:
        super().__init__(parent)
        self._language, self._presets = language, presets
        self.setWindowTitle(say("submit-title", language))
        self.setMinimumWidth(620)
        self._timeline, self._film, self._preset = QLineEdit(), QLineEdit(), Choice()
        self._preset.addItem(say("submit-preset-auto", language), "")
        for name, ending in presets.items():
            self._preset.addItem(f"{name}  ({ending})", name)
        self._note = wrapped("dim")
        self._note.setMinimumHeight(2 * self.fontMetrics().height() + 4)
        self._go = button(say("submit-go", language), self.accept, primary=True)
        self._go.setDefault(True)
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * UNIT)
        grid.setVerticalSpacing(UNIT + 4)
        choose = say("submit-choose", language)
        for row, (name, field, press) in enumerate(
            (
                ("submit-timeline", self._timeline, self._choose_timeline),
                ("submit-film", self._film, self._choose_film),
            )
        ):
            grid.addWidget(self._label(name, field), row, 0)
            grid.addWidget(field, row, 1)
            grid.addWidget(button(choose, press), row, 2)
        grid.addWidget(self._label("submit-preset", self._preset), 2, 0)
        grid.addWidget(self._preset, 2, 1)
        grid.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * UNIT, 3 * UNIT, 3 * UNIT, 2 * UNIT)
        layout.setSpacing(UNIT)
        layout.addWidget(plain("title", say("submit-title", language)))
        layout.addSpacing(UNIT)
        layout.addLayout(grid)
        layout.addWidget(self._note)
        layout.addLayout(
            across(None, button(say("submit-cancel", language), self.reject), self._go)
        )
        self._timeline.textChanged.connect(self._look)
        self._film.textChanged.connect(self._look)
        self._preset.currentIndexChanged.connect(self._preset_chosen)
        self.take(timeline)

    @property
    def wanted(self) -> Wanted:
        """Return the contents of the fields."""
        return Wanted(
            self._timeline.text().strip(),
            self._film.text().strip(),
            str(self._preset.currentData()),
        )

    def take(self, timeline: str) -> None:
        """Fill in a timeline and the default path of its film."""
        self._timeline.setText(timeline)
        if timeline:
            self._film.setText(film_beside(timeline, self._presets, self.wanted.preset))
            self._film.setFocus()
        self._look()

    def _label(self, name: str, field: QWidget) -> QLabel:
        label = QLabel(say(name, self._language))
        label.setBuddy(field)
        field.setAccessibleName(say(name, self._language).replace("&", ""))
        return label

    def _look(self) -> None:
        wanted = self.wanted
        self._go.setEnabled(bool(wanted.timeline and wanted.film))
        there = bool(wanted.film) and os.path.isfile(wanted.film)
        self._note.setText(
            say("submit-replaces", self._language, name=Path(wanted.film).name) if there else ""
        )

    def _preset_chosen(self) -> None:
        ending = self._presets.get(self.wanted.preset, "")
        self._film.setText(with_ending(self._film.text(), ending))

    def _choose_timeline(self) -> None:
        language = self._language
        kinds = f"{say('submit-timelines', language)} (*.otio);;{say('all-files', language)} (*)"
        path, _ = QFileDialog.getOpenFileName(
            self, say("submit-choose-timeline", language), self._timeline.text(), kinds
        )
        if path:
            self.take(path)

    def _choose_film(self) -> None:
        title = say("submit-choose-film", self._language)
        path, _ = QFileDialog.getSaveFileName(
            self, title, self._film.text(), options=QFileDialog.Option.DontConfirmOverwrite
        )
        if path:
            self._film.setText(path)
