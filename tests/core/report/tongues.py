"""Which words of a text are English: those that our English sentences and messages have and our German ones have not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from core.messages import catalogue
from core.messages.phrases import Forms, phrases
from core.messages.template import Language

ALWAYS = frozenset(
    [
        "shot",
        "shots",
        "frame",
        "frames",
        "checkpoint",
        "checkpoints",
        "the",
        "of",
        "and",
        "with",
        "job",
        "jobs",
    ]
)
"""English beyond doubt: should a German sentence take one in, it is found here all the same."""
_NO_WORD = re.compile(
    r"\{\w+\}|\S*[/\\]\S*|\b\w+(?:[-_.]\w+)+\b|\bhotsplice [a-z]+|--\w+|\b[A-Z]{2,}\b"
)
"""Fields, paths, codes and names with dots, commands, their switches and what they TAKE: alike in every language."""
_WORD = re.compile(r"\b[^\W\d_]+\b")


def english_in(text: str, *, names: Iterable[str] = ()) -> set[str]:
    """The English words of a text; `names` in it are nobody's language."""
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, " ") if name else text
    return _words(text) & _english()


@lru_cache(maxsize=1)
def _english() -> frozenset[str]:
    said = {language: _words(" ".join(_all(language))) for language in ("en", "de")}
    return frozenset(said["en"] - said["de"]) | ALWAYS


def _all(language: Language) -> Iterator[str]:
    for one in phrases().values():
        said = getattr(one, language)
        yield from (said.one, said.other) if isinstance(said, Forms) else (said,)
    for entry in catalogue.entries(language).values():
        yield from (entry.title, entry.message, entry.did, *(action.do for action in entry.actions))


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(_NO_WORD.sub(" ", text)) if len(word) > 1}
