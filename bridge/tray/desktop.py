"""What the display does besides talking with the companion: our own commands, the file manager, the settings' file."""

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
"""How long a command may take; one that rolls back reads a whole film first, perhaps over a network."""


def command(
    words: Sequence[str], done: Callable[[str, str], None], *, most_s: float = COMMAND_S
) -> None:
    """Run `hotsplice WORDS` aside, and end it when it takes longer than `most_s`. `done` is called from another thread: with what
    it printed, and why it failed (or empty)."""
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
    """Show the folder that a file is in, or the nearest one above it that is there, in the file manager."""
    folder = Path(path)
    while not os.path.isdir(folder) and folder != folder.parent:
        folder = folder.parent
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def open_file(path: Path) -> bool:
    """Open a file with what the desktop has for it."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
