"""What a drop asks for: a Submit, made of a timeline's bytes, its name, and a sidecar where there is one. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, NamedTuple

import msgspec

from bridge.protocol.requests import Lacking, Submit
from bridge.protocol.wire import digest
from bridge.watch_folder import names
from core.errors.refusal import Refused

LARGEST_ASK = 32 * 1024
USUAL = ".mov"
"""The ending of a film for which nobody named a preset."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sidecar or a name may say, all in one row: of Submit, and what OTIO lacks. None where it is not said."""

    submission: str | None = None
    output: str | None = None
    preset: str | None = None
    timeline_path: str | None = None
    name: str | None = None
    width: int | None = None
    height: int | None = None
    drop_frame: bool | None = None
    sample_rate: int | None = None
    channels: int | None = None
    project: str | None = None
    editor: str | None = None
    editor_version: str | None = None


KEYS = Wanted.__struct_fields__


class Usual(NamedTuple):
    """Of films whose place nobody named: their folder and how they are coded; `endings` are those of the presets."""

    films: PurePath
    preset: str
    endings: Mapping[str, str]


class Dropped(NamedTuple):
    """A file as it was read: its name and change, the bytes of it and of its sidecar (`ask` names that, `date` is when it was
    changed, in nanoseconds)."""

    name: str
    sight: names.Sight
    timeline: bytes
    ask: str = ""
    beside: bytes = b""
    date: int = 0

    @property
    def mark(self) -> str:
        """The sidecar's, by which a reply knows it again; empty without one."""
        return mark(self.beside, self.date) if self.ask else ""

    @property
    def submission(self) -> str:
        """The name it is submitted under where it brings none: of content, name and date, so the same file is the same."""
        told = hashlib.sha256(self.timeline)
        for part in (
            self.name.encode("utf-8", "surrogateescape"),
            str(self.sight.mtime_ns).encode(),
            self.beside,
        ):
            told.update(hashlib.sha256(part).digest())
        return f"door-{told.hexdigest()[:40]}"


def mark(beside: bytes, date: int) -> str:
    """Of a sidecar: the same only for the same content of the same date."""
    return hashlib.sha256(beside + b"|%d" % date).hexdigest()[:16]


def wanted(drop: Dropped) -> Wanted:
    """What the sidecar says, and for the rest the name. Refused(ask-unclear) with what does not fit."""
    _, by_name = names.said(drop.name, KEYS)
    said: Mapping[str, Any] = by_name
    try:
        if drop.ask:
            said = {**by_name, **_sidecar(drop)}
        asked = msgspec.convert(dict(said), Wanted, strict=False)
        _placed(asked.output)
        return asked
    except (
        ValueError,
        RecursionError,
    ) as error:  # msgspec's own errors and text that is no UTF-8 are such
        detail = _plainly(" ".join(str(error).split()))[:300] or type(error).__name__
        raise Refused("ask-unclear", name=shown(drop.ask or drop.name), detail=detail) from error


def _placed(output: str | None) -> None:
    """A place that is no whole path is a name in the folder of the films, or below it; ValueError for what leads out of it."""
    if output and ".." in PurePath(output).parts and not PurePath(output).is_absolute():
        raise ValueError(
            f'"output" must be a whole path, or a name in the folder of the films without "..", not {output}'
        )


_KINDS = {"int": "a whole number", "bool": "true or false", "str": "text in quotes"}
_UNFIT = re.compile(r"Expected `(\w+)(?: \| null)?`, got `\w+` - at `\$\.(\w+)`")


def _plainly(words: str) -> str:
    """The reader's words about a value, in those of whoever wrote it; all others as they are."""
    unfit = _UNFIT.fullmatch(words)
    return f'"{unfit[2]}" must be {_KINDS.get(unfit[1], unfit[1])}' if unfit else words


def _sidecar(drop: Dropped) -> Mapping[str, Any]:
    if len(drop.beside) > LARGEST_ASK:
        raise ValueError(f"it has more than {LARGEST_ASK} bytes")
    text = drop.beside.decode("utf-8-sig")
    if drop.ask.endswith(names.ASKS[0]):
        found = msgspec.json.decode(text, type=dict[str, Any])
        return {key: value for key, value in found.items() if value is not None}
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        key, equals, value = line.partition("=")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not equals:
            raise ValueError(f"line {number} is not KEY = VALUE")
        found[key.strip()] = value.strip()
    return found


def submit(drop: Dropped, asked: Wanted, *, folder: PurePath, usual: Usual) -> Submit:
    """The request. A film without a place stands in the usual folder under the drop's title, with the ending of its preset; one
    that is only named stands there under that name. Relative media count from `folder` where nothing else is said."""
    title, _ = names.said(drop.name, KEYS)
    preset = asked.preset or ("" if asked.output else usual.preset)
    output = asked.output or shown(title) + usual.endings.get(preset, USUAL)
    lacking = {
        key: value
        for key in Lacking.__struct_fields__
        if (value := getattr(asked, key)) is not None
    }
    return Submit(
        request="drop", submission=asked.submission or drop.submission, output=str(usual.films / output), preset=preset,
        sha256=digest(drop.timeline), timeline_path=asked.timeline_path or str(folder / shown(title + names.ENDING)),
        lacking=Lacking(**lacking),
    )  # fmt: skip


def shown(name: str) -> str:
    """A name as text: bytes in it that are none become question marks."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
