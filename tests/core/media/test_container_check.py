"""What a file says of itself when it could not be used."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from core.media import container_check
from tests.film.media import Movie, ffmpeg


@pytest.fixture
def containers(prores: Movie, tmp_path: Path) -> dict[str, Path]:
    """The same few frames in every container that is understood."""
    kinds = {
        "behind.mov": (), "before.mov": ("-movflags", "+faststart"), "large.mp4": ("-c:v", "mpeg4"), "a.mkv": (),
        "live.mkv": ("-live", "1"), "frag.mov": ("-movflags", "+frag_keyframe+empty_moov"), "a.wav": ("-vn", "-c:a", "pcm_s24le"),
        "a.w64": ("-vn", "-c:a", "pcm_s24le"),
    }  # fmt: skip
    for name, words in kinds.items():
        ffmpeg("-i", prores.path, "-c", "copy", "-frames:v", "12", *words, tmp_path / name)
    return {name: tmp_path / name for name in kinds}


def test_what_is_whole_is_whole(containers: dict[str, Path]) -> None:
    assert {
        name: container_check.cut_short(path) for name, path in containers.items()
    } == dict.fromkeys(containers, "")


@pytest.mark.parametrize(
    "name", ["behind.mov", "before.mov", "large.mp4", "a.mkv", "frag.mov", "a.wav"]
)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.97])
def test_what_is_cut_says_how_much_it_should_be(
    containers: dict[str, Path], name: str, share: float
) -> None:
    path = containers[name]
    left = int(path.stat().st_size * share)
    os.truncate(path, left)
    assert f"there are {left}" in container_check.cut_short(path)


def test_what_was_put_behind_is_no_loss(containers: dict[str, Path]) -> None:
    """Padding and garbage at the end harm nobody."""
    for name in ("behind.mov", "before.mov", "a.mkv", "a.wav"):
        with containers[name].open("ab") as handle:
            handle.write(b"\xff" * 70_000)
        assert container_check.cut_short(containers[name]) == ""


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 100,
        b"no film at all\n" * 99,
        b"RIFF",
        b"\x1aE\xdf\xa3",
        b"\x1aE\xdf\xa3\x01",
        b"\0\0\0\1ftyp",
    ],
)
def test_what_is_no_container_says_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    assert container_check.cut_short(tmp_path / "x") in (
        "",
        f"its index (moov) is missing; there are {len(content)} bytes",
    )
    assert container_check.cut_short(tmp_path / "none") == ""


def test_a_file_that_reads_well_has_no_errno(containers: dict[str, Path], tmp_path: Path) -> None:
    assert container_check.reading_error(containers["a.wav"], budget_s=5) is None
    assert container_check.reading_error(tmp_path / "none", budget_s=5) == errno.ENOENT
    assert container_check.reading_error(tmp_path, budget_s=5) == errno.EISDIR
    assert container_check.why(tmp_path / "none").errno == errno.ENOENT


def test_a_hole_is_found_where_the_system_tells(tmp_path: Path) -> None:
    path = tmp_path / "holed"
    path.write_bytes(os.urandom(1 << 20))
    assert container_check.hole(path) is None
    os.truncate(path, 8 << 20)
    assert container_check.hole(path) in (1 << 20, None)
