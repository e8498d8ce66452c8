"""Writes, removes and checks the file that starts the daemon at login."""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from bridge.login import entries
from bridge.login.entries import LABEL, Start
from core.errors.refusal import Refused
from core.storage import artifacts
from core.storage.workspace import point_to

_ROOT = Path(__file__).resolve().parents[2]
State = Literal["on", "off", "other"]
"""`other` means that the file starts something different from what would be started now."""


class Item(NamedTuple):
    """The file and its content; `link` is the symlink to it that systemd requires."""

    path: Path
    content: bytes
    link: Path | None = None


def start(environment: Mapping[str, str]) -> Start:
    """Return the command that starts this same program again.

    The environment keeps the data folder, and the program's path if it is not installed.
    """
    python = Path(sys.executable)
    windowless = python.with_name("pythonw.exe")
    argv = [
        str(windowless if windowless.exists() else python),
        "-P",
        "-m",
        "bridge.cli.main",
        "companion",
        "--log",
    ]
    kept = {}
    if home := environment.get("HOTSPLICE_HOME"):
        kept["HOTSPLICE_HOME"] = str(Path(os.path.expanduser(home)).absolute())
    if str(_ROOT) not in (*site.getsitepackages(), site.getusersitepackages()):
        kept["PYTHONPATH"] = str(_ROOT)
    return Start(argv, kept)


def item(
    begin: Start,
    environment: Mapping[str, str],
    *,
    system: str = sys.platform,
    home: Path | None = None,
) -> Item:
    """Return the file for a system (named as in `sys.platform`) and the user with folder `home`."""
    home = home or Path.home()
    if system == "darwin":
        return Item(home / "Library" / "LaunchAgents" / f"{LABEL}.plist", entries.plist(begin))
    if system == "win32":
        roaming = Path(environment.get("APPDATA") or home / "AppData" / "Roaming")
        folder = roaming / "Microsoft" / "Windows" / "Start Menu" / "Programs" / "Startup"
        return Item(folder / "Hotsplice.cmd", entries.batch(begin))
    units = Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "systemd" / "user"
    name = "hotsplice.service"
    return Item(units / name, entries.unit(begin), units / "default.target.wants" / name)


def state(here: Item) -> State:
    """Return whether the daemon starts at login."""
    try:
        found = here.path.read_bytes()
    except OSError:
        return "off"
    linked = here.link is None or here.link.exists()
    return "other" if found != here.content else "on" if linked else "off"


def switch_on(here: Item) -> None:
    """Start the daemon from the next login on. Raises Refused(login-refused)."""
    try:
        here.path.parent.mkdir(parents=True, exist_ok=True)
        artifacts.put(here.path, here.content)
        if here.link is not None:
            here.link.parent.mkdir(exist_ok=True)
            point_to(here.path, here.link)
    except OSError as error:
        raise _refused(here, error) from error


def switch_off(here: Item) -> None:
    """Stop starting the daemon at login. Raises Refused(login-refused)."""
    try:
        for path in (here.link, here.path):
            if path is not None:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise _refused(here, error) from error


def _refused(here: Item, error: OSError) -> Refused:
    return Refused("login-refused", path=os.fspath(here.path), detail=error.strerror or str(error))
