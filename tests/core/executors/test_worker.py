"""A worker: whatever goes wrong becomes evidence, with its place."""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import av
import msgspec
import pytest

from core.errors.failure import Evidence
from core.executors import worker
from core.graph.nodes import Sound
from core.media import ffmpeg, hashes, probe
from core.media.media_errors import Changed, Damaged, NotContiguous, NotMedia, TooShort
from core.system import codec
from core.tasks import evidence
from core.tasks.spec import (
    Assignment,
    CheckFilm,
    DrawThumbnail,
    EncodeTrack,
    ExamineCopy,
    Examined,
    ExamineSource,
    FindSources,
    JoinFilm,
    MixSound,
    Order,
    Outcome,
    ProveEncoder,
    RenderSegment,
    Reply,
    ValidateSeal,
)
from tests.core import bench
from tests.core.props import MJPEG
from tests.film.media import Movie

ROOT = Path(__file__).resolve().parents[3]
RENDER = RenderSegment(key="k", argv=("x",), part="/scratch/k.part", frames=9, signature="")
MIX = MixSound(
    key="m",
    part="/scratch/m.pcm",
    samples=9,
    sample_rate=48000,
    channels=2,
    bytes_per_sample=3,
    sounds=(),
)
EXAMINE = ExamineSource(path="/media/a.mov")
JOIN = JoinFilm(
    cut="c", part="/film/.h/f.mov", container="mov", rate=bench.SMALL.rate, reorder=0, signature="", timecode="", video=(),
    sound=(), pcm="", sample_rate=0, channels=0, samples=0,
)  # fmt: skip
VOICE = Sound(
    clip="c7",
    shot_name="S",
    path="/media/voice.wav",
    fingerprint="",
    stream=0,
    source_in_s=bench.SMALL.rate,
    at=0,
    samples=5,
)


@pytest.mark.parametrize(
    ("order", "seen"),
    [
        (EXAMINE, ("examine", "source", "/media/a.mov")),
        (
            ExamineCopy(
                key="k",
                path="/media/a.mov",
                fingerprint="",
                stream=0,
                first_frame=0,
                frames=1,
                signature="",
            ),
            ("examine-copy", "source", "/media/a.mov"),
        ),
        (FindSources(wanted=()), ("find", "source", "")),
        (RENDER, ("render", "scratch", "/scratch/k.part")),
        (
            DrawThumbnail(path="/film.mov", frame=1, part="/p"),
            ("draw-thumbnail", "output", "/film.mov"),
        ),
        (MIX, ("mix", "scratch", "/scratch/m.pcm")),
        (
            EncodeTrack(key="t", argv=(), part="/scratch/t", inputs=(), samples=1),
            ("encode-track", "scratch", "/scratch/t"),
        ),
        (JOIN, ("join", "output", "/film/.h/f.mov")),
        (
            ValidateSeal(key="k", path="/scratch/k.mov", bytes=1, file_hash=""),
            ("validate", "scratch", "/scratch/k.mov"),
        ),
        (
            CheckFilm(path="/film/f.mov", film_hash="", frames=1, samples=0, deep=False),
            ("check", "output", "/film/f.mov"),
        ),
        (ProveEncoder(argv=(), part="/scratch/p.mov"), ("prove", "scratch", "/scratch/p.mov")),
    ],
)
def test_every_order_has_its_place(order: Order, seen: tuple[str, str, str]) -> None:
    found = evidence.evidence_of(OSError(errno.ENOSPC, "No space left on device"), order)
    assert (found.operation, found.place, found.path) == seen
    assert (found.errno, found.note) == (errno.ENOSPC, "")
    assert "No space left" in found.detail
    assert found.free_bytes is not None and found.network is False


@pytest.mark.parametrize(
    ("error", "order", "expected"),
    [
        (
            NotMedia("empty-file", "why"),
            EXAMINE,
            {"note": "empty-file", "detail": "why", "place": "source"},
        ),
        (
            NotContiguous(12, 5),
            EXAMINE,
            {"note": "too-few-frames", "frames_wanted": 12, "frames_seen": 5, "place": "source"},
        ),
        (
            Changed("key", "/media/b"),
            JOIN,
            {"place": "source", "path": "/media/b", "note": "source-changed", "clip": "key"},
        ),
        (
            Damaged("key", "/s/k.mov"),
            JOIN,
            {"place": "scratch", "path": "/s/k.mov", "note": "seal-damaged", "clip": "key"},
        ),
        (
            av.InvalidDataError(1094995529, "Invalid data", "/media/a.mov"),
            EXAMINE,
            {"note": "invalid-data", "place": "source"},
        ),
        (
            av.InvalidDataError(1094995529, "Invalid data", "/media/z.mov"),
            JOIN,
            {"place": "source", "path": "/media/z.mov"},
        ),
        (
            av.EOFError(541478725, "End", "/film/.h/f.mov"),
            JOIN,
            {"note": "media-error", "errno": None, "place": "output"},
        ),
        (
            av.FFmpegError(5, "Input/output error", "/media/z.mov"),
            JOIN,
            {"errno": 5, "note": "", "path": "/media/z.mov"},
        ),
        (
            av.FFmpegError(28, "No space left", "/film/.h/f.mov"),
            JOIN,
            {"errno": 28, "place": "output", "path": "/film/.h/f.mov"},
        ),
        (
            av.FFmpegError(28, "No space left", "/film/.h/f.mov.part"),
            JOIN,
            {"errno": 28, "place": "output"},
        ),
        (
            PermissionError(errno.EACCES, "no", "/media/a.mov"),
            EXAMINE,
            {"errno": errno.EACCES, "note": "", "place": "source"},
        ),
        (MemoryError(), RENDER, {"note": "unexpected", "errno": None, "place": "scratch"}),
        (OSError("no number"), RENDER, {"note": "unexpected", "errno": None}),
        (
            KeyError("x"),
            RENDER,
            {"note": "unexpected", "detail": "KeyError: 'x'", "place": "scratch"},
        ),
        (AssertionError(), RENDER, {"note": "unexpected"}),
    ],
)
def test_every_kind_of_error(error: Exception, order: Order, expected: dict[str, object]) -> None:
    found = evidence.evidence_of(error, order)
    assert {name: getattr(found, name) for name in expected} == expected


def test_the_error_of_a_sound_is_its_source_s() -> None:
    short = TooShort(480, 12)
    short.sound = VOICE  # type: ignore[attr-defined]
    found = evidence.evidence_of(short, MIX)
    assert (found.place, found.path, found.clip) == ("source", "/media/voice.wav", "c7")
    assert (found.note, found.frames_wanted, found.frames_seen) == ("too-few-frames", 480, 12)
    refused = OSError(errno.EIO, "Input/output error")
    refused.sound = VOICE  # type: ignore[attr-defined]
    found = evidence.evidence_of(refused, MIX)
    assert (found.place, found.path, found.errno) == ("source", "/media/voice.wav", errno.EIO)


def test_a_part_that_cannot_be_written_is_not_the_source_s_fault(tmp_path: Path) -> None:
    order = MixSound(
        **{
            **{n: getattr(MIX, n) for n in MIX.__struct_fields__},
            "part": str(tmp_path / "none" / "m.pcm"),
        }
    )
    found = worker.perform(Assignment(order=order))
    assert isinstance(found, Evidence)
    assert (found.operation, found.place, found.path, found.errno) == (
        "mix",
        "scratch",
        order.part,
        errno.ENOENT,
    )


def test_long_words_are_cut() -> None:
    assert len(evidence.evidence_of(ValueError("x" * 5000), RENDER).detail) == 300
    assert len(evidence.evidence_of(OSError(5, "x" * 5000), RENDER).detail) == 400


def test_only_the_engine_s_end_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(error: BaseException) -> None:
        def examine(path: str, *, count: bool) -> None:
            raise error

        monkeypatch.setattr(probe, "examine", examine)

    raises(RuntimeError("odd"))
    found = worker.perform(Assignment(order=EXAMINE))
    assert isinstance(found, Evidence) and (found.place, found.note) == ("program", "program")
    raises(ffmpeg.EngineGone())
    with pytest.raises(ffmpeg.EngineGone):
        worker.perform(Assignment(order=EXAMINE))


def _worker() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "core.executors.worker", str(os.getpid())], env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def test_it_serves_until_its_input_closes(mjpeg: Movie) -> None:
    """One line for each order; what it cannot read is evidence too, and it goes on."""
    good = codec.encode(Assignment(order=ExamineSource(path=str(mjpeg.path))))
    with _worker() as process:
        words = b"not json\n" + b'{"is": "Assignment", "order": {"is": "Dance"}}\n' + good + b"\n"
        said, _ = process.communicate(words, timeout=30)
    replies: list[Outcome] = [codec.decode(line, Reply) for line in said.splitlines()]  # type: ignore[arg-type]
    assert [type(reply) for reply in replies] == [Evidence, Evidence, Examined]
    assert process.returncode == 0
    for reply in replies[:2]:
        assert isinstance(reply, Evidence)
        assert (reply.operation, reply.place, reply.note) == ("assignment", "program", "unexpected")
    assert replies[2] == Examined(source=probe.examine(str(mjpeg.path)))


def test_when_its_input_closes_it_ends_with_its_ffmpeg(tmp_path: Path) -> None:
    argv = ("sh", "-c", f"echo $$ > {tmp_path}/pid; exec sleep 120")
    order = RenderSegment(key="k", argv=argv, part=str(tmp_path / "k.part"), frames=9, signature="")
    with _worker() as process:
        assert process.stdin
        process.stdin.write(codec.encode(Assignment(order=order)) + b"\n")
        process.stdin.flush()
        bench.until(
            lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().endswith("\n")
        )
        child = int((tmp_path / "pid").read_text())
        assert not bench.dead(child)
        process.stdin.close()
        assert process.wait(timeout=20) == 1
    bench.until(lambda: bench.dead(child))


def test_a_source_that_is_gone_after_rendering_is_not_blamed_on_the_scratch_disk() -> None:
    order = RenderSegment(
        key="k", argv=(), part="/scratch/k.mov", frames=1, signature="", source="/media/a.mov"
    )
    for path, place in (("/media/a.mov", "source"), ("/scratch/k.mov", "scratch")):
        seen = evidence.evidence_of(FileNotFoundError(2, "gone", path), order)
        assert (seen.place, seen.path) == (place, path)


def test_what_another_file_is_not_is_no_damage_of_the_one_that_was_there(
    prores: Movie, tmp_path: Path
) -> None:
    copy = Path(shutil.copy2(prores.path, tmp_path / "a.mov"))
    order = bench.order(
        tmp_path / "k.mov", bench.piece(dataclasses.replace(prores, path=copy), 0), 12, MJPEG
    )
    with copy.open("r+b") as handle:
        handle.truncate(copy.stat().st_size // 3)
    seen = worker.perform(Assignment(order=order))
    assert isinstance(seen, Evidence)
    assert (seen.place, seen.path, seen.note) == ("source", str(copy), "source-changed")
    copy.unlink()
    seen = worker.perform(Assignment(order=order))
    assert isinstance(seen, Evidence) and seen.note != "source-changed", "gone is not replaced"


def test_a_source_that_is_missed_and_there_again_was_away_whoever_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Why ffmpeg failed is asked of the file itself; a drive may be plugged in again before its mount point is."""
    source = tmp_path / "a.mov"
    missed = Evidence(operation="render", place="source", path=str(source), errno=errno.ENOENT)
    monkeypatch.setattr(worker.render, "render", lambda *_: missed)
    order = msgspec.structs.replace(RENDER, source=str(source), fingerprint="")
    assert worker.perform(Assignment(order=order)) == missed, "it is gone"
    source.write_bytes(b"a")
    order = msgspec.structs.replace(order, fingerprint=hashes.fingerprint(source))
    seen = worker.perform(Assignment(order=order))
    assert isinstance(seen, Evidence) and seen.note == "volume-gone"
    order = msgspec.structs.replace(order, fingerprint="another one")
    seen = worker.perform(Assignment(order=order))
    assert isinstance(seen, Evidence) and seen.note == "source-changed", (
        "it was taken away for a newer one"
    )
