"""Chart widgets: jobs per day by outcome, and faults by how often they were cured.

Each part of a bar has a pattern as well as a colour, and the numbers are written beside it.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from bridge.tray.charts import Board, Day, Fault
from bridge.tray.style import DIM, LINE, RAISED, ROLES, TEXT
from bridge.tray.view import Role

_PATTERNS: dict[Role, Qt.BrushStyle] = {
    "warn": Qt.BrushStyle.FDiagPattern,
    "bad": Qt.BrushStyle.DiagCrossPattern,
}
_DAYS_HEIGHT, _BAR_HEIGHT, _MOST_WIDE = 170, 44, 44


def fill(painter: QPainter, box: QRectF, role: Role) -> None:
    """Fill a part of a bar with its colour and the pattern of its meaning."""
    ink = QColor(ROLES[role])
    painter.fillRect(box, ink)
    if role in _PATTERNS:
        painter.fillRect(box, QBrush(QColor(0, 0, 0, 110), _PATTERNS[role]))


class Plot(QWidget):
    """Base of the charts of a board.

    The `words` of the element under the pointer are the tooltip; those of all elements are the
    accessible description.
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setAccessibleName(title)
        self._board = Board((), (), (), ())
        self._spots: list[tuple[QRect, str]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def show_board(self, board: Board) -> None:
        """Show a board."""
        self._board = board
        self.setAccessibleDescription("; ".join(one.words for one in self._drawn()))
        self.updateGeometry()
        self.update()

    def _drawn(self) -> tuple[Day, ...] | tuple[Fault, ...]:
        return self._board.days

    def event(self, event: QEvent) -> bool:
        """Show the tooltip of the element under the pointer."""
        if isinstance(event, QHelpEvent):
            words = next((text for box, text in self._spots if box.contains(event.pos())), "")
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)

    def _across(self, box: QRect) -> QRect:
        """Mirror a box in right-to-left layouts."""
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            return QRect(QPoint(self.width() - box.right() - 1, box.top()), box.size())
        return box


class DaysPlot(Plot):
    """A stacked bar for each day."""

    def sizeHint(self) -> QSize:
        """Return the preferred size; the height is fixed."""
        return QSize(500, _DAYS_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Allow a narrower chart."""
        return QSize(240, _DAYS_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bars."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        days = self._board.days
        self._spots = []
        if not days:
            return
        line = self.fontMetrics().height()
        floor, top = self.height() - line - 10, line + 6
        most = max(1, *(sum(day.counts) for day in days))
        slot = self.width() / len(days)
        wide = min(_MOST_WIDE, slot * 0.62)
        painter.setPen(QColor(LINE))
        painter.drawLine(0, floor, self.width(), floor)
        every = max(1, round((self.fontMetrics().horizontalAdvance("00.00.") + 10) / slot + 0.49))
        for number, day in enumerate(days):
            whole = self._across(QRect(round(number * slot), 0, round(slot), self.height()))
            self._spots.append((whole, day.words))
            low = float(floor)
            for count, (_, role) in zip(day.counts, self._board.outcomes, strict=True):
                if count:
                    high = (floor - top) * count / most
                    fill(
                        painter,
                        QRectF(whole.center().x() - wide / 2, low - high, wide, high - 1),
                        role,
                    )
                    low -= high
            if sum(day.counts):
                painter.setPen(QColor(TEXT))
                painter.drawText(
                    QRect(whole.left(), int(low) - line - 2, whole.width(), line),
                    Qt.AlignmentFlag.AlignCenter,
                    str(sum(day.counts)),
                )
            if (len(days) - 1 - number) % every == 0:
                painter.setPen(QColor(DIM))
                label = QRect(whole.center().x() - 40, floor + 6, 80, line)
                painter.drawText(label, Qt.AlignmentFlag.AlignCenter, day.label)
        painter.end()


class FaultsPlot(Plot):
    """A bar for each fault: its number of incidents and the cured part of them."""

    def _drawn(self) -> tuple[Fault, ...]:
        return self._board.faults

    def sizeHint(self) -> QSize:
        """Return the preferred size: each bar has a line of text above it."""
        return QSize(500, max(1, len(self._board.faults)) * _BAR_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Allow a narrower chart."""
        return QSize(240, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bars."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._spots = []
        most = max((fault.episodes for fault in self._board.faults), default=1)
        line = self.fontMetrics().height()
        for number, fault in enumerate(self._board.faults):
            top = number * _BAR_HEIGHT
            self._spots.append((QRect(0, top, self.width(), _BAR_HEIGHT), fault.words))
            painter.setPen(QColor(TEXT))
            text = self.fontMetrics().elidedText(
                fault.words, Qt.TextElideMode.ElideMiddle, self.width()
            )
            painter.drawText(
                QRect(0, top, self.width(), line),
                Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading,
                text,
            )
            full = QRect(0, top + line + 5, round(self.width() * fault.episodes / most), 9)
            cured = QRect(
                full.left(),
                full.top(),
                round(full.width() * fault.cured / max(1, fault.episodes)),
                9,
            )
            painter.fillRect(self._across(QRect(0, full.top(), self.width(), 9)), QColor(RAISED))
            fill(painter, QRectF(self._across(full)), "bad")
            fill(painter, QRectF(self._across(cured)), "good")
        painter.end()
