"""The process of the display: one for each user, and clear words where there can be none."""

from __future__ import annotations

import logging
import os
import signal
import sys
import zlib
from collections import deque
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

from bridge.cli.daemon_commands import start
from bridge.cli.tray import no_display
from bridge.services.locations import Locations, place, program_version
from bridge.tray import style
from bridge.tray.presenter import AGAIN, Presenter
from core.graph.preset import Preset

_WAIT_MS = 500
_said: deque[str] = deque(maxlen=20)
_log = logging.getLogger("hotsplice")


def run(where: Locations, *, window: bool) -> int:
    """Until a person quits it. Another one that runs already is asked to show its window."""
    name = f"hotsplice-tray-{os.getuid() if hasattr(os, 'getuid') else ''}-{hash_of(where.home):x}"
    qInstallMessageHandler(_fatal)
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
    """The display, until it ends: how, and whether its window was open."""
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
    """Somebody started another one."""
    server.nextPendingConnection().deleteLater()
    shell.open()


def dress(application: QApplication) -> None:
    """Our colours and type, on whatever desktop."""
    application.setStyle("Fusion")
    application.setPalette(style.palette())
    application.setStyleSheet(style.SHEET)


def endings(presets: dict[str, Preset]) -> dict[str, str]:
    """What films of each preset end in."""
    return {name: preset.extension for name, preset in sorted(presets.items())}


def hash_of(home: Path) -> int:
    """A number for a data folder, the same in every process."""
    return zlib.crc32(str(home).encode())


def another_is_asked(name: str) -> bool:
    """Whether a display runs already; it then shows its window."""
    socket = QLocalSocket()
    socket.connectToServer(name)
    found = socket.waitForConnected(_WAIT_MS)
    if found:
        socket.disconnectFromServer()
    return found


def _until_told(application: QApplication) -> QTimer:
    """End in order when the session or a terminal says so: Python hears signals only while it runs now and then."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: QCoreApplication.quit())
    often = QTimer(application)
    often.timeout.connect(lambda: None)
    often.start(250)
    return often


def _fatal(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    """The toolkit ends the process where it finds no display; before that, say so in our words."""
    _said.append(message)
    if kind == QtMsgType.QtFatalMsg:
        code = no_display(_said)
        sys.stdout.flush()
        os._exit(code)
    _log.debug("toolkit", extra={"said": {"message": message}})
