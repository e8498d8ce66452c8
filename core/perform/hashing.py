"""Hashes of files. A film's hash is a tree, so that it can be computed beside the writing and says where damage is.

File hash: XXH3-128 over the whole file. Tree hash: XXH3-128 over the concatenated XXH3-128 digests of each 8 MiB
leaf; written `tree8m:` before the hex digits.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import xxhash

LEAF = 8 << 20
_BLOCK = 1 << 20
_SAMPLE = 1 << 16
_SAMPLES = 14


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
    """A name for a file's content in milliseconds, whatever its name and dates: its size and the same samples of it as
    `fingerprint` takes. Two files with one mark are the same recording; a flipped bit between the samples is not seen."""
    return both_names(path)[1]


def fingerprint(path: str | Path) -> str:
    """A name for a source's content in milliseconds: size, modification time, first and last MiB and 14 samples
    between. Content that changed without changing any of these is found later, by the digest of what was read."""
    return both_names(path)[0]


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
        handle = opened.fileno()
        facts = os.fstat(handle)
        dated = xxhash.xxh3_128(f"{facts.st_size} {facts.st_mtime_ns}".encode())
        undated = xxhash.xxh3_128(f"{facts.st_size}".encode())
        for at, size in _samples(facts.st_size):
            block = os.pread(handle, size, at)
            dated.update(block)
            undated.update(block)
    return dated.hexdigest(), undated.hexdigest()


def _samples(size: int) -> Iterator[tuple[int, int]]:
    """(place, length) of what is read: head, samples between, tail."""
    yield 0, _BLOCK
    for index in range(1, _SAMPLES + 1):
        yield size * index // (_SAMPLES + 1), _SAMPLE
    yield max(0, size - _BLOCK), _BLOCK
