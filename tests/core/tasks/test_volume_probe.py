"""Whether a place can be used again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.media import hashes
from core.media.media_errors import NotMedia
from core.system import machine
from core.tasks import volume_probe
from core.tasks.spec import ProbePlace, Refuted, Validated
from tests.film.media import Movie


def test_a_file_that_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.mov").write_bytes(bytes(200_000))
    assert volume_probe.probe(ProbePlace(path=str(tmp_path / "a.mov"))) == Validated()


def test_a_file_that_is_gone_is_no_fault_of_a_volume_that_is_there(tmp_path: Path) -> None:
    order = ProbePlace(path=str(tmp_path / "gone.mov"), volume=machine.mount_point(tmp_path))
    assert volume_probe.probe(order) == Validated()
    for volume in ("", "/Volumes/Elsewhere"):
        with pytest.raises(FileNotFoundError):
            volume_probe.probe(ProbePlace(path=order.path, volume=volume))


def test_a_folder_is_really_written_to_and_left_as_it_was(tmp_path: Path) -> None:
    assert volume_probe.probe(ProbePlace(path=str(tmp_path), write=True)) == Validated()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        volume_probe.probe(ProbePlace(path=str(tmp_path / "none"), write=True))


def test_a_folder_with_too_little_room(tmp_path: Path) -> None:
    free = machine.free_bytes(tmp_path)
    assert free is not None
    found = volume_probe.probe(ProbePlace(path=str(tmp_path), write=True, free_bytes=free * 2))
    assert isinstance(found, Refuted) and "bytes free" in found.reason
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_says_so_and_the_trial_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        volume_probe.os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "full"))
    )
    with pytest.raises(OSError, match="full"):
        volume_probe.probe(ProbePlace(path=str(tmp_path), write=True))
    assert list(tmp_path.iterdir()) == []


def test_memory() -> None:
    assert volume_probe.probe(ProbePlace(path="", free_memory_bytes=1)) == Validated()
    assert isinstance(volume_probe.probe(ProbePlace(path="", free_memory_bytes=1 << 60)), Refuted)


def test_another_file_in_the_place_of_one_is_told_from_what_cannot_be_used(
    prores: Movie, mjpeg: Movie, tmp_path: Path
) -> None:
    path = Path(shutil.copy2(prores.path, tmp_path / "a.mov"))
    order = ProbePlace(path=str(path), fingerprint=hashes.fingerprint(path))
    assert volume_probe.probe(order) == Validated()
    shutil.copyfile(mjpeg.path, path)
    assert isinstance(volume_probe.probe(order), Refuted)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(NotMedia) as growing:
        volume_probe.probe(order)
    assert growing.value.note == "growing"
    path.unlink()
    with pytest.raises(FileNotFoundError):
        volume_probe.probe(order)
