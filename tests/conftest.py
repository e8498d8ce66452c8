"""What holds for every test: the words are English wherever it is run, unless a test chooses otherwise."""

from __future__ import annotations

import compileall
import importlib
import os
import tempfile
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["XDG_STATE_HOME"] = str(
    Path(tempfile.gettempdir(), f"hotsplice-tests-{os.getpid()}")
)  # records of data folders on drives


def _toolkit() -> str:
    """Why the display cannot be tested here; empty where it can. Its plugin would end every test where a library is missing."""
    try:
        for part in ("QtWidgets", "QtNetwork", "QtTest"):
            importlib.import_module(f"PySide6.{part}")
        importlib.import_module("pytestqt.plugin")
    except ImportError as error:
        return f"the display cannot be loaded: {error}"
    return ""


NO_TOOLKIT = _toolkit()
pytest.register_assert_rewrite("tests.core.job.playbook", "tests.core.props", "tests.core.studio")
pytest_plugins = [] if NO_TOOLKIT else ["pytestqt.plugin"]


def pytest_configure() -> None:
    """The programs that tests start find their byte code, as installed ones do, also where Python is told to write none."""
    for package in ("core", "bridge", "otio_adapters"):
        compileall.compile_dir(Path(__file__).parents[1] / package, quiet=2)


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """The language of messages alone: encodings of names stay those of the machine."""
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.setenv("LC_MESSAGES", "C")
