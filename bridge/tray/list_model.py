"""List model that shows values in order and keeps the selected key when the values change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QListView

Index = QModelIndex | QPersistentModelIndex


class ListModel(QAbstractListModel):
    """Values identified by `key`.

    `words` describes a value completely, for tooltips and screen readers.
    """

    def __init__(self, key: Callable[[Any], object], words: Callable[[Any], str]) -> None:
        super().__init__()
        self._key, self._words = key, words
        self.values: list[Any] = []

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Implement `QAbstractListModel.rowCount`."""
        return 0 if parent.isValid() else len(self.values)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Implement `QAbstractListModel.data`."""
        if not index.isValid() or index.row() >= len(self.values):
            return None
        value = self.values[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return self._words(value).partition("\n")[0]
            case Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleDescriptionRole:
                return self._words(value)
            case _:
                return None

    def at(self, index: Index) -> Any:
        """Return the value at an index, or None.

        Values never pass through the toolkit, which would convert them.
        """
        return (
            self.values[index.row()] if index.isValid() and index.row() < len(self.values) else None
        )

    def row_of(self, key: object) -> int:
        """Return the row of the value with this key, or -1."""
        return next((n for n, value in enumerate(self.values) if self._key(value) == key), -1)

    def show(self, values: Sequence[Any], view: QListView) -> None:
        """Show these values. The selected value stays selected if it still exists."""
        if [self._key(value) for value in values] == [self._key(value) for value in self.values]:
            changed = [
                n
                for n, (old, new) in enumerate(zip(self.values, values, strict=True))
                if old != new
            ]
            self.values = list(values)
            for row in changed:
                self.dataChanged.emit(self.index(row), self.index(row))
            return
        chosen = self.at(view.currentIndex())
        blocked = view.selectionModel().blockSignals(True)
        self.beginResetModel()
        self.values = list(values)
        self.endResetModel()
        row = self.row_of(self._key(chosen)) if chosen is not None else -1
        if row >= 0:
            view.setCurrentIndex(self.index(row))
        view.selectionModel().blockSignals(blocked)
