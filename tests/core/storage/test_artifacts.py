"""Papers about films: written whole or not at all, and never in the place of anything else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.errors.refusal import Refused
from core.storage import artifacts
from core.storage.locks import lock_file

OURS = b"a paper of ours"


def test_a_paper_is_written_and_written_again(tmp_path: Path) -> None:
    target = tmp_path / "new" / "report.html"
    with pytest.raises(Refused) as refused:  # the folder may be on a drive that is not connected
        artifacts.write_whole(target, OURS + b" 1", ours=OURS)
    assert refused.value.code == "paper-unwritable" and not target.parent.exists()
    target.parent.mkdir()
    artifacts.write_whole(target, OURS + b" 1", ours=OURS)
    artifacts.write_whole(target, OURS + b" 2", ours=OURS)
    assert target.read_bytes() == OURS + b" 2" and [
        path.name for path in target.parent.iterdir()
    ] == ["report.html"]


@pytest.mark.parametrize("content", [b"a film", b"x" * 5000 + OURS, b""])
def test_nothing_else_is_replaced(tmp_path: Path, content: bytes) -> None:
    target = tmp_path / "film.html"
    target.write_bytes(content)
    for ours in (OURS, b""):
        with pytest.raises(Refused) as refused:
            artifacts.write_whole(target, OURS, ours=ours)
        assert refused.value.code == "paper-in-the-way"
    assert target.read_bytes() == content


@pytest.mark.parametrize("name", ["n" * 255, "長" * 85])
def test_a_name_as_long_as_a_name_can_be(tmp_path: Path, name: str) -> None:
    artifacts.put(tmp_path / name, b"a paper")
    assert os.listdir(tmp_path) == [name]


def test_a_place_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused) as refused:
        artifacts.write_whole(tmp_path / "file" / "report.html", OURS)
    assert refused.value.code == "paper-unwritable"
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(Refused) as refused:
        artifacts.write_whole(tmp_path / "folder.html", OURS, ours=OURS)
    assert refused.value.code == "paper-in-the-way"


def test_a_full_disk_leaves_the_paper_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "report.html"
    artifacts.write_whole(target, OURS, ours=OURS)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Refused):
        artifacts.write_whole(target, OURS + b" 2", ours=OURS)
    assert target.read_bytes() == OURS and list(tmp_path.iterdir()) == [target]


def test_pictures_are_kept(tmp_path: Path) -> None:
    assert artifacts.picture(tmp_path, "a.jpg") is None
    part = artifacts.picture_part(tmp_path, "a.jpg")
    part.write_bytes(b"jpeg")
    assert (
        artifacts.keep_picture(tmp_path, part, "a.jpg")
        == b"jpeg"
        == artifacts.picture(tmp_path, "a.jpg")
    )
    artifacts.discard(part)


def logs(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.name != ".rotating"}


def test_logs_go_round(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    for number in range(5):
        log.write_text(f"{number}" * 20)
        artifacts.rotate(log, 3, 10)
    assert logs(tmp_path) == {"x.log.1": "4" * 20, "x.log.2": "3" * 20, "x.log.3": "2" * 20}


def test_a_log_that_another_process_has_rotated_or_is_rotating_is_left_alone(
    tmp_path: Path,
) -> None:
    log = tmp_path / "x.log"
    log.write_text("short")
    artifacts.rotate(log, 3, 10)
    log.write_text("long enough to go round")
    with (tmp_path / ".rotating").open("a+b") as held:
        lock_file(held.fileno())
        artifacts.rotate(log, 3, 10)
    assert list(logs(tmp_path)) == ["x.log"]
