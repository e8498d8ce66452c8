"""The toolkit itself: a version that loses a reference at each call ends the display after some thousand of them."""

from __future__ import annotations

import sys

from PySide6.QtCore import QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget


class _Painted(QWidget):
    times = 0

    def paintEvent(self, event: QPaintEvent) -> None:
        """Count."""
        self.times += 1


def test_no_reference_is_lost_when_the_toolkit_calls_us(qtbot):
    """PySide6 6.12.0 took one from None at each call on Python 3.11, until `none_dealloc` ended the process."""
    shown = _Painted()
    qtbot.addWidget(shown)
    shown.show()
    QApplication.processEvents()
    before, painted = sys.getrefcount(None), shown.times
    for _ in range(300):
        shown.repaint()
        QTimer.singleShot(0, lambda: None)
        QApplication.processEvents()
    assert shown.times - painted >= 300
    assert sys.getrefcount(None) > before - 100
