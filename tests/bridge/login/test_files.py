"""Switching it on and off, in a home of our own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bridge.login import files
from bridge.login.entries import Start
from core.errors.refusal import Refused
from tests.bridge.companions import ROOT

BEGIN = Start(["/usr/bin/python3", "-P"], {})


@pytest.mark.parametrize(
    ("system", "environment", "path"),
    [
        ("darwin", {}, "Library/LaunchAgents/hotsplice.companion.plist"),
        ("linux", {}, ".config/systemd/user/hotsplice.service"),
        (
            "linux",
            {"XDG_CONFIG_HOME": "{home}/elsewhere"},
            "elsewhere/systemd/user/hotsplice.service",
        ),
        (
            "win32",
            {},
            "AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Startup/Hotsplice.cmd",
        ),
        (
            "win32",
            {"APPDATA": "{home}/r"},
            "r/Microsoft/Windows/Start Menu/Programs/Startup/Hotsplice.cmd",
        ),
    ],
)
def test_on_and_off_leave_nothing_behind(tmp_path, system, environment, path):
    environment = {name: value.format(home=tmp_path) for name, value in environment.items()}
    here = files.item(BEGIN, environment, system=system, home=tmp_path)
    assert here.path == tmp_path / path and files.state(here) == "off"
    for _ in range(2):
        files.switch_on(here)
        assert files.state(here) == "on" and here.path.read_bytes() == here.content
    newer = files.item(Start(["/opt/python"], {}), environment, system=system, home=tmp_path)
    assert files.state(newer) == "other"
    files.switch_on(newer)
    assert files.state(newer) == "on"
    for _ in range(2):
        files.switch_off(newer)
        assert files.state(newer) == "off"
    assert not [found for found in tmp_path.rglob("*") if not found.is_dir() or found.is_symlink()]


def test_systemd_is_told_by_a_link_as_its_own_tool_makes_it(tmp_path):
    here = files.item(BEGIN, {}, system="linux", home=tmp_path)
    files.switch_on(here)
    link = tmp_path / ".config/systemd/user/default.target.wants/hotsplice.service"
    assert link.is_symlink() and os.readlink(link) == str(here.path)
    link.unlink()
    assert files.state(here) == "off"


def test_the_data_folder_and_the_program_are_carried_over(tmp_path):
    begin = files.start({"HOTSPLICE_HOME": str(tmp_path / "my films"), "PATH": "x"})
    assert begin.environment == {
        "HOTSPLICE_HOME": str(tmp_path / "my films"),
        "PYTHONPATH": str(ROOT),
    }
    assert begin.argv == [sys.executable, "-P", "-m", "bridge.cli.main", "companion", "--log"]
    assert files.start({}).environment == {"PYTHONPATH": str(ROOT)}


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path):
    (tmp_path / "Library").write_text("in the way")
    here = files.item(BEGIN, {}, system="darwin", home=tmp_path)
    with pytest.raises(Refused) as error:
        files.switch_on(here)
    assert error.value.code == "login-refused" and error.value.fields["path"] == str(here.path)


@pytest.mark.skipif(
    sys.platform in ("darwin", "win32"), reason="its file goes where this system really looks"
)
def test_the_command(tmp_path):
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "HOTSPLICE_HOME": str(tmp_path / "data"),
    }
    environment.pop("XDG_CONFIG_HOME", None)

    def say(word: str) -> str:
        argv = [sys.executable, "-m", "bridge.cli.main", "companion", "--at-login", word]
        done = subprocess.run(argv, capture_output=True, text=True, env=environment, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "does not start" in say("status")
    assert "next session" in say("on")
    assert "starts with your session" in " ".join(say("status").split())
    unit = (tmp_path / ".config/systemd/user/hotsplice.service").read_text()
    assert f'Environment="HOTSPLICE_HOME={tmp_path / "data"}"' in unit
    assert "does not start" in say("off") and "does not start" in say("status")
