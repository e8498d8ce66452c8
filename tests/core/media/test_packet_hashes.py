"""Marks follow the content, whatever part of it is read."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import av
import pytest

from core.graph.nodes import Sound
from core.media import packet_hashes
from core.tasks import mix_sound
from tests.core import bench
from tests.film.media import Movie, make_wav


def _pictures(path: Path, movie: Movie, first: int, last: int) -> dict[int, int]:
    begin_s = Fraction(first) / movie.rate
    return packet_hashes.of_pictures(
        str(path), 0, begin_s, Fraction(last) / movie.rate, begin_s
    ).marks


def test_parts_of_a_film_have_the_marks_of_the_whole(h264: Movie, prores: Movie) -> None:
    for movie in (h264, prores):
        whole = _pictures(movie.path, movie, 0, movie.frames)
        part = _pictures(movie.path, movie, 5, 20)
        assert len(whole) == movie.frames and 15 <= len(part) < movie.frames
        assert part.items() <= whole.items()


def test_what_decoding_began_with_is_marked_apart(h264: Movie, prores: Movie) -> None:
    """Groups of 24 frames: from frame 48 on only the third is needed, and the demuxer was asked for one of the second."""
    at = [Fraction(number) / h264.rate for number in (0, 40, 48, 60)]
    whole = packet_hashes.of_pictures(str(h264.path), 0, at[0], at[3], at[0])
    part = packet_hashes.of_pictures(str(h264.path), 0, at[2], at[3], at[1])
    assert whole.before == {} and not part.before.keys() & part.marks.keys()
    assert len(part.before) == 24 and (part.marks | part.before).items() <= whole.marks.items()
    assert part.header == whole.header and part.unmarked == 0
    assert part.header != packet_hashes.of_pictures(str(prores.path), 0, at[0], at[3], at[0]).header


def test_packets_without_a_place_of_their_own_are_counted() -> None:
    noted = packet_hashes.Noted()
    for pts, data in ((1, b"a"), (2, b"b"), (2, b"c"), (None, b"d")):
        packet = av.Packet(data)
        packet.pts = pts
        noted.note(packet)
    assert (sorted(noted.marks), noted.unmarked) == ([1, 2], 2)


def test_one_changed_packet_has_another_mark(prores: Movie, tmp_path: Path) -> None:
    path = tmp_path / "a.mov"
    shutil.copy2(prores.path, path)
    bench.flip(path, packet=9)
    before, after = _pictures(prores.path, prores, 0, 30), _pictures(path, prores, 0, 30)
    assert [
        place for place, number in enumerate(sorted(before)) if before[number] != after[number]
    ] == [9]


def test_a_packet_that_no_encoder_writes_is_damage(h264: Movie, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    shutil.copy2(h264.path, path)
    with av.open(str(path)) as container:
        packet = [p for p in container.demux(container.streams.video[0]) if p.size][30]
    with path.open("rb+") as handle:
        handle.seek((packet.pos or 0) + packet.size // 2)
        handle.write(bytes(8))
    with pytest.raises(av.InvalidDataError):
        _pictures(path, h264, 0, 72)


def test_uncompressed_sound_is_marked_by_blocks_wherever_reading_begins(tmp_path: Path) -> None:
    path = make_wav(tmp_path / "a.wav", source_id=3, samples=50000)
    usual = {
        "clip": "c",
        "shot_name": "",
        "path": str(path),
        "fingerprint": "",
        "stream": 0,
        "at": 0,
    }

    def read(first: int, samples: int) -> dict[int, int]:
        return mix_sound.read(
            Sound(source_in_s=Fraction(first, 48000), samples=samples, **usual), 48000, 2
        )[1].marks

    whole = read(0, 50000)
    assert sorted(whole) == list(range(13)), "twelve whole blocks and the rest"
    assert read(9000, 10000).items() <= whole.items() and sorted(read(9000, 10000)) == [2, 3, 4]
    assert read(48000, 2000).items() <= whole.items()
    at = path.read_bytes().index(b"data") + 8 + 20000 * 6
    bench.flip_at(path, at)
    after = read(0, 50000)
    assert [place for place in whole if whole[place] != after[place]] == [
        20000 // packet_hashes.BLOCK
    ]
