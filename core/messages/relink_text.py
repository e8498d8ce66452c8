"""Missing media in words: what resembles it, and the command that takes a file for it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from core.errors.failure import Lookalike
from core.messages.phrases import phrase
from core.messages.template import Language, middle, shown

_MOST_NAMED = 3
_TAKEN = ("unproven", "named", "other")
"""Files that a person may take for the missing one, the likeliest first."""


def resembling(lookalikes: Sequence[Lookalike], language: Language = "en") -> str:
    """Sentences about the files that resemble a missing one; empty where there are none."""
    said = []
    for how in ("instead", *_TAKEN, "unlike"):
        if paths := [one.path for one in lookalikes if one.how == how]:
            said.append(phrase(f"looks-{how}", language, what=_row(paths, language)))
    return " ".join(said)


def proposed(lookalikes: Sequence[Lookalike]) -> str:
    """The file that a person may take for the missing one; empty where there is none."""
    return next((one.path for how in _TAKEN for one in lookalikes if one.how == how), "")


def taking(path: str, job: str, about: str, language: Language = "en") -> str:
    """The command that takes a file for the missing media of a shot (or of a fault's code), to be pasted into a shell."""
    return phrase("looks-command", language, job=job, about=about, what=_quoted(path))


def _quoted(path: str) -> str:
    """A path as a shell takes it; with characters that are not shown, as bash, zsh and ksh take it."""
    if shown(path) == path:
        return shlex.quote(path)
    return "$'" + shown(path.replace("\\", "\\\\").replace("'", "\\'")) + "'"


def _row(paths: Sequence[str], speak: Language) -> str:
    named = [middle(shown(path)) for path in paths[:_MOST_NAMED]]
    if len(paths) > _MOST_NAMED:
        named.append(phrase("looks-more", speak, count=len(paths) - _MOST_NAMED))
    return f" {phrase('looks-or', speak)} ".join(named)
