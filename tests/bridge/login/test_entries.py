"""The files that start a companion with the session, for all three systems on any, and systemd's own word on its one."""

from __future__ import annotations

import os
import plistlib
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from bridge.login import entries
from bridge.login.entries import Start

PLAIN = Start(
    ["/opt/hot splice/bin/python", "-P", "-m", "bridge.cli.main", "companion", "--log"],
    {"HOTSPLICE_HOME": "/data/my films"},
)
ODD = "/a b/50% \"c\" $HOME \\d 'e' ü"
"""What a folder may be called on a system that allows everything."""

PLIST = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>EnvironmentVariables</key>
	<dict>
		<key>HOTSPLICE_HOME</key>
		<string>/data/my films</string>
	</dict>
	<key>ExitTimeOut</key>
	<integer>30</integer>
	<key>KeepAlive</key>
	<dict>
		<key>Crashed</key>
		<true/>
	</dict>
	<key>Label</key>
	<string>hotsplice.companion</string>
	<key>ProgramArguments</key>
	<array>
		<string>/opt/hot splice/bin/python</string>
		<string>-P</string>
		<string>-m</string>
		<string>bridge.cli.main</string>
		<string>companion</string>
		<string>--log</string>
	</array>
	<key>RunAtLoad</key>
	<true/>
</dict>
</plist>
"""

UNIT = """\
# Starts Hotsplice's companion with the session. Made, and removed, by: hotsplice companion --at-login on|off
[Unit]
Description=Hotsplice's companion

[Service]
Environment="HOTSPLICE_HOME=/data/my films"
ExecStart=:"/opt/hot splice/bin/python" "-P" "-m" "bridge.cli.main" "companion" "--log"
Restart=on-failure
RestartSec=2
RestartPreventExitStatus=2
KillMode=mixed
TimeoutStopSec=30

[Install]
WantedBy=default.target
"""

BATCH = """\
@echo off
rem Starts Hotsplice's companion with the session. Made, and removed, by: hotsplice companion --at-login on or off
chcp 65001 >nul
set "HOTSPLICE_HOME=D:\\Filme & 50%% Größe"
start "" /b "C:\\Program Files\\Hotsplice\\pythonw.exe" "-P" "-m" "bridge.cli.main" "companion" "--log"
"""


def test_launchd():
    assert entries.plist(PLAIN).decode() == PLIST
    odd = plistlib.loads(entries.plist(Start([ODD, "&<>"], {"A": ODD})))
    assert (odd["ProgramArguments"], odd["EnvironmentVariables"]) == ([ODD, "&<>"], {"A": ODD})
    assert "EnvironmentVariables" not in plistlib.loads(entries.plist(Start(["x"], {})))


def test_systemd():
    assert entries.unit(PLAIN).decode() == UNIT


def test_systemd_refuses_some_paths_of_programs_but_not_as_arguments():
    assert (
        'ExecStart=:"/usr/bin/env" "/a\\"b/p" "x"'
        in entries.unit(Start(['/a"b/p', "x"], {})).decode()
    )
    assert "/usr/bin/env" not in entries.unit(Start(["/a b/p", '"'], {})).decode()


def test_windows():
    words = [
        "C:\\Program Files\\Hotsplice\\pythonw.exe",
        "-P",
        "-m",
        "bridge.cli.main",
        "companion",
        "--log",
    ]
    made = entries.batch(Start(words, {"HOTSPLICE_HOME": "D:\\Filme & 50% Größe"}))
    assert made.decode().split("\r\n") == BATCH.split("\n")


def test_what_systemd_would_start_is_what_was_meant():
    """Its quoting is near enough to a shell's to be read back by one, where no sign of its own is in it."""
    unit = entries.unit(Start(["/a b/p", 'c"d', "e\\f"], {})).decode()
    (line,) = [line for line in unit.splitlines() if line.startswith("ExecStart=:")]
    assert shlex.split(line.removeprefix("ExecStart=:")) == ["/a b/p", 'c"d', "e\\f"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd is installed here")
@pytest.mark.parametrize(
    "folder", ["plain", "with space", "50% $HOME", "qu\"ote's", "back\\slash", "größe"]
)
def test_systemd_finds_nothing_wrong_and_the_program_where_it_is(tmp_path: Path, folder: str):
    """The program is looked for by systemd: a path that is quoted wrongly is not found."""
    program = tmp_path / folder / "python"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "hotsplice.service"
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}

    def verdict() -> str:
        command = ["systemd-analyze", "verify", "--user", "--man=no", str(unit)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
        return "\n".join(
            line for line in (done.stdout + done.stderr).splitlines() if "hotsplice" in line
        )

    unit.write_bytes(entries.unit(Start([str(program), "-P", ODD], {"HOTSPLICE_HOME": ODD})))
    assert verdict() == ""
    if "/usr/bin/env" not in unit.read_text():
        program.unlink()
        assert "not executable" in verdict() or "No such file" in verdict(), "it looks"
