"""`hotsplice tray` where it cannot be: words, and exit code 2. Other commands do not notice."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.bridge.companions import ROOT

BLOCKED = """
import sys
from importlib.abc import MetaPathFinder
class Without(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "PySide6" and (WHOLE or name == "PySide6.QtGui"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name) if WHOLE else ImportError("libEGL.so.1: cannot open shared object file")
WHOLE = sys.argv[1] == "whole"
sys.meta_path.insert(0, Without())
if WHOLE:
    import importlib.util
    find = importlib.util.find_spec
    importlib.util.find_spec = lambda name, package=None: None if name == "PySide6" else find(name, package)
from bridge.cli.main import main
sys.exit(main(sys.argv[2:]))
"""


def run(tmp_path, how: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "HOTSPLICE_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(ROOT),
        "QT_QPA_PLATFORM": "offscreen",
    }
    argv = [sys.executable, "-c", BLOCKED, how, *words]
    return subprocess.run(
        argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_without_the_extra_it_says_what_to_install(tmp_path):
    done = run(tmp_path, "whole", "tray")
    assert done.returncode == 2, done
    assert (
        "pip install 'hotsplice[tray]'" in done.stdout.replace("\n", " ")
        and "Traceback" not in done.stderr
    )
    assert run(tmp_path, "whole", "jobs").returncode == 0


def test_without_a_library_of_the_system_it_says_which(tmp_path):
    pytest.importorskip("PySide6")
    done = run(tmp_path, "part", "tray")
    assert (
        done.returncode == 2
        and "PySide6.QtGui" in done.stdout
        and "apt install" in done.stdout.replace("\n", " ")
    )
