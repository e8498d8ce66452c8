"""Advice of the command line's world in the window's: what is a command there is a button or a setting here. Pure.

The catalogue's advice has no holes, so it arrives word for word; what stands for its commands is in `words.yaml`, each pair as
`said-…` and `press-…`. A test goes through the whole catalogue and finds what would be left.
"""

from __future__ import annotations

from bridge.tray.words import say, words
from core.messages.template import LANGUAGES

_SAID, _PRESS = "said-", "press-"


def advice(text: str) -> str:
    """The same advice for who has the window before him, in its own language: the companion may still speak another one."""
    for name in words():
        if name.startswith(_SAID):
            for language in LANGUAGES:
                text = text.replace(
                    say(name, language), say(_PRESS + name.removeprefix(_SAID), language)
                )
    return text
