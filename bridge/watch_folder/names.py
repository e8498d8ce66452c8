"""The meaning of file names in a watch folder: drops, replies and sidecars. Pure."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable
from typing import NamedTuple
from urllib.parse import unquote

import msgspec

ENDING = ".otio"
OTHERS = (".xml", ".fcpxml", ".edl", ".aaf", ".drt", ".otioz", ".ale")
"""Timelines of other kinds.

A user most likely dropped them deliberately, so they are refused with an explanation. All other
files are ignored: the folder may be a desktop.
"""
ASKS = (".ask.json", ".ask.txt")
"""Endings of a sidecar, appended to the timeline's whole name. The first existing one counts."""
JSON, LUA = ".reply.json", ".reply.lua"
DONE, REFUSED = "done", "refused"
"""Subfolders of the inbox for answered timelines."""
SIGN = "~"
"""Precedes each `key=value` in a name."""
LONGEST = 255
"""Maximum length of a name in bytes, the limit of all common file systems."""


class Drop(NamedTuple):
    """A file that requests a film, and the name of its sidecar, if there is one."""

    name: str
    ask: str = ""


def drops(names: Collection[str]) -> list[Drop]:
    """Return the timelines of all kinds in a listing, without hidden files, in order."""
    there = set(names)
    found = []
    for name in sorted(there):
        if name.startswith(".") or not name.lower().endswith((ENDING, *OTHERS)):
            continue
        found.append(Drop(name, next((name + ask for ask in ASKS if name + ask in there), "")))
    return found


def replies(names: Iterable[str]) -> list[str]:
    """Return the replies in a listing, by the name of their subject."""
    return sorted(
        name.removesuffix(JSON)
        for name in names
        if name.endswith(JSON) and not name.startswith(".")
    )


def replied_as(name: str) -> str:
    """Return the base name of a drop's replies: the drop's own name.

    If the endings of the replies do not fit, the result is the start of the name, a fingerprint of
    the whole name, and its ending. Applied to its own result, the function changes nothing.
    """
    room = LONGEST - max(len(JSON), len(LUA))
    if len(os.fsencode(name)) <= room:
        return name
    ending = _ending(name, (ENDING, *OTHERS))
    return shortened(name[: len(name) - len(ending)], room, f"~{_mark(name)}{ending}")


def shortened(base: str, room: int, ending: str) -> str:
    """Return a name of at most `room` bytes.

    It consists of as many whole characters of `base` as fit, and `ending`.
    """
    kept = os.fsencode(base)
    if len(kept) + len(ending) > room:
        kept = kept[: room - len(ending)].decode("utf-8", "ignore").rstrip().encode()
    return os.fsdecode(kept) + ending


def said(name: str, keys: Collection[str]) -> tuple[str, dict[str, str]]:
    """Split a name such as `Reel 1~preset=h264~width=1920.otio` into its title and its keys.

    Values are percent-decoded. A part whose key is not in `keys` belongs to the title.
    """
    title = name[: -len(ENDING)] if name.lower().endswith(ENDING) else name
    found: dict[str, str] = {}
    while True:
        rest, sign, last = title.rpartition(SIGN)
        key, equals, value = last.partition("=")
        if not (sign and equals and key in keys and rest.strip()):
            return title.strip(), found
        found.setdefault(key, unquote(value))
        title = rest


def beside(name: str, job: str, taken: Collection[str]) -> str:
    """Return a new name for an answered file in its folder, distinct from all `taken` names.

    If the job does not fit, the name is shortened with the same fingerprint as for replies.
    """
    known = _ending(name, (*(ENDING + ask for ask in ASKS), *ASKS, ENDING))
    base = name[: len(name) - len(known)]
    wanted = [
        f".{job}" if job else "",
        *(f".{job or 'again'}-{number}" for number in range(2, len(taken) + 3)),
    ]
    whole = name[: len(base) + len(ENDING)]  # the same for a timeline and its sidecar
    return next(
        found
        for end in wanted
        if (found := _fitted(base, end + name[len(base) :], whole)) not in taken
    )


def _fitted(base: str, ending: str, whole: str) -> str:
    if len(os.fsencode(base + ending)) <= LONGEST:
        return base + ending
    return shortened(base, LONGEST, f"~{_mark(whole)}{ending}")


def _ending(name: str, endings: Iterable[str]) -> str:
    """Return the ending as the name spells it, or "" if it has none of these."""
    return next((name[-len(end) :] for end in endings if name.lower().endswith(end)), "")


def _mark(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:12]


class Sight(msgspec.Struct, frozen=True, order=True):
    """State of a file at one moment: size in bytes and modification time in nanoseconds."""

    size: int
    mtime_ns: int


class Stillness:
    """Tracks for how long files have been unchanged.

    A file that is still being written changes its size or its modification time.
    """

    def __init__(self) -> None:
        self._since: dict[str, tuple[Sight, float]] = {}

    def of(self, name: str, sight: Sight, now: float) -> float:
        """Return for how many seconds the file has been unchanged."""
        known = self._since.get(name)
        if known is None or known[0] != sight:
            known = self._since[name] = (sight, now)
        return now - known[1]

    def keep(self, names: Collection[str]) -> None:
        """Forget all other names, because their files are gone."""
        self._since = {name: known for name, known in self._since.items() if name in names}
