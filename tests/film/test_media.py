"""The instruments measure right: what is written is read back, and damage is noticed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import opentimelineio as otio
import pytest

from tests.film import barcode, reading, sound
from tests.film.barcode import Mark, Rectangle
from tests.film.media import Movie, expected_audio, ffmpeg, make_movie, make_still, make_wav
from tests.film.timelines import timeline

FRAMES = 30
NTSC = Fraction(30000, 1001)


def all_marks(movie: Movie) -> list[Mark]:
    return [Mark(movie.source_id, number) for number in range(movie.frames)]


def drawn(mark: Mark, width: int = 320, height: int = 180) -> np.ndarray:
    luma = np.full((height, width), 110, np.uint8)
    barcode.draw(luma, mark)
    return luma


@pytest.mark.parametrize(
    ("codec", "suffix", "coded", "pixels"),
    [
        ("prores", ".mov", "prores", "yuv422p10le"),
        ("dnxhr", ".mov", "dnxhd", "yuv422p"),
        ("h264", ".mov", "h264", "yuv420p"),
        ("ffv1", ".mkv", "ffv1", "yuv422p10le"),
        ("mjpeg", ".mov", "mjpeg", "yuvj422p"),
    ],
)
def test_every_codec_is_written_and_read_back(tmp_path, codec, suffix, coded, pixels):
    movie = make_movie(
        tmp_path / f"a{suffix}",
        source_id=201,
        frames=FRAMES,
        codec=codec,
        audio="pcm",
        start_timecode="01:00:00:00",
    )
    assert reading.marks(movie.path) == all_marks(movie)
    heard = reading.samples(movie.path)
    assert heard.shape == (movie.samples, 2) == (60000, 2)
    assert np.array_equal(heard, movie.sound())
    with av.open(str(movie.path)) as file:
        picture = file.streams.video[0]
        assert (picture.codec_context.name, picture.codec_context.pix_fmt) == (coded, pixels)
        assert picture.average_rate == 24
        context = picture.codec_context
        assert (context.color_primaries, context.color_trc, context.colorspace) == (1, 1, 1)
        assert context.color_range == (2 if codec == "mjpeg" else 1)
        timecodes = {
            s.metadata.get("timecode") or s.metadata.get("TIMECODE") for s in file.streams
        } - {None}
        assert timecodes == {"01:00:00:00"}


def test_aac_in_mp4_keeps_its_place(tmp_path):
    movie = make_movie(tmp_path / "a.mp4", source_id=3, frames=48, codec="h264", audio="aac")
    assert reading.marks(movie.path) == all_marks(movie)
    heard, wanted = reading.samples(movie.path), movie.sound()
    assert heard.dtype == np.float32
    assert heard.shape == wanted.shape == (96000, 2)
    for channel in range(2):
        late, likeness = sound.lag(heard[4800:14400, channel], wanted[4800:14400, channel])
        assert late == 0
        assert likeness > 0.99
    late, _ = sound.lag(heard[5000:14600, 0], wanted[4800:14400, 0])
    assert late == -200


@pytest.mark.parametrize("codec", ["h264", "prores", "dnxhr", "mjpeg"])
@pytest.mark.parametrize(
    ("size", "inside"),
    [
        ((640, 480), (640, 360, 0, 60)),
        ((480, 180), (320, 180, 80, 0)),
        ((192, 160), (192, 108, 0, 26)),
    ],
)
def test_scaled_into_bars_still_reads(tmp_path, codec, size, inside):
    movie = make_movie(tmp_path / "a.mov", source_id=9, frames=6, codec=codec)
    width, height, x, y = inside
    bars = f"scale={width}:{height},pad={size[0]}:{size[1]}:{x}:{y}"
    ffmpeg(
        "-i",
        movie.path,
        "-vf",
        bars,
        "-c:v",
        "libx264",
        "-crf",
        "18",
        "-pix_fmt",
        "yuv420p",
        tmp_path / "b.mp4",
    )
    assert reading.marks(tmp_path / "b.mp4") == all_marks(movie)
    assert reading.marks(tmp_path / "b.mp4", fit=(x, y, width, height)) == all_marks(movie)
    found = barcode.active_picture(reading.luma(next(reading.frames(tmp_path / "b.mp4"))))
    assert found is not None
    assert np.abs(np.subtract(found, Rectangle(x, y, width, height))).max() <= 2


def test_the_same_order_gives_the_same_file(tmp_path):
    one, two = (
        make_movie(
            tmp_path / f"{n}.mov", source_id=1, frames=FRAMES, codec="h264", audio="pcm"
        ).path
        for n in "ab"
    )
    assert one.read_bytes() == two.read_bytes()


def test_odd_rates_and_sixteen_bits_are_exact(tmp_path):
    movie = make_movie(
        tmp_path / "a.mov", source_id=7, frames=31, rate=NTSC, audio="pcm", bits=16, channels=1,
        start_timecode="00:59:58;02",
    )  # fmt: skip
    assert movie.samples == 49650  # 31 x 1601.6 = 49649.6
    assert movie.start_frame == 107834
    assert reading.marks(movie.path) == all_marks(movie)
    assert np.array_equal(reading.samples(movie.path), movie.sound())
    with av.open(str(movie.path)) as file:
        assert file.streams.video[0].average_rate == NTSC


def test_captions_leave_the_code_alone(tmp_path):
    movie = make_movie(
        tmp_path / "a.mov", source_id=255, frames=8, size=(640, 360), codec="h264", human=True, name="A001_C002",
        start_timecode="01:00:00:00",
    )  # fmt: skip
    assert reading.marks(movie.path) == all_marks(movie)
    plain = make_movie(tmp_path / "b.mov", source_id=255, frames=8, size=(640, 360), codec="h264")
    assert set(reading.frame_hashes(movie.path)).isdisjoint(reading.frame_hashes(plain.path))


def test_stills_and_wavs(tmp_path):
    still = make_still(tmp_path / "s.png", (400, 300), 77, number=5)
    assert reading.marks(still) == [Mark(77, 5)]
    wav = make_wav(tmp_path / "w.wav", source_id=77, samples=5000, channels=2)
    assert np.array_equal(reading.samples(wav), expected_audio(77, 0, 5000))
    assert reading.audio_hash(wav) != reading.audio_hash(
        make_wav(tmp_path / "x.wav", source_id=78, samples=5000)
    )


def test_every_number_and_source_survives_drawing():
    rng = np.random.default_rng(1)
    some = [Mark(int(rng.integers(256)), int(rng.integers(2**24))) for _ in range(200)]
    for mark in [Mark(0, 0), Mark(255, 2**24 - 1), *some]:
        assert barcode.read(drawn(mark)) == mark
    with pytest.raises(ValueError, match="does not fit"):
        barcode.draw(drawn(Mark(0, 0)), Mark(256, 0))


def test_damage_reads_as_nothing():
    good = drawn(Mark(5, 1234))
    columns, rows = barcode._blocks(good.shape)
    for row in range(4):
        for column in range(16):
            block = np.s_[rows[row] : rows[row + 1], columns[column] : columns[column + 1]]
            hurt = good.copy()
            hurt[block] = 251 - hurt[block]
            assert barcode.read(hurt) is None, f"block {row}, {column} inverted"
            hurt[block] = 120
            assert barcode.read(hurt) is None, f"block {row}, {column} grey"
    for nothing in (np.full_like(good, 16), np.zeros_like(good), np.full_like(good, 235)):
        assert barcode.read(nothing) is None
    noise = np.random.default_rng(2).integers(0, 256, good.shape, np.uint8)
    assert barcode.read(noise) is None
    other = drawn(Mark(5, 1235))
    assert barcode.read(((good.astype(int) + other) // 2).astype(np.uint8)) is None


def test_black_is_told_from_pictures(tmp_path):
    for name, pixels in (("a.mkv", "yuv420p"), ("b.mkv", "yuv422p10le")):
        ffmpeg(
            "-f",
            "lavfi",
            "-i",
            "color=black:s=64x64:d=0.2",
            "-c:v",
            "ffv1",
            "-pix_fmt",
            pixels,
            tmp_path / name,
        )
        assert all(map(reading.black, reading.frames(tmp_path / name)))
    movie = make_movie(tmp_path / "c.mov", source_id=1, frames=3)
    assert not any(map(reading.black, reading.frames(movie.path)))


def test_hashes_do_not_depend_on_the_wrapping(tmp_path):
    movie = make_movie(tmp_path / "a.mov", source_id=1, frames=12, codec="h264", audio="pcm")
    ffmpeg("-i", movie.path, "-c", "copy", tmp_path / "b.mkv")
    assert reading.frame_hashes(movie.path) == reading.frame_hashes(tmp_path / "b.mkv")
    assert len(set(reading.frame_hashes(movie.path))) == 12
    assert reading.audio_hash(movie.path) == reading.audio_hash(tmp_path / "b.mkv")


@pytest.mark.parametrize("bits", [24, 16])
def test_an_excerpt_of_noise_is_found_again(bits):
    excerpt = expected_audio(4, 123_456, 64, 2, bits=bits)
    assert sound.locate(excerpt[:, 0], 4, bits=bits) == 123_456
    assert sound.locate(excerpt[:, 1], 4, channel=1, bits=bits) == 123_456
    assert sound.locate(excerpt[:, 0], 5, bits=bits, within=1_000_000) is None


def test_timelines_read_as_resolve_writes_them(tmp_path):
    a = Movie(
        path=Path("/media/a b.mov"), source_id=1, frames=100, rate=Fraction(25), size=(320, 180), codec="prores",
        audio="pcm", sample_rate=48000, channels=2, bits=24, tone=False, start_timecode="01:00:00:00",
    )  # fmt: skip
    film = timeline(24, name="Reel 1")
    film.video().clip(a, 50, 24).gap(12).clip(
        "/nowhere/b.mov", 3, 10, enabled=False, available=False
    )
    film.audio().clip(a, 50, 24)
    film.video("Titles").gap(4).clip("/lost/c.mov", 0, 8, offline=True).dissolve(2, 2).clip(
        None, 0, 8
    )
    read = otio.adapters.read_from_file(str(film.save(tmp_path / "reel.otio")))
    assert read.global_start_time == otio.opentime.RationalTime(86400, 24)
    assert [track.name for track in read.tracks] == ["Video 1", "Titles", "Audio 1"]
    assert {track.duration().value for track in read.tracks} == {46}
    shot, _, second = read.tracks[0]
    assert shot.media_reference.target_url == "/media/a b.mov"
    assert shot.media_reference.available_range.start_time == otio.opentime.RationalTime(90000, 25)
    assert shot.source_range.start_time == otio.opentime.RationalTime(
        86400 + 48, 24
    )  # two seconds in
    assert not second.enabled
    assert second.media_reference.available_range is None
    lost = read.tracks[1][1].media_reference
    assert isinstance(lost, otio.schema.MissingReference)
    assert lost.metadata["Resolve_OTIO"]["Media Url"] == "/lost/c.mov"
    assert '"Clip.2"' in (tmp_path / "reel.otio").read_text()


def test_a_timeline_is_one_sentence_if_you_like(tmp_path):
    saved = timeline(NTSC, start=None).video().clip("/m/a.mov", 5, 30, rate=24, speed=2.0).audio().gap(2).save(
        tmp_path / "one.otio"
    )  # fmt: skip
    read = otio.adapters.read_from_file(str(saved))
    assert read.global_start_time is None
    shot = read.tracks[0][0]
    assert shot.effects[0].time_scalar == 2.0
    assert shot.source_range.start_time.value == pytest.approx(5 / 24 * 30000 / 1001)
    assert shot.media_reference.available_range.duration.rate == 24


def test_ffmpeg_says_why_it_refused(tmp_path):
    with pytest.raises(RuntimeError, match="at least 256x120"):
        make_movie(tmp_path / "a.mov", source_id=1, frames=200, codec="dnxhr", size=(128, 72))
