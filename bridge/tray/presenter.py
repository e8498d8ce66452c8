"""Connects the parts of the tray.

Responses update the model; the model updates icon, notices and window; user actions become
requests. Everything here runs in the toolkit's thread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QDate, QDateTime, QLocale, QObject, QSettings, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon

from bridge.protocol.requests import Message, Pause, Pictures, Stats
from bridge.protocol.responses import Accepted, Done, Happened, Noticed
from bridge.tray import desktop, icons, notices
from bridge.tray.charts import board
from bridge.tray.controller import Controller
from bridge.tray.hints import advice
from bridge.tray.link import Declining, Link, Linked, Sending
from bridge.tray.polling import Tried, key_of, questions
from bridge.tray.state import Model, fold, linked, looked_at
from bridge.tray.view import Line, icon, menu
from bridge.tray.window import STANDING, Window
from bridge.tray.words import say
from core.messages.template import Language, shown
from core.system import machine

ASK_EVERY_S = 1.0
"""Minimum seconds between equal requests; a running job changes many times per second."""
AGAIN = 77
"""Exit code of the toolkit's event loop that restarts the display, in another language."""
DRAW_MS = 60
"""Milliseconds of responses that are drawn together."""
_SEEN = 500
"""Number of jobs remembered as looked at."""


class Presenter(QObject):
    """Runs the tray. `heard` brings responses from other threads into this one."""

    heard = Signal(object)

    def __init__(
        self,
        home: Path,
        program: str,
        begin: Callable[[], None],
        presets: dict[str, str],
        language: Language,
        *,
        tray: bool,
    ) -> None:
        super().__init__()
        self.home, self._language = home, language
        self._kept = QSettings(str(home / "tray.ini"), QSettings.Format.IniFormat)
        self.model = Model(seen=frozenset(_texts(self._kept.value("seen"))))
        self._asked: set[str] = set()
        self._tried: Counter[Tried] = Counter()
        self._stale = True
        self._follow: dict[str, str] = {}
        self._notice: notices.Notice | None = None
        self.link = Link(home, program, begin, self.heard.emit, language)
        self.heard.connect(self._hear, Qt.ConnectionType.QueuedConnection)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.draw)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.draw)
        self._asked_at: dict[str, float] = {}
        self.tray = QSystemTrayIcon(self) if tray else None
        self._menu = QMenu()
        self.window = self._window(presets)
        self.wishes = Controller(self.window, self.link.post, home, program, presets, language)
        self.wishes.language_chosen.connect(lambda: QApplication.exit(AGAIN))
        if self.tray is not None:
            self.tray.setContextMenu(self._menu)
            self.tray.activated.connect(self._icon_pressed)
            self.tray.messageClicked.connect(self._notice_pressed)
            self._menu.triggered.connect(lambda action: self._do(*action.data()))
        self.draw()

    def start(self) -> None:
        """Show the icon, and start talking to the daemon."""
        if self.tray is not None:
            self.tray.show()
        self.link.start()

    def open(self) -> None:
        """Show the window in front of all others."""
        self.window.show()
        self.window.setWindowState(self.window.windowState() & ~Qt.WindowState.WindowMinimized)
        self.window.raise_()
        self.window.activateWindow()
        self._moved()

    def close(self) -> None:
        """Save the state and close the display; jobs continue."""
        self._kept.setValue("seen", sorted(self.model.seen)[-_SEEN:])
        self._kept.setValue("geometry", self.window.saveGeometry())
        self._kept.sync()
        self.link.close()
        self.window.hide()
        if self.tray is not None:
            self.tray.hide()

    # Responses ------------------------------------------------------------------------------------

    def _hear(self, said: Any) -> None:
        match said:
            case Linked(state=state, trouble=trouble):
                self.model = linked(self.model, state, trouble)
                self._asked.clear()
            case Sending(arrived=arrived, size=size):
                self.window.say(
                    say("submit-sending", self._language, percent=100 * arrived // size)
                )
            case Declining():
                self._asked.discard(said.request)
                if said.request.partition("-")[0] not in ("list", "describe", "pictures", "stats"):
                    self.window.say(
                        " ".join((f"{said.title}.", said.message, advice(said.action))), "bad"
                    )
            case Noticed():
                if (
                    not said.job
                    and said.code not in STANDING
                    and self.model.noticed.get("") != said
                ):
                    self.window.say(shown(f"{said.title}: {said.message}"))
                self.model = fold(self.model, said)
            case Accepted():
                self.window.say(say("did-submit", self._language, job=said.job))
                self._go_to(said.job)
            case Done():
                self._done(said)
            case _:
                self._stale = self._stale or isinstance(said, Happened)
                self.model = fold(self.model, said)
        self._asked.discard(getattr(said, "re", ""))
        self._soon.start(DRAW_MS) if not self._soon.isActive() else None

    def _done(self, said: Done) -> None:
        if said.re.startswith("answer-"):
            self.window.say(" ".join(said.notes) or say("did-answer", self._language))
            if said.job and said.job != self.window.job:
                self._go_to(said.job)

    def _go_to(self, job: str) -> None:
        """Show a job as soon as it is in the list."""
        self._follow = {"job": job}

    def draw(self) -> None:
        """Show the model in icon, menu, window and notices, and request what it lacks."""
        wanted = self._follow.get("job", "")
        if wanted and self.model.job(wanted) is not None:
            self._follow = {}
            self.window.show_job(wanted)
        self._look()
        self.window.show_model(self.model)
        if self.window.place == "history":
            self.window.show_board(self._board())
        if self.tray is not None:
            self._show_tray(self.tray)
        self._ask()

    def _look(self) -> None:
        """Mark the displayed job as seen if the window is active."""
        if (
            self.window.isVisible()
            and self.window.isActiveWindow()
            and self.window.place == "jobs"
            and self.window.job
        ):
            self.model = looked_at(self.model, self.window.job)

    def _show_tray(self, tray: QSystemTrayIcon) -> None:
        now = icon(self.model, self._language)
        tray.setIcon(icons.tray_icon(now))
        tray.setToolTip(now.words)
        self._show_menu(menu(self.model, self._language))
        due = notices.due(self.model, self._language)
        self.model = notices.told(self.model, due)
        for notice in due:
            self._notice = notice
            tray.showMessage(
                notice.title,
                notice.sentence,
                icons.tray_icon(now._replace(kind=notice.kind, progress=None)),
            )

    def _show_menu(self, groups: tuple[tuple[Line, ...], ...]) -> None:
        if self._menu.property("shown") == groups:
            return
        self._menu.clear()
        for group in groups:
            for line in group:
                action = self._menu.addAction(line.text.replace("&", "&&"))
                action.setData((line.do, line.job))
                action.setEnabled(bool(line.do))
                if line.do == "quit":
                    action.setToolTip(say("quit-tray-words", self._language))
            self._menu.addSeparator()
        self._menu.setProperty("shown", groups)

    def _board(self) -> Any:
        def day_of(at: float) -> int:
            return QDateTime.fromSecsSinceEpoch(int(at)).date().toJulianDay()

        def name_of(day: int) -> str:
            date = QDate.fromJulianDay(day)
            return self._locale().toString(date, "d. MMM" if self._language == "de" else "MMM d")

        return board(self.model, day_of(machine.now()), day_of, name_of, self._language)

    # Requests -------------------------------------------------------------------------------------

    def _ask(self) -> None:
        if not self.window.isVisible():
            return
        due = questions(
            self.model, self.window.place, self.window.job, asked=self._asked, tried=self._tried, stale=self._stale
        )  # fmt: skip
        for message in due:
            if self._too_soon(message):
                continue
            if isinstance(message, Stats):
                self._stale = False
            if isinstance(message, Pictures):
                told = self.model.described[message.job]
                self._tried.update(
                    key_of(told, shot) for shot in told.shots if shot.number in message.shots
                )
            self._asked.add(message.request)
            self.link.post(message)

    def _too_soon(self, message: Message) -> bool:
        """Return whether the same request was sent a moment ago; if so, schedule it for later."""
        now = machine.monotonic()
        left = self._asked_at.get(message.request, -ASK_EVERY_S) + ASK_EVERY_S - now
        if left > 0:
            self._later.start(round(1000 * left) + 1)
            return True
        self._asked_at[message.request] = now
        return False

    # User actions ---------------------------------------------------------------------------------

    def _do(self, do: str, job: str = "") -> None:
        match do:
            case "show":
                self.window.show_job(job)
                self.open()
            case "open":
                self.open()
            case "new":
                self.open()
                self.wishes.new_film("")
            case "start":
                self.model = linked(self.model, "looking")
                self.link.want()
                self.draw()
            case "pause" | "go-on":
                self.link.post(Pause(request="pause", paused=do == "pause"))
            case "settings-file":
                self.window.settings.open_file.emit()
            case "quit":
                QApplication.quit()
            case _:
                pass

    # The window -----------------------------------------------------------------------------------

    def _window(self, presets: Iterable[str]) -> Window:
        window = Window(self._language, str(self.home / "settings.yaml"), self.when, presets)
        window.setWindowIcon(icons.tray_icon(icon(Model(link="here"), self._language)))
        geometry = self._kept.value("geometry")
        if geometry is not None:
            window.restoreGeometry(geometry)
        window.wish.connect(self._do)
        window.moved.connect(self._moved)
        window.away.connect(self._away)
        return window

    def when(self, at: float) -> str:
        """Format a moment: the time for today, the date otherwise."""
        then, now = QDateTime.fromSecsSinceEpoch(int(at)), QDateTime.currentDateTime()
        locale = self._locale()
        if then.date() == now.date():
            return locale.toString(then.time(), QLocale.FormatType.ShortFormat)
        return locale.toString(then.date(), QLocale.FormatType.ShortFormat)

    def _locale(self) -> QLocale:
        """Return the locale for dates: the desktop's, if it uses the same language."""
        system, ours = QLocale.system(), QLocale(self._language)
        return system if system.language() == ours.language() else ours

    def _moved(self) -> None:
        if self.window.place == "settings":
            self.wishes.show_settings()
        self._soon.start(0)

    def _away(self) -> None:
        if self.tray is None:
            QApplication.quit()
        elif not self._kept.value("said-still-here"):
            self._kept.setValue("said-still-here", "1")
            self.tray.showMessage("Hotsplice", say("still-here", self._language), self.tray.icon())

    def _icon_pressed(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (
            QSystemTrayIcon.ActivationReason.Trigger,
            QSystemTrayIcon.ActivationReason.DoubleClick,
        ):
            self.open()

    def _notice_pressed(self) -> None:
        notice, self._notice = self._notice, None
        line = self.model.job(notice.job) if notice else None
        if notice is None or line is None:
            self.open()
        elif notice.do == "folder":
            self.model = looked_at(self.model, notice.job)
            desktop.open_folder(line.film or line.output)
        else:
            self._do("show", notice.job)


def _texts(value: Any) -> list[str]:
    """Read a list from an ini file, which returns a plain string for a single entry."""
    try:
        return msgspec.convert([value] if isinstance(value, str) else value or [], list[str])
    except msgspec.ValidationError:
        return []
