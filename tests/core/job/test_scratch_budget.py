"""How much room segments may take, as the settings say it, and which of them go first."""

from __future__ import annotations

import pytest

from core.job.events import SegmentSealed
from core.job.scratch_budget import Budget, Stored, budget, oldest_first


def stored(key: str, size: int, used_at: float) -> Stored:
    seal = SegmentSealed(
        key=key,
        kind="video",
        shot=1,
        file=f"a/{key}.mov",
        bytes=size,
        file_hash="h",
        frames=1,
        digest="d",
    )
    return Stored(seal, used_at)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("200 GB", Budget(size=200 * 10**9)),
        ("1.5TiB", Budget(size=3 << 39)),
        ("3 kb", Budget(size=3000)),
        ("20%", Budget(share=0.2)),
        (None, Budget(share=0.5)),
        ("off", None),
        (False, None),
    ],
)
def test_what_is_said_is_meant(said, meant):
    assert budget(said) == meant


@pytest.mark.parametrize(
    "said", ["", "200", "GB", "-1 GB", "0 GB", "0%", "101%", "nan GB", "1e9 GB", True, "200 GB 1"]
)
def test_nothing_else_is_a_budget(said):
    with pytest.raises(ValueError):
        budget(said)


def test_a_share_is_of_the_whole_disk_and_nothing_where_its_size_is_unknown():
    assert (
        Budget(share=0.25).limit(4000),
        Budget(share=0.25).limit(None),
        Budget(size=7).limit(None),
    ) == (1000, None, 7)


def test_the_longest_unused_go_first_and_no_more_than_needed():
    some = [stored("new", 50, 3.0), stored("old", 10, 1.0), stored("mid", 30, 2.0)]
    assert [one.seal.key for one in oldest_first(some, 35)] == ["old", "mid"]
    assert oldest_first(some, 0) == []
    assert [one.seal.key for one in oldest_first(some, 1000)] == ["old", "mid", "new"]
