"""Translation of command-line texts into the language of the settings.

The parser and argparse hold their texts in English; both are translated when they are printed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from importlib import resources

from core.messages.template import Language

_spoken: ContextVar[Language] = ContextVar("spoken", default="en")


def say(text: str) -> str:
    """Translate a text of the parser or of argparse; English is the fallback."""
    return text if _spoken.get() == "en" else _german().get(text, text)


@contextmanager
def spoken(language: Language) -> Iterator[None]:
    """Use `language` for all parsers that are created, called and printed inside the context.

    argparse translates its texts with `gettext`, through these two names of its module. gettext
    itself only knows translations as files in its own format, chosen by the system's language,
    which may differ from that of the settings.
    """
    ours = {"_": say, "ngettext": lambda one, many, count: say(one if count == 1 else many)}
    before = {name: vars(argparse)[name] for name in ours}
    token = _spoken.set(language)
    vars(argparse).update(ours)
    try:
        yield
    finally:
        vars(argparse).update(before)
        _spoken.reset(token)


@lru_cache(maxsize=1)
def _german() -> Mapping[str, str]:
    import msgspec
    import yaml

    text = resources.files("bridge.cli").joinpath("grammar.de.yaml").read_text(encoding="utf-8")
    return msgspec.convert(
        yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), dict[str, str]
    )
