"""Actions of the tray that bypass the daemon: our own commands, opening folders and files."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from core.system import process

COMMAND_S, ROLL_BACK_S = 120.0, 4 * 3600.0
"""Seconds a command may take. A rollback reads a whole film first, perhaps over a network."""


def command(
    words: Sequence[str], done: Callable[[str, str], None], *, most_s: float = COMMAND_S
) -> None:
    """Run `hotsplice WORDS` in the background, and kill it after `most_s` seconds.

    `done` is called from another thread with the output and the reason of a failure, or "".
    """
    argv = [sys.executable, "-P", "-m", "bridge.cli.main", *words]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}

    def work() -> None:
        try:
            child = process.spawn(argv, environment=environment, own_session=True)
        except OSError as error:
            done("", error.strerror or str(error))
            return
        patience = threading.Timer(most_s, process.kill_session, (child,))
        patience.start()
        out, err = child.communicate()
        patience.cancel()
        said, why = out.decode(errors="replace").strip(), err.decode(errors="replace").strip()
        done(said, "" if child.returncode == 0 else why or said or str(child.returncode))

    threading.Thread(target=work, daemon=True, name=f"hotsplice {words[0]}").start()


def open_folder(path: str) -> bool:
    """Show a file's folder, or its nearest existing parent folder, in the file manager."""
    folder = Path(path)
    while not os.path.isdir(folder) and folder != folder.parent:
        folder = folder.parent
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def open_file(path: Path) -> bool:
    """Open a file with the desktop's default program."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
