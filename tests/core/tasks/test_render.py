"""Making segments and the sound track with a real ffmpeg; and what it left."""

from __future__ import annotations

import dataclasses
import os
import shutil
from fractions import Fraction
from pathlib import Path

import msgspec
import numpy as np
import pytest
import xxhash

from core.errors.failure import Evidence
from core.graph import ffmpeg_args
from core.graph.nodes import Fit, Slate
from core.job.classify import diagnose
from core.media import hashes, packets
from core.media.media_errors import Damaged
from core.tasks import render
from core.tasks.spec import EncodeTrack, JoinSound, Made, Proved, ProveEncoder, RenderSegment
from tests.core import bench
from tests.core.props import DNXHR, FFV1, H264, MJPEG, PRORES
from tests.film import reading
from tests.film.media import Movie
from tests.film.sound import FULL_SCALE, expected_audio, lag, packed


def _rendered(order: RenderSegment) -> Made | Evidence:
    done = render.render(order, bench.SMALL.rate, lambda frames: None, None)
    assert isinstance(done, (Made, Evidence))
    return done


@pytest.mark.parametrize(
    "preset", [PRORES, DNXHR, H264, FFV1, MJPEG], ids=lambda preset: preset.name
)
def test_a_segment_is_counted_signed_and_hashed(
    preset: object, prores: Movie, tmp_path: Path
) -> None:
    part = tmp_path / f"k{preset.extension}"  # type: ignore[attr-defined]
    heard: list[int] = []
    order = bench.order(part, bench.piece(prores, 7), 12, preset)  # type: ignore[arg-type]
    made = render.render(order, bench.SMALL.rate, heard.append, None)
    assert isinstance(made, Made)
    counted = packets.count_video(part, bench.SMALL.rate)
    assert (made.frames, made.on_grid, made.again) == (12, True, False)
    assert (made.digest, made.signature, made.reorder) == (
        counted.digest,
        counted.signature,
        counted.reorder,
    )
    assert (made.bytes, made.file_hash) == (part.stat().st_size, hashes.file_hash(part))
    assert heard[-1] == 12
    assert [mark and tuple(mark) for mark in reading.marks(part)] == [
        (1, number) for number in range(7, 19)
    ]
    argv = ffmpeg_args.prove(
        form=bench.SMALL, preset=preset, part=f"{part}.p", ffmpeg_path=bench.FFMPEG
    )  # type: ignore[arg-type]
    proved = render.prove(ProveEncoder(argv=argv, part=f"{part}.p"), None)
    assert proved == Proved(signature=made.signature), "what one black frame foretells"
    assert not Path(f"{part}.p").exists()


def test_a_slate_is_drawn_and_held(tmp_path: Path) -> None:
    order = bench.order(tmp_path / "k.mov", Slate(lines=("Shot 3", "gone")), 6, MJPEG)
    made = _rendered(
        msgspec.structs.replace(order, slate=("Shot 3", "gone"), width=320, height=180)
    )
    assert isinstance(made, Made) and made.frames == 6
    frames = reading.frame_hashes(tmp_path / "k.mov")
    assert len(set(frames)) == 1
    assert max(int(reading.luma(frame).max()) for frame in reading.frames(tmp_path / "k.mov")) > 180


def test_half_the_frames_are_counted_not_believed(prores: Movie, tmp_path: Path) -> None:
    """ffmpeg says that all went well."""
    made = _rendered(bench.order(tmp_path / "k.mov", bench.piece(prores, 20), 24, MJPEG))
    assert isinstance(made, Made) and made.frames == 10


def _elsewhere(movie: Movie, path: Path) -> Movie:
    """The same movie under another name."""
    return dataclasses.replace(movie, path=path)


def test_a_source_that_is_gone_is_the_source_s_fault(prores: Movie, tmp_path: Path) -> None:
    copy = tmp_path / "gone.mov"
    shutil.copy2(prores.path, copy)
    order = bench.order(tmp_path / "k.mov", bench.piece(_elsewhere(prores, copy), 0), 12, MJPEG)
    copy.unlink()
    died = _rendered(order)
    assert isinstance(died, Evidence)
    assert (died.operation, died.place, died.path) == ("render", "source", str(copy))
    assert died.exit_code not in (0, None) and (died.frames_wanted, died.frames_seen) == (12, 0)
    assert died.argv == order.argv and any("No such file" in line for line in died.stderr)
    assert died.free_bytes is not None and died.elapsed_s > 0


def test_a_part_that_cannot_be_written_is_the_scratch_disk_s_fault(
    prores: Movie, tmp_path: Path
) -> None:
    order = bench.order(tmp_path / "none" / "k.mov", bench.piece(prores, 0), 12, MJPEG)
    died = _rendered(order)
    assert isinstance(died, Evidence)
    assert (died.place, died.path, died.frames_wanted) == ("scratch", order.part, 12)


def test_an_encoder_that_does_not_exist_is_not_the_source_s_fault(tmp_path: Path) -> None:
    preset = msgspec.structs.replace(
        MJPEG, video=msgspec.structs.replace(MJPEG.video, encoder="none_such")
    )
    died = _rendered(bench.order(tmp_path / "k.mov", ffmpeg_args.Black(), 12, preset))
    assert isinstance(died, Evidence)
    assert (died.place, died.path) == ("scratch", str(tmp_path / "k.mov"))
    assert any("none_such" in line for line in died.stderr)
    argv = ffmpeg_args.prove(
        form=bench.SMALL, preset=preset, part=str(tmp_path / "p.mov"), ffmpeg_path=bench.FFMPEG
    )
    proved = render.prove(ProveEncoder(argv=argv, part=str(tmp_path / "p.mov")), None)
    assert isinstance(proved, Evidence)
    assert (proved.operation, proved.place, proved.frames_wanted) == ("prove", "scratch", 1)


def test_a_source_that_changes_meanwhile_is_evidence(prores: Movie, tmp_path: Path) -> None:
    copy = Path(shutil.copy2(prores.path, tmp_path / "a.mov"))
    order = bench.order(tmp_path / "k.mov", bench.piece(_elsewhere(prores, copy), 0), 12, MJPEG)
    os.utime(copy, ns=(1, 1))
    found = _rendered(order)
    assert isinstance(found, Evidence)
    assert (found.place, found.path, found.note, found.exit_code) == (
        "source",
        str(copy),
        "source-changed",
        None,
    )


@pytest.mark.parametrize("first", ["exit 1", "echo '[x] [error] no frame!' >&2", "true"])
def test_the_second_way_is_taken_when_the_first_failed(first: str, tmp_path: Path) -> None:
    good = bench.order(tmp_path / "k.mov", ffmpeg_args.Black(), 6, MJPEG)
    made = _rendered(msgspec.structs.replace(good, argv=("sh", "-c", first), again=good.argv))
    assert isinstance(made, Made) and (made.frames, made.again) == (6, True)
    failed = _rendered(
        msgspec.structs.replace(good, argv=("sh", "-c", first), again=("sh", "-c", "exit 9"))
    )
    assert isinstance(failed, Evidence) and (failed.exit_code, failed.argv[-1]) == (9, "exit 9")
    once = _rendered(msgspec.structs.replace(good, again=("sh", "-c", "exit 9")))
    assert isinstance(once, Made) and not once.again, "the first way did well"


def _track(tmp_path: Path, samples: int, codec: str = "aac") -> EncodeTrack:
    inputs, at = [], 0
    for number, count in enumerate((samples // 3, samples - samples // 3)):
        data = packed(expected_audio(3, at, count, tone=True), 24)
        (tmp_path / f"{number}.pcm").write_bytes(data)
        digest = xxhash.xxh3_128_hexdigest(data)
        inputs.append(
            JoinSound(
                key=f"chunk{number}",
                file=str(tmp_path / f"{number}.pcm"),
                samples=count,
                digest=digest,
            )
        )
        at += count
    preset = msgspec.structs.replace(H264, audio=msgspec.structs.replace(H264.audio, codec=codec))
    part = str(tmp_path / "t.m4a")
    argv = ffmpeg_args.encode_track(
        form=bench.SMALL, preset=preset, part=part, ffmpeg_path=bench.FFMPEG
    )
    return EncodeTrack(key="t", argv=argv, part=part, inputs=tuple(inputs), samples=samples)


def test_the_whole_track_goes_through_one_encoder(tmp_path: Path) -> None:
    order = _track(tmp_path, 100001)
    made = render.encode_track(order, lambda frames: None, None)
    assert isinstance(made, Made)
    assert (made.frames, made.bytes) == (100001, Path(order.part).stat().st_size)
    assert made.file_hash == hashes.file_hash(order.part) and len(made.digest) == 32
    heard = reading.decoded(order.part, 2)
    for first in (2000, 30000, 90000):  # also across the boundary of the files
        late, alike = lag(
            heard[first : first + 9600, 0],
            expected_audio(3, first, 9600, tone=True)[:, 0] / FULL_SCALE,
        )
        assert late == 0 and alike > 0.999
    missing = render.encode_track(
        msgspec.structs.replace(order, samples=200000), lambda frames: None, None
    )
    assert isinstance(missing, Made) and 100001 <= missing.frames < 200000, (
        "never more than came out"
    )


def test_no_track_is_made_of_a_damaged_checkpoint(tmp_path: Path) -> None:
    order = _track(tmp_path, 48000)
    bench.flip_at(tmp_path / "1.pcm", 5000)
    with pytest.raises(Damaged) as damaged:
        render.encode_track(order, lambda frames: None, None)
    assert damaged.value.key == "chunk1"
    (tmp_path / "0.pcm").unlink()
    with pytest.raises(Damaged) as gone:
        render.encode_track(
            msgspec.structs.replace(order, part=str(tmp_path / "u.m4a")), lambda frames: None, None
        )
    assert gone.value.key == "chunk0"


def test_an_encoder_that_fails_on_sound_is_evidence(tmp_path: Path) -> None:
    order = _track(tmp_path, 48000, codec="none_such")
    died = render.encode_track(order, lambda frames: None, None)
    assert isinstance(died, Evidence)
    assert (died.operation, died.place, died.path, died.frames_wanted) == (
        "encode-track",
        "scratch",
        order.part,
        48000,
    )


def test_the_rate_is_what_the_grid_is_checked_against(prores: Movie, tmp_path: Path) -> None:
    order = bench.order(tmp_path / "k.mov", bench.piece(prores, 0), 24, MJPEG)
    made = render.render(order, Fraction(25), lambda frames: None, None)
    assert isinstance(made, Made) and not made.on_grid


def test_damage_from_the_first_frame_on_is_the_source_s_fault_though_nothing_was_written(
    prores: Movie, tmp_path: Path
) -> None:
    """ffmpeg 9 then complains of its output too; that must not pass for trouble with the scratch disk, which ends the job."""
    copy = Path(shutil.copy2(prores.path, tmp_path / "hurt.mov"))
    data = bytearray(copy.read_bytes())
    for packet in bench.payloads(prores.path):
        at = data.index(packet)
        data[at : at + len(packet)] = bytes(len(packet))
    copy.write_bytes(data)
    died = _rendered(
        bench.order(tmp_path / "k.mov", bench.piece(_elsewhere(prores, copy), 0), 12, MJPEG)
    )
    assert isinstance(died, Evidence)
    assert any("Nothing was written" in line for line in died.stderr), (
        "else this test shows nothing"
    )
    assert (died.place, died.path, diagnose(died).code) == ("source", str(copy), "source-damaged")


def test_a_source_that_has_nothing_there_is_too_short(prores: Movie, tmp_path: Path) -> None:
    died = _rendered(bench.order(tmp_path / "k.mov", bench.piece(prores, 500), 12, MJPEG))
    assert isinstance(died, Evidence)
    assert any("Output file is empty" in line for line in died.stderr)
    assert (died.place, died.path, diagnose(died).code) == (
        "source",
        str(prores.path),
        "source-too-short",
    )


@pytest.mark.parametrize("preset", [PRORES, H264, MJPEG], ids=lambda preset: preset.name)
@pytest.mark.parametrize("name", ["prores", "mjpeg"])
def test_black_and_white_are_the_film_s_whatever_range_the_source_has(
    preset: object, name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The barcode is black and white: 16 and 235 in ProRes, 0 and 255 in Motion JPEG. Bars are black as well."""
    shown = msgspec.structs.replace(
        bench.piece(request.getfixturevalue(name), 0), fit=Fit(width=240, height=136, x=40, y=22)
    )
    part = tmp_path / f"k{preset.extension}"  # type: ignore[attr-defined]
    assert isinstance(_rendered(bench.order(part, shown, 2, preset)), Made)  # type: ignore[arg-type]
    frame = next(reading.frames(part))
    luma = reading.luma(frame).astype(int) >> (frame.format.components[0].bits - 8)
    black, white = (0, 255) if preset is MJPEG else (16, 235)
    assert abs(int(luma[:, :30].max()) - black) <= 1 and abs(int(luma[:, :30].min()) - black) <= 1
    code = luma[22 + 84 : 22 + 128, 40 + 24 : 40 + 216]
    assert abs(int(np.percentile(code, 3)) - black) <= 6
    assert abs(int(np.percentile(code, 97)) - white) <= 6
