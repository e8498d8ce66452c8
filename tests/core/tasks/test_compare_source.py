"""A file is compared with a content place by place: only what was used of it counts, and all of that does."""

from __future__ import annotations

import os
import shutil
import wave
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from core.media import hashes, packet_hashes, packets
from core.media.content import CompareSource, Known, Marks, Use
from core.media.media_errors import Changed
from core.tasks import compare_source, mix_sound
from tests.core import bench
from tests.film.media import Movie

RATE = 48_000


def known(path: Path, movie: Movie, first: int, last: int) -> Known:
    """What is on record once these frames were used."""
    begin_s = Fraction(first) / movie.rate
    return _known(
        packet_hashes.of_pictures(str(path), 0, begin_s, Fraction(last) / movie.rate, begin_s)
    )


def heard(path: Path, first: int, count: int) -> Known:
    """What is on record once these blocks of samples were used."""
    with packets.opened(str(path)) as container:
        stream = container.streams.audio[0]
        begin = first * packet_hashes.BLOCK
        data, _ = mix_sound.samples_of(
            container, stream, begin, count * packet_hashes.BLOCK, packet_hashes.Noted()
        )
        return Known(
            stream=0,
            header=packet_hashes.header_of(container, stream),
            marks=mix_sound.block_marks(data, begin),
        )


def _known(marks: Marks) -> Known:
    return Known(stream=marks.stream, header=marks.header, marks=marks.marks)


def compare(path: Path, *on_record: Known, **more: object) -> tuple[str, bool]:
    found = compare_source.compare(_order(path, *on_record, **more), lambda done: None)
    return found.verdict, found.covered


def _order(path: Path, *on_record: Known, **more: object) -> CompareSource:
    return CompareSource(
        path=str(path), fingerprint=hashes.fingerprint(path), known=on_record, **more
    )  # type: ignore[arg-type]


def use(movie: Movie, first: int, last: int) -> Use:
    return Use(stream=0, begin_s=Fraction(first) / movie.rate, end_s=Fraction(last) / movie.rate)


@pytest.fixture
def copied(prores: Movie, tmp_path: Path) -> Path:
    return Path(shutil.copy2(prores.path, tmp_path / "a.mov"))


def test_a_copy_is_the_same_and_covers_what_was_used_of_it(prores: Movie, copied: Path) -> None:
    record = known(prores.path, prores, 4, 12)
    assert compare(copied, record) == ("same", True)
    assert compare(copied, record, used=(use(prores, 5, 11),)) == ("same", True)
    assert compare(copied, record, used=(use(prores, 5, 20),)) == ("same", False), (
        "frames that were never used"
    )
    assert compare(copied, record, used=(Use(stream=1, end_s=Fraction(1)),)) == ("same", False), (
        "a stream that never was"
    )


def test_one_changed_packet_that_was_used_makes_it_another(prores: Movie, copied: Path) -> None:
    record = known(prores.path, prores, 4, 12)
    bench.flip(copied, packet=20)
    assert compare(copied, record) == ("same", True), "what was never used may differ"
    bench.flip(copied, packet=9)
    assert compare(copied, record)[0] == "other"


def test_frames_that_lean_on_others_are_compared_with_these(h264: Movie, tmp_path: Path) -> None:
    """Groups of 24 frames: frame 40 leans on all from frame 24 on."""
    record = known(h264.path, h264, 40, 44)
    assert len(record.marks) >= 20
    copied = Path(shutil.copy2(h264.path, tmp_path / "a.mp4"))
    assert compare(copied, record, used=(use(h264, 40, 44),)) == ("same", True)
    bench.flip(copied, packet=26)
    assert compare(copied, record)[0] == "other"


def test_another_container_or_stream_header_makes_it_another(
    prores: Movie, h264: Movie, tmp_path: Path
) -> None:
    record = known(prores.path, prores, 4, 12)
    assert compare(h264.path, record)[0] == "other"
    there = Known(stream=5, header=record.header, marks=record.marks)
    assert compare(prores.path, there)[0] == "other", "there is no such stream"
    assert (
        compare(prores.path, Known(stream=0, header=record.header ^ 1, marks=record.marks))[0]
        == "other"
    )


def test_a_place_that_is_gone_makes_it_another(prores: Movie, copied: Path) -> None:
    record = known(prores.path, prores, 4, 12)
    beyond = Known(stream=0, header=record.header, marks={**record.marks, 10**9: 1})
    assert compare(copied, beyond)[0] == "other"


def test_a_whole_file_is_compared_with_its_hash(tmp_path: Path) -> None:
    still = tmp_path / "a.png"
    still.write_bytes(b"a picture")
    record = _known(packet_hashes.of_whole(str(still)))
    assert compare(still, record, used=(Use(stream=-1),)) == ("same", True)
    still.write_bytes(b"A picture")
    assert compare(still, record)[0] == "other"


def test_while_another_file_has_the_content_nothing_is_read(
    prores: Movie, copied: Path, tmp_path: Path
) -> None:
    record = known(prores.path, prores, 4, 12)
    holders = (str(tmp_path / "gone"), str(prores.path))
    found = compare_source.compare(
        _order(copied, record, holders=holders, alone=True), lambda done: None
    )
    assert (found.verdict, found.held, found.bytes) == ("unknown", str(prores.path), 0)
    found = compare_source.compare(_order(copied, record, holders=holders), lambda done: None)
    assert (found.verdict, found.held) == ("same", str(prores.path)) and found.bytes > 0
    os.link(copied, tmp_path / "link.mov")
    linked = compare_source.compare(
        _order(copied, record, holders=(str(tmp_path / "link.mov"),), alone=True), lambda done: None
    )
    assert (linked.verdict, linked.held) == ("same", ""), "a link is the same file"


def test_only_what_is_on_record_is_read(prores: Movie, copied: Path) -> None:
    few, all_of_it = (
        compare_source.compare(
            _order(copied, known(prores.path, prores, 0, last)), lambda done: None
        ).bytes
        for last in (3, prores.frames)
    )
    assert few < all_of_it / 4 and all_of_it < copied.stat().st_size


def test_a_file_that_changes_meanwhile_is_told(prores: Movie, copied: Path) -> None:
    order = _order(copied, known(prores.path, prores, 4, 12))
    bench.flip(copied, packet=20)
    with pytest.raises(Changed):
        compare_source.compare(order, lambda done: None)


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    return written(
        tmp_path / "a.wav",
        np.random.default_rng(1).integers(
            -9000, 9000, (40 * packet_hashes.BLOCK, 2), dtype=np.int16
        ),
    )


def written(path: Path, samples: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def changed(path: Path, sample: int) -> None:
    """One sample is another."""
    data = bytearray(path.read_bytes())
    data[44 + 4 * sample] ^= 1
    path.write_bytes(data)


def test_sound_is_compared_by_blocks_of_samples(wav: Path, tmp_path: Path) -> None:
    record = heard(wav, 8, 12)
    copied = Path(shutil.copy2(wav, tmp_path / "b.wav"))
    inside = Use(
        stream=0,
        begin_s=Fraction(9 * packet_hashes.BLOCK, RATE),
        end_s=Fraction(20 * packet_hashes.BLOCK, RATE),
    )
    assert compare(copied, record, used=(inside,)) == ("same", True)
    beyond = Use(stream=0, begin_s=inside.begin_s, end_s=inside.end_s + Fraction(1, RATE))
    assert compare(copied, record, used=(beyond,)) == ("same", False), (
        "one sample more than on record"
    )
    changed(copied, 20 * packet_hashes.BLOCK)
    assert compare(copied, record, used=(inside,)) == ("same", True), (
        "the first sample after what was used"
    )
    changed(copied, 20 * packet_hashes.BLOCK - 1)
    assert compare(copied, record)[0] == "other", "the last that was"


def test_sound_that_ends_sooner_is_another(wav: Path, tmp_path: Path) -> None:
    record = heard(wav, 8, 12)
    with wave.open(str(wav)) as file:
        samples = np.frombuffer(file.readframes(19 * packet_hashes.BLOCK), "<i2").reshape(-1, 2)
    assert compare(written(tmp_path / "b.wav", samples), record)[0] == "other"
