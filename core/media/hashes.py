"""Hashes of files.

A film's hash is a tree, so that it can be computed while the film is being written and can show
where damage is.

File hash: XXH3-128 over the whole file. Tree hash: XXH3-128 over the concatenated XXH3-128 digests
of each 8 MiB leaf; written with the prefix `tree8m:` before the hex digits.

A source's fingerprint and content mark cover samples of it. Equal values prove nothing about the
bytes between the samples. Only a hash of all bytes (`file_hash`) or of all bytes in use
(`core.tasks.compare_source`) proves that the content is the same.
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
"""Size in bytes up to which a content mark covers every byte of a file."""


def file_hash(path: str | Path) -> str:
    """Return the XXH3-128 of a file. Raises OSError if it cannot be read."""
    digest = xxhash.xxh3_128()
    buffer = bytearray(_BLOCK)
    view = memoryview(buffer)
    with Path(path).open("rb", buffering=0) as handle:
        while size := handle.readinto(buffer):
            digest.update(view[:size])
    return digest.hexdigest()


def leaf_hash(handle: int, index: int) -> bytes:
    """Return the digest of leaf `index` of an open file descriptor, by a positioned read."""
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
    """Return the tree hash for a list of leaf digests."""
    return "tree8m:" + xxhash.xxh3_128_hexdigest(b"".join(leaves))


def tree_hash(path: str | Path, on_leaf: Callable[[int], None] = lambda leaf: None) -> str:
    """Return the tree hash of a file. Raises OSError if it cannot be read.

    `on_leaf` is called with the index of each leaf.
    """
    with Path(path).open("rb", buffering=0) as handle:
        size = os.fstat(handle.fileno()).st_size
        leaves = []
        for index in range((size + LEAF - 1) // LEAF):
            leaves.append(leaf_hash(handle.fileno(), index))
            on_leaf(index)
        return root_hash(leaves)


def same(one: Path, other: Path) -> bool:
    """Return True if two paths lead to the same file or to files with equal bytes.

    Compares bytes as well, since some file systems give two names of one file different inodes.
    Raises OSError.
    """
    if one.samefile(other):
        return True
    return one.stat().st_size == other.stat().st_size and tree_hash(one) == tree_hash(other)


def content_mark(path: str | Path) -> str:
    """Hash a file's size, its first and last MiB and 14 samples between them.

    The name and the dates of the file do not count.

    Files with different content marks differ. Files with equal marks may still differ between the
    samples, unless they have at most `COVERED` bytes.
    """
    return both_names(path)[1]


def fingerprint(path: str | Path) -> str:
    """Hash a file's state: size, modification and change times, and its content mark's samples.

    Takes milliseconds. A file that is written to gets a new fingerprint, even if the program
    restores its date. So does a file that is renamed, linked or given other permissions;
    `core.timeline.source.version` is the part that stays the same in that case.

    FAT, exFAT and SFTP keep no change time. There, a restored date hides what was written between
    the samples (`Source.inode` tells more). Bit rot changes no times, and no sample unless it hits
    one.
    """
    return _names(path, with_mark=False)[0]


def version_of(path: str | Path, *, readable: bool = True) -> str:
    """Return a version of a file that cannot be used, or "" if the file cannot be found.

    This is the fingerprint. For a file that cannot be read (`readable` False or OSError), or that
    is not a regular file, it is the size and the modification time.
    """
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
    """Return (fingerprint, content mark) of a file in one read. Raises OSError."""
    return _names(path, with_mark=True)


def _names(path: str | Path, *, with_mark: bool) -> tuple[str, str]:
    """Return (fingerprint, content mark); the mark is "" unless wanted: it costs a second hash."""
    with Path(path).open("rb", buffering=0) as opened:
        facts = os.fstat(opened.fileno())
        digests = [xxhash.xxh3_128(f"{facts.st_size} {facts.st_mtime_ns}".encode())]
        if with_mark:
            digests.append(xxhash.xxh3_128(f"{facts.st_size}".encode()))
        for block in _samples(opened, facts.st_size):
            for digest in digests:
                digest.update(block)
    fingerprint, *marks = (digest.hexdigest() for digest in digests)
    return f"{fingerprint}+{facts.st_ctime_ns:x}", "".join(marks)


def own_identity(path: str, inode: int, fingerprint: str) -> str:
    """Return an identity for the content of one file in one state.

    No other path gets the same identity, except through a symlink. Raises OSError.
    """
    return xxhash.xxh3_128_hexdigest(
        f"{inode} {fingerprint} {os.path.realpath(path)}".encode("utf-8", "surrogatepass")
    )


def sampled_bytes(size: int) -> int:
    """Return how many bytes the content mark reads of a file of `size` bytes."""
    return min(size, COVERED + _SAMPLES * _SAMPLE)


def _samples(opened: FileIO, size: int) -> Iterator[memoryview]:
    """Yield the blocks that are hashed: head, samples between, tail.

    All blocks share one buffer, so each one is valid only until the next.
    """
    view = memoryview(bytearray(min(size, _BLOCK)))
    between = [(size * number // (_SAMPLES + 1), _SAMPLE) for number in range(1, _SAMPLES + 1)]
    places = [(0, _BLOCK), *between, (max(0, size - _BLOCK), _BLOCK)]
    for at, length in places:
        opened.seek(at)
        yield view[: opened.readinto(view[:length])]
