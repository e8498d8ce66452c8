"""The film as a strip of shots.

A shot is as wide as it is long. It has a small picture, and a band that shows its state by colour,
sign and pattern. The strip is a list view of the toolkit, so keys, tooltips and screen readers work
as usual.
"""

from __future__ import annotations

from itertools import accumulate

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QKeyEvent,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from bridge.tray import icons
from bridge.tray.list_model import ListModel
from bridge.tray.page import Tile
from bridge.tray.style import DIM, FOCUS, GROUND, RAISED, ROLES, TEXT

PICTURE, BAND, HEAD = 72, 20, 18
"""Heights of the picture, the band and the line with the shot's number."""
NARROWEST = 6
GAP = 2
ZOOMS = (1.0, 1.5, 2.0, 3.0, 4.5, 7.0, 10.0, 16.0)


class _Paint(QStyledItemDelegate):
    def __init__(self, strip: Strip) -> None:
        super().__init__(strip)
        self._strip = strip
        self._pictures: dict[tuple[int, int], QPixmap] = {}

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        tile: Tile = self._strip.items.at(index)
        return QSize(self._strip.width_of(tile), HEAD + PICTURE + BAND)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        tile: Tile = self._strip.items.at(index)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        box = option.rect.adjusted(0, 0, -GAP, 0)
        picture = QRect(box.left(), box.top() + HEAD, box.width(), PICTURE)
        band = QRect(box.left(), picture.bottom() + 1, box.width(), BAND)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        self._number(painter, option, box, tile, chosen)
        self._picture(painter, picture, tile)
        self._band(painter, band, tile)
        if chosen:
            focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(FOCUS if focused else TEXT), 2))
            painter.drawRect(
                QRect(box.left(), picture.top(), box.width(), PICTURE + BAND).adjusted(1, 1, -1, -1)
            )
        painter.restore()

    def _number(
        self, painter: QPainter, option: QStyleOptionViewItem, box: QRect, tile: Tile, chosen: bool
    ) -> None:
        text = str(tile.number)
        if option.fontMetrics.horizontalAdvance(text) + 2 > box.width():
            return
        painter.setPen(QColor(TEXT if chosen else DIM))
        painter.drawText(
            QRect(box.left() + 1, box.top(), box.width(), HEAD),
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
            text,
        )

    def _picture(self, painter: QPainter, box: QRect, tile: Tile) -> None:
        painter.fillRect(box, QColor("#0d0f11" if tile.gap else RAISED))
        if tile.picture is None:
            if not tile.gap and box.width() >= 20:
                side = min(22, box.width() - 6)
                centre = QRectF(
                    box.center().x() - side / 2, box.center().y() - side / 2, side, side
                )
                icons.draw(painter, centre, tile.sign, QColor("#5c6570"))
            return
        key = (tile.number, hash(tile.picture))
        known = self._pictures.get(key)
        if known is None:
            known = QPixmap()
            known.loadFromData(tile.picture)
            if len(self._pictures) > 600:
                self._pictures.clear()
            self._pictures[key] = known
        if known.isNull():
            return
        painter.save()
        painter.setClipRect(box)
        scale = max(box.width() / known.width(), box.height() / known.height())
        width, height = known.width() * scale, known.height() * scale
        if width > box.width() * 1.02 or height <= box.height() * 1.6:
            painter.drawPixmap(
                QRectF(box.center().x() - width / 2, box.center().y() - height / 2, width, height),
                known,
                QRectF(known.rect()),
            )
        # A long shot shows its picture at the head, as on a timeline.
        else:
            wide = known.width() * box.height() / known.height()
            painter.drawPixmap(
                QRectF(box.left(), box.top(), wide, box.height()), known, QRectF(known.rect())
            )
        painter.restore()

    def _band(self, painter: QPainter, box: QRect, tile: Tile) -> None:
        ink = QColor(ROLES[tile.role])
        ground = QColor(ink)
        ground.setAlpha(70)
        painter.fillRect(box, QColor(GROUND))
        painter.fillRect(box, ground)
        style = icons.pattern(tile.sign)
        painter.fillRect(QRect(box.left(), box.top(), box.width(), 3), ink)
        if style not in (Qt.BrushStyle.SolidPattern, Qt.BrushStyle.NoBrush):
            hatch = QColor(ink)
            hatch.setAlpha(120)
            painter.fillRect(box.adjusted(0, 3, 0, 0), QBrush(hatch, style))
        if box.width() >= 14:
            middle = QRectF(box.center().x() - 5.5, box.top() + 6, 12, 12)
            plate = QPainterPath()
            plate.addRoundedRect(middle.adjusted(-3, -2, 3, 2), 4, 4)
            if style != Qt.BrushStyle.SolidPattern:
                painter.fillPath(plate, QColor(GROUND))
            icons.draw(painter, middle, tile.sign, ink)


class Strip(QListView):
    """Shots in a row. `chosen` is emitted with the number of the selected shot, 0 for none."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self.items = ListModel(lambda tile: tile.number, lambda tile: tile.words)
        self.setModel(self.items)
        self.setItemDelegate(_Paint(self))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setFixedHeight(HEAD + PICTURE + BAND + 24)
        self._zoom, self._scale = 0, 1.0
        self._asked_for: dict[int, int] = {}
        self._firsts: dict[int, int] = {}
        self.selectionModel().currentChanged.connect(self._changed)

    def show_tiles(self, tiles: tuple[Tile, ...]) -> None:
        """Show these shots."""
        lengths = {tile.number: tile.frames for tile in tiles}
        other = lengths != self._asked_for
        self._asked_for, firsts = lengths, accumulate(lengths.values(), initial=0)
        self._firsts = dict(zip(lengths, firsts, strict=False))
        self.items.show(tiles, self)
        if other:
            self._lay_out()

    def choose(self, number: int) -> None:
        """Select a shot and scroll to it."""
        row = self.items.row_of(number)
        if row >= 0:
            self.setCurrentIndex(self.items.index(row))
            self.scrollTo(self.items.index(row))

    def width_of(self, tile: Tile) -> int:
        """Return the width of a shot with its gap, in device-independent pixels."""
        first = self._firsts.get(tile.number, 0)
        return max(
            NARROWEST, round((first + tile.frames) * self._scale) - round(first * self._scale)
        )

    def zoom(self, by: int) -> None:
        """Zoom in or out by `by` steps.

        At the lowest zoom the film fits into the window, as far as every shot remains visible.
        """
        self._zoom = min(len(ZOOMS) - 1, max(0, self._zoom + by))
        self._lay_out()

    def _lay_out(self) -> None:
        frames = sum(self._asked_for.values())
        room = max(100, self.viewport().width() - 1)
        self._scale = room / max(1, frames) * ZOOMS[self._zoom]
        spent = sum(
            NARROWEST for length in self._asked_for.values() if length * self._scale < NARROWEST
        )
        # The minimum width of the shortest shots is taken from all others.
        if spent and self._zoom == 0 and spent < room:
            rest = sum(
                length for length in self._asked_for.values() if length * self._scale >= NARROWEST
            )
            self._scale = (room - spent) / max(1, rest)
        self.scheduleDelayedItemsLayout()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the film to the new width."""
        super().resizeEvent(event)
        self._lay_out()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll along the film, or zoom with Ctrl."""
        turn = event.angleDelta().y() or event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(1 if turn > 0 else -1)
        else:
            bar = self.horizontalScrollBar()
            bar.setValue(bar.value() - turn)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom with plus and minus."""
        match event.key():
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.zoom(1)
            case Qt.Key.Key_Minus:
                self.zoom(-1)
            case _:
                super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        """Return the preferred size; the strip takes all the width it gets."""
        return QSize(400, self.height())

    def _changed(self, now: QModelIndex) -> None:
        tile = self.items.at(now)
        self.chosen.emit(tile.number if tile else 0)
