"""Codes to words. Messages say what happened, what is safe and what to do; they come from `catalogue.yaml` alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

import yaml

from core.model.failure import Failure


class Words(NamedTuple):
    """What a person reads about one failure."""

    code: str
    title: str
    message: str
    action: str


class _Fields(dict[str, object]):
    """Fields of a message; one that is not known is left out instead of failing the report of a failure."""

    def __missing__(self, key: str) -> str:
        return ""


@lru_cache(maxsize=1)
def entries() -> Mapping[str, Mapping[str, str]]:
    """The catalogue as it is in the file."""
    text = resources.files("core.explain").joinpath("catalogue.yaml").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, str]] = yaml.safe_load(text)
    return loaded


def human_bytes(count: float) -> str:
    """1.2 GB and the like, by thousands as drives are sold."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if abs(count) < (1000 if unit == "bytes" else 999.95):
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def words(code: str, **fields: object) -> Words:
    """The entry for a code, filled in; a code without one is shown as `unknown` with its own name."""
    entry = entries().get(code)
    if entry is None:
        fields, entry = {"detail": code, **fields}, entries()["unknown"]
    for name in ("free", "wanted"):
        if isinstance(fields.get(name), int):
            fields[f"{name}_text"] = human_bytes(float(fields[name]))  # type: ignore[arg-type]
    message = " ".join(entry["message"].format_map(_Fields(fields)).split())
    return Words(code, entry["title"], message, entry["action"])


def title_of(code: str) -> str:
    """The title alone, as it stands on a slate."""
    return words(code).title


def explain(failure: Failure) -> Words:
    """The words for a failure, from its evidence."""
    seen = failure.evidence
    detail = seen.detail
    if seen.frames_wanted is not None and seen.frames_seen is not None and seen.note.startswith("too-"):
        detail = f"{seen.frames_seen} of {seen.frames_wanted}"
    elif seen.stderr and failure.code in ("unknown", "render-unlike"):
        detail = f"({seen.stderr[0][:160]})"
    return words(failure.code, path=seen.path, detail=detail, name=seen.path)
