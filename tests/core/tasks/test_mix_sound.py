"""Sound, to the sample."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import xxhash

from core.graph.nodes import Sound
from core.media import hashes
from core.media.media_errors import Changed, TooShort
from core.tasks import mix_sound
from core.tasks.spec import MixSound
from tests.film import reading
from tests.film.media import Movie, ffmpeg, make_movie
from tests.film.sound import FULL_SCALE, expected_audio, lag, make_wav, packed


def _laid(path: Path, first: int | Fraction, samples: int, **more: object) -> Sound:
    """An excerpt from sample `first` at 48 kHz."""
    fingerprint = hashes.fingerprint(path) if path.exists() else ""
    usual = {
        "clip": "c1",
        "shot_name": "S",
        "fingerprint": fingerprint,
        "stream": 0,
        "at": 0,
        **more,
    }
    return Sound(path=str(path), source_in_s=Fraction(first) / 48000, samples=samples, **usual)  # type: ignore[arg-type]


def _mix(part: Path, *sounds: Sound, samples: int, channels: int = 2, bits: int = 24) -> MixSound:
    return MixSound(
        key="k",
        part=str(part),
        samples=samples,
        sample_rate=48000,
        channels=channels,
        bytes_per_sample=bits // 8,
        sounds=sounds,
    )


def _read(
    path: Path, first: int | Fraction, samples: int, channels: int = 2, **more: object
) -> np.ndarray:
    """(samples, channels), full scale 1.0."""
    return mix_sound.read(_laid(path, first, samples, **more), 48000, channels)[0].T


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("suffix", [".wav", ".mov", ".mkv"])
@pytest.mark.parametrize("first", [0, 1, 4801, 50021, 90001])
def test_an_excerpt_is_exact_to_the_bit(
    shelf: Path, tmp_path: Path, bits: int, suffix: str, first: int
) -> None:
    """Matroska rounds its stamps to milliseconds: there samples are counted."""
    path = shelf / f"exact{bits}{suffix}"
    if not path.exists() and suffix == ".wav":
        make_wav(path, source_id=7, samples=96000, bits=bits)
    elif not path.exists():
        make_movie(path, source_id=7, frames=48, codec="mjpeg", audio="pcm", bits=bits)
    count = 5999
    order = _mix(
        tmp_path / "p.pcm",
        _laid(path, first, count, stream=int(suffix != ".wav")),
        samples=count,
        bits=bits,
    )
    made = mix_sound.mix(order)
    expected = packed(expected_audio(7, first, count, bits=bits), bits)
    assert (tmp_path / "p.pcm").read_bytes() == expected
    assert (made.frames, made.bytes, made.clipped) == (count, len(expected), 0)
    assert made.digest == made.file_hash == xxhash.xxh3_128_hexdigest(expected)


def test_eight_bits_and_floats_are_brought_to_one_scale(tmp_path: Path) -> None:
    exact = make_wav(tmp_path / "a.wav", source_id=3, samples=9600, bits=24)
    ffmpeg("-i", exact, "-c:a", "pcm_u8", tmp_path / "u8.wav")
    ffmpeg("-i", exact, "-c:a", "pcm_f32le", tmp_path / "f32.wav")
    ffmpeg("-i", exact, "-c:a", "pcm_s32be", tmp_path / "s32.mov")
    wanted = expected_audio(3, 101, 5000) / FULL_SCALE
    assert np.array_equal(_read(tmp_path / "f32.wav", 101, 5000), wanted)
    assert np.array_equal(_read(tmp_path / "s32.mov", 101, 5000), wanted)
    assert np.abs(_read(tmp_path / "u8.wav", 101, 5000) - wanted).max() <= 1.5 / 128


@pytest.mark.parametrize("source_rate", [44100, 96000, 32000])
@pytest.mark.parametrize("first", [0, 160, 12345, 60001])
def test_another_rate_keeps_its_place(shelf: Path, source_rate: int, first: int) -> None:
    path = shelf / f"tone{source_rate}.wav"
    if not path.exists():
        make_wav(path, source_id=5, samples=source_rate * 2, sample_rate=source_rate, tone=True)
    heard = _read(path, first, 9600)
    wanted = expected_audio(5, first, 9600, tone=True) / FULL_SCALE
    late, alike = lag(heard[:, 1], wanted[:, 1])
    assert late == 0 and alike > 0.9995
    inside = (
        slice(200, -200) if first == 0 else slice(0, None)
    )  # at the file's own edge nothing comes before
    assert np.abs(heard[inside] - wanted[inside]).max() < 0.01, (
        "a whole sample late would be off by 0.02 and more"
    )


def test_another_rate_up_to_its_last_sample(tmp_path: Path) -> None:
    path = make_wav(tmp_path / "tone.wav", source_id=5, samples=44100, sample_rate=44100, tone=True)
    heard = _read(path, 38400, 9600)
    wanted = expected_audio(5, 38400, 9600, tone=True) / FULL_SCALE
    assert np.abs(heard[:-200] - wanted[:-200]).max() < 0.01


def _wav(shelf: Path, channels: int) -> tuple[Path, np.ndarray]:
    path = shelf / f"of{channels}.wav"
    if not path.exists():
        make_wav(path, source_id=8, samples=4800, channels=channels)
    return path, expected_audio(8, 0, 4800, channels) / FULL_SCALE


def test_mono_is_heard_on_both_sides(shelf: Path) -> None:
    path, voice = _wav(shelf, 1)
    assert np.array_equal(_read(path, 0, 4800, 2), np.repeat(voice, 2, axis=1))


def test_mono_is_the_centre_of_five(shelf: Path) -> None:
    path, voice = _wav(shelf, 1)
    heard = _read(path, 0, 4800, 6)
    assert np.array_equal(heard[:, 2], voice[:, 0])
    assert not heard[:, [0, 1, 3, 4, 5]].any()


def test_stereo_is_averaged_for_mono_and_stands_left_and_right_of_five(shelf: Path) -> None:
    path, both = _wav(shelf, 2)
    assert np.allclose(_read(path, 0, 4800, 1)[:, 0], both.mean(axis=1), atol=1e-12)
    heard = _read(path, 0, 4800, 6)
    assert np.array_equal(heard[:, :2], both)
    assert not heard[:, 2:].any()


def test_backs_and_sides_of_seven_one_become_one_pair(shelf: Path) -> None:
    path, eight = _wav(shelf, 8)
    heard = _read(path, 0, 4800, 6)
    assert np.array_equal(heard[:, :4], eight[:, :4])
    assert np.allclose(heard[:, 4:], (eight[:, 4:6] + eight[:, 6:]) / 2, atol=1e-12)


def test_five_one_is_mixed_down_and_never_too_loud(shelf: Path) -> None:
    path, six = _wav(shelf, 6)
    half = 0.5**0.5
    wanted = np.stack(
        [six[:, side] + half * six[:, 2] + half * six[:, 4 + side] for side in (0, 1)], axis=1
    ) / (1 + 2 * half)
    assert np.allclose(_read(path, 0, 4800, 2), wanted, atol=1e-12)
    assert np.array_equal(_read(path, 0, 4800, 6), six)
    assert np.allclose(_read(path, 0, 4800, 1)[:, 0], wanted.mean(axis=1), atol=1e-12), (
        "the middle is heard in mono too"
    )


@pytest.mark.parametrize(
    ("picked", "heard"), [((1,), (1, 1)), ((5, 0), (5, 0)), ((3, 99), (3, 3)), ((99,), (0, 0))]
)
def test_picked_channels(shelf: Path, picked: tuple[int, ...], heard: tuple[int, int]) -> None:
    path, six = _wav(shelf, 6)
    taken, _ = mix_sound.read(_laid(path, 0, 4800, channels=picked), 48000, 2)
    assert np.array_equal(taken.T, six[:, list(heard)])


def test_a_source_that_ends_too_early_is_too_short(tmp_path: Path) -> None:
    path = make_wav(tmp_path / "short.wav", source_id=1, samples=20000)
    with pytest.raises(TooShort) as short:
        _read(path, 10001, 24000)
    assert (short.value.wanted, short.value.seen) == (24000, 9999)
    with pytest.raises(TooShort) as short:
        _read(path, 48000, 24000)
    assert (short.value.wanted, short.value.seen) == (24000, 0)
    with pytest.raises(TooShort) as short:
        _read(path, 18000, 4000)
    assert (short.value.wanted, short.value.seen) == (4000, 2000), (
        "uncompressed sound has no padding"
    )
    padded = _read(path, 18000, 2090)  # lengths in some files are rounded
    assert (
        np.array_equal(padded[:2000], expected_audio(1, 18000, 2000) / FULL_SCALE)
        and not padded[2000:].any()
    )


def test_another_rate_that_ends_too_early_is_too_short(tmp_path: Path) -> None:
    """Whatever the rate, missing sound is said and never becomes silence."""
    path = make_wav(tmp_path / "short.wav", source_id=1, samples=44100, sample_rate=44100)
    with pytest.raises(TooShort) as short:
        _read(path, 24000, 96000)
    assert (short.value.wanted, short.value.seen) == (96000, 24000)
    with pytest.raises(TooShort) as short:
        _read(path, 480000, 9600)
    assert (short.value.wanted, short.value.seen) == (9600, 0)


def test_a_sound_that_begins_before_its_file_is_silent_until_then(tmp_path: Path) -> None:
    path = make_wav(tmp_path / "other.wav", source_id=1, samples=44100, sample_rate=44100)
    whole = _read(path, 0, 24000)
    for before in (480, 20001):
        early = _read(path, -before, 24000)
        assert not early[:before].any() and np.array_equal(early[before:], whole[: 24000 - before])
    assert not _read(path, -48000, 24000).any()
    exact = make_wav(tmp_path / "same.wav", source_id=1, samples=48000)
    assert np.array_equal(_read(exact, -480, 9600)[480:], _read(exact, 0, 9120))


def test_a_sound_of_another_rate_that_begins_late_keeps_its_end(tmp_path: Path) -> None:
    """Its length counts from its own beginning, its samples from the file's."""
    wav, late = (
        make_wav(tmp_path / "a.wav", source_id=1, samples=88200, sample_rate=44100),
        tmp_path / "late.mov",
    )
    picture = make_movie(tmp_path / "v.mov", source_id=1, frames=60, codec="mjpeg")
    for offset_s in ("0.08", "0.5"):
        ffmpeg(
            "-i",
            picture.path,
            "-itsoffset",
            offset_s,
            "-i",
            wav,
            "-map",
            "0:v",
            "-map",
            "1:a",
            "-c",
            "copy",
            late,
        )
        end = round(48000 * (2 + float(offset_s)))
        assert np.abs(_read(late, end - 24000, 24000, stream=1)[-480:]).max() > 0.01


def test_a_file_that_was_replaced_since_it_was_examined_is_not_mixed(tmp_path: Path) -> None:
    path = make_wav(tmp_path / "a.wav", source_id=1, samples=48000)
    planned = _laid(path, 0, 24000)
    make_wav(tmp_path / "other.wav", source_id=2, samples=48000).replace(path)
    with pytest.raises(Changed) as changed:
        mix_sound.mix(_mix(tmp_path / "p.pcm", planned, samples=24000))
    assert (changed.value.key, changed.value.path) == ("c1", str(path)) and not (
        tmp_path / "p.pcm"
    ).exists()


def test_coded_sound_has_its_run_up(h264: Movie) -> None:
    """AAC decoded from the middle needs the packet before: with it, it is what decoding from the beginning gives."""
    whole = reading.decoded(h264.path, 2)
    for first in (1, 4801, 60001, 100003):
        heard = _read(h264.path, first, 9600, stream=1)
        assert np.abs(heard - whole[first : first + 9600]).max() < 1e-6
        late, alike = lag(heard[:, 0], h264.sound(first, 9600)[:, 0])
        assert late == 0 and alike > 0.995


def test_sounds_are_added_where_they_lie(tmp_path: Path) -> None:
    one, two = (make_wav(tmp_path / f"{n}.wav", source_id=n, samples=9600) for n in (1, 2))
    heard: list[int] = []
    order = _mix(
        tmp_path / "p.pcm", _laid(one, 11, 3000, at=500), _laid(two, 7, 2000, at=2501), samples=6000
    )
    mix_sound.mix(order, heard.append)
    wanted = np.zeros((6000, 2), np.int32)
    wanted[500:3500] += expected_audio(1, 11, 3000)
    wanted[2501:4501] += expected_audio(2, 7, 2000)
    assert (tmp_path / "p.pcm").read_bytes() == packed(wanted, 24)
    assert heard == [3500, 4501]


def test_silence_is_made_without_any_source(tmp_path: Path) -> None:
    made = mix_sound.mix(_mix(tmp_path / "p.pcm", samples=1001, bits=16))
    assert (tmp_path / "p.pcm").read_bytes() == bytes(1001 * 4)
    assert (made.frames, made.clipped) == (1001, 0)


def test_what_exceeds_full_scale_is_clipped_and_counted(tmp_path: Path) -> None:
    path = make_wav(tmp_path / "loud.wav", source_id=1, samples=4800)
    layers = [_laid(path, 0, 4800)] * 6
    made = mix_sound.mix(_mix(tmp_path / "p.pcm", *layers, samples=4800))
    exact = expected_audio(1, 0, 4800).astype(np.int64) * 6
    wanted = np.clip(exact, -FULL_SCALE, FULL_SCALE - 1).astype(np.int32)
    assert (tmp_path / "p.pcm").read_bytes() == packed(wanted, 24)
    assert made.clipped == np.count_nonzero(wanted != exact) > 100


@pytest.mark.parametrize("width", [2, 3])
def test_full_scale_itself_is_not_clipped(width: int) -> None:
    full = float(1 << (width * 8 - 1))
    edges = np.array([[-1.0, (full - 1) / full, 0.0], [1.0, -1 - 1 / full, 1 / full]])
    data, clipped = mix_sound.as_pcm(edges, width)
    values = [
        int.from_bytes(data[at : at + width], "little", signed=True)
        for at in range(0, len(data), width)
    ]
    top = int(full) - 1
    assert values == [-top - 1, top, top, -top - 1, 0, 1]
    assert clipped == 2


def test_the_error_of_a_sound_names_it_and_leaves_no_file(tmp_path: Path) -> None:
    good = make_wav(tmp_path / "good.wav", source_id=1, samples=4800)
    gone = _laid(tmp_path / "gone.wav", 0, 100, clip="c7")
    with pytest.raises(FileNotFoundError) as missing:
        mix_sound.mix(_mix(tmp_path / "p.pcm", _laid(good, 0, 100), gone, samples=4800))
    assert missing.value.sound is gone  # type: ignore[attr-defined]
    assert not (tmp_path / "p.pcm").exists()


def test_a_file_that_stands_there_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "p.pcm").write_bytes(b"of another attempt")
    with pytest.raises(FileExistsError):
        mix_sound.mix(_mix(tmp_path / "p.pcm", samples=10))
    assert (tmp_path / "p.pcm").read_bytes() == b"of another attempt"
