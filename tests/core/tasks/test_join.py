"""Joining sealed parts, source packets and sound into one film, small but real."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import msgspec
import numpy as np
import pytest
import xxhash

from core.errors.failure import Evidence
from core.executors import worker
from core.graph import ffmpeg_args
from core.graph.preset import Preset
from core.media import hashes as hashing
from core.media.media_errors import Changed, Damaged, NotContiguous
from core.tasks import join, render
from core.tasks.spec import Assignment, EncodeTrack, JoinFilm, JoinSound, JoinVideo, Made, Refuted
from tests.core import bench
from tests.core.props import FFV1, H264, MJPEG
from tests.film import reading
from tests.film.media import Movie
from tests.film.sound import expected_audio, lag, packed

FRAMES, SAMPLES = 30, 60000


@dataclass(frozen=True)
class Parts:
    """Sealed parts and the order that joins them."""

    order: JoinFilm
    pcm: bytes

    def into(self, folder: Path, **changes: object) -> JoinFilm:
        """The order, for a film in this folder."""
        return msgspec.structs.replace(self.order, part=str(folder / "film.part"), **changes)

    def copied(self, folder: Path) -> JoinFilm:
        """The same with copies of the parts, which may be damaged."""
        moved = {
            part.file: shutil.copy2(part.file, folder)
            for part in (*self.order.video, *self.order.sound)
        }
        video = tuple(
            msgspec.structs.replace(part, file=moved[part.file]) for part in self.order.video
        )
        sound = tuple(
            msgspec.structs.replace(part, file=moved[part.file]) for part in self.order.sound
        )
        return self.into(folder, video=video, sound=sound)


def _parts(folder: Path, preset: Preset, movie: Movie) -> Parts:
    folder.mkdir()
    video, made = [], None
    for number, (picture, frames) in enumerate(
        [(bench.piece(movie, 5), 12), (bench.piece(movie, 20), 10), (None, 8)]
    ):
        file = folder / f"seg{number}{preset.extension}"
        made = bench.made(file, picture, frames, preset)
        video.append(JoinVideo(key=file.stem, frames=frames, digest=made.digest, file=str(file)))
    sound, pcm, at = [], b"", 0
    for number, count in enumerate((24001, SAMPLES - 24001)):
        data = packed(expected_audio(9, at, count, tone=not preset.audio.pcm), 24)
        (folder / f"chunk{number}.pcm").write_bytes(data)
        digest = xxhash.xxh3_128_hexdigest(data)
        sound.append(
            JoinSound(
                key=f"chunk{number}",
                file=str(folder / f"chunk{number}.pcm"),
                samples=count,
                digest=digest,
            )
        )
        pcm, at = pcm + data, at + count
    if not preset.audio.pcm:
        part = str(folder / "track.m4a")
        argv = ffmpeg_args.encode_track(
            form=bench.SMALL, preset=preset, part=part, ffmpeg_path=bench.FFMPEG
        )
        track = render.encode_track(
            EncodeTrack(key="track", argv=argv, part=part, inputs=tuple(sound), samples=SAMPLES),
            print,
            None,
        )
        assert isinstance(track, Made)
        sound = [JoinSound(key="track", file=part, samples=SAMPLES, digest=track.digest)]
    assert made is not None
    order = JoinFilm(
        cut="cut", part="", container=preset.container, rate=bench.SMALL.rate, reorder=made.reorder, signature=made.signature,
        timecode="01:00:00:12", video=tuple(video), sound=tuple(sound), pcm=preset.audio.codec if preset.audio.pcm else "",
        sample_rate=48000, channels=2, samples=SAMPLES,
    )  # fmt: skip
    return Parts(order, pcm)


@pytest.fixture(scope="session")
def mov(shelf: Path, prores: Movie) -> Parts:
    """Motion JPEG and PCM."""
    return _parts(shelf / "mov", MJPEG, prores)


@pytest.fixture(scope="session")
def mp4(shelf: Path, prores: Movie) -> Parts:
    """H.264 with B frames, and AAC."""
    return _parts(shelf / "mp4", H264, prores)


@pytest.fixture(scope="session")
def mkv(shelf: Path, prores: Movie) -> Parts:
    """FFV1 and PCM."""
    return _parts(shelf / "mkv", FFV1, prores)


def _joined(order: JoinFilm) -> Made:
    heard: list[int] = []
    made = join.join(order, heard.append)
    assert isinstance(made, Made), made
    assert heard and heard[-1] == made.frames
    return made


@pytest.mark.parametrize("name", ["mov", "mp4", "mkv"])
def test_a_film_of_sealed_parts(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    parts: Parts = request.getfixturevalue(name)
    order = parts.into(tmp_path)
    made = _joined(order)
    assert (made.frames, made.on_grid, made.signature, made.reorder) == (
        FRAMES,
        True,
        order.signature,
        order.reorder,
    )
    assert (
        int(made.digest) == SAMPLES if order.pcm else SAMPLES <= int(made.digest) < SAMPLES + 2048
    )
    assert (made.bytes, made.file_hash) == (
        os.path.getsize(order.part),
        hashing.tree_hash(order.part),
    )
    shown = [mark and tuple(mark) for mark in reading.marks(order.part)]
    assert shown == [(1, n) for n in range(5, 17)] + [(1, n) for n in range(20, 30)] + [None] * 8
    assert [reading.black(frame) for frame in reading.frames(order.part)][-8:] == [True] * 8
    with av.open(order.part) as film:
        stream = film.streams.video[0]
        assert {**film.metadata, **stream.metadata}.get(
            "timecode", film.metadata.get("TIMECODE")
        ) == "01:00:00:12"
        base = stream.time_base or Fraction(1)
        stamps = sorted(
            packet.pts * base
            for packet in film.demux(stream)
            if packet.pts is not None and packet.size
        )
    tolerance = Fraction(1, 1000) if name == "mkv" else 0
    assert all(
        abs(stamp - place / bench.SMALL.rate) <= tolerance for place, stamp in enumerate(stamps)
    )
    if order.pcm:
        assert packed(np.asarray(reading.samples(order.part), np.int32), 24) == parts.pcm
    else:
        late, alike = lag(
            reading.decoded(order.part, 2)[20000:40000, 1],
            expected_audio(9, 20000, 20000, tone=True)[:, 1],
        )
        assert late == 0 and alike > 0.999


@pytest.mark.parametrize("name", ["mov", "mp4", "mkv"])
def test_the_same_parts_make_the_same_bytes(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    parts: Parts = request.getfixturevalue(name)
    hashes = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        hashes.append(_joined(parts.into(folder)).file_hash)
    assert hashes[0] == hashes[1]


def test_a_silent_film(mov: Parts, tmp_path: Path) -> None:
    made = _joined(
        mov.into(tmp_path, sound=(), pcm="", sample_rate=0, channels=0, samples=0, timecode="")
    )
    assert (made.frames, made.digest, made.on_grid) == (FRAMES, "0", True)
    with av.open(str(tmp_path / "film.part")) as film:
        assert not film.streams.audio


def test_packets_of_a_source_stand_between_sealed_parts(
    mov: Parts, mjpeg: Movie, tmp_path: Path
) -> None:
    every = bench.payloads(mjpeg.path)
    copy = JoinVideo(
        key="copy",
        frames=7,
        digest=xxhash.xxh3_128_hexdigest(b"".join(every[11:18])),
        source=str(mjpeg.path),
        first_frame=11,
    )
    for video in ((mov.order.video[0], copy, mov.order.video[1], copy), (copy, mov.order.video[2])):
        order = mov.into(tmp_path, video=video, sound=(), pcm="", samples=0)
        made = _joined(order)
        assert made.frames == sum(part.frames for part in video) and made.on_grid
        found, at = bench.payloads(order.part), 0
        for part in video:
            wanted = bench.payloads(part.file) if part.file else every[11:18]
            assert found[at : at + part.frames] == wanted
            at += part.frames


def test_a_changed_source_is_changed(mov: Parts, mjpeg: Movie, tmp_path: Path) -> None:
    source = Path(shutil.copy2(mjpeg.path, tmp_path / "a.mov"))
    digest = xxhash.xxh3_128_hexdigest(b"".join(bench.payloads(source)[3:9]))
    copy = JoinVideo(key="copy", frames=6, digest=digest, source=str(source), first_frame=3)
    order = mov.into(tmp_path, video=(mov.order.video[0], copy), sound=(), pcm="", samples=0)
    _joined(order)
    bench.flip(source, 5)
    with pytest.raises(Changed) as changed:
        join.join(order, lambda frames: None)
    assert (changed.value.key, changed.value.path) == ("copy", str(source))
    bench.flip(source, 5)
    beyond = msgspec.structs.replace(copy, first_frame=27)
    with pytest.raises(NotContiguous):
        join.join(msgspec.structs.replace(order, video=(beyond,)), lambda frames: None)


@pytest.mark.parametrize("how", ["gone", "noise", "half", "another", "sound alone"])
@pytest.mark.parametrize("number", [0, 2], ids=["at the beginning", "at the end"])
def test_whatever_has_become_of_a_source_it_is_blamed_and_not_the_film(
    mov: Parts, mjpeg: Movie, prores: Movie, how: str, number: int, tmp_path: Path
) -> None:
    source = Path(shutil.copy2(mjpeg.path, tmp_path / "a.mov"))
    digest = xxhash.xxh3_128_hexdigest(b"".join(bench.payloads(source)[20:26]))
    copy = JoinVideo(
        key="copy",
        frames=6,
        digest=digest,
        source=str(source),
        fingerprint=hashing.fingerprint(source),
        first_frame=20,
    )
    video = list(mov.order.video)
    video[number] = copy
    order = mov.into(tmp_path, video=tuple(video), sound=(), pcm="", samples=0)
    _joined(order)
    match how:
        case "gone":
            source.unlink()
        case "another":
            shutil.copyfile(prores.path, source)
        case "sound alone":
            shutil.copyfile(_voice(tmp_path), source)
        case _:
            whole = source.read_bytes()
            source.write_bytes({"noise": bytes(5000), "half": whole[: len(whole) // 2]}[how])
    seen = worker.perform(Assignment(order=order))
    assert isinstance(seen, Evidence)
    assert (seen.operation, seen.place, seen.path, seen.clip) == (
        "join",
        "source",
        str(source),
        "copy",
    )
    assert (seen.note, seen.errno) == (
        ("", errno.ENOENT) if how == "gone" else ("source-changed", seen.errno)
    )


@pytest.mark.parametrize("name", ["mov", "mp4", "mkv"])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_damaged_segment_is_named(
    name: str, number: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    order = request.getfixturevalue(name).copied(tmp_path)
    part = order.video[number]
    bench.flip(part.file, part.frames // 2)
    with pytest.raises(Damaged) as damaged:
        join.join(order, lambda frames: None)
    assert (damaged.value.key, damaged.value.path) == (part.key, part.file)


@pytest.mark.parametrize("how", ["gone", "empty", "noise", "half", "another", "sound alone"])
@pytest.mark.parametrize("number", [0, 1])
def test_whatever_happened_to_a_segment_it_is_named(
    mov: Parts, how: str, number: int, tmp_path: Path
) -> None:
    order = mov.copied(tmp_path)
    part = order.video[number]
    file = Path(part.file)
    whole = file.read_bytes()
    match how:
        case "gone":
            file.unlink()
        case "another":
            shutil.copyfile(order.video[2].file, file)
        case "sound alone":
            shutil.copyfile(_voice(tmp_path), file)
        case _:
            file.write_bytes(
                {"empty": b"", "noise": bytes(5000), "half": whole[: len(whole) // 2]}[how]
            )
    with pytest.raises(Damaged) as damaged:
        join.join(order, lambda frames: None)
    assert (damaged.value.key, damaged.value.path) == (part.key, part.file)


def _voice(folder: Path) -> Path:
    path = folder / "voice.mov"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=48000, layout="mono")
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 480), np.int16), format="s16", layout="mono"
        )
        frame.rate = 48000
        out.mux([*stream.encode(frame), *stream.encode(None)])
    return path


@pytest.mark.parametrize("name", ["mov", "mp4"])
def test_damaged_sound_is_named(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    order = request.getfixturevalue(name).copied(tmp_path)
    part = order.sound[-1]
    if order.pcm:
        bench.flip_at(part.file, 12345)
    else:
        bench.flip(part.file, 20, stream="audio")
    with pytest.raises(Damaged) as damaged:
        join.join(order, lambda frames: None)
    assert (damaged.value.key, damaged.value.path) == (part.key, part.file)
    Path(part.file).unlink()
    with pytest.raises(Damaged) as damaged:
        join.join(order, lambda frames: None)
    assert damaged.value.key == part.key


def test_a_segment_of_another_signature_is_not_used(mov: Parts, tmp_path: Path) -> None:
    with pytest.raises(Damaged):
        join.join(
            mov.into(tmp_path, signature="mjpeg Baseline 640x360 yuvj422p"), lambda frames: None
        )


def test_damage_while_writing_is_refuted(
    mov: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the disk gives back is compared, not what was handed to it."""
    order = mov.into(tmp_path)
    write = join.write

    def wrongly(what: str) -> None:
        def instead(*words: object) -> None:
            write(*words)  # type: ignore[arg-type]
            bench.flip(order.part, 14 if what == "video" else 0, stream=what)

        monkeypatch.setattr(join, "write", instead)

    for what, word in (("video", "seg1"), ("audio", "sound")):
        wrongly(what)
        refuted = join.join(order, lambda frames: None)
        assert isinstance(refuted, Refuted) and word in refuted.reason


def test_a_disk_that_lost_what_was_flushed_early_ends_it(
    mov: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel tells of a lost write once; the flush at the end would not hear of it."""
    monkeypatch.setattr(join, "_FLUSH_BYTES", 1)
    flush, told = os.fsync, []

    def once(handle: int) -> None:
        if not told:
            told.append(handle)
            raise OSError(5, "Input/output error")
        flush(handle)

    monkeypatch.setattr(os, "fsync", once)
    with pytest.raises(OSError, match="Input/output"):
        join.join(mov.into(tmp_path), lambda frames: None)


@pytest.mark.parametrize(
    "rate", [Fraction(24), Fraction(24000, 1001), Fraction(25), Fraction(60000, 1001)]
)
def test_frames_and_samples_are_whole_ticks(rate: Fraction) -> None:
    options = join.options_for("mov", rate, 48000)
    assert (int(options["video_track_timescale"]) / rate).denominator == 1
    assert "faststart" in join.options_for("mp4", rate, 48000)["movflags"]
    assert join.options_for("matroska", rate, 48000) == {"fflags": "+bitexact"}
