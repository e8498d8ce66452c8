"""The window on no screen at all. Where the toolkit or a library of the system is missing, `test_qt_*` are skipped, and say why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import NO_TOOLKIT


class _LeftOut(pytest.Item):
    def runtest(self) -> None:
        pytest.skip(NO_TOOLKIT)


class _Module(pytest.File):
    """A module of tests that cannot even be imported."""

    def collect(self) -> Iterator[pytest.Item]:
        yield _LeftOut.from_parent(self, name=self.path.stem)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Iterator[None]:
    """In place of such a module one test that says why it is not run."""
    if NO_TOOLKIT and file_path.name.startswith("test_qt_"):
        return (yield) and [_Module.from_parent(parent, path=file_path)]  # type: ignore[return-value]
    return (yield)


@pytest.fixture
def display(qapp: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Displays whose line to the companion only notes what is asked."""
    from PySide6.QtCore import QEvent

    from tests.bridge.tray.displays import made

    open_: list[Any] = []

    def one(**options: Any) -> Any:
        open_.append(made(qapp, tmp_path, **options))
        return open_[-1]

    yield one
    for shown in open_:
        shown.window.close()
        shown.window.deleteLater()
        shown.deleteLater()  # with its timers, which would draw a window that is gone
    # Without this every window of the tests before is dressed and drawn again in each test that follows.
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
