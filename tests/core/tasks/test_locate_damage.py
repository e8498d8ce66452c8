"""Which frames are damaged, found in real media that was damaged at known places."""

from __future__ import annotations

import os
import shutil
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from core.media import hashes, packet_hashes
from core.media.media_errors import Changed
from core.tasks import locate_damage
from core.tasks.spec import Located, LocateDamage, Marks
from tests.film.media import Movie


def _order(path: Path, movie: Movie, first: int, frames: int, **more: object) -> LocateDamage:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        start_s = (stream.start_time or 0) * (stream.time_base or 1) - packet_hashes.start_of(
            container
        )
    usual = {
        "key": "k",
        "path": str(path),
        "fingerprint": hashes.fingerprint(path),
        "stream": 0,
        "frames": frames,
    }
    usual |= {"begin_s": start_s + Fraction(first) / movie.rate, "source_rate": movie.rate}
    return LocateDamage(**(usual | more))  # type: ignore[arg-type]


def _located(order: LocateDamage, rate: Fraction) -> Located:
    return locate_damage.locate(order, rate, lambda frames: None)


def _damaged(movie: Movie, folder: Path, number: int) -> Path:
    """A copy of a movie in which the middle of the packet that shows a frame was never written."""
    path = folder / f"damaged{movie.path.suffix}"
    shutil.copy2(movie.path, path)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        shown = sorted(packet.pts or 0 for packet in packets)
        packet = next(packet for packet in packets if packet.pts == shown[number])
        at, size = packet.pos or 0, packet.size
    with path.open("rb+") as handle:
        handle.seek(at + size // 4)
        handle.write(bytes(size // 2))
    return path


def test_nothing_is_found_where_nothing_is_wrong(prores: Movie, h264: Movie, ffv1: Movie) -> None:
    for movie in (prores, h264, ffv1):
        assert _located(_order(movie.path, movie, 3, 20), movie.rate).bad == (), movie.path.name


@pytest.mark.parametrize("codec", ["prores", "dnxhr"])
def test_one_frame_is_bad_where_every_frame_stands_alone(
    codec: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    movie: Movie = request.getfixturevalue(codec)
    path = _damaged(movie, tmp_path, 11)
    order = _order(path, movie, 4, 12, picture=str(tmp_path / "last.jpg"))
    found = _located(order, movie.rate)
    assert found == Located(bad=((7, 1),), picture=str(tmp_path / "last.jpg"))
    with Image.open(found.picture) as image:
        assert image.format == "JPEG" and max(image.size) <= 480
    copied = _order(path, movie, 0, 12, begin_s=Fraction(4) / movie.rate, copied=True)
    assert _located(copied, movie.rate).bad == ((7, 1),)


def test_damage_reaches_to_the_next_key_frame_and_not_before_itself(
    h264: Movie, tmp_path: Path
) -> None:
    """Groups of 24 frames: frame 28 is in the second."""
    path = _damaged(h264, tmp_path, 28)
    ((offset, length),) = _located(_order(path, h264, 2, 60), h264.rate).bad
    assert 24 < offset + 2 <= 28 and offset + 2 + length == 48


def test_frames_that_are_not_there_are_missed(prores: Movie, h264: Movie) -> None:
    assert _located(_order(prores.path, prores, 20, 24), prores.rate).bad == ((10, 14),)
    assert _located(_order(h264.path, h264, 60, 24), h264.rate).bad == ((12, 12),)


def test_a_picture_that_decodes_but_is_not_the_one_on_record_is_bad(
    prores: Movie, tmp_path: Path
) -> None:
    begin_s = Fraction(0)
    known = packet_hashes.of_pictures(
        str(prores.path), 0, begin_s, Fraction(30) / prores.rate, begin_s
    )
    place = sorted(known.marks)[9]
    other = Marks(path=known.path, stream=0, marks=known.marks | {place: 7})
    assert _located(_order(prores.path, prores, 4, 12, known=other), prores.rate).bad == ((5, 1),)


def test_a_picture_that_cannot_be_written_is_no_failure(prores: Movie, tmp_path: Path) -> None:
    path = _damaged(prores, tmp_path, 11)
    order = _order(path, prores, 4, 12, picture=str(tmp_path / "none" / "last.jpg"))
    assert _located(order, prores.rate) == Located(bad=((7, 1),))


def test_of_a_file_that_changed_meanwhile_nothing_is_said(prores: Movie, tmp_path: Path) -> None:
    path = tmp_path / "a.mov"
    shutil.copy2(prores.path, path)
    order = _order(path, prores, 4, 12)
    os.utime(path, ns=(1, 1))
    with pytest.raises(Changed):
        _located(order, prores.rate)
