"""Read media hash lists: what copying tools on a set recorded about each file, with its hashes.

There are two formats, with one element for each file. A history has one list for each generation.
Hashes that a check found wrong (`action="failed"`) belong to a copy that was bad when it was
checked. The hashes recorded earlier remain the truth.

    ascmhl/0001_A001_2026-01-16_091500Z.mhl   ASC MHL 2.0: paths are relative to the folder that
                                              holds `ascmhl`
    packinglist_A001_2026-01-16_091500Z.mhl   the same for a folder A001, stored anywhere
                                              (`ascmhl flatten`)
    A001.mhl                                  MHL 1.x: paths are relative to the list's folder

Sources: the ASC MHL 2.0 schema (urn:ASC:MHL:v2.0) and mediahashlist.org for 1.x. A list comes from
a third party, so this module reads it only up to a size limit, and rejects document types and with
them entities and external references.
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
"""Size limit of a list; enough for a few hundred thousand files."""
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
"""Map XML elements to algorithms, the fastest first.

MHL 1.x also has 32-bit hashes, which prove nothing among many files.
"""
_MAKERS: dict[str, Callable[[], Any]] = {
    "xxh128": xxhash.xxh3_128, "xxh3": xxhash.xxh3_64, "xxh64": xxhash.xxh64, "md5": lambda: hashlib.md5(usedforsecurity=False),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False), "c4": hashlib.sha512,
}  # fmt: skip


class NotUnderstood(Exception):
    """A list cannot be read; the message says why."""


class Record(NamedTuple):
    """What a list says about one file.

    `told` is the file's path from the root of the list and `size` its size, if given. `hashes` maps
    an algorithm to its accepted values: MHL 1.x writes one of its hashes in either byte order.
    """

    told: str
    size: int | None
    hashes: dict[str, frozenset[str]]


def name_of(path: str) -> str:
    """Return the name of a file in composed Unicode (NFC); macOS decomposes accents."""
    return parts_of(path)[-1]


def parts_of(path: str) -> list[str]:
    """Return the components of a path of any system, in composed Unicode (NFC)."""
    return [
        part for part in unicodedata.normalize("NFC", path).replace("\\", "/").split("/") if part
    ] or [""]


def roots_of(history: str) -> list[str]:
    """Return the root folder of a list's paths, and the name that folder had when it was listed.

    That name is part of the list's own name: `0001_A001_2026-01-16_091500Z.mhl` describes a folder
    A001, whatever that folder is called now.
    """
    folder = os.path.dirname(history)
    root = os.path.dirname(folder) if os.path.basename(folder) == FOLDER else folder
    named = _NAME.fullmatch(os.path.basename(history))
    return [root, named[1]] if named else [root]


def records(
    history: str, names: Collection[str], breathe: Callable[[], None] = lambda: None
) -> list[Record]:
    """Return what a list says about files with these names (as `name_of` returns them).

    `breathe` is called after each block. A file with a failed hash is left out, together with its
    size and all its hashes, because they belong to a damaged copy.

    Raises NotUnderstood or OSError.
    """
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
    # ValueError and LookupError: the list declares an unknown encoding.
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise NotUnderstood(f"it is damaged ({error})") from error
    return reading.found


def _declares(*_: object) -> None:
    raise NotUnderstood("it declares a document type, which no such list does")


class _Reading:
    """Collect a list's entries from parser events.

    An entry is a `hash` element with its direct child elements.
    """

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
    """A list's record that may belong to a path, and how well the two paths agree.

    `agreed` is the number of path components in common, counted from the file name backwards.
    `sure` tells whether the name of the list's root folder is among them.
    """

    agreed: int
    sure: bool
    record: Record
    history: str


def told(record: Record, history: str, path: str) -> Told:
    """Rate how well a record of the list `history` fits `path`."""
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
    """Return the hashes that all lists agree on; empty if two lists contradict each other."""
    common: dict[str, frozenset[str]] = {}
    for hashes in told:
        for algorithm, values in hashes.items():
            common[algorithm] = common.get(algorithm, values) & values
    return common if all(common.values()) else {}


def quickest(hashes: Collection[str]) -> str:
    """Return the fastest of these algorithms."""
    return next(algorithm for algorithm in _MAKERS if algorithm in hashes)


def hash_of(path: str, algorithm: str, breathe: Callable[[], None] = lambda: None) -> str:
    """Return a file's hash as a list writes it. Raises OSError.

    `breathe` is called after each block and may raise.
    """
    digest = _MAKERS[algorithm]()
    buffer = bytearray(_BLOCK)
    view = memoryview(buffer)
    with Path(path).open("rb", buffering=0) as handle:
        while size := handle.readinto(buffer):
            digest.update(view[:size])
            breathe()
    return _c4(digest.digest()) if algorithm == "c4" else str(digest.hexdigest())


def _c4(digest: bytes) -> str:
    """Encode a digest as a C4 ID (SMPTE ST 2114): SHA-512 in base 58, 90 characters."""
    number, text = int.from_bytes(digest, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _C4[digit] + text
    return "c4" + text.rjust(88, "1")
