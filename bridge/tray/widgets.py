"""Small parts of the window: labels that shorten what is long, buttons, lines, rows."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QStyle,
    QStyleOptionButton,
    QVBoxLayout,
    QWidget,
)

from bridge.tray import icons
from bridge.tray.style import DIM, LEADING, MIDDLE, TEXT, UNIT
from bridge.tray.words import BETWEEN


def directed(text: str) -> str:
    """As it is shown: where the window is read from right to left, a text in letters that are not stands at the right, whole."""
    if QGuiApplication.layoutDirection() != Qt.LayoutDirection.RightToLeft or not text:
        return text
    lines = (
        BETWEEN.join(f"\u2068{part}\u2069" for part in line.split(BETWEEN))
        for line in text.split("\n")
    )
    return "\n".join(f"\u200f{line}" for line in lines)


def put(label: QLabel, text: str) -> None:
    """Text on a label; one without text takes no room."""
    label.setText(directed(text))
    label.setVisible(bool(text))


class Shortened(QLabel):
    """One line that leaves out its middle where there is no room; all of it is in the tooltip."""

    def __init__(
        self, name: str = "", where: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle
    ) -> None:
        super().__init__()
        self.setObjectName(name)
        self._where = where
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def say(self, text: str) -> None:
        """Show this."""
        text = directed(text)
        if text != self.text():
            self.setText(text)
            self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:
        """It may become narrow."""
        return QSize(40, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what there is room for."""
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        painter.setFont(self.font())
        shown = self.fontMetrics().elidedText(self.text(), self._where, self.width())
        painter.drawText(self.rect(), MIDDLE | LEADING, shown)


def wrapped(name: str = "", text: str = "") -> QLabel:
    """Text over several lines, that can be selected and copied with mouse and keys. Never taken for markup."""
    label = QLabel(directed(text))
    label.setObjectName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.MinimumExpanding)
    return label


def plain(name: str = "", text: str = "") -> QLabel:
    """Text on one line, never taken for markup."""
    label = QLabel(directed(text))
    label.setObjectName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def button(
    text: str, do: Callable[[], object], *, primary: bool = False, words: str = ""
) -> QPushButton:
    """A button that does something."""
    made = QPushButton(directed(text))
    made.setProperty("primary", primary)
    made.setAutoDefault(False)
    made.clicked.connect(lambda: do())
    if words:
        made.setToolTip(words)
        made.setAccessibleDescription(words)
    return made


class Sign(QLabel):
    """A drawn sign. It says nothing to a screen reader: the words beside it do."""

    def __init__(self, side: int = 18) -> None:
        super().__init__()
        self._side = side
        self.setFixedSize(side, side)

    def show_sign(self, sign: str, ink: str) -> None:
        """Show this sign in this colour."""
        self.setPixmap(icons.pixmap(sign, ink, self._side, self.devicePixelRatioF()))


class Choice(QComboBox):
    """One of several, with a drawn arrow: a style sheet takes the toolkit's away."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """As it is, and the arrow."""
        super().paintEvent(event)
        painter = QPainter(self)
        box = QStyle.visualRect(
            self.layoutDirection(), self.rect(), QRect(self.width() - 26, 0, 18, self.height())
        )
        icons.draw(painter, QRectF(box).adjusted(2, 2, -2, -2), "below", QColor(DIM))
        painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Whoever scrolls the page changes nothing."""
        event.ignore()


class Number(QSpinBox):
    """A number, with drawn arrows."""

    def __init__(self) -> None:
        super().__init__()
        self.lineEdit().setTextMargins(6, 0, 0, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """As it is, and the arrows."""
        super().paintEvent(event)
        painter = QPainter(self)
        for sign, top in (("above", 3), ("below", self.height() // 2 - 1)):
            column = QRect(self.width() - 26, top, 18, self.height() // 2 - 2)
            box = QStyle.visualRect(self.layoutDirection(), self.rect(), column)
            icons.draw(painter, QRectF(box).adjusted(1, 1, -1, -1), sign, QColor(DIM))
        painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Whoever scrolls the page changes nothing."""
        event.ignore()


class Tick(QCheckBox):
    """Yes or no, with a drawn tick."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """As it is, and the tick."""
        super().paintEvent(event)
        if self.isChecked():
            option = QStyleOptionButton()
            self.initStyleOption(option)
            box = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
            painter = QPainter(self)
            icons.draw(painter, QRectF(box).adjusted(3, 3, -3, -3), "check", QColor(TEXT))
            painter.end()


class Column(QWidget):
    """What is scrolled: as high as it is at the width it has, and not as it would be at its narrowest."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("cards")

    def minimumSizeHint(self) -> QSize:
        """None: its layout tells the height for a width."""
        return QSize(0, 0)


def scrolled(column: Column) -> QScrollArea:
    """A column that goes up and down, never sideways."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(column)
    return area


def rule() -> QFrame:
    """A thin line."""
    line = QFrame()
    line.setObjectName("rule")
    return line


def across(*parts: QWidget | QLayout | int | None, gap: int = UNIT) -> QHBoxLayout:
    """Side by side. A number is a distance, None takes what is left."""
    row = QHBoxLayout()
    row.setSpacing(gap)
    row.setContentsMargins(0, 0, 0, 0)
    _fill(row, parts)
    return row


def down(*parts: QWidget | QLayout | int | None, gap: int = UNIT) -> QVBoxLayout:
    """One below the other, as `across`."""
    column = QVBoxLayout()
    column.setSpacing(gap)
    column.setContentsMargins(0, 0, 0, 0)
    _fill(column, parts)
    return column


def _fill(
    into: QHBoxLayout | QVBoxLayout, parts: tuple[QWidget | QLayout | int | None, ...]
) -> None:
    for part in parts:
        if part is None:
            into.addStretch(1)
        elif isinstance(part, int):
            into.addSpacing(part)
        elif isinstance(part, QWidget):
            into.addWidget(part)
        else:
            into.addLayout(part)


def emptied(layout: QLayout) -> None:
    """Take everything out of a layout."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            emptied(inner)
