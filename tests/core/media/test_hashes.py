"""Hashes, by hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import xxhash

from core.media import hashes
from tests.core.bench import flip_at

MIB = 1 << 20


def test_a_file_hash_is_of_the_whole_file(tmp_path: Path) -> None:
    for content in (b"", b"x", os.urandom(3 * MIB + 7)):
        (tmp_path / "file").write_bytes(content)
        assert hashes.file_hash(tmp_path / "file") == xxhash.xxh3_128_hexdigest(content)


@pytest.mark.parametrize("size", [0, 1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 19 * MIB + 5])
def test_a_tree_hash_is_the_hash_of_its_leaves(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "film").write_bytes(content)
    leaves = [content[at : at + 8 * MIB] for at in range(0, size, 8 * MIB)]
    by_hand = "tree8m:" + xxhash.xxh3_128_hexdigest(
        b"".join(xxhash.xxh3_128_digest(leaf) for leaf in leaves)
    )
    heard: list[int] = []
    assert hashes.tree_hash(tmp_path / "film", heard.append) == by_hand
    assert heard == list(range(len(leaves)))


def test_damage_shows_in_its_leaf_alone(tmp_path: Path) -> None:
    film = tmp_path / "film"
    film.write_bytes(bytes(20 * MIB))

    def leaves() -> list[bytes]:
        with film.open("rb") as handle:
            return [hashes.leaf_hash(handle.fileno(), index) for index in range(3)]

    before = leaves()
    flip_at(film, 9 * MIB)
    assert [old == new for old, new in zip(before, leaves(), strict=True)] == [True, False, True]


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    for hashed in (hashes.file_hash, hashes.tree_hash, hashes.fingerprint):
        with pytest.raises(FileNotFoundError):
            hashed(tmp_path / "none")


def test_a_fingerprint_stands_for_one_state_of_one_file(tmp_path: Path) -> None:
    path = tmp_path / "one.mov"
    path.write_bytes(os.urandom(3 * MIB))
    os.utime(path, ns=(10**18, 10**18 + 1))
    before = hashes.fingerprint(path)
    path.read_bytes()
    assert hashes.fingerprint(path) == before, "reading is no change"
    os.utime(path, ns=(10**18, 10**18 + 1))
    assert hashes.fingerprint(path) != before, "the date was set, perhaps to hide what was written"


@pytest.mark.parametrize(
    "at", [0, MIB - 1, 40 * MIB * 7 // 15, 40 * MIB * 14 // 15 + 65535, 39 * MIB, 40 * MIB - 1]
)
def test_a_fingerprint_sees_head_tail_and_samples(tmp_path: Path, at: int) -> None:
    path = tmp_path / "long.mov"
    with path.open("wb") as handle:
        handle.truncate(40 * MIB)
    before, mark = hashes.both_names(path)
    flip_at(path, at)
    assert hashes.fingerprint(path) != before and hashes.content_mark(path) != mark
    flip_at(path, at)
    assert hashes.content_mark(path) == mark


@pytest.mark.parametrize("size", [1, MIB, 2 * MIB])
def test_of_a_small_file_the_content_mark_sees_every_byte(tmp_path: Path, size: int) -> None:
    assert size <= hashes.COVERED
    path = tmp_path / "short.wav"
    path.write_bytes(os.urandom(size))
    for at in {0, size // 3, size // 2, size - 1}:
        mark = hashes.content_mark(path)
        flip_at(path, at)
        assert hashes.content_mark(path) != mark


@pytest.mark.parametrize("size", [0, 5, MIB, 40 * MIB + 3])
def test_both_names_are_by_hand_what_they_always_were(tmp_path: Path, size: int) -> None:
    """Another value would mean that every file is compared once more, or rendered again."""
    content = os.urandom(size)
    path = tmp_path / "a.mov"
    path.write_bytes(content)
    os.utime(path, ns=(1, 1_700_000_000_000_000_123))
    between = [content[size * n // 15 : size * n // 15 + 65536] for n in range(1, 15)]
    read = content[:MIB] + b"".join(between) + content[max(0, size - MIB) :][:MIB]
    dated = (
        xxhash.xxh3_128_hexdigest(f"{size} 1700000000000000123".encode() + read)
        + f"+{path.stat().st_ctime_ns:x}"
    )
    undated = xxhash.xxh3_128_hexdigest(f"{size}".encode() + read)
    assert (
        hashes.both_names(path)
        == (dated, undated)
        == (hashes.fingerprint(path), hashes.content_mark(path))
    )


def test_a_content_mark_knows_no_dates_and_no_names(tmp_path: Path) -> None:
    one, two = tmp_path / "one.mov", tmp_path / "two.mxf"
    one.write_bytes(b"a recording")
    two.write_bytes(b"a recording")
    os.utime(two, ns=(5, 5))
    assert hashes.content_mark(one) == hashes.content_mark(two)
    flip_at(two, 3)
    assert hashes.content_mark(one) != hashes.content_mark(two)


def test_only_links_to_a_file_have_its_identity(tmp_path: Path) -> None:
    path, copy, link = tmp_path / "a.mov", tmp_path / "b.mov", tmp_path / "link.mov"
    path.write_bytes(b"a")
    copy.write_bytes(b"a")
    link.symlink_to(path)
    names = [hashes.own_identity(str(one), 7, "same") for one in (path, copy, link)]
    assert names[0] == names[2] != names[1]
    assert names[0] not in (
        hashes.own_identity(str(path), 8, "same"),
        hashes.own_identity(str(path), 7, "other"),
    )


def test_a_fingerprint_sees_the_size(tmp_path: Path) -> None:
    path = tmp_path / "growing.mov"
    path.write_bytes(bytes(100))
    os.utime(path, ns=(5, 5))
    before = hashes.fingerprint(path)
    with path.open("ab") as handle:
        handle.write(b"\0")
    os.utime(path, ns=(5, 5))
    assert hashes.fingerprint(path) != before
