"""Packets that are copied: the right ones, unchanged, and known to decode."""

from __future__ import annotations

import os
import shutil
from fractions import Fraction
from pathlib import Path

import av
import pytest
import xxhash

from core.media import hashes, packets
from core.media.media_errors import Changed, NotContiguous
from core.tasks import stream_copy
from core.tasks.spec import ExamineCopy, Made
from tests.core.bench import flip, payloads
from tests.film.media import Movie, ffmpeg, make_movie


@pytest.fixture(scope="session")
def intra(shelf: Path, ffv1: Movie) -> Path:
    """FFV1, every frame for itself, in Matroska with rounded stamps."""
    path = shelf / "intra.mkv"
    ffmpeg(
        "-i",
        ffv1.path,
        "-an",
        "-c:v",
        "ffv1",
        "-level",
        "3",
        "-g",
        "1",
        "-slices",
        "4",
        "-slicecrc",
        "1",
        path,
    )
    return path


def _cut(path: Path, first: int, count: int) -> list[bytes]:
    with av.open(str(path)) as container:
        return [
            bytes(packet)
            for packet in stream_copy.frames_of(container, container.streams.video[0], first, count)
        ]


def _order(path: Path, first: int, frames: int, known: dict[int, int] | None = None) -> ExamineCopy:
    return ExamineCopy(
        key="k", path=str(path), fingerprint=hashes.fingerprint(path), stream=0, first_frame=first, frames=frames, signature="",
        known=known or {},
    )  # fmt: skip


def _examined(order: ExamineCopy) -> tuple[Made, list[int]]:
    heard: list[int] = []
    return stream_copy.examine(order, heard.append), heard


@pytest.mark.parametrize("name", ["prores", "dnxhr", "mjpeg", "intra"])
def test_the_packets_of_any_frames(name: str, request: pytest.FixtureRequest) -> None:
    found = request.getfixturevalue(name)
    path = found if isinstance(found, Path) else found.path
    every = payloads(path)
    for first in range(len(every)):
        count = min(5, len(every) - first)
        assert _cut(path, first, count) == every[first : first + count], first
    assert _cut(path, 0, len(every)) == every


def test_of_a_file_whose_stamps_do_not_begin_at_zero(mjpeg: Movie, tmp_path: Path) -> None:
    path = tmp_path / "late.mkv"
    ffmpeg("-i", mjpeg.path, "-c", "copy", "-output_ts_offset", "7.3", path)
    assert _cut(path, 11, 6) == payloads(mjpeg.path)[11:17]


def test_at_a_rate_of_1001_parts_far_in(tmp_path: Path) -> None:
    """Rounded to milliseconds a rate is told from its neighbours only over many frames."""
    movie = make_movie(
        tmp_path / "ntsc.mkv",
        source_id=6,
        frames=900,
        rate=Fraction(24000, 1001),
        codec="mjpeg",
        size=(64, 36),
    )
    every = payloads(movie.path)
    for first in (1, 449, 899):
        assert _cut(movie.path, first, 1) == [every[first]]


def test_one_container_can_be_asked_again_and_backwards(prores: Movie) -> None:
    every = payloads(prores.path)
    with av.open(str(prores.path)) as container:
        for first in (20, 3, 4, 0, 29):
            (packet,) = stream_copy.frames_of(container, container.streams.video[0], first, 1)
            assert bytes(packet) == every[first]


def test_beyond_the_end_is_not_contiguous(prores: Movie) -> None:
    with pytest.raises(NotContiguous) as short:
        _cut(prores.path, 25, 10)
    assert (short.value.wanted, short.value.seen) == (10, 5)


def test_frames_that_need_others_are_not_contiguous(h264: Movie) -> None:
    with pytest.raises(NotContiguous) as leaning:
        _cut(h264.path, 0, 10)
    assert (leaning.value.wanted, leaning.value.seen) == (10, 1)


def test_a_missing_frame_is_not_contiguous(mjpeg: Movie, tmp_path: Path) -> None:
    path = tmp_path / "hole.mov"
    with av.open(str(mjpeg.path)) as source, av.open(str(path), "w") as out:
        copy = out.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(p for p in source.demux(source.streams.video[0]) if p.size):
            if number != 12:
                packet.stream = copy
                out.mux(packet)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream_rate = stream.average_rate
    assert stream_rate is not None and abs(stream_rate - 24) < 1
    with pytest.raises(NotContiguous):
        _cut(path, 0, 29)


def test_what_is_examined_is_hashed_and_remembered(prores: Movie) -> None:
    every = payloads(prores.path)
    made, heard = _examined(_order(prores.path, 3, 25))
    assert (made.frames, made.signature) == (
        25,
        packets.count_video(prores.path, prores.rate).signature,
    )
    assert made.digest == xxhash.xxh3_128_hexdigest(b"".join(every[3:28]))
    assert made.known == {frame: xxhash.xxh3_64_intdigest(every[frame]) for frame in range(3, 28)}
    assert heard == [12, 24]


def test_what_was_read_of_a_changed_source_is_not_believed(prores: Movie, tmp_path: Path) -> None:
    copy = Path(shutil.copy2(prores.path, tmp_path))
    order = _order(copy, 0, 5)
    os.utime(copy, ns=(1, 1))
    with pytest.raises(Changed) as changed:
        _examined(order)
    assert (changed.value.key, changed.value.path) == ("k", str(copy))


def test_a_source_that_is_written_over_while_it_is_read_is_not_believed(
    prores: Movie, mjpeg: Movie, tmp_path: Path
) -> None:
    copy = Path(shutil.copy2(prores.path, tmp_path))
    order = _order(copy, 0, 24)
    with pytest.raises(Changed):
        stream_copy.examine(
            order, lambda frames: shutil.copyfile(mjpeg.path, copy.with_name("b.mov")).replace(copy)
        )


def test_a_wrong_checksum_does_not_pass(intra: Path, tmp_path: Path) -> None:
    """The decoder says it in its log alone, and gives a picture all the same."""
    copy = Path(shutil.copy2(intra, tmp_path))
    flip(copy, 12)
    assert _examined(_order(copy, 0, 12))[0].frames == 12, "before the damage"
    assert _examined(_order(copy, 13, 12))[0].frames == 12, "after it"
    with pytest.raises(av.InvalidDataError):
        _examined(_order(copy, 5, 12))


def test_known_packets_are_not_decoded_again(intra: Path, tmp_path: Path) -> None:
    """Shown by a packet that does not decode: known, it passes; with any other hash, or under another number, it is tried."""
    copy = Path(shutil.copy2(intra, tmp_path))
    flip(copy, 12)
    every = payloads(copy)
    marks = {frame: xxhash.xxh3_64_intdigest(data) for frame, data in enumerate(every)}
    made, heard = _examined(_order(copy, 5, 12, known=marks))
    assert (made.known, heard) == ({}, [])
    assert made.digest == xxhash.xxh3_128_hexdigest(b"".join(every[5:17]))
    for known in ({**marks, 12: marks[12] ^ 1}, {frame + 1: mark for frame, mark in marks.items()}):
        with pytest.raises(av.InvalidDataError):
            _examined(_order(copy, 5, 12, known=known))
    some, _ = _examined(
        _order(copy, 0, 10, known={frame: marks[frame] for frame in range(0, 10, 2)})
    )
    assert some.known == {frame: marks[frame] for frame in range(1, 10, 2)}


def test_one_frame_of_another_length_moves_no_frame_behind_it(mjpeg: Movie, tmp_path: Path) -> None:
    """It makes the average rate a little less, and what is counted by that is another frame far into the file."""
    path = tmp_path / "odd.mov"
    with (
        av.open(str(mjpeg.path)) as given,
        av.open(str(path), "w", options={"video_track_timescale": "24"}) as out,
    ):
        stream = out.add_stream_from_template(given.streams.video[0], opaque=True)
        every = [bytes(packet) for packet in given.demux(given.streams.video[0]) if packet.size]
        for number in range(1200):
            packet = av.Packet(every[number % 30])
            packet.stream, packet.time_base, packet.duration, packet.is_keyframe = (
                stream,
                Fraction(1, 24),
                1,
                True,
            )
            packet.pts = packet.dts = number + (number >= 100)  # the hundredth stays for two frames
            out.mux(packet)
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        for first in (0, 101, 900, 1180):
            stamps = [
                packet.pts * packet.time_base * 24
                for packet in stream_copy.frames_of(container, video, first, 5)
            ]
            assert stamps == [first, first + 1, first + 2, first + 3, first + 4]
