"""What the file says that starts a companion with the session, on each system. Pure.

launchd: `man launchd.plist`. systemd: `man systemd.service` (a colon: nothing in the command is a variable), `man systemd.syntax`
(quoting). Windows: a batch file in the start-up folder. What systemd makes of the second is tested with systemd itself; the
first and the last have not been tried on such a system.
"""

from __future__ import annotations

import plistlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

LABEL = "hotsplice.companion"
_MADE_BY = "Starts Hotsplice's companion with the session. Made, and removed, by: hotsplice companion --at-login on|off"


class Start(NamedTuple):
    """A command, and what must be in its environment."""

    argv: Sequence[str]
    environment: Mapping[str, str]


def plist(start: Start) -> bytes:
    """For `~/Library/LaunchAgents`. Started again after a crash; not when another companion runs already (exit code 2)."""
    said: dict[str, object] = {
        "Label": LABEL, "ProgramArguments": list(start.argv), "RunAtLoad": True, "KeepAlive": {"Crashed": True},
        "ExitTimeOut": 30,
    }  # fmt: skip
    if start.environment:
        said["EnvironmentVariables"] = dict(start.environment)
    return plistlib.dumps(said)


def unit(start: Start) -> bytes:
    """For systemd's user instance. `mixed`: the companion interrupts its jobs in order before they are ended. A program whose
    path has a quotation mark or a backslash is refused there, but not as somebody's argument."""
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
    """For the start-up folder of Windows. A path cannot hold a quotation mark there, and a percent sign is doubled."""
    words = [word.replace("%", "%%") for word in start.argv]
    lines = [
        "@echo off", f"rem {_MADE_BY.replace('|', ' or ')}", "chcp 65001 >nul",
        *(f'set "{name}={value.replace("%", "%%")}"' for name, value in start.environment.items()),
        'start "" /b ' + " ".join(f'"{word}"' for word in words), "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()
