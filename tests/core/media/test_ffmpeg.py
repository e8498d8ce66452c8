"""Running ffmpeg: frames as they come, input from many files, the last words, and an end when nobody listens any more."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.media import ffmpeg
from core.system import process
from core.system.process import NotStarted
from tests.core import bench


def test_frames_of_a_real_ffmpeg_are_counted() -> None:
    heard: list[int] = []
    argv = [
        bench.FFMPEG, "-v", "error", "-nostats", "-progress", "pipe:1", "-stats_period", "0.05", "-readrate", "1",
        "-readrate_initial_burst", "0.1", "-f", "lavfi", "-i", "testsrc=size=32x32:rate=100", "-frames:v", "60",
        "-f", "null", "-",
    ]  # fmt: skip
    ran = ffmpeg.run(argv, on_frames=heard.append)
    assert (ran.exit_code, ran.frames, ran.lines) == (0, 60, ())
    assert heard[-1] == 60 and len(heard) > 2, "progress is heard while it runs"
    assert ran.elapsed_s > 0.3, "sixty frames at a hundred a second"


def test_only_progress_counts_as_life() -> None:
    heard: list[int] = []
    words = "printf 'frame=3\\nfps=9\\nframe=3\\nframe=2\\nframe=\\nframe=  5\\nprogress=end\\n'"
    assert ffmpeg.run(["sh", "-c", words], on_frames=heard.append).frames == 5
    assert heard == [3, 5]


def test_sound_alone_shows_life_by_its_time() -> None:
    heard: list[int] = []
    words = "printf 'out_time_us=N/A\\nout_time_us=500\\nout_time_us=500\\nout_time_us=90\\nout_time_us=700\\n'"
    assert ffmpeg.run(["sh", "-c", words], on_frames=heard.append).frames == 0
    assert heard == [0, 0]


def test_blocks_are_fed_one_after_the_other(tmp_path: Path) -> None:
    contents = [os.urandom(300_000), os.urandom(2), os.urandom(150_000)]
    out = tmp_path / "out.pcm"
    pcm = ("-f", "s16le", "-ar", "48000", "-ac", "1")
    argv = [bench.FFMPEG, "-v", "error", *pcm, "-i", "pipe:0", "-c", "copy", *pcm, str(out)]
    ran = ffmpeg.run(argv, feed=iter(contents))
    assert (ran.exit_code, ran.lines) == (0, ())
    assert out.read_bytes() == b"".join(contents)


def test_a_program_that_ends_before_it_read_everything_is_no_trouble() -> None:
    ran = ffmpeg.run(["sh", "-c", "echo enough >&2; exit 3"], feed=iter([bytes(1 << 20)]))
    assert (ran.exit_code, ran.lines) == (3, ("enough",))


def test_the_last_lines_are_kept() -> None:
    words = "for n in $(seq 100); do echo line $n >&2; done; printf 'caf\\351 and no end' >&2; kill -TERM $$"
    ran = ffmpeg.run(["sh", "-c", words])
    assert ran.exit_code == -signal.SIGTERM
    assert len(ran.lines) == 60
    assert ran.lines[0] == "line 42" and ran.lines[-2:] == (
        "line 100",
        "caf\N{REPLACEMENT CHARACTER} and no end",
    )


def test_a_missing_program_is_named() -> None:
    with pytest.raises(NotStarted) as raised:
        ffmpeg.run(["/nowhere/ffmpeg"])
    assert (raised.value.errno, raised.value.filename) == (errno.ENOENT, "/nowhere/ffmpeg")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every program that was started."""
    found: list[subprocess.Popen[bytes]] = []
    spawn = process.spawn

    def watched(*words: object, **more: object) -> subprocess.Popen[bytes]:
        found.append(spawn(*words, **more))  # type: ignore[arg-type]
        return found[-1]

    monkeypatch.setattr(process, "spawn", watched)
    return found


def test_when_the_engine_is_gone_ffmpeg_is_killed(started: list[subprocess.Popen[bytes]]) -> None:
    read, write = os.pipe()
    closed: list[int] = []

    def hang_up(frames: int) -> None:
        if not closed:
            closed.append(frames)
            os.close(write)

    with pytest.raises(ffmpeg.EngineGone):
        ffmpeg.run(bench.ENDLESS, on_frames=hang_up, command_pipe=read)
    os.close(read)
    assert closed, "it ran before the engine went"
    bench.until(lambda: bench.dead(started[0].pid))
    assert started[0].wait() == -signal.SIGKILL


def test_when_nobody_can_be_told_ffmpeg_is_killed(started: list[subprocess.Popen[bytes]]) -> None:
    def broken(frames: int) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        ffmpeg.run(bench.ENDLESS, on_frames=broken)
    assert started[0].wait(timeout=15) == -signal.SIGKILL


def test_an_input_that_cannot_be_read_ends_it(started: list[subprocess.Popen[bytes]]) -> None:
    """It must not take the rest for the whole, and write a film of half the sound."""

    def gone() -> Iterator[bytes]:
        yield bytes(100)
        raise FileNotFoundError

    with pytest.raises(FileNotFoundError):
        ffmpeg.run(["sleep", "120"], feed=gone())
    assert started[0].wait(timeout=15) == -signal.SIGKILL
