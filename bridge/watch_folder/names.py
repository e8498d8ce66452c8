"""What the names in a door's folder mean. Pure: from names to drops, and from a drop to the names around it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable
from typing import NamedTuple
from urllib.parse import unquote

import msgspec

ENDING = ".otio"
OTHERS = (".xml", ".fcpxml", ".edl", ".aaf", ".drt", ".otioz", ".ale")
"""Timelines of other kinds: put here on purpose, most likely, so they are refused in words. All other files are let be: the
folder may be somebody's desktop."""
ASKS = (".ask.json", ".ask.txt")
"""After a timeline's whole name: what is wanted of it. The first that is there counts."""
JSON, LUA = ".reply.json", ".reply.lua"
DONE, REFUSED = "done", "refused"
"""Folders in the inbox to which a timeline goes that was answered."""
SIGN = "~"
"""Before each `key=value` in a name."""
LONGEST = 255
"""Bytes of a name: no common file system takes more."""


class Drop(NamedTuple):
    """A file that asks for a film, and the name of its sidecar, if there is one."""

    name: str
    ask: str = ""


def drops(names: Collection[str]) -> list[Drop]:
    """The timelines in a listing, of whatever kind, that are neither hidden nor under way; in order."""
    there = set(names)
    found = []
    for name in sorted(there):
        if name.startswith(".") or not name.lower().endswith((ENDING, *OTHERS)):
            continue
        found.append(Drop(name, next((name + ask for ask in ASKS if name + ask in there), "")))
    return found


def replies(names: Iterable[str]) -> list[str]:
    """The replies in a listing, by the name of what they are about."""
    return sorted(
        name.removesuffix(JSON)
        for name in names
        if name.endswith(JSON) and not name.startswith(".")
    )


def replied_as(name: str) -> str:
    """What replies to a drop are named after: the drop's own name. Where that leaves no room for their endings, its beginning, a
    mark of the whole name, and its ending. What this gives stays as it is."""
    room = LONGEST - max(len(JSON), len(LUA))
    if len(os.fsencode(name)) <= room:
        return name
    ending = _ending(name, (ENDING, *OTHERS))
    return shortened(name[: len(name) - len(ending)], room, f"~{_mark(name)}{ending}")


def shortened(base: str, room: int, ending: str) -> str:
    """A name of at most `room` bytes: as much of the base as there is room for, whole characters of it, and the ending."""
    kept = os.fsencode(base)
    if len(kept) + len(ending) > room:
        kept = kept[: room - len(ending)].decode("utf-8", "ignore").rstrip().encode()
    return os.fsdecode(kept) + ending


def said(name: str, keys: Collection[str]) -> tuple[str, dict[str, str]]:
    """The title in a name, and what stands behind it: `Reel 1~preset=h264~width=1920.otio`. Values are percent-decoded. What
    names none of `keys` belongs to the title."""
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
    """What a handled file is called in its folder: never a name that is there already. One that leaves no room for the job gets
    the mark of its replies."""
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
    """As it is written in the name; empty where it has none of these."""
    return next((name[-len(end) :] for end in endings if name.lower().endswith(end)), "")


def _mark(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:12]


class Sight(msgspec.Struct, frozen=True, order=True):
    """A file at a moment: bytes and the time of its last change in nanoseconds."""

    size: int
    mtime_ns: int


class Stillness:
    """Since when files are as they are, as far as it was looked. Whoever writes still, changes the one or the other."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[Sight, float]] = {}

    def of(self, name: str, sight: Sight, now: float) -> float:
        """Seconds for which nothing has changed."""
        known = self._since.get(name)
        if known is None or known[0] != sight:
            known = self._since[name] = (sight, now)
        return now - known[1]

    def keep(self, names: Collection[str]) -> None:
        """Forget all others: they are gone."""
        self._since = {name: known for name, known in self._since.items() if name in names}
