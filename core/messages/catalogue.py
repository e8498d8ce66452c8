"""Codes to words: what happened, what was done about it, what a person can do. They come from `catalogue*.yaml` alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

import msgspec
import yaml

from core.errors.failure import Failure
from core.messages.template import Language, fill, human_bytes

_FILES: Mapping[Language, str] = {"en": "catalogue.yaml", "de": "catalogue.de.yaml"}
_SIZES = {"free": "free_text", "wanted": "wanted_text", "memory": "memory_text"}
"""Fields in bytes, and the fields that they stand as in a sentence."""
_OF: Mapping[Language, str] = {"en": "{} of {}", "de": "{} von {}"}
_LONGEST_LINE = 160
"""Characters of a program's own words that are shown."""


class Advice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something a person can do. `safe`: nothing can be lost by it, and it can be undone."""

    do: str
    safe: bool


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry as it stands in the file; fields are not filled in."""

    title: str
    message: str
    actions: tuple[Advice, ...]
    did: str = ""


class Action(NamedTuple):
    """A sentence that begins with a verb. `safe`: nothing can be lost by it, and it can be undone."""

    text: str
    safe: bool


class Words(NamedTuple):
    """What a person reads about one failure. `did` may be empty; `more` is where the manual speaks of it."""

    code: str
    title: str
    message: str
    did: str
    actions: tuple[Action, ...]
    more: str

    @property
    def action(self) -> str:
        """The best thing to do."""
        return self.actions[0].text


@lru_cache(maxsize=len(_FILES))
def entries(language: Language = "en") -> Mapping[str, Entry]:
    """The catalogue as it is in the file, by code."""
    return msgspec.convert(read(_FILES[language]), dict[str, Entry])


def read(name: str) -> object:
    """A YAML file of this folder. Plain data only, whatever the file asks for; the fast parser where there is one."""
    text = resources.files("core.messages").joinpath(name).read_text(encoding="utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def words(code: str, language: Language = "en", /, **fields: object) -> Words:
    """The entry for a code, filled in; a code without one is shown as `unknown` with its own name."""
    known = entries(language)
    entry = known.get(code)
    if entry is None:
        fields, entry = (
            {**fields, "detail": " ".join(filter(None, (code, str(fields.get("detail") or ""))))},
            known["unknown"],
        )
    for size, text in _SIZES.items():
        count = fields.get(size)
        if isinstance(count, int | float):
            fields[text] = human_bytes(count, language)
    return Words(
        code=code,
        title=entry.title,
        message=fill(entry.message, fields),
        did=fill(entry.did, fields),
        actions=tuple(Action(fill(one.do, fields), one.safe) for one in entry.actions),
        more=f"docs/errors.md#{code if code in known else 'unknown'}",
    )


def title_of(code: str, language: Language = "en") -> str:
    """The title alone, as it stands on a slate."""
    return words(code, language).title


_NOT_THE_MEDIA = {"program-fault", "source-not-handled", "source-begins-anew"}


def partly(code: str, *, sound: bool = False) -> str:
    """The code for what is missing in part, by the code of its cause: damage of the media, media that is another than before,
    or a fault of ours."""
    what = "sound" if sound else "shot"
    if code == "source-unlike-record":
        return f"{what}-unlike-record"
    return f"{what}-partly-made" if code in _NOT_THE_MEDIA else f"{what}-mended"


def explain(failure: Failure, language: Language = "en", **known: object) -> Words:
    """The words for a failure, from its evidence and from what else is known: `shot`, the `source_timecode` and
    `record_timecode` of the first bad frame, another `detail`."""
    seen = failure.evidence
    detail = seen.detail
    if (
        seen.frames_wanted is not None
        and seen.frames_seen is not None
        and seen.note.startswith("too-")
    ):
        detail = _OF[language].format(seen.frames_seen, seen.frames_wanted)
    elif seen.stderr and failure.code in ("unknown", "render-unlike"):
        detail = f"({seen.stderr[0][:_LONGEST_LINE]})"
    drive = seen.volume if seen.note == "volume-gone" and seen.volume != "/" else ""
    fields = {
        "path": seen.path,
        "drive": drive,
        "detail": detail,
        "free": seen.free_bytes,
        "memory": seen.free_memory_bytes,
    }
    return words(failure.code, language, **{**fields, **known})
