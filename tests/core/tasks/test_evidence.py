"""Who is blamed: an exception of ours never blames media, disk or user, and an errno counts only when it is met again."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import av
import imageio_ffmpeg
import pytest

from core.errors.failure import Evidence
from core.executors import worker
from core.job.classify import diagnose
from core.media import hashes, probe
from core.system import machine
from core.tasks import mix_sound
from core.tasks.spec import Assignment, ExamineSource, MixSound, Outcome
from tests.core.executors.test_worker import VOICE
from tests.film.media import Movie

PROGRAM = imageio_ffmpeg.get_ffmpeg_exe()
OURS: list[Exception] = [
    OSError("no number"), ValueError("odd"), AttributeError("'AVRational' object has no attribute 'x'"), TypeError("odd"),
    KeyError("odd"), IndexError("odd"), AssertionError(), ZeroDivisionError("Fraction(1, 0)"), RuntimeError("odd"),
    MemoryError(), av.PermissionError(errno.EPERM, "Operation not permitted"), PermissionError(errno.EPERM, "not permitted"),
    av.InvalidDataError(1094995529, "Invalid data found"), av.ArgumentError(errno.EINVAL, "Invalid argument"),
]  # fmt: skip


def _examined(path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    def examine(path: str, *, count: bool) -> None:
        raise error

    monkeypatch.setattr(probe, "examine", examine)
    return worker.perform(Assignment(order=ExamineSource(path=str(path)), ffmpeg=PROGRAM))


@pytest.mark.parametrize(
    "error", OURS, ids=lambda error: f"{type(error).__module__}.{type(error).__name__}"
)
def test_of_a_healthy_file_every_exception_is_the_program_s(
    error: Exception, mjpeg: Movie, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = _examined(mjpeg.path, error, monkeypatch)
    assert isinstance(seen, Evidence)
    assert (diagnose(seen).code, seen.place, seen.errno) == ("program-fault", "program", None)


@pytest.mark.parametrize(
    "where",
    [
        "tasks.evidence.evidence_of",
        "tasks.evidence.asked",
        "tasks.evidence.checked",
        "media.container_check.why",
    ],
)
def test_when_judging_itself_fails_nobody_is_accused(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.mov").write_bytes(b"\0\0\0\x14ftypqt  " + bytes(4000))
    os.utime(tmp_path / "a.mov", (1_600_000_000, 1_600_000_000))

    def fails(*_: object, **__: object) -> None:
        raise ValueError("raised by a test")

    monkeypatch.setattr(f"core.{where}", fails)
    seen = worker.perform(
        Assignment(order=ExamineSource(path=str(tmp_path / "a.mov")), ffmpeg=PROGRAM)
    )
    assert isinstance(seen, Evidence) and "raised by a test" in seen.detail
    assert (diagnose(seen).code, seen.path) == ("program-fault", str(tmp_path / "a.mov"))


def test_an_error_of_our_own_reading_is_no_errno_of_the_file(
    mjpeg: Movie, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(hashes, "both_names", fails)
    seen = worker.perform(Assignment(order=ExamineSource(path=str(mjpeg.path)), ffmpeg=PROGRAM))
    assert isinstance(seen, Evidence) and diagnose(seen).code == "program-fault"


def test_a_damaged_file_is_damaged_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.mov"
    path.write_bytes(b"\0\0\0\x14ftypqt  " + bytes(4000))
    os.utime(path, (1_600_000_000, 1_600_000_000))
    seen = worker.perform(Assignment(order=ExamineSource(path=str(path)), ffmpeg=PROGRAM))
    assert isinstance(seen, Evidence) and seen.place == "source"
    assert diagnose(seen).type.value == "permanent_file_corruption"


def test_an_errno_of_reading_that_is_not_met_again_was_a_moment_s(
    mjpeg: Movie, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stale handle of a share that is back, for one."""
    stale = OSError(errno.ESTALE, "Stale file handle", str(mjpeg.path))
    seen = _examined(mjpeg.path, stale, monkeypatch)
    assert isinstance(seen, Evidence) and diagnose(seen).code == "read-failed-once"


def test_memory_that_is_really_short_is_said(mjpeg: Movie, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "free_memory", lambda: 1 << 20)
    seen = _examined(mjpeg.path, MemoryError(), monkeypatch)
    assert isinstance(seen, Evidence) and diagnose(seen).code == "out-of-memory"


def test_where_an_exception_came_from_stands_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object) -> None:
        raise ValueError("could not broadcast")

    monkeypatch.setattr(mix_sound, "read", read)
    order = MixSound(
        key="m",
        part=str(tmp_path / "m.pcm"),
        samples=9,
        sample_rate=48000,
        channels=2,
        bytes_per_sample=3,
        sounds=(VOICE,),
    )
    seen = worker.perform(Assignment(order=order, ffmpeg=PROGRAM))
    assert isinstance(seen, Evidence)
    assert (seen.place, seen.note, seen.clip) == ("program", "program", VOICE.clip)
    assert "ValueError: could not broadcast" in seen.detail and "test_evidence.py:" in seen.detail


def test_a_folder_that_really_refuses_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same errno where the folder can be written to is no fault of the disk's."""
    order = MixSound(
        key="m",
        part=str(tmp_path / "m.pcm"),
        samples=9,
        sample_rate=48000,
        channels=2,
        bytes_per_sample=3,
        sounds=(),
    )

    def mixed(refuses: bool) -> Evidence:
        def writable(folder: Path, wanted: int = 0) -> None:
            if refuses:
                raise PermissionError(errno.EACCES, "Permission denied", str(folder))

        monkeypatch.setattr("core.tasks.volume_probe.writable", writable)
        seen = worker.perform(Assignment(order=order, ffmpeg=PROGRAM))
        assert isinstance(seen, Evidence)
        return seen

    def refused(*_: object) -> Callable[[], None]:
        raise PermissionError(errno.EACCES, "Permission denied", order.part)

    monkeypatch.setattr(mix_sound, "as_pcm", refused)
    assert diagnose(mixed(refuses=True)).code == "scratch-no-permission"
    assert diagnose(mixed(refuses=False)).code == "program-fault"
