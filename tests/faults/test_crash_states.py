"""What a power cut leaves, for the few histories whose answer everybody knows."""

from __future__ import annotations

import random
import stat

import pytest

from tests.faults.crash_states import MODELS, Disk, Node
from tests.faults.recorder import ROOT, Change


def history(*calls: tuple[object, ...]) -> list[Change]:
    """Changes out of (op, words...)."""
    return [
        Change(at, str(op), "", words)
        for at, (op, *rest) in enumerate(calls)
        for words in [tuple(rest)]
    ]


def left(calls: list[Change], model: str, seed: int = 0) -> dict[str, bytes]:
    """The names and bytes of the root after a cut at the end."""
    disk = Disk({ROOT: Node(stat.S_IFDIR | 0o755)}).after(calls, model)  # type: ignore[arg-type]
    disk.cut(model, random.Random(seed))  # type: ignore[arg-type]
    return {name: bytes(disk.nodes[number].data) for name, number in disk.nodes[ROOT].names.items()}


OLD = (
    ("create", 1, ROOT, "film", 0o644),
    ("write", 1, 0, b"old"),
    ("fsync", 1),
    ("fsyncdir", ROOT),
)
NEW = (("create", 2, ROOT, "part", 0o644), ("write", 2, 0, b"new"))
RENAME = ("rename", 2, ROOT, "part", ROOT, "film")


@pytest.mark.parametrize("model", MODELS)
def test_what_was_flushed_is_there(model):
    flushed = history(*OLD, *NEW, ("fsync", 2), RENAME, ("fsyncdir", ROOT))
    assert all(left(flushed, model, seed) == {"film": b"new"} for seed in range(20))


def test_a_rename_without_a_flush_of_the_folder_may_be_undone():
    calls = history(*OLD, *NEW, ("fsync", 2), RENAME)
    assert left(calls, "lost") == {"film": b"old"}
    assert {left(calls, "scattered", seed)["film"] for seed in range(20)} == {b"old", b"new"}


def test_a_rename_without_a_flush_of_the_file_may_leave_an_empty_film():
    calls = history(*OLD, *NEW, RENAME, ("fsyncdir", ROOT))
    assert left(calls, "lost") == {"film": b""}
    assert b"new" in {left(calls, "ordered", seed)["film"] for seed in range(40)} != {b"new"}


def test_names_survive_in_order_where_the_file_system_promises_it():
    calls = history(("create", 1, ROOT, "a", 0o644), ("create", 2, ROOT, "b", 0o644))
    assert {tuple(sorted(left(calls, "ordered", seed))) for seed in range(40)} == {
        (),
        ("a",),
        ("a", "b"),
    }
    assert ("b",) in {tuple(sorted(left(calls, "scattered", seed))) for seed in range(40)}


def test_a_flush_of_one_folder_does_not_bring_back_a_name_that_a_rename_took_away():
    calls = history(
        ("mkdir", 1, ROOT, "work", 0o755), ("fsyncdir", ROOT), ("create", 2, 1, "part", 0o644), ("rename", 2, 1, "part", ROOT, "film"),
        ("fsyncdir", ROOT),
    )  # fmt: skip
    for seed in range(20):
        disk = Disk({ROOT: Node(stat.S_IFDIR | 0o755)}).after(calls, "scattered")
        disk.cut("scattered", random.Random(seed))
        assert disk.nodes[1].names == {} and "film" in disk.nodes[ROOT].names
