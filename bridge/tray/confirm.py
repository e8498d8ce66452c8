"""Confirmation dialog that says what would happen before an action is carried out."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from bridge.tray.widgets import directed


def confirm(
    over: QWidget, question: str, words: str, *, yes: str, no: str, then: Callable[[], object]
) -> QMessageBox:
    """Ask, and call `then` when the answer is yes. Return and Escape change nothing."""
    box = QMessageBox(over)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.NoIcon)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(directed(question))
    box.setInformativeText(directed(words))
    agreed = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
    leave = box.addButton(no, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(leave)
    box.setEscapeButton(leave)
    agreed.clicked.connect(lambda: then())
    box.open()
    return box
