"""A display without a companion: what it is told is told by hand, and what it asks is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QApplication

from bridge.protocol.requests import Message
from bridge.tray.app import dress
from bridge.tray.link import Linked
from bridge.tray.presenter import Presenter
from core.messages.template import Language

PRESETS = {"prores-hq": ".mov", "h264": ".mp4"}


class Display(Presenter):
    """`posted` is what was asked, `begun` how often a companion was wanted."""

    posted: list[tuple[Message, bytes | None]]

    def hear(self, *said: Any) -> None:
        """Hear this, and show it."""
        for one in said:
            self._hear(one)
        self.draw()

    def asked(self, kind: type[Message]) -> list[Any]:
        """Requests of a kind."""
        return [message for message, _ in self.posted if isinstance(message, kind)]


def made(
    app: QApplication,
    home: Path,
    *,
    language: Language = "en",
    tray: bool = False,
    said: tuple[Any, ...] = (),
) -> Display:
    """A display that has heard this, with its window open."""
    dress(app)
    posted: list[tuple[Message, bytes | None]] = []
    shown = Display(home, "test", lambda: None, PRESETS, language, tray=tray)
    shown.posted = posted
    shown.link.post = lambda message, timeline=None: posted.append((message, timeline))  # type: ignore[method-assign]
    shown.wishes._post_it = shown.link.post
    shown.hear(Linked("here"), *said)
    shown.window.show()
    app.processEvents()
    shown.draw()
    app.processEvents()
    return shown
