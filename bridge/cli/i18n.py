"""The words of the grammar in the language of the settings. In the grammar they stand in English, as argparse's own do; both
are looked up here when they are said."""

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
    """A sentence of the grammar or of argparse in the language that is spoken; in English where it has no other words."""
    return text if _spoken.get() == "en" else _german().get(text, text)


@contextmanager
def spoken(language: Language) -> Iterator[None]:
    """Grammars that are made, asked and printed meanwhile speak this language.

    argparse asks `gettext` for its words by these two names of its module. gettext itself knows translations only as files in
    the form of another tool, and by the language of the system, which need not be that of the settings."""
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
