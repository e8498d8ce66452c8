"""`tray`: the tray icon and its window.

The tray is an optional extra. When its toolkit is missing, the command says so; everything else
works without it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from bridge.cli.console import plain_console, safe
from bridge.cli.summary import REFUSED, refusal
from bridge.services.locations import place
from core.errors.refusal import Refused


def run(arguments: argparse.Namespace) -> int:
    """Run the tray. Return 0 when the user quits it, 2 when it cannot be shown."""
    try:
        where = place()
        _check_display()
        try:
            from bridge.tray import app
        except ImportError as error:
            if find_spec("PySide6") is None:
                raise Refused("tray-not-installed", name="hotsplice[tray]") from error
            raise Refused("tray-broken", detail=str(error)) from error
    except Refused as error:
        return _no(error)
    return app.run(where, window=arguments.window, no_display=no_display)


def no_display(said: Sequence[str]) -> int:
    """Report that the toolkit found no display, or cannot load its display plugin.

    `said` holds the toolkit's messages, the latest last. Return the exit code.
    """
    unseen = next((text for text in said if "could not connect" in text), "")
    unloaded = next((text for text in said if "even though it was found" in text), "")
    detail = (unseen or unloaded or said[-1]).splitlines()[0].rstrip(".")
    return _no(
        Refused("tray-broken" if unloaded and not unseen else "tray-no-display", detail=detail)
    )


def _check_display() -> None:
    """Refuse when no display exists: on Linux the toolkit would end the process."""
    if sys.platform == "linux" and not any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    ):
        raise Refused("tray-no-display", detail="")


def _no(error: Refused) -> int:
    said = refusal(error)
    plain_console().print(
        f"[red]{said['title']}[/] {safe(said['message'])}\n{safe(said['action'])}"
    )
    return REFUSED
