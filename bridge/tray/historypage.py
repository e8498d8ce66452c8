"""The history page: figures in large type, days and faults."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from bridge.tray.chart_widgets import DaysPlot, FaultsPlot, fill
from bridge.tray.charts import Board
from bridge.tray.style import UNIT
from bridge.tray.view import Role
from bridge.tray.widgets import Column, across, down, emptied, plain, scrolled, wrapped
from bridge.tray.words import say
from core.messages.template import Language

_COLUMNS: Literal[3] = 3


class HistoryPage(QWidget):
    """Shows a `Board`."""

    def __init__(self, language: Language) -> None:
        super().__init__()
        self.setObjectName("page")
        self._language = language
        self._shown: Board | None = None
        self._figures = QGridLayout()
        self._figures.setSpacing(UNIT + 4)
        self._legend = across(gap=2 * UNIT)
        self._days = DaysPlot(say("history-days", language))
        self._faults = FaultsPlot(say("history-faults", language))
        self._no_faults = wrapped("dim", say("history-no-faults", language))
        inside = Column()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(3 * UNIT, 3 * UNIT, 3 * UNIT, 2 * UNIT)
        layout.setSpacing(UNIT)
        layout.addWidget(plain("title", say("history-title", language)))
        layout.addSpacing(UNIT)
        layout.addLayout(self._figures)
        layout.addSpacing(2 * UNIT)
        layout.addLayout(
            across(plain("head", say("history-days", language).upper()), None, self._legend)
        )
        layout.addWidget(self._days)
        layout.addSpacing(2 * UNIT)
        layout.addWidget(plain("head", say("history-faults", language).upper()))
        layout.addWidget(self._faults)
        layout.addWidget(self._no_faults)
        layout.addStretch(1)
        scroll = scrolled(inside)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)

    def show_board(self, board: Board) -> None:
        """Show a board, unless it is shown already."""
        if board == self._shown:
            return
        self._shown = board
        emptied(self._figures)
        for number, figure in enumerate(board.figures):
            box = QFrame()
            box.setObjectName("card")
            box.setAccessibleName(f"{figure.value} {figure.label}")
            box.setAccessibleDescription(figure.words)
            inner = down(
                plain("figure", figure.value),
                plain("", figure.label),
                wrapped("dim", figure.words),
                None,
                gap=2,
            )
            inner.setContentsMargins(2 * UNIT, UNIT + 4, 2 * UNIT, UNIT + 4)
            box.setLayout(inner)
            self._figures.addWidget(box, number // _COLUMNS, number % _COLUMNS)
        emptied(self._legend)
        for word, role in board.outcomes:
            self._legend.addLayout(across(_swatch(role), plain("dim", word), gap=6))
        self._days.show_board(board)
        self._faults.show_board(board)
        self._faults.setVisible(bool(board.faults))
        self._no_faults.setVisible(not board.faults)


def _swatch(role: Role) -> QLabel:
    made = QPixmap(24, 24)
    made.setDevicePixelRatio(2)
    painter = QPainter(made)
    fill(painter, QRectF(0, 0, 12, 12), role)
    painter.end()
    label = QLabel()
    label.setPixmap(made)
    return label
