"""Small widgets of the window: shortened labels, buttons, lines and rows."""

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
    """Prepare a text for display in right-to-left layouts.

    A left-to-right text is then aligned right, with its order unchanged.
    """
    if QGuiApplication.layoutDirection() != Qt.LayoutDirection.RightToLeft or not text:
        return text
    lines = (
        BETWEEN.join(f"\u2068{part}\u2069" for part in line.split(BETWEEN))
        for line in text.split("\n")
    )
    return "\n".join(f"\u200f{line}" for line in lines)


def put(label: QLabel, text: str) -> None:
    """Set the text of a label; an empty label is hidden and takes no room."""
    label.setText(directed(text))
    label.setVisible(bool(text))


class Shortened(QLabel):
    """A one-line label that shortens its text in the middle; the tooltip holds the full text."""

    def __init__(
        self, name: str = "", where: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle
    ) -> None:
        super().__init__()
        self.setObjectName(name)
        self._where = where
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def say(self, text: str) -> None:
        """Show a text."""
        text = directed(text)
        if text != self.text():
            self.setText(text)
            self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:
        """Allow a narrow label."""
        return QSize(40, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as much of the text as fits."""
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        painter.setFont(self.font())
        shown = self.fontMetrics().elidedText(self.text(), self._where, self.width())
        painter.drawText(self.rect(), MIDDLE | LEADING, shown)


def wrapped(name: str = "", text: str = "") -> QLabel:
    """Create a multi-line label whose text can be selected. Text is never interpreted as markup."""
    label = QLabel(directed(text))
    label.setObjectName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.MinimumExpanding)
    return label


def plain(name: str = "", text: str = "") -> QLabel:
    """Create a one-line label. Text is never interpreted as markup."""
    label = QLabel(directed(text))
    label.setObjectName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def button(
    text: str, do: Callable[[], object], *, primary: bool = False, words: str = ""
) -> QPushButton:
    """Create a button."""
    made = QPushButton(directed(text))
    made.setProperty("primary", primary)
    made.setAutoDefault(False)
    made.clicked.connect(lambda: do())
    if words:
        made.setToolTip(words)
        made.setAccessibleDescription(words)
    return made


class Sign(QLabel):
    """A drawn sign. Screen readers skip it, because the words beside it say the same."""

    def __init__(self, side: int = 18) -> None:
        super().__init__()
        self._side = side
        self.setFixedSize(side, side)

    def show_sign(self, sign: str, ink: str) -> None:
        """Show a sign in a colour."""
        self.setPixmap(icons.pixmap(sign, ink, self._side, self.devicePixelRatioF()))


class Choice(QComboBox):
    """A combo box with a drawn arrow; a style sheet removes the toolkit's own."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the combo box and its arrow."""
        super().paintEvent(event)
        painter = QPainter(self)
        box = QStyle.visualRect(
            self.layoutDirection(), self.rect(), QRect(self.width() - 26, 0, 18, self.height())
        )
        icons.draw(painter, QRectF(box).adjusted(2, 2, -2, -2), "below", QColor(DIM))
        painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Ignore the wheel, so that scrolling the page changes no value."""
        event.ignore()


class Number(QSpinBox):
    """A number field with drawn arrows."""

    def __init__(self) -> None:
        super().__init__()
        self.lineEdit().setTextMargins(6, 0, 0, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the field and its arrows."""
        super().paintEvent(event)
        painter = QPainter(self)
        for sign, top in (("above", 3), ("below", self.height() // 2 - 1)):
            column = QRect(self.width() - 26, top, 18, self.height() // 2 - 2)
            box = QStyle.visualRect(self.layoutDirection(), self.rect(), column)
            icons.draw(painter, QRectF(box).adjusted(1, 1, -1, -1), sign, QColor(DIM))
        painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Ignore the wheel, so that scrolling the page changes no value."""
        event.ignore()


class Tick(QCheckBox):
    """A check box with a drawn tick."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the check box and its tick."""
        super().paintEvent(event)
        if self.isChecked():
            option = QStyleOptionButton()
            self.initStyleOption(option)
            box = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
            painter = QPainter(self)
            icons.draw(painter, QRectF(box).adjusted(3, 3, -3, -3), "check", QColor(TEXT))
            painter.end()


class Column(QWidget):
    """Contents of a scroll area, whose height follows its actual width, not its minimum width."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("cards")

    def minimumSizeHint(self) -> QSize:
        """Return no minimum: the layout computes the height for a width."""
        return QSize(0, 0)


def scrolled(column: Column) -> QScrollArea:
    """Put a column into an area that scrolls vertically only."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(column)
    return area


def rule() -> QFrame:
    """Create a thin horizontal line."""
    line = QFrame()
    line.setObjectName("rule")
    return line


def across(*parts: QWidget | QLayout | int | None, gap: int = UNIT) -> QHBoxLayout:
    """Arrange parts side by side. A number is a distance; None takes the remaining room."""
    row = QHBoxLayout()
    row.setSpacing(gap)
    row.setContentsMargins(0, 0, 0, 0)
    _fill(row, parts)
    return row


def down(*parts: QWidget | QLayout | int | None, gap: int = UNIT) -> QVBoxLayout:
    """Arrange parts in a column; parts are as in `across`."""
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
    """Remove everything from a layout."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            emptied(inner)
