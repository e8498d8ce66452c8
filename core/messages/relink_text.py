"""Texts about missing media: which files resemble it, and the command that uses one of them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from core.errors.failure import Lookalike
from core.messages.phrases import phrase
from core.messages.template import Language, middle, shown

_MOST_NAMED = 3
_TAKEN = ("unproven", "named", "other")
"""Kinds of files that can be used for the missing one, likeliest first."""


def resembling(lookalikes: Sequence[Lookalike], language: Language = "en") -> str:
    """Return sentences about the files that resemble a missing one; empty if there are none."""
    said = []
    for how in ("instead", *_TAKEN, "unlike"):
        if paths := [one.path for one in lookalikes if one.how == how]:
            said.append(phrase(f"looks-{how}", language, what=_row(paths, language)))
    return " ".join(said)


def proposed(lookalikes: Sequence[Lookalike]) -> str:
    """Return the file that could be used for the missing one; empty if there is none."""
    return next((one.path for how in _TAKEN for one in lookalikes if one.how == how), "")


def taking(path: str, job: str, about: str, language: Language = "en") -> str:
    """Return a shell command that uses a file for the missing media of a shot or a fault code."""
    return phrase("looks-command", language, job=job, about=about, what=_quoted(path))


def _quoted(path: str) -> str:
    """Quote a path for the shell; unprintable characters need `$'...'` of bash, zsh and ksh."""
    if shown(path) == path:
        return shlex.quote(path)
    return "$'" + shown(path.replace("\\", "\\\\").replace("'", "\\'")) + "'"


def _row(paths: Sequence[str], speak: Language) -> str:
    named = [middle(shown(path)) for path in paths[:_MOST_NAMED]]
    if len(paths) > _MOST_NAMED:
        named.append(phrase("looks-more", speak, count=len(paths) - _MOST_NAMED))
    return f" {phrase('looks-or', speak)} ".join(named)
