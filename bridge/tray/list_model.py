"""Values in a list of the toolkit: shown in order, chosen by key, kept chosen when the values change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QListView

Index = QModelIndex | QPersistentModelIndex


class ListModel(QAbstractListModel):
    """Values with a key each. `words` say all about one: for tooltips and screen readers."""

    def __init__(self, key: Callable[[Any], object], words: Callable[[Any], str]) -> None:
        super().__init__()
        self._key, self._words = key, words
        self.values: list[Any] = []

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """As the toolkit asks."""
        return 0 if parent.isValid() else len(self.values)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """As the toolkit asks."""
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
        """The value there, None where there is none. It is never handed through the toolkit, which would take it to pieces."""
        return (
            self.values[index.row()] if index.isValid() and index.row() < len(self.values) else None
        )

    def row_of(self, key: object) -> int:
        """Where the value of this key is; -1 when there is none."""
        return next((n for n, value in enumerate(self.values) if self._key(value) == key), -1)

    def show(self, values: Sequence[Any], view: QListView) -> None:
        """Show these; what was chosen stays chosen, where it is still there."""
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
