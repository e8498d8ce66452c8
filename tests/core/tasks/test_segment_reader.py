"""What goes wrong in reading a checkpoint: damage of its file, or an error of our own while the file is intact."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from core.media import hashes
from core.media.media_errors import Damaged
from core.tasks import segment_reader
from core.tasks.spec import JoinSound

ERRORS = (OSError("odd"), IndexError("odd"), av.InvalidDataError(1094995529, "Invalid data found"))


def _part(path: Path, file_hash: str) -> JoinSound:
    return JoinSound(key="k", file=str(path), digest="", samples=9, file_hash=file_hash)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_of_an_intact_checkpoint_the_error_is_our_own(error: Exception, tmp_path: Path) -> None:
    """It is not made again: that would end in the same, and blame the scratch disk."""
    path = tmp_path / "k.pcm"
    path.write_bytes(b"samples")
    with (
        pytest.raises(RuntimeError, match="intact checkpoint") as raised,
        segment_reader.believing(_part(path, hashes.file_hash(path))),
    ):
        raise error
    assert raised.value.__cause__ is error


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("state", ["changed", "gone", "no hash on record"])
def test_of_any_other_checkpoint_it_is_damage(error: Exception, state: str, tmp_path: Path) -> None:
    path = tmp_path / "k.pcm"
    path.write_bytes(b"samples")
    part = _part(path, "" if state == "no hash on record" else hashes.file_hash(path))
    if state == "changed":
        path.write_bytes(b"sampleZ")
    elif state == "gone":
        path.unlink()
    with pytest.raises(Damaged) as raised, segment_reader.believing(part):
        raise error
    assert (raised.value.key, raised.value.path) == ("k", str(path))
