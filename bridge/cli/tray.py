"""`tray`: the icon and the window. An extra: where its toolkit is missing, that is said and nothing else is touched."""

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
    """0 when a person quit it; 2 when it cannot be shown."""
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
    return app.run(where, window=arguments.window)


def no_display(said: Sequence[str]) -> int:
    """The toolkit found no display, or cannot load what talks to it; the exit code. `said` is what it said, the last at last."""
    unseen = next((text for text in said if "could not connect" in text), "")
    unloaded = next((text for text in said if "even though it was found" in text), "")
    detail = (unseen or unloaded or said[-1]).splitlines()[0].rstrip(".")
    return _no(
        Refused("tray-broken" if unloaded and not unseen else "tray-no-display", detail=detail)
    )


def _check_display() -> None:
    """On Linux the toolkit ends the process where there is none."""
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
