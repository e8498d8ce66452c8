"""Sound that begins after its clip: silence of exact length, said, and everything else to the sample. Real ffmpeg and files."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from core.graph.nodes import Sound
from core.media import probe
from core.plan import framing
from core.plan.audio_plan import lay_sounds
from tests.core.props import POLICY, PRORES, clip, cut
from tests.film import reading
from tests.film.assembling import House
from tests.film.media import Movie, expected_audio, ffmpeg, make_movie, make_wav
from tests.film.timelines import timeline

FRAME = 2000
"""Samples of a frame at 24 frames a second."""


@pytest.fixture(scope="session")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Movie:
    return make_movie(
        tmp_path_factory.mktemp("late") / "reel.mov",
        source_id=4,
        frames=72,
        codec="h264",
        audio="pcm",
    )


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "home")


def film_of(reel: Movie, sound: Path, source_in: int, frames: int, folder: Path) -> Path:
    """The reel's picture with a sound that begins at its media's frame `source_in`."""
    line = timeline(Fraction(24))
    line.video().clip(reel.path, 0, 72, media_frames=72)
    line.audio().gap(4).clip(sound, source_in, frames, media_frames=72).gap(68 - frames)
    return line.save(folder / "one.otio")


def late_file(folder: Path, suffix: str, frames: int = 12) -> Path:
    """A picture of 72 frames whose sound, exact noise of source 9, begins so many frames later."""
    noise = make_wav(folder / "noise.wav", source_id=9, samples=144000)
    bare = make_movie(folder / "bare.mov", source_id=9, frames=72, codec="h264")
    ffmpeg("-i", bare.path, "-itsoffset", str(frames / 24), "-i", noise, "-map", "0:v", "-map", "1:a",
           "-c:v", "copy", "-c:a", "pcm_s24le", folder / f"late{suffix}")  # fmt: skip
    return folder / f"late{suffix}"


def ordinary(folder: Path, name: str) -> Path:
    """A file as encoders write it, with sound of 3 s from its first frame on."""
    noise = make_wav(folder / "noise.wav", source_id=9, samples=144000)
    if name in ("x.wav", "x.mp3", "x.m4a"):
        ffmpeg("-i", noise, folder / name)
        return folder / name
    if name == "cut.ts":  # cut on a key frame, and nothing decoded for it
        ffmpeg("-ss", "1", "-i", ordinary(folder, "aac.ts"), "-c", "copy", folder / name)
        return folder / name
    bare = make_movie(folder / "bare.mov", source_id=9, frames=72, codec="h264", gop=12)
    words = {
        "pcm.mov": ("-c:v", "copy", "-c:a", "pcm_s24le"),
        "aac.mp4": ("-c:v", "copy", "-c:a", "aac"),
        "unedited.mp4": ("-c:v", "copy", "-c:a", "aac", "-use_editlist", "0"),
        "aac.ts": ("-c:v", "copy", "-c:a", "aac"),
        "mp2.ts": ("-c:v", "copy", "-c:a", "mp2"),
        "aac.mkv": ("-c:v", "copy", "-c:a", "aac"),
        "pcm.mxf": ("-c:v", "mpeg2video", "-r", "25", "-c:a", "pcm_s24le"),
    }[name]
    ffmpeg("-i", bare.path, "-i", noise, "-map", "0:v", "-map", "1:a", *words, folder / name)
    return folder / name


def laid(path: Path, rate: int) -> tuple[list[str], list[Sound]]:
    """The codes of what is said about a clip of a second from a file's first frame on, and its sounds."""
    codes: list[str] = []
    opened = {str(path): probe.examine(str(path))}
    film = cut([clip(0, rate)], audio=([clip(0, rate, str(path), id="a")],), rate=Fraction(rate))
    form = framing.format_of(film, opened, PRORES)
    chunks, _ = lay_sounds(
        film,
        opened,
        form,
        PRORES,
        POLICY,
        lambda code, path, detail, *, shot=None, clip="": codes.append(code),
    )
    return codes, [sound for chunk in chunks for sound in chunk.sounds]


@pytest.mark.parametrize("rate", [24, pytest.param(60, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "name",
    [
        "pcm.mov",
        "aac.mp4",
        "unedited.mp4",
        "aac.ts",
        "mp2.ts",
        "cut.ts",
        "aac.mkv",
        "pcm.mxf",
        "x.wav",
        "x.mp3",
        "x.m4a",
    ],
)
def test_what_encoders_write_is_not_late(tmp_path: Path, name: str, rate: int) -> None:
    codes, (sound,) = laid(ordinary(tmp_path, name), rate)
    assert codes == []
    assert sound.samples >= 48000 - 2048


@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
def test_sound_that_begins_late_in_its_file_is_late(tmp_path: Path, suffix: str) -> None:
    codes, (sound,) = laid(late_file(tmp_path, suffix), 24)
    assert codes == ["sound-begins-late"]
    assert (sound.at, sound.samples) == (24000, 24000)


@pytest.mark.parametrize("before", [12, 1])
def test_sound_before_its_file_is_silence_of_exact_length(
    house: House, reel: Movie, tmp_path: Path, before: int
) -> None:
    noise = make_wav(tmp_path / "noise.wav", source_id=9, samples=144000)
    film = tmp_path / "film.mov"
    ended = house.assemble(film_of(reel, noise, -before, 48, tmp_path), film)
    heard = reading.samples(film)
    wanted = np.zeros((72 * FRAME, 2), np.int32)
    wanted[(4 + before) * FRAME : 52 * FRAME] = expected_audio(9, 0, (48 - before) * FRAME)
    assert np.array_equal(heard, wanted)
    if before == 1:
        assert (ended.code, ended.codes) == (0, set()), "a frame is not worth a word"
        return
    assert (ended.code, ended.codes, ended.summary["outcome"]) == (
        1,
        {"sound-begins-late"},
        "incomplete",
    )
    (problem,) = ended.facts("ProblemFound")
    assert (len(problem["clips"]), problem["detail"]) == (1, "24000/96000")


@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
def test_a_stream_that_begins_late_sounds_from_its_first_sample_on(
    house: House, reel: Movie, tmp_path: Path, suffix: str
) -> None:
    film = tmp_path / "film.mov"
    ended = house.assemble(film_of(reel, late_file(tmp_path, suffix), 0, 48, tmp_path), film)
    assert (ended.code, ended.codes) == (1, {"sound-begins-late"})
    heard = reading.samples(film)
    wanted = np.zeros((72 * FRAME, 2), np.int32)
    wanted[16 * FRAME : 52 * FRAME] = expected_audio(9, 0, 36 * FRAME)
    assert np.array_equal(heard, wanted)


def test_a_clip_wholly_before_its_sound_is_silent_and_the_film_is_published(
    house: House, reel: Movie, tmp_path: Path
) -> None:
    noise = make_wav(tmp_path / "noise.wav", source_id=9, samples=144000)
    film = tmp_path / "film.mov"
    ended = house.assemble(film_of(reel, noise, -60, 48, tmp_path), film)
    assert (ended.code, ended.codes) == (1, {"sound-begins-late"})
    heard = reading.samples(film)
    assert len(heard) == 72 * FRAME and not heard.any()
    assert "begins after the clip does" in house.words("show", ended.summary["job"])
