"""Translates advice for the command line into advice for the window. Pure.

Where the advice names a command, the window has a button or a setting. The catalogue's advice has
no placeholders, so it arrives verbatim. `words.yaml` holds each pair as `said-…` and `press-…`. A
test checks the whole catalogue for commands that remain.
"""

from __future__ import annotations

from bridge.tray.words import say, words
from core.messages.template import LANGUAGES

_SAID, _PRESS = "said-", "press-"


def advice(text: str) -> str:
    """Return the advice for a user of the window.

    Each advice keeps its own language: the daemon may still use another one than the window.
    """
    for name in words():
        if name.startswith(_SAID):
            for language in LANGUAGES:
                text = text.replace(
                    say(name, language), say(_PRESS + name.removeprefix(_SAID), language)
                )
    return text
