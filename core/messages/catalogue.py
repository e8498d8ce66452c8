"""The message catalogue: for each code, what happened, what was done, and what the user can do.

The texts come only from `catalogue*.yaml`.
"""

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
"""Fields in bytes, mapped to the fields that hold them as text."""
_OF: Mapping[Language, str] = {"en": "{} of {}", "de": "{} von {}"}
_LONGEST_LINE = 160
"""Maximum number of characters shown of another program's output."""


class Advice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that the user can do. `safe`: nothing can be lost by it, and it can be undone."""

    do: str
    safe: bool


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A catalogue entry as it is in the file, with its fields not filled in."""

    title: str
    message: str
    actions: tuple[Advice, ...]
    did: str = ""


class Action(NamedTuple):
    """A sentence that begins with a verb.

    `safe`: nothing can be lost by it, and it can be undone.
    """

    text: str
    safe: bool


class Words(NamedTuple):
    """The texts about one failure. `did` may be empty; `more` is the place in the manual."""

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
    """Return the catalogue as it is in the file, by code."""
    return msgspec.convert(read(_FILES[language]), dict[str, Entry])


def read(name: str) -> object:
    """Read a YAML file of this folder as plain data, with the fast C parser where available.

    The safe loader creates no other objects, whatever the file asks for.
    """
    text = resources.files("core.messages").joinpath(name).read_text(encoding="utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def words(code: str, language: Language = "en", /, **fields: object) -> Words:
    """Return the entry for a code with its fields filled in.

    A code without an entry is shown as `unknown`, together with the code.
    """
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
    """Return only the title, as it is shown on a slate."""
    return words(code, language).title


_NOT_THE_MEDIA = {"program-fault", "source-not-handled", "source-begins-anew"}


def partly(code: str, *, sound: bool = False) -> str:
    """Return the code for a shot or sound that is partly missing, from the code of its cause.

    The cause is damaged media, media that differs from before, or a fault of ours.
    """
    what = "sound" if sound else "shot"
    if code == "source-unlike-record":
        return f"{what}-unlike-record"
    return f"{what}-partly-made" if code in _NOT_THE_MEDIA else f"{what}-mended"


def explain(failure: Failure, language: Language = "en", **known: object) -> Words:
    """Return the texts for a failure, from its evidence and what else is `known`.

    That can be `shot`, the `source_timecode` and `record_timecode` of the first bad frame, or
    another `detail`.
    """
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
