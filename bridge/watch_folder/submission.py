"""Builds the Submit request of a drop from its timeline, name and sidecar. Pure."""

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
"""Extension of a film when no preset is given."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All keys that a sidecar or a name may set: fields of Submit, and values that OTIO lacks.

    None means that the key is not set.
    """

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
    """Defaults for films without a path: their folder and preset.

    `endings` maps presets to the file extensions of their films.
    """

    films: PurePath
    preset: str
    endings: Mapping[str, str]


class Dropped(NamedTuple):
    """A drop as read from disk: name, file state, and the bytes of timeline and sidecar.

    `ask` is the name of the sidecar, and `date` its modification time in nanoseconds.
    """

    name: str
    sight: names.Sight
    timeline: bytes
    ask: str = ""
    beside: bytes = b""
    date: int = 0

    @property
    def mark(self) -> str:
        """Return the sidecar's fingerprint, which a reply stores, or "" without a sidecar."""
        return mark(self.beside, self.date) if self.ask else ""

    @property
    def submission(self) -> str:
        """Return the submission name for a drop that does not set one.

        It derives from content, name and modification time, so that the same file is the same
        submission.
        """
        told = hashlib.sha256(self.timeline)
        for part in (
            self.name.encode("utf-8", "surrogateescape"),
            str(self.sight.mtime_ns).encode(),
            self.beside,
        ):
            told.update(hashlib.sha256(part).digest())
        return f"door-{told.hexdigest()[:40]}"


def mark(beside: bytes, date: int) -> str:
    """Return the fingerprint of a sidecar: equal only for equal content and modification time."""
    return hashlib.sha256(beside + b"|%d" % date).hexdigest()[:16]


def wanted(drop: Dropped) -> Wanted:
    """Merge the keys of the sidecar with those of the name; the sidecar takes precedence.

    Raises Refused(ask-unclear) with the key that is wrong.
    """
    _, by_name = names.said(drop.name, KEYS)
    said: Mapping[str, Any] = by_name
    try:
        if drop.ask:
            said = {**by_name, **_sidecar(drop)}
        asked = msgspec.convert(dict(said), Wanted, strict=False)
        _placed(asked.output)
        return asked
    except (ValueError, RecursionError) as error:
        # This covers msgspec's errors and text that is not UTF-8.
        detail = _plainly(" ".join(str(error).split()))[:300] or type(error).__name__
        raise Refused("ask-unclear", name=shown(drop.ask or drop.name), detail=detail) from error


def _placed(output: str | None) -> None:
    """Check the film's path. Raises ValueError when a relative path leads out of the film folder.

    A path that is not absolute is a name in the film folder or below it.
    """
    if output and ".." in PurePath(output).parts and not PurePath(output).is_absolute():
        raise ValueError(
            f'"output" must be a whole path, or a name in the folder of the films without "..", not {output}'
        )


_KINDS = {"int": "a whole number", "bool": "true or false", "str": "text in quotes"}
_UNFIT = re.compile(r"Expected `(\w+)(?: \| null)?`, got `\w+` - at `\$\.(\w+)`")


def _plainly(words: str) -> str:
    """Rephrase a type error of the decoder for the author of the file; keep any other message."""
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
    """Build the request.

    A film without a path gets the drop's title in the default folder, with the extension of its
    preset. A relative path is relative to the default folder. Relative media paths are relative to
    `folder` unless `timeline_path` is set.
    """
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
    """Return a file name as text; bytes that are not valid text become question marks."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
