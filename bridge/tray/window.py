"""The window: the job list on the left; a job, the history or the settings on the right.

It displays a model and emits the user's actions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import get_args

from PySide6.QtCore import QEvent, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QColor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
    QShortcut,
)
from PySide6.QtWidgets import QFrame, QMainWindow, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from bridge.tray.charts import Board
from bridge.tray.historypage import HistoryPage
from bridge.tray.joblist import JobList
from bridge.tray.jobpage import JobPage
from bridge.tray.page import page
from bridge.tray.polling import Place
from bridge.tray.settingspage import SettingsPage
from bridge.tray.state import Model
from bridge.tray.style import FOCUS, GROUND, ROLES, TEXT, UNIT
from bridge.tray.submitting import is_timeline
from bridge.tray.view import Role, rows
from bridge.tray.widgets import Shortened, Sign, across, button, down, plain, put, rule, wrapped
from bridge.tray.words import say
from core.messages.template import Language, shown

STANDING = ("settings-invalid",)
"""Notices about no job that remain until the next one; others disappear after a while."""
SAID_MS = 8000
"""Milliseconds for which a confirmation remains."""
_PLACES: tuple[Place, ...] = get_args(Place)


class Window(QMainWindow):
    """The main window.

    Signals: `wish` with a menu action, `act` with an action about the displayed job, `new` with a
    timeline or "", `moved` when another page or job is displayed, `away` when the window is closed.
    """

    wish = Signal(str)
    act = Signal(object)
    new = Signal(str)
    moved = Signal()
    away = Signal()

    def __init__(
        self,
        language: Language,
        settings_path: str,
        when: Callable[[float], str],
        presets: Iterable[str] = (),
    ) -> None:
        super().__init__()
        self._language, self._when = language, when
        self.model = Model()
        self.job = ""
        self.setWindowTitle("Hotsplice")
        self.setAcceptDrops(True)
        self.setMinimumSize(900, 600)
        self.resize(1220, 800)
        self.list = JobList()
        self.list.setAccessibleName(say("jobs", language).replace("&", ""))
        self.job_page, self.history = JobPage(language), HistoryPage(language)
        self.settings = SettingsPage(language, settings_path, presets)
        self._empty = self._build_empty()
        self._pages = QStackedWidget()
        self._nav: dict[Place, QPushButton] = {}
        self._banner, self._banner_sign, self._banner_text = QFrame(), Sign(18), wrapped("")
        self._banner_act = button("", self._banner_pressed, primary=True)
        self._banner_do = ""
        self._link_sign, self._link_text = Sign(14), Shortened("dim")
        self._said, self._said_sign, self._said_text = QFrame(), Sign(16), wrapped("")
        self._quiet = QTimer(self)
        self._quiet.setSingleShot(True)
        self._quiet.timeout.connect(self.quiet)
        self._over = _DropHere(say("drop-here", language))
        self._centre = QWidget()
        self._build()
        self.list.chosen.connect(self.show_job)
        self.job_page.act.connect(self.act)

    # Building -------------------------------------------------------------------------------------

    def _build(self) -> None:
        side = QWidget()
        side.setObjectName("side")
        side.setFixedWidth(296)
        brand = plain("brand", "Hotsplice")
        column = QVBoxLayout(side)
        column.setContentsMargins(UNIT, 2 * UNIT, UNIT, UNIT)
        column.setSpacing(UNIT)
        head = across(
            brand,
            None,
            button(say("new-film", self._language), lambda: self.new.emit(""), primary=True),
        )
        head.setContentsMargins(UNIT, 0, UNIT, 0)
        column.addLayout(head)
        column.addWidget(self.list, 1)
        column.addWidget(rule())
        for place in _PLACES:
            made = button(say(place, self._language), partial(self.go, place))
            made.setProperty("nav", True)
            made.setCheckable(True)
            self._nav[place] = made
            column.addWidget(made)
        state = across(self._link_sign, self._link_text, gap=6)
        state.setContentsMargins(UNIT, 4, UNIT, 4)
        column.addLayout(state)
        for part in (self._empty, self.job_page, self.history, self.settings):
            self._pages.addWidget(part)
        for frame, sign, text, end in (
            (self._banner, self._banner_sign, self._banner_text, self._banner_act),
            (
                self._said,
                self._said_sign,
                self._said_text,
                button(say("dismiss", self._language), self.quiet),
            ),
        ):
            frame.setObjectName("banner")
            row = across(sign, text, end)
            row.setStretch(1, 1)
            row.setContentsMargins(2 * UNIT, UNIT, UNIT, UNIT)
            frame.setLayout(row)
            frame.hide()
        edge = down(self._banner, gap=0)
        edge.setContentsMargins(3 * UNIT, 2 * UNIT, 2 * UNIT, 0)
        foot = down(self._said, gap=0)
        foot.setContentsMargins(3 * UNIT, 0, 2 * UNIT, UNIT)
        right = down(edge, self._pages, foot, gap=0)
        right.setStretch(1, 1)
        whole = across(side, right, gap=0)
        whole.setStretch(1, 1)
        self._centre.setObjectName("page")
        self._centre.setLayout(whole)
        self.setCentralWidget(self._centre)
        self._over.setParent(self._centre)
        self._over.hide()
        for keys, do in (
            ("Ctrl+N", lambda: self.new.emit("")), ("Ctrl+O", lambda: self.new.emit("")), ("Ctrl+1", lambda: self.go("jobs")),
            ("Ctrl+2", lambda: self.go("history")), ("Ctrl+3", lambda: self.go("settings")), ("Ctrl+W", self.close),
            ("Ctrl+Q", lambda: self.wish.emit("quit")), ("Ctrl+L", self.list.setFocus),
        ):  # fmt: skip
            QShortcut(QKeySequence(keys), self).activated.connect(do)
        self._nav["jobs"].setChecked(True)
        self.list.setFocus()

    def _build_empty(self) -> QWidget:
        language = self._language
        empty = QWidget()
        empty.setObjectName("page")
        self._empty_title = plain("title", say("no-jobs", language))
        words = wrapped("dim", say("no-jobs-why", language))
        words.setFixedWidth(440)
        words.setFixedHeight(words.heightForWidth(440) + 4)
        words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        press = button(say("new-film", language), lambda: self.new.emit(""), primary=True)
        column = down(None, self._empty_title, words, UNIT, press, None)
        for part in (self._empty_title, words, press):
            column.setAlignment(part, Qt.AlignmentFlag.AlignHCenter)
        empty.setLayout(column)
        return empty

    # Showing --------------------------------------------------------------------------------------

    @property
    def place(self) -> Place:
        """Return the displayed page."""
        return next(place for place, press in self._nav.items() if press.isChecked())

    def go(self, place: Place) -> None:
        """Show a page."""
        for name, press in self._nav.items():
            press.setChecked(name == place)
        self._show_place()
        self.moved.emit()

    def show_job(self, job: str) -> None:
        """Show a job."""
        self.job = job
        self.list.choose(job)
        self.go("jobs")

    def show_model(self, model: Model) -> None:
        """Show a model."""
        before, self.model = self.model.job(self.job), model
        lines = rows(model, self._language, self._when)
        self.list.show_rows(lines)
        # The film has a newer job, or the job is gone.
        if lines and model.job(self.job) is None:
            same = [
                line.job
                for line in model.jobs
                if before is not None and line.output == before.output
            ]
            self.job = same[-1] if same else lines[0].job
            self.moved.emit()
        if self.list.current() != self.job:
            self.list.choose(self.job)
        self._show_link()
        self._show_place()

    def show_board(self, board: Board) -> None:
        """Show the history."""
        self.history.show_board(board)

    def say(self, text: str, role: Role = "good") -> None:
        """Show a short message that disappears by itself."""
        self._said_sign.show_sign(
            {"bad": "stop", "warn": "warning"}.get(role, "check"), ROLES[role]
        )
        put(self._said_text, text)
        self._said.setAccessibleName(text)
        self._said.show()
        self._quiet.start(SAID_MS if role == "good" else 3 * SAID_MS)

    def quiet(self) -> None:
        """Hide the short message."""
        self._said.hide()

    def _show_place(self) -> None:
        match self.place:
            case "history":
                self._pages.setCurrentWidget(self.history)
            case "settings":
                self._pages.setCurrentWidget(self.settings)
            case _:
                made = page(self.model, self.job, self._language)
                if made is None:
                    self._pages.setCurrentWidget(self._empty)
                    put(
                        self._empty_title,
                        say("no-jobs" if self.model.began else "companion-looking", self._language),
                    )
                else:
                    self.job_page.show_page(made)
                    self._pages.setCurrentWidget(self.job_page)

    def _show_link(self) -> None:
        language, model = self._language, self.model
        sign, role = {"here": ("check", "good"), "looking": ("dots", "quiet")}.get(
            model.link, ("cross", "warn")
        )
        self._link_sign.show_sign(sign, ROLES[role])  # type: ignore[index]
        self._link_text.say(
            say(f"companion-{'absent' if model.link == 'shut' else model.link}", language)
        )
        banner = ("", "", "")
        if model.link == "absent":
            banner = (
                f"{say('companion-absent', language)}. {say('companion-absent-why', language)}",
                "start",
                "start-companion",
            )
        elif model.link == "shut" and model.trouble is not None:
            trouble = model.trouble
            banner = (
                " ".join((f"{trouble.title}.", trouble.message, trouble.action)),
                "start",
                "start-companion",
            )
        elif model.paused:
            banner = (say("paused-why", language), "go-on", "go-on-all")
        elif (said := model.noticed.get("")) is not None and said.code in STANDING:
            banner = (shown(f"{said.title}: {said.message}"), "settings-file", "settings-file")
        self._banner.setVisible(bool(banner[0]))
        if banner[0]:
            self._banner_sign.show_sign(
                "pause" if model.paused and model.link == "here" else "warning", ROLES["warn"]
            )
            put(self._banner_text, banner[0])
            if self._banner_do != banner[1] or not self._banner_act.text():
                self._banner_act.setEnabled(True)
            self._banner_do = banner[1]
            self._banner_act.setText(say(banner[2], language))
        else:
            self._banner_do = ""

    def _banner_pressed(self) -> None:
        self.wish.emit(self._banner_do)

    # Toolkit events -------------------------------------------------------------------------------

    def closeEvent(self, event: QCloseEvent) -> None:
        """Close the window; `away` lets the presenter decide whether the tray quits."""
        event.accept()
        self.away.emit()

    def changeEvent(self, event: QEvent) -> None:
        """Emit `moved` when the window becomes active, so that the displayed job counts as seen."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.moved.emit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept timelines."""
        if _timelines(event):
            event.acceptProposedAction()
            self._over.setGeometry(self._centre.rect())
            self._over.raise_()
            self._over.show()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Hide the drop hint."""
        self._over.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Create one new film for each timeline, in order."""
        self._over.hide()
        event.acceptProposedAction()
        for path in _timelines(event):
            self.new.emit(path)


def _timelines(event: QDropEvent) -> list[str]:
    urls = event.mimeData().urls()
    return [
        url.toLocalFile() for url in urls if url.isLocalFile() and is_timeline(url.toLocalFile())
    ]


class _DropHere(QWidget):
    """Overlay on the whole window while the user drags a timeline over it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a frame and a sentence."""
        painter = QPainter(self)
        ground = QColor(GROUND)
        ground.setAlpha(225)
        painter.fillRect(self.rect(), ground)
        pen = QPen(QColor(FOCUS), 2, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.drawRoundedRect(self.rect().adjusted(24, 24, -24, -24), 12, 12)
        painter.setPen(QColor(TEXT))
        font = painter.font()
        font.setPixelSize(22)
        painter.setFont(font)
        painter.drawText(QRect(self.rect()), Qt.AlignmentFlag.AlignCenter, self._text)
