"""The process of the tray: one per user, with a clear message when it cannot run."""

from __future__ import annotations

import logging
import os
import signal
import sys
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import (
    QCoreApplication,
    QLocale,
    QMessageLogContext,
    QTimer,
    QtMsgType,
    qInstallMessageHandler,
)
from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from bridge.client.launch import start
from bridge.services.locations import Locations, place, program_version
from bridge.tray import style
from bridge.tray.presenter import AGAIN, Presenter
from core.graph.preset import Preset

_WAIT_MS = 500
_said: deque[str] = deque(maxlen=20)
_log = logging.getLogger("hotsplice")


def run(where: Locations, *, window: bool, no_display: Callable[[Sequence[str]], int]) -> int:
    """Run the tray until the user quits it.

    When another tray process runs already, ask it to show its window and return 0. `no_display`
    reports the toolkit's messages when it finds no display, and returns the exit code.
    """
    name = f"hotsplice-tray-{os.getuid() if hasattr(os, 'getuid') else ''}-{hash_of(where.home):x}"
    qInstallMessageHandler(partial(_fatal, no_display))
    application = QApplication(sys.argv[:1])
    if another_is_asked(name):
        return 0
    application.setApplicationName("Hotsplice")
    application.setDesktopFileName("hotsplice")
    application.setQuitOnLastWindowClosed(False)
    dress(application)
    server = QLocalServer()
    server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
    QLocalServer.removeServer(name)
    server.listen(name)
    ends = _until_told(application)
    code = AGAIN
    while code == AGAIN:
        code, window = _show(application, server, where, window)
        where = place() if code == AGAIN else where
    ends.stop()
    server.close()
    return code


def _show(
    application: QApplication, server: QLocalServer, where: Locations, window: bool
) -> tuple[int, bool]:
    """Run the display until it ends. Return the exit code and whether its window was open."""
    language = where.settings.language
    QLocale.setDefault(QLocale(language))
    tray = QSystemTrayIcon.isSystemTrayAvailable()
    program = f"hotsplice {program_version()}"
    shell = Presenter(
        where.home, program, start(where), endings(where.presets()), language, tray=tray
    )
    asked = server.newConnection.connect(lambda: _asked(server, shell))
    shell.start()
    if window or not tray:
        shell.open()
    code = application.exec()
    server.newConnection.disconnect(asked)
    open_ = shell.window.isVisible()
    shell.close()
    return code, open_


def _asked(server: QLocalServer, shell: Presenter) -> None:
    """Show the window because the user started a second tray process."""
    server.nextPendingConnection().deleteLater()
    shell.open()


def dress(application: QApplication) -> None:
    """Apply our colours and fonts, whatever the desktop uses."""
    application.setStyle("Fusion")
    application.setPalette(style.palette())
    application.setStyleSheet(style.SHEET)


def endings(presets: dict[str, Preset]) -> dict[str, str]:
    """Map each preset to the file extension of its films."""
    return {name: preset.extension for name, preset in sorted(presets.items())}


def hash_of(home: Path) -> int:
    """Return a number for a data folder that is the same in every process."""
    return zlib.crc32(str(home).encode())


def another_is_asked(name: str) -> bool:
    """Ask a running tray process to show its window. Return whether one runs."""
    socket = QLocalSocket()
    socket.connectToServer(name)
    found = socket.waitForConnected(_WAIT_MS)
    if found:
        socket.disconnectFromServer()
    return found


def _until_told(application: QApplication) -> QTimer:
    """Quit cleanly on SIGINT and SIGTERM.

    Python handles signals only while it runs Python code, so the timer wakes it every 250 ms.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: QCoreApplication.quit())
    often = QTimer(application)
    often.timeout.connect(lambda: None)
    often.start(250)
    return often


def _fatal(
    no_display: Callable[[Sequence[str]], int],
    kind: QtMsgType,
    context: QMessageLogContext,
    message: str,
) -> None:
    """Report fatal toolkit messages in our own words, then exit.

    The toolkit ends the process when it finds no display.
    """
    _said.append(message)
    if kind == QtMsgType.QtFatalMsg:
        code = no_display(_said)
        sys.stdout.flush()
        os._exit(code)
    _log.debug("toolkit", extra={"said": {"message": message}})
