"""The menu script by itself: the oldest Python it may meet, what it finds, and how it answers the hand."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import platformdirs.macos
import platformdirs.unix
import platformdirs.windows
import pytest

from tests.fake_resolve.running import SCRIPT, pythons

TEXT = SCRIPT.read_text(encoding="utf-8")
OLDEST = (3, 6)


@pytest.fixture
def script() -> dict[str, Any]:
    """Its functions, without running it."""
    head, main, rest = TEXT.rpartition("\nmain()\n")
    assert main and not rest
    names: dict[str, Any] = {"__name__": "script"}
    exec(compile(head, str(SCRIPT), "exec"), names)
    return names


def test_its_name_is_what_the_menu_shows():
    assert SCRIPT.name == "Hotsplice - Assemble Timeline.py"


def test_it_is_written_in_the_oldest_python_that_resolve_takes():
    ast.parse(TEXT, feature_version=OLDEST)
    assert "from __future__ import annotations" not in TEXT


@pytest.mark.parametrize("python", pythons())
def test_it_runs_in_every_python_there_is(python, tmp_path):
    environment = {**os.environ, "HOTSPLICE_HOME": str(tmp_path)}
    done = subprocess.run(
        [python, "-S", "-E", str(SCRIPT)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and not done.stderr
    assert done.stdout.startswith(
        f"Hotsplice was not found for this user: {tmp_path / 'program.json'} does not exist."
    )


@pytest.mark.parametrize(
    ("system", "kind"),
    [
        ("linux", platformdirs.unix.Unix),
        ("darwin", platformdirs.macos.MacOS),
        ("win32", platformdirs.windows.Windows),
    ],
)
def test_the_data_folder_is_the_companions(script, system, kind, monkeypatch, tmp_path):
    monkeypatch.delenv("HOTSPLICE_HOME", raising=False)
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.setattr(
        platformdirs.windows, "get_win_folder", platformdirs.windows.get_win_folder_from_env_vars
    )
    theirs = kind("Hotsplice", appauthor=False).user_data_dir
    assert Path(script["data_folder"](os.environ, system)) == Path(theirs.replace("\\", "/"))


def test_the_data_folder_can_be_chosen(script, tmp_path):
    assert script["data_folder"]({"HOTSPLICE_HOME": str(tmp_path)}, "linux") == str(tmp_path)
    monkey = {"HOTSPLICE_HOME": os.path.join("~", "x")}
    assert script["data_folder"](monkey, "linux") == os.path.expanduser("~/x")


@pytest.mark.parametrize(
    "text",
    [None, "", "{", "[]", "null", "{}", '{"python": "/p"}', '{"python": "/p", "path": 3}', "\xff"],
)
def test_a_file_that_says_nothing_is_as_none(script, tmp_path, text):
    if text is not None:
        (tmp_path / "program.json").write_text(text, encoding="latin-1")
    assert script["program"](str(tmp_path)) is None


def test_the_hand_is_started_as_the_file_says(script, tmp_path):
    (tmp_path / "program.json").write_text(
        json.dumps({"python": "/ä/python", "path": ["/a", "/b"], "version": "1"}), encoding="utf-8"
    )
    assert script["program"](str(tmp_path)) == (
        ["/ä/python", "-P", "-m", "bridge.resolve.main"],
        ["/a", "/b"],
    )


def test_what_resolve_says_of_its_own_python_does_not_reach_the_hand(script):
    given = {
        "LD_LIBRARY_PATH": "/opt/resolve/libs",
        "DYLD_INSERT_LIBRARIES": "x",
        "PATH": "/bin",
        "PYTHONHOME": "/r",
        "PYTHONPATH": "/r",
        "__PYVENV_LAUNCHER__": "/r",
        "HOTSPLICE_HOME": "/h",
    }
    assert script["environment_for"](["/a", "/b"], given) == {
        "PATH": "/bin",
        "HOTSPLICE_HOME": "/h",
        "PYTHONPATH": f"/a{os.pathsep}/b",
    }


class Object:
    """Has what a test gives it; everything else is None."""

    def __init__(self, **has: Any) -> None:
        self.__dict__.update(has)

    def __getattr__(self, name: str) -> None:
        return None


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ({"call": ["o", "Double"], "with": [4]}, {"got": 8}),
        ({"call": ["o", "Double"], "with": [{"constant": ["o", "SEVEN"]}]}, {"got": 14.0}),
        ({"call": ["o", "Double"], "with": [{"constant": ["o", "EIGHT"]}]}, {"missing": True}),
        ({"call": ["o", "NoSuch"]}, {"missing": True}),
        ({"call": ["o", "SEVEN"]}, {"missing": True}),
        ({"call": ["nobody", "Double"]}, {"failed": "KeyError: 'nobody'"}),
        ({"call": ["o", "Break"]}, {"failed": "RuntimeError: inside"}),
        ({"call": ["o", "Double"], "with": []}, {"failed": "TypeError: "}),
        ({"call": ["o", "Same"], "with": ["x"], "keep": "kept"}, {"got": True}),
        ({"call": ["o", "Same"], "with": [None], "keep": "kept"}, {"got": False}),
    ],
)
def test_a_call_is_answered_whatever_comes_of_it(script, order, told):
    def broken() -> None:
        raise RuntimeError("inside")

    def double(x: float) -> float:
        return 2 * x

    objects = {"o": Object(Double=double, Same=lambda x: x, Break=broken, SEVEN=7.0)}
    said = script["answer"](order, objects)
    assert said == told or said["failed"].startswith(told["failed"])
    assert ("kept" in objects) == ("keep" in order)


def test_a_constant_of_an_object_that_is_not_held_is_told(script):
    assert "failed" in script["answer"](
        {"call": ["o", "Double"], "with": [{"constant": ["nobody", "X"]}]}, {"o": Object()}
    )


def test_a_line_that_the_console_cannot_show_is_shown_as_it_can(script, monkeypatch):
    class Narrow:
        said = b""

        def write(self, text: str) -> None:
            self.said += text.encode("cp1252")

    narrow = Narrow()
    monkeypatch.setattr(sys, "stdout", narrow)
    script["say"]("→ fertig")
    assert narrow.said == b"\\u2192 fertig\n"
