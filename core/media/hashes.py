"""Hashes of files. A film's hash is a tree, so that it can be computed beside the writing and says where damage is.

File hash: XXH3-128 over the whole file. Tree hash: XXH3-128 over the concatenated XXH3-128 digests of each 8 MiB
leaf; written `tree8m:` before the hex digits.

A source's fingerprint and mark are over samples of it: equal ones prove nothing about the bytes between the samples. Only a hash
of all bytes does (`file_hash`), or of those that are used (`core.tasks.compare_source`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path

import xxhash

LEAF = 8 << 20
_BLOCK = 1 << 20
_SAMPLE = 1 << 16
_SAMPLES = 14
COVERED = 2 * _BLOCK
"""A content mark of a file of so many bytes or fewer covers all of them."""


def file_hash(path: str | Path) -> str:
    """XXH3-128 of a file; OSError when it cannot be read."""
    digest = xxhash.xxh3_128()
    buffer = bytearray(_BLOCK)
    view = memoryview(buffer)
    with Path(path).open("rb", buffering=0) as handle:
        while size := handle.readinto(buffer):
            digest.update(view[:size])
    return digest.hexdigest()


def leaf_hash(handle: int, index: int) -> bytes:
    """The digest of one leaf of an open file, read at its place."""
    digest = xxhash.xxh3_128()
    at, end = index * LEAF, (index + 1) * LEAF
    while at < end:
        block = os.pread(handle, min(_BLOCK, end - at), at)
        if not block:
            break
        digest.update(block)
        at += len(block)
    return digest.digest()


def root_hash(leaves: list[bytes]) -> str:
    """The tree hash over its leaves."""
    return "tree8m:" + xxhash.xxh3_128_hexdigest(b"".join(leaves))


def tree_hash(path: str | Path, on_leaf: Callable[[int], None] = lambda leaf: None) -> str:
    """The tree hash of a file; OSError when it cannot be read. `on_leaf` hears the number of each leaf."""
    with Path(path).open("rb", buffering=0) as handle:
        size = os.fstat(handle.fileno()).st_size
        leaves = []
        for index in range((size + LEAF - 1) // LEAF):
            leaves.append(leaf_hash(handle.fileno(), index))
            on_leaf(index)
        return root_hash(leaves)


def same(one: Path, other: Path) -> bool:
    """Whether two names lead to one file or to the same bytes. Not every file system shows two names of a file as one inode.
    OSError."""
    if one.samefile(other):
        return True
    return one.stat().st_size == other.stat().st_size and tree_hash(one) == tree_hash(other)


def content_mark(path: str | Path) -> str:
    """Hash a file's size, first and last MiB and 14 samples between, whatever its name and dates. Files with different marks
    are different. Files with one mark may differ between the samples, unless they have no more than `COVERED` bytes."""
    return both_names(path)[1]


def fingerprint(path: str | Path) -> str:
    """Hash the state of a file in milliseconds: size, modification and change times, and the samples of its content mark. A
    file that is written to, even by a program that restores its date, gets another one. So does a file that is renamed,
    linked or given other permissions; `core.timeline.source.version` is the part that stays the same then. FAT, exFAT and SFTP
    keep no change time: there a restored date hides what was written between the samples (`Source.inode` tells more). A disk
    that decays changes neither times nor samples."""
    with Path(path).open("rb", buffering=0) as opened:
        facts = os.fstat(opened.fileno())
        dated = _dated(facts)
        for block in _samples(opened, facts.st_size):
            dated.update(block)
    return _finger(dated, facts)


def version_of(path: str | Path, *, readable: bool = True) -> str:
    """The fingerprint of a file that cannot be used; of one that cannot be read its size and date. Empty where there is none."""
    try:
        facts = os.stat(path)
        if readable and stat.S_ISREG(facts.st_mode):
            return fingerprint(path)
    except FileNotFoundError:
        return ""
    except OSError:
        try:
            facts = os.stat(path)
        except OSError:
            return ""
    return f"{facts.st_size} {facts.st_mtime_ns}"


def both_names(path: str | Path) -> tuple[str, str]:
    """(fingerprint, content mark) of a file that is read once; OSError when it cannot be read."""
    with Path(path).open("rb", buffering=0) as opened:
        facts = os.fstat(opened.fileno())
        dated = _dated(facts)
        undated = xxhash.xxh3_128(f"{facts.st_size}".encode())
        for block in _samples(opened, facts.st_size):
            dated.update(block)
            undated.update(block)
    return _finger(dated, facts), undated.hexdigest()


def _dated(facts: os.stat_result) -> xxhash.xxh3_128:
    return xxhash.xxh3_128(f"{facts.st_size} {facts.st_mtime_ns}".encode())


def _finger(dated: xxhash.xxh3_128, facts: os.stat_result) -> str:
    return f"{dated.hexdigest()}+{facts.st_ctime_ns:x}"


def own_identity(path: str, inode: int, fingerprint: str) -> str:
    """A name for the content of one file in one state. No other path has it, except through a symlink; OSError."""
    return xxhash.xxh3_128_hexdigest(
        f"{inode} {fingerprint} {os.path.realpath(path)}".encode("utf-8", "surrogatepass")
    )


def sampled_bytes(size: int) -> int:
    """How many bytes of a file of a size its content mark reads."""
    return min(size, COVERED + _SAMPLES * _SAMPLE)


def _samples(opened: FileIO, size: int) -> Iterator[memoryview]:
    """What is read of a file: head, samples between, tail. Each is gone with the next."""
    view = memoryview(bytearray(min(size, _BLOCK)))
    between = [(size * number // (_SAMPLES + 1), _SAMPLE) for number in range(1, _SAMPLES + 1)]
    places = [(0, _BLOCK), *between, (max(0, size - _BLOCK), _BLOCK)]
    for at, length in places:
        opened.seek(at)
        yield view[: opened.readinto(view[:length])]
