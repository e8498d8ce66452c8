"""What stands in a file, packet by packet."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import av
import pytest
import xxhash

from core.media import packets
from core.media.packet_hashes import mark
from tests.core import bench
from tests.film.media import Movie, ffmpeg, make_movie


@pytest.mark.parametrize("name", ["prores", "dnxhr", "h264", "ffv1", "mjpeg"])
def test_every_packet_is_counted_and_hashed(name: str, request: pytest.FixtureRequest) -> None:
    movie: Movie = request.getfixturevalue(name)
    tolerance = Fraction(1, 2) if name == "ffv1" else Fraction(1, 8)
    counted = packets.count_video(movie.path, movie.rate, tolerance=tolerance)
    assert (counted.frames, counted.on_grid) == (movie.frames, True)
    assert counted.reorder == (2 if name == "h264" else 0)
    assert counted.digest == xxhash.xxh3_128_hexdigest(b"".join(bench.payloads(movie.path)))


@pytest.mark.parametrize(
    ("shown", "ahead"),
    [
        ([], 0),
        ([0, 10, 20], 0),
        ([0, 3, 1, 2], 1),
        ([0, 4, 2, 1, 3], 2),
        ([5, 4, 3], 2),
        ([900, 901, 905], 0),
    ],
)
def test_how_far_decoding_runs_ahead(shown: list[int], ahead: int) -> None:
    assert packets.reorder_of(shown) == ahead


def test_another_rate_is_off_the_grid(prores: Movie) -> None:
    assert not packets.count_video(prores.path, Fraction(25)).on_grid
    assert not packets.count_video(prores.path, Fraction(48)).on_grid


def test_a_hole_is_off_the_grid(prores: Movie, tmp_path: Path) -> None:
    """Frame 10 is missing and the others stand where they stood."""
    with av.open(str(prores.path)) as source, av.open(str(tmp_path / "hole.mov"), "w") as out:
        stream = source.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for number, packet in enumerate(p for p in source.demux(stream) if p.size):
            if number != 10:
                packet.stream = copy
                out.mux(packet)
    counted = packets.count_video(tmp_path / "hole.mov", prores.rate)
    assert (counted.frames, counted.on_grid) == (29, False)


def test_one_byte_of_a_payload_changes_the_digest_alone(prores: Movie, tmp_path: Path) -> None:
    copy = Path(shutil.copy2(prores.path, tmp_path))
    before = packets.count_video(copy, prores.rate)
    bench.flip(copy, 17)
    after = packets.count_video(copy, prores.rate)
    assert after.digest != before.digest
    assert after._replace(digest="") == before._replace(digest="")
    bench.flip(copy, 17)
    assert packets.count_video(copy, prores.rate) == before


def _signature(path: Path) -> str:
    return packets.count_video(path, Fraction(24)).signature


def test_equal_recipes_have_equal_signatures(tmp_path: Path, mjpeg: Movie, h264: Movie) -> None:
    other = make_movie(
        tmp_path / "mjpeg.mov", source_id=9, frames=3, codec="mjpeg", audio="pcm", rate=25
    )
    assert _signature(other.path) == _signature(mjpeg.path)
    other = make_movie(tmp_path / "h264.mp4", source_id=9, frames=3, codec="h264", rate=25)
    assert _signature(other.path) == _signature(h264.path)


def test_size_profile_pixels_and_header_stand_in_the_signature(
    tmp_path: Path, prores: Movie, ffv1: Movie
) -> None:
    source = ("-i", str(prores.path), "-frames:v", "2", "-map", "0:v:0")
    recipes = {
        "hq.mov": ("-c:v", "prores_ks", "-profile:v", "3", "-pix_fmt", "yuv422p10le"),
        "lt.mov": ("-c:v", "prores_ks", "-profile:v", "1", "-pix_fmt", "yuv422p10le"),
        "4444.mov": ("-c:v", "prores_ks", "-profile:v", "3", "-pix_fmt", "yuv444p10le"),
        "wide.mov": (
            "-c:v",
            "prores_ks",
            "-profile:v",
            "3",
            "-pix_fmt",
            "yuv422p10le",
            "-s",
            "384x180",
        ),
        "four.mkv": ("-c:v", "ffv1", "-level", "3", "-slices", "4", "-pix_fmt", "yuv422p10le"),
        "nine.mkv": ("-c:v", "ffv1", "-level", "3", "-slices", "9", "-pix_fmt", "yuv422p10le"),
    }
    for name, recipe in recipes.items():
        ffmpeg(*source, *recipe, tmp_path / name)
    found = {name: _signature(tmp_path / name) for name in recipes}
    assert len(set(found.values())) == len(recipes), found
    assert found["hq.mov"] == _signature(prores.path)


def test_what_is_no_media_raises(tmp_path: Path) -> None:
    (tmp_path / "noise.mov").write_bytes(bytes(5000))
    with pytest.raises(av.FFmpegError):
        packets.count_video(tmp_path / "noise.mov", Fraction(24))
    with pytest.raises(FileNotFoundError):
        packets.count_video(tmp_path / "none.mov", Fraction(24))


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("prores", ".mov"),
        ("prores", ".mkv"),
        ("h264", ".mp4"),
        ("h264", ".mkv"),
        ("h264", ".ts"),
        ("dnxhr", ".mov"),
    ],
)
def test_opening_for_packets_alone_finds_the_same_packets(
    name: str, suffix: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    movie: Movie = request.getfixturevalue(name)
    file = str(tmp_path / f"copy{suffix}")
    ffmpeg("-i", movie.path, "-map", "0", "-dn", "-c", "copy", file)

    def stamps(container: av.container.InputContainer) -> list[object]:
        with container:
            found: list[object] = [container.start_time]
            return found + [
                (p.stream.index, p.pts, p.dts, p.size, p.is_keyframe, mark(p))
                for p in container.demux()
            ]

    assert stamps(packets.opened(file)) == stamps(av.open(file))


def test_a_signature_agrees_with_itself_and_with_no_other(h264: Movie, prores: Movie) -> None:
    for movie in (h264, prores):
        sign = packets.count_video(movie.path, movie.rate).signature
        with packets.opened(str(movie.path)) as container:
            stream = container.streams.video[0]
            assert packets.agrees(stream, sign)
            assert not packets.agrees(stream, sign.replace("320x180", "320x182"))
            assert not packets.agrees(stream, sign + "0")
            assert not packets.agrees(stream, sign.replace("High", "Main").replace("HQ", "LT"))
        whole = packets.count_video(movie.path, movie.rate)
        assert packets.count_video(movie.path, movie.rate, expected=sign) == whole
        assert packets.count_video(movie.path, movie.rate, expected=sign + "0") == whole, (
            "what it is, not what it should be"
        )
