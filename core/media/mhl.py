"""Media hash lists: what copying tools on a set wrote down about each file, and the hashes they wrote.

Two formats, one element each for a file. A history has a list for each generation; hashes that a check found wrong
(`action="failed"`) are those of a copy that was bad when it was checked, and what was written down before stays the truth:

    ascmhl/0001_A001_2026-01-16_091500Z.mhl   ASC MHL 2.0: paths are relative to the folder that holds `ascmhl`
    packinglist_A001_2026-01-16_091500Z.mhl   the same of a folder A001, written anywhere (`ascmhl flatten`)
    A001.mhl                                  MHL 1.x: paths are relative to the file's own folder

Sources: the ASC MHL 2.0 schema (urn:ASC:MHL:v2.0) and mediahashlist.org for 1.x. A list is somebody else's file: it is read
up to a size, declares no entities, and refers to nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple
from xml.parsers import expat

import xxhash

FOLDER, ENDING = "ascmhl", ".mhl"
MOST_BYTES = 32 << 20
"""Some hundred thousand files."""
_BLOCK = 1 << 20
_DEEPEST = 32
_NAME = re.compile(
    r"(?:\d{4}_|packinglist_)?(.+?)(?:_\d{4}-\d\d-\d\d(?:_\d+Z?)?)?\.mhl", re.IGNORECASE
)
_C4 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

_TAGS = {
    "xxh128": "xxh128", "xxh3": "xxh3", "xxh64": "xxh64", "xxhash64be": "xxh64", "xxhash64": "xxh64",
    "md5": "md5", "sha1": "sha1", "c4": "c4",
}  # fmt: skip
"""Element to algorithm, the quickest first. MHL 1.x also has 32-bit hashes, which prove nothing among many files."""
_MAKERS: dict[str, Callable[[], Any]] = {
    "xxh128": xxhash.xxh3_128, "xxh3": xxhash.xxh3_64, "xxh64": xxhash.xxh64, "md5": lambda: hashlib.md5(usedforsecurity=False),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False), "c4": hashlib.sha512,
}  # fmt: skip


class NotUnderstood(Exception):
    """A list that cannot be read: why."""


class Record(NamedTuple):
    """What a list says about one file: its path from the list's root, its size if that is said, and its hashes: algorithm
    to values, of which any will do (MHL 1.x writes one of its hashes with its bytes in either order)."""

    told: str
    size: int | None
    hashes: dict[str, frozenset[str]]


def name_of(path: str) -> str:
    """A file's name, with accents composed: macOS takes them apart, others do not."""
    return parts_of(path)[-1]


def parts_of(path: str) -> list[str]:
    """The names in a path of any system, with accents composed."""
    return [
        part for part in unicodedata.normalize("NFC", path).replace("\\", "/").split("/") if part
    ] or [""]


def roots_of(history: str) -> list[str]:
    """The folder that the paths of a list are relative to; and its name when the list was made, which stands in the list's
    own name: `0001_A001_2026-01-16_091500Z.mhl` is of a folder A001, whatever that is called now."""
    folder = os.path.dirname(history)
    root = os.path.dirname(folder) if os.path.basename(folder) == FOLDER else folder
    named = _NAME.fullmatch(os.path.basename(history))
    return [root, named[1]] if named else [root]


def records(
    history: str, names: Collection[str], breathe: Callable[[], None] = lambda: None
) -> list[Record]:
    """What a list says about files of these names (as `name_of` gives them). `breathe` is called after each block.

    NotUnderstood or OSError. A file of which one hash failed is left out, with its size and all its hashes: they are those of
    a damaged copy."""
    reading = _Reading(names)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reading.begins
    parser.EndElementHandler = reading.ends
    parser.CharacterDataHandler = reading.says
    parser.StartDoctypeDeclHandler = _declares
    try:
        with Path(history).open("rb") as handle:
            if os.fstat(handle.fileno()).st_size > MOST_BYTES:
                raise NotUnderstood("it is larger than any such list")
            while block := handle.read(_BLOCK):
                parser.Parse(block)
                breathe()
        parser.Parse(b"", True)
    except (
        expat.ExpatError,
        ValueError,
        LookupError,
    ) as error:  # the last two: an encoding that there is not
        raise NotUnderstood(f"it is damaged ({error})") from error
    return reading.found


def _declares(*_: object) -> None:
    raise NotUnderstood("it declares a document type, which no such list does")


class _Reading:
    """Hears a list's elements; an entry is a `hash` element with the elements directly in it."""

    def __init__(self, names: Collection[str]) -> None:
        self.names = names
        self.found: list[Record] = []
        self._open: list[str] = []
        self._text = ""
        self._entry: dict[str, str] | None = None
        self._failed = False

    def begins(self, tag: str, facts: dict[str, str]) -> None:
        tag = tag.rpartition(" ")[2]
        if not self._open and tag != "hashlist":
            raise NotUnderstood("it is no media hash list")
        if len(self._open) >= _DEEPEST:
            raise NotUnderstood("it is nested too deeply")
        self._open.append(tag)
        self._text = ""
        if tag == "hash":
            self._entry, self._failed = {}, False
        elif tag == "path" and self._entry is not None:
            self._entry["size"] = facts.get("size", "")
        self._failed = self._failed or facts.get("action") == "failed"

    def says(self, text: str) -> None:
        self._text += text

    def ends(self, tag: str) -> None:
        tag = self._open.pop()
        if tag == "hash":
            self._take({} if self._failed else self._entry or {})
            self._entry = None
        elif self._entry is not None and self._open[-1] == "hash":
            self._entry[tag] = self._text.strip()
        self._text = ""

    def _take(self, entry: dict[str, str]) -> None:
        size = int(entry["size"]) if entry.get("size", "").isdecimal() else None
        hashes = {
            algorithm: _values(tag, entry[tag])
            for tag, algorithm in _TAGS.items()
            if entry.get(tag)
        }
        for told in (entry.get("path"), entry.get("file"), entry.get("previousPath")):
            if told and name_of(told) in self.names:
                self.found.append(Record(told.replace("\\", "/"), size, hashes))


def _values(tag: str, text: str) -> frozenset[str]:
    if tag == "c4":
        return frozenset({text})
    text = text.lower()
    if tag == "xxhash64" and len(text) == 16:
        return frozenset({text, "".join(reversed([text[at : at + 2] for at in range(0, 16, 2)]))})
    return frozenset({text})


class Told(NamedTuple):
    """What a list says about a file; how many names their paths have in common, counted from the file's own, and whether
    the name of the list's folder is among them."""

    agreed: int
    sure: bool
    record: Record
    history: str


def told(record: Record, history: str, path: str) -> Told:
    """How a list's record fits a path."""
    within, wanted = parts_of(record.told), parts_of(path)
    agreed = max(_agreement([*parts_of(root), *within], wanted) for root in roots_of(history))
    return Told(agreed, agreed > len(within), record, history)


def _agreement(one: list[str], other: list[str]) -> int:
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count


def common(told: list[dict[str, frozenset[str]]]) -> dict[str, frozenset[str]]:
    """What all lists agree on; nothing when two contradict each other."""
    common: dict[str, frozenset[str]] = {}
    for hashes in told:
        for algorithm, values in hashes.items():
            common[algorithm] = common.get(algorithm, values) & values
    return common if all(common.values()) else {}


def quickest(hashes: Collection[str]) -> str:
    """Of these algorithms the one to compute."""
    return next(algorithm for algorithm in _MAKERS if algorithm in hashes)


def hash_of(path: str, algorithm: str, breathe: Callable[[], None] = lambda: None) -> str:
    """A file's hash as a list would write it; OSError. `breathe` is called after each block and may raise."""
    digest = _MAKERS[algorithm]()
    buffer = bytearray(_BLOCK)
    view = memoryview(buffer)
    with Path(path).open("rb", buffering=0) as handle:
        while size := handle.readinto(buffer):
            digest.update(view[:size])
            breathe()
    return _c4(digest.digest()) if algorithm == "c4" else str(digest.hexdigest())


def _c4(digest: bytes) -> str:
    """SMPTE ST 2114: SHA-512 in base 58, 90 characters."""
    number, text = int.from_bytes(digest, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _C4[digit] + text
    return "c4" + text.rjust(88, "1")
