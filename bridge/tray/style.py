"""Colours, fonts and distances: dark, quiet, one accent per meaning.

Every pair of text and background has a contrast of at least 4.5, as
`tests/bridge/tray/test_style.py` measures.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette

from bridge.tray.view import Role

GROUND, PANEL, RAISED, LINE = "#16181b", "#1c1f23", "#25292e", "#363c44"
TEXT, DIM, FOCUS, INK = "#e4e6e9", "#a3abb5", "#8fbcf2", "#14171a"
ROLES: dict[Role, str] = {
    "quiet": "#8d96a1",
    "work": "#6fa8ea",
    "good": "#79b98a",
    "warn": "#dcae5e",
    "bad": "#ec8177",
}
UNIT = 8
"""Unit of all distances, in device-independent pixels."""


def colour(role: Role) -> QColor:
    """Return the colour of a role."""
    return QColor(ROLES[role])


def palette() -> QPalette:
    """Return the palette for parts that the style sheet does not reach.

    These are the toolkit's dialogs, selections and placeholders.
    """
    made = QPalette()
    for part, value in (
        (QPalette.ColorRole.Window, GROUND), (QPalette.ColorRole.WindowText, TEXT), (QPalette.ColorRole.Base, PANEL),
        (QPalette.ColorRole.AlternateBase, RAISED), (QPalette.ColorRole.Text, TEXT), (QPalette.ColorRole.Button, RAISED),
        (QPalette.ColorRole.ButtonText, TEXT), (QPalette.ColorRole.ToolTipBase, RAISED), (QPalette.ColorRole.ToolTipText, TEXT),
        (QPalette.ColorRole.Highlight, "#2d4a6b"), (QPalette.ColorRole.HighlightedText, "#ffffff"),
        (QPalette.ColorRole.PlaceholderText, DIM), (QPalette.ColorRole.Link, ROLES["work"]),
    ):  # fmt: skip
        made.setColor(part, QColor(value))
    for part in (
        QPalette.ColorRole.Text,
        QPalette.ColorRole.ButtonText,
        QPalette.ColorRole.WindowText,
    ):
        made.setColor(QPalette.ColorGroup.Disabled, part, QColor("#6b737d"))
    return made


SHEET = f"""
* {{ font-size: 13px; }}
QMainWindow, QDialog, QWidget#page, QScrollArea, QWidget#cards {{ background: {GROUND}; }}
QWidget#side {{ background: {PANEL}; border: none; }}
QLabel {{ background: transparent; color: {TEXT}; }}
QLabel#dim, QLabel#hint {{ color: {DIM}; }}
QLabel#title {{ font-size: 22px; font-weight: 600; }}
QLabel#brand {{ font-size: 15px; font-weight: 600; }}
QLabel#head {{ font-size: 13px; font-weight: 600; color: {DIM}; }}
QLabel#strong {{ font-size: 14px; font-weight: 600; }}
QLabel#figure {{ font-size: 26px; font-weight: 600; }}
QToolTip {{ background: {RAISED}; color: {TEXT}; border: 1px solid {LINE}; padding: 6px; }}
QFrame#card {{ background: {PANEL}; border: 1px solid {LINE}; border-radius: 6px; }}
QFrame#banner {{ background: {RAISED}; border: 1px solid {LINE}; border-radius: 6px; }}
QFrame#rule {{ background: {LINE}; border: none; max-height: 1px; min-height: 1px; }}
QPushButton {{
  background: {RAISED}; color: {TEXT}; border: 1px solid {LINE}; border-radius: 5px; padding: 6px 12px; min-height: 18px;
}}
QPushButton:hover {{ background: #2d3238; }}
QPushButton:pressed {{ background: #20242a; }}
QPushButton:disabled {{ color: #6b737d; background: {PANEL}; }}
QPushButton:focus {{ border: 2px solid {FOCUS}; padding: 5px 11px; }}
QPushButton[primary="true"] {{ background: #2d4a6b; border-color: #3f648d; }}
QPushButton[primary="true"]:hover {{ background: #355780; }}
QPushButton[primary="true"]:focus {{ border: 2px solid {FOCUS}; }}
QPushButton[primary="true"]:disabled {{ background: {PANEL}; border-color: {LINE}; }}
QPushButton[nav="true"] {{
  background: transparent; border: 2px solid transparent; text-align: left; padding: 6px 8px; color: {DIM};
}}
QPushButton[nav="true"]:hover {{ color: {TEXT}; background: {RAISED}; }}
QPushButton[nav="true"]:checked {{ color: {TEXT}; background: {RAISED}; }}
QPushButton[nav="true"]:focus {{ border: 2px solid {FOCUS}; padding: 6px 8px; }}
QListView {{ background: transparent; border: 1px solid transparent; outline: none; }}
QListView#strip {{ background: {PANEL}; border: 1px solid {LINE}; border-radius: 6px; padding: 6px; }}
QListView#strip:focus {{ border: 1px solid {FOCUS}; }}
QListView#folders {{ background: {PANEL}; border: 1px solid {LINE}; border-radius: 5px; }}
QListView#folders:focus {{ border: 2px solid {FOCUS}; }}
QLineEdit, QComboBox {{
  background: {PANEL}; color: {TEXT}; border: 1px solid {LINE}; border-radius: 5px; padding: 5px 8px; min-height: 20px;
  selection-background-color: #2d4a6b;
}}
QSpinBox {{
  background: {PANEL}; color: {TEXT}; border: 1px solid {LINE}; border-radius: 5px; padding: 5px 2px 5px 8px; min-height: 20px;
}}
QLineEdit:focus, QComboBox:focus {{ border: 2px solid {FOCUS}; padding: 4px 7px; }}
QSpinBox:focus {{ border: 2px solid {FOCUS}; padding: 4px 1px 4px 7px; }}
QComboBox::drop-down {{ border: none; width: 22px; }}
QComboBox QAbstractItemView {{
  background: {RAISED}; color: {TEXT}; border: 1px solid {LINE}; selection-background-color: #2d4a6b;
}}
QSpinBox::up-button, QSpinBox::down-button {{ width: 24px; border: none; background: transparent; }}
QCheckBox {{ spacing: 8px; padding: 5px 2px; border: 2px solid transparent; border-radius: 5px; }}
QCheckBox:focus {{ border: 2px solid {FOCUS}; }}
QCheckBox::indicator {{ width: 16px; height: 16px; background: {PANEL}; border: 1px solid #5a636e; border-radius: 3px; }}
QCheckBox::indicator:checked {{ background: #2d4a6b; border-color: #3f648d; }}
QProgressBar {{ background: {RAISED}; border: none; border-radius: 3px; min-height: 6px; max-height: 6px; }}
QProgressBar::chunk {{ background: {ROLES["work"]}; border-radius: 3px; }}
QScrollArea {{ border: none; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: #454c55; border-radius: 4px; min-height: 28px; min-width: 28px; margin: 1px; }}
QScrollBar::handle:hover {{ background: #5a636e; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QMenu {{ background: {RAISED}; color: {TEXT}; border: 1px solid {LINE}; padding: 4px; }}
QMenu::item {{ padding: 6px 24px 6px 12px; border-radius: 4px; }}
QMenu::item:selected {{ background: #2d4a6b; }}
QMenu::item:disabled {{ color: {DIM}; }}
QMenu::separator {{ height: 1px; background: {LINE}; margin: 4px 8px; }}
"""

LEADING = Qt.AlignmentFlag.AlignLeading
TRAILING = Qt.AlignmentFlag.AlignTrailing
MIDDLE = Qt.AlignmentFlag.AlignVCenter
