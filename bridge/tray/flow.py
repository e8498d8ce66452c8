"""Layout that wraps items to the next line, for buttons with long labels and narrow windows."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QStyle, QWidget

from bridge.tray.style import UNIT

_BELOW = UNIT // 2 + 2


class Flow(QLayout):
    """Items side by side, on as many lines as they need. `trailing` aligns lines at the far end."""

    def __init__(self, *, gap: int = UNIT, trailing: bool = False) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self._trailing = trailing
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(gap)

    def addItem(self, item: QLayoutItem) -> None:
        """Implement `QLayout.addItem`."""
        self._items.append(item)

    def count(self) -> int:
        """Implement `QLayout.count`."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:  # type: ignore[override]
        """Implement `QLayout.itemAt`."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:  # type: ignore[override]
        """Implement `QLayout.takeAt`."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        """Return no direction: the layout takes no more room than it needs."""
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        """Return True: a narrower layout is higher."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height for a width, in device-independent pixels."""
        return self._lay_out(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, box: QRect) -> None:
        """Position all items."""
        super().setGeometry(box)
        self._lay_out(box, move=True)

    def sizeHint(self) -> QSize:
        """Return the size with all items on one line."""
        hints = [item.sizeHint() for item in self._items]
        width = sum(hint.width() for hint in hints) + self.spacing() * max(0, len(hints) - 1)
        return QSize(width, max((hint.height() for hint in hints), default=0))

    def minimumSize(self) -> QSize:
        """Return the minimum size: the widest item alone, and the highest."""
        return QSize(
            max((item.minimumSize().width() for item in self._items), default=0),
            max((item.minimumSize().height() for item in self._items), default=0),
        )

    def _lay_out(self, box: QRect, *, move: bool) -> int:
        lines: list[tuple[list[tuple[QLayoutItem, int]], int]] = []
        row: list[tuple[QLayoutItem, int]] = []
        used = 0
        for item in self._items:
            wide = min(item.sizeHint().width(), max(1, box.width()))
            if row and used + self.spacing() + wide > box.width():
                lines.append((row, used))
                row, used = [], 0
            used += wide + (self.spacing() if row else 0)
            row.append((item, wide))
        if row:
            lines.append((row, used))
        top = box.top()
        for parts, width in lines:
            high = max(item.sizeHint().height() for item, _ in parts)
            left = box.left() + (box.width() - width if self._trailing else 0)
            for item, wide in parts:
                if move:
                    place = QRect(
                        QPoint(left, top + (high - item.sizeHint().height()) // 2),
                        QSize(wide, item.sizeHint().height()),
                    )
                    item.setGeometry(QStyle.visualRect(self._direction(), box, place))
                left += wide + self.spacing()
            top += high + _BELOW
        return max(0, top - _BELOW - box.top()) if lines else 0

    def _direction(self) -> Qt.LayoutDirection:
        parent = self.parentWidget()
        return (
            parent.layoutDirection()
            if isinstance(parent, QWidget)
            else Qt.LayoutDirection.LeftToRight
        )
