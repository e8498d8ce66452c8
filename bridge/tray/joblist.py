"""The list of jobs on the left: sign, name, state and a thin progress bar."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from bridge.tray import icons
from bridge.tray.list_model import ListModel
from bridge.tray.style import DIM, FOCUS, LEADING, LINE, RAISED, ROLES, TEXT, UNIT
from bridge.tray.view import Row
from bridge.tray.widgets import directed

_HEIGHT = 58


class _Paint(QStyledItemDelegate):
    def __init__(self, view: QListView, items: ListModel) -> None:
        super().__init__(view)
        self._items = items

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(120, max(_HEIGHT, 2 * option.fontMetrics.height() + 3 * UNIT))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        row: Row = self._items.at(index)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = option.rect.adjusted(UNIT, 2, -UNIT, -2)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor("#2b323b" if chosen else RAISED))
            painter.drawRoundedRect(box, 6, 6)
        if chosen and option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(FOCUS))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        sign = self._mirrored(option, box, QRect(box.left() + 10, box.center().y() - 8, 16, 16))
        icons.draw(painter, QRectF(sign), row.sign, QColor(ROLES[row.role]))
        words = self._mirrored(option, box, box.adjusted(36, 7, -10, -7))
        metrics = option.fontMetrics
        painter.setPen(QColor(TEXT))
        align = Qt.AlignmentFlag.AlignTop | QStyle.visualAlignment(option.direction, LEADING)
        painter.drawText(
            words,
            align,
            directed(metrics.elidedText(row.title, Qt.TextElideMode.ElideRight, words.width())),
        )
        painter.setPen(QColor(DIM))
        below = words.adjusted(0, metrics.height() + 2, 0, 0)
        painter.drawText(
            below,
            align,
            directed(metrics.elidedText(row.detail, Qt.TextElideMode.ElideMiddle, words.width())),
        )
        if row.progress is not None:
            bar = QRectF(words.left(), box.bottom() - 5, words.width(), 3)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(LINE))
            painter.drawRoundedRect(bar, 1.5, 1.5)
            done = QRectF(bar.left(), bar.top(), bar.width() * row.progress, 3)
            if option.direction == Qt.LayoutDirection.RightToLeft:
                done.moveRight(bar.right())
            painter.setBrush(QColor(ROLES[row.role]))
            painter.drawRoundedRect(done, 1.5, 1.5)
        painter.restore()

    @staticmethod
    def _mirrored(option: QStyleOptionViewItem, within: QRect, box: QRect) -> QRect:
        return QStyle.visualRect(option.direction, within, box)


class JobList(QListView):
    """List of jobs. `chosen` is emitted with the job that the user selects."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.items = ListModel(lambda row: row.job, lambda row: row.words)
        self.setModel(self.items)
        self.setItemDelegate(_Paint(self, self.items))
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setMinimumWidth(120)
        self.selectionModel().currentChanged.connect(self._changed)

    def show_rows(self, rows: tuple[Row, ...]) -> None:
        """Show these jobs."""
        self.items.show(rows, self)

    def choose(self, job: str) -> None:
        """Select a job, if it is in the list."""
        row = self.items.row_of(job)
        if row >= 0:
            self.setCurrentIndex(self.items.index(row))

    def current(self) -> str:
        """Return the selected job, or "" for none."""
        row = self.items.at(self.currentIndex())
        return row.job if row else ""

    def _changed(self, now: QModelIndex) -> None:
        row = self.items.at(now)
        if row is not None:
            self.chosen.emit(row.job)
