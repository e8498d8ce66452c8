"""Content of the file that starts the daemon at login, for each system. Pure.

- launchd: `man launchd.plist`.
- systemd: `man systemd.service` (the colon: the command contains no variables) and
  `man systemd.syntax` (quoting).
- Windows: a batch file in the Startup folder.

The tests verify the systemd unit with systemd itself. The files for launchd and Windows have not
been tried on such a system.
"""

from __future__ import annotations

import plistlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

LABEL = "hotsplice.companion"
_MADE_BY = "Starts Hotsplice's companion with the session. Made, and removed, by: hotsplice companion --at-login on|off"


class Start(NamedTuple):
    """A command, and the variables that its environment must contain."""

    argv: Sequence[str]
    environment: Mapping[str, str]


def plist(start: Start) -> bytes:
    """Return the file for `~/Library/LaunchAgents`.

    launchd restarts the daemon after a crash, but not after exit code 2, which means that another
    daemon is running.
    """
    said: dict[str, object] = {
        "Label": LABEL, "ProgramArguments": list(start.argv), "RunAtLoad": True, "KeepAlive": {"Crashed": True},
        "ExitTimeOut": 30,
    }  # fmt: skip
    if start.environment:
        said["EnvironmentVariables"] = dict(start.environment)
    return plistlib.dumps(said)


def unit(start: Start) -> bytes:
    """Return the unit for systemd's user instance.

    With `mixed`, the daemon interrupts its jobs cleanly before systemd kills them. systemd rejects
    a program path with a quotation mark or a backslash, but accepts it as an argument of another
    program.
    """
    refused = any(sign in start.argv[0] for sign in "\"'\\")
    words = ["/usr/bin/env", *start.argv] if refused else start.argv
    lines = [
        f"# {_MADE_BY}", "[Unit]", "Description=Hotsplice's companion", "", "[Service]",
        *(f"Environment={_quoted(f'{name}={value}')}" for name, value in start.environment.items()),
        "ExecStart=:" + " ".join(_quoted(word) for word in words),
        "Restart=on-failure", "RestartSec=2", "RestartPreventExitStatus=2", "KillMode=mixed", "TimeoutStopSec=30", "",
        "[Install]", "WantedBy=default.target", "",
    ]  # fmt: skip
    return "\n".join(lines).encode()


def _quoted(word: str) -> str:
    for sign, instead in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%"), ("\n", "\\n")):
        word = word.replace(sign, instead)
    return f'"{word}"'


def batch(start: Start) -> bytes:
    """Return the batch file for the Startup folder of Windows.

    Paths on Windows cannot contain quotation marks. Percent signs are doubled.
    """
    words = [word.replace("%", "%%") for word in start.argv]
    lines = [
        "@echo off", f"rem {_MADE_BY.replace('|', ' or ')}", "chcp 65001 >nul",
        *(f'set "{name}={value.replace("%", "%%")}"' for name, value in start.environment.items()),
        'start "" /b ' + " ".join(f'"{word}"' for word in words), "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()
