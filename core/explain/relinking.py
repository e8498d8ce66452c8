"""Missing media in words: what resembles it, the command that takes a file for it, and what was found again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from core.explain import catalogue
from core.explain.catalogue import Words
from core.explain.filling import Language, decimal, human_bytes, middle, shown
from core.explain.phrases import phrase
from core.model.failure import Lookalike
from core.model.film import Remark

_MOST_NAMED = 3
_TAKEN = ("unproven", "named", "other")
"""Files that a person may take for the missing one, the likeliest first."""


def remark_words(remark: Remark, language: Language = "en") -> Words:
    """The catalogue's words for a remark, with its fields: sizes in bytes and numbers as the language writes them, and how a
    file was recognised."""
    fields: dict[str, object] = {"name": remark.text, **remark.fields}
    for size in ("read", "compared"):
        if size in fields:
            fields[size] = human_bytes(float(str(fields[size])), language)
    fields |= {key: decimal(value, language) for key, value in remark.fields.items() if isinstance(value, float)}
    if remark.code == "source-relinked" and remark.fields:
        fields["how"] = _how(remark, fields, language)
    return catalogue.words(remark.code, language, **fields)


def _how(remark: Remark, fields: dict[str, object], speak: Language) -> str:
    match remark.fields.get("how"):
        case "listed":
            how = phrase("found-listed", speak, path=fields["history"])
        case "compared":
            how = phrase("found-compared", speak, size=fields["compared"])
        case _:
            how = phrase("found-same", speak)
    copies = int(remark.fields.get("copies", 1))
    return how + phrase("found-nearest", speak, count=copies) if copies > 1 else how


def resembling(lookalikes: Sequence[Lookalike], language: Language = "en") -> str:
    """Sentences about the files that resemble a missing one; empty where there are none."""
    said = []
    for how in ("instead", *_TAKEN, "unlike"):
        paths = [one.path for one in lookalikes if one.how == how]
        if not paths:
            continue
        files = _row(paths, language)
        match how:
            case "instead":
                said.append(phrase("looks-instead", language, what=files))
            case "unproven":
                said.append(phrase("looks-unproven", language, what=files))
            case "named":
                said.append(phrase("looks-named", language, what=files))
            case "other":
                said.append(phrase("looks-other", language, what=files))
            case _:
                said.append(phrase("looks-unlike", language, what=files))
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
