"""Looking again at what was made before."""

from __future__ import annotations

import shutil
from pathlib import Path

import imageio_ffmpeg
import pytest

from core.media import hashes
from core.tasks import check_film
from core.tasks.spec import CheckFilm, Made, Refuted, Validated, ValidateSeal
from tests.core.bench import flip, flip_at
from tests.film.media import Movie, ffmpeg, make_wav


def _validate(path: Path, file_hash: str) -> Validated | Refuted:
    return check_film.validate(ValidateSeal(key="k", path=str(path), bytes=0, file_hash=file_hash))


def test_a_seal_is_good_changed_or_gone(tmp_path: Path) -> None:
    sealed = tmp_path / "k.mov"
    sealed.write_bytes(bytes(3 << 20))
    mark = hashes.file_hash(sealed)
    assert _validate(sealed, mark) == Validated()
    flip_at(sealed, 2 << 20)
    changed = _validate(sealed, mark)
    sealed.unlink()
    gone = _validate(sealed, mark)
    assert isinstance(changed, Refuted) and isinstance(gone, Refuted)
    assert changed.reason != gone.reason and "gone" in gone.reason


def test_a_seal_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """It may be there again tomorrow: a folder in its place, a disk that fails."""
    with pytest.raises(OSError):
        _validate(tmp_path, "")


def _check(
    path: Path, movie: Movie, *, film_hash: str = "", deep: bool = True, **more: int
) -> Made | Refuted:
    counts = {"frames": movie.frames, "samples": movie.samples, **more}
    heard: list[int] = []
    return check_film.check_film(
        CheckFilm(path=str(path), film_hash=film_hash, deep=deep, **counts), heard.append
    )


@pytest.mark.parametrize("name", ["prores", "dnxhr", "h264", "ffv1", "mjpeg"])
def test_a_good_film(name: str, request: pytest.FixtureRequest) -> None:
    movie: Movie = request.getfixturevalue(name)
    found = _check(movie.path, movie, film_hash=hashes.tree_hash(movie.path))
    assert isinstance(found, Made)
    assert found.frames == movie.frames and int(found.digest) >= movie.samples


def test_every_changed_byte_is_seen_by_the_hash(prores: Movie, tmp_path: Path) -> None:
    film = Path(shutil.copy2(prores.path, tmp_path))
    mark = hashes.tree_hash(film)
    assert isinstance(_check(film, prores, film_hash=mark, deep=False), Made)
    for at in (30, film.stat().st_size // 2, film.stat().st_size - 1):
        flip_at(film, at)
        assert isinstance(_check(film, prores, film_hash=mark, deep=False), Refuted), at
        flip_at(film, at)
    assert isinstance(_check(film, prores, film_hash=mark, deep=False), Made)


@pytest.mark.parametrize(("name", "packet"), [("prores", 3), ("h264", 3), ("mjpeg", 3)])
def test_deep_finds_damage_without_a_hash(
    name: str, packet: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    movie: Movie = request.getfixturevalue(name)
    film = Path(shutil.copy2(movie.path, tmp_path))
    flip(film, packet)
    found = _check(film, movie)
    assert isinstance(found, Refuted) and "decod" in found.reason
    assert isinstance(_check(film, movie, deep=False), Made), "only the deep look decodes"


def test_deep_hears_what_a_decoder_only_grumbles_about(ffv1: Movie, tmp_path: Path) -> None:
    """A slice of FFV1 whose checksum is wrong is shown all the same, with a line in the log."""
    film = tmp_path / "film.mkv"
    ffmpeg(
        "-i",
        ffv1.path,
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
        "-c:a",
        "copy",
        film,
    )
    assert isinstance(_check(film, ffv1), Made)
    flip(film, 3)
    assert isinstance(_check(film, ffv1), Refuted)


def test_deep_counts(prores: Movie, ffv1: Movie, tmp_path: Path) -> None:
    for counts in ({"frames": 29}, {"frames": 31}, {"samples": prores.samples + 1}):
        found = _check(prores.path, prores, **counts)
        assert isinstance(found, Refuted) and "30 of" in found.reason and "60000 of" in found.reason
    (tmp_path / "cut.mkv").write_bytes(ffv1.path.read_bytes()[:-40000])
    assert isinstance(_check(tmp_path / "cut.mkv", ffv1), Refuted)


def test_what_is_no_film_is_refuted(prores: Movie, tmp_path: Path) -> None:
    (tmp_path / "film.mov").write_bytes(bytes(5000))
    make_wav(tmp_path / "film.wav", source_id=1, samples=4800)
    for name in ("film.mov", "film.wav"):
        assert isinstance(_check(tmp_path / name, prores), Refuted)


def test_a_film_that_is_not_there_is_an_error(prores: Movie, tmp_path: Path) -> None:
    for film_hash in ("tree8m:0", ""):
        with pytest.raises(FileNotFoundError):
            _check(tmp_path / "none.mov", prores, film_hash=film_hash)


def test_a_film_is_refuted_only_when_ffmpeg_alone_does_not_decode_it_either(
    prores: Movie, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film, program = Path(shutil.copy2(prores.path, tmp_path)), imageio_ffmpeg.get_ffmpeg_exe()
    strict: dict[str, Made | Refuted] = {"is": Refuted(reason="frame 3 does not decode cleanly")}
    monkeypatch.setattr(check_film, "_checked", lambda order, on_frames: strict["is"])

    def asked(**more: int) -> Made | Refuted:
        counts = {"frames": prores.frames, "samples": prores.samples, **more}
        return check_film.check_film(
            CheckFilm(path=str(film), film_hash="", deep=True, **counts),
            lambda frames: None,
            program,
        )

    assert asked() == Made(frames=prores.frames, digest=str(prores.samples))
    assert asked(frames=prores.frames - 1) == asked(samples=prores.samples * 2) == strict["is"], (
        "the witness counts"
    )
    flip(film, 3)
    assert asked() == strict["is"]
    shutil.copy2(prores.path, film)
    strict["is"] = Refuted(reason=check_film.OTHER_BYTES)
    assert asked() == strict["is"], "other bytes are other bytes, however well they decode"
