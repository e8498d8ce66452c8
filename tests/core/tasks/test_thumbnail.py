"""Small pictures: the very frame that was asked for."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors.failure import Evidence
from core.executors import worker
from core.media.media_errors import TooShort
from core.tasks import thumbnail
from core.tasks.spec import Assignment, DrawThumbnail, Made
from tests.film.barcode import Mark, read
from tests.film.media import Movie


def drawn(movie: Movie, frame: int, folder: Path, *, width: int = 320) -> Image.Image:
    part = folder / f"{frame}.{width}.part"
    made = thumbnail.draw(
        DrawThumbnail(path=str(movie.path), frame=frame, part=str(part), width=width), movie.rate
    )
    assert made == Made(frames=1, bytes=part.stat().st_size)
    return Image.open(part)


@pytest.mark.parametrize("name", ["prores", "dnxhr", "h264", "ffv1", "mjpeg"])
def test_the_very_frame(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    movie: Movie = request.getfixturevalue(name)
    for frame in (0, 1, movie.frames // 2, movie.frames - 1):
        picture = drawn(movie, frame, tmp_path)
        assert picture.format == "JPEG" and picture.size == movie.size
        assert read(np.asarray(picture.convert("L"))) == Mark(movie.source_id, frame)


def test_it_is_small_and_keeps_its_shape(prores: Movie, tmp_path: Path) -> None:
    assert drawn(prores, 0, tmp_path, width=160).size == (160, 90)


def test_a_frame_that_is_not_there(prores: Movie, tmp_path: Path) -> None:
    with pytest.raises(TooShort):
        drawn(prores, prores.frames + 5, tmp_path)


def test_what_is_no_film_is_evidence_and_not_a_crash(tmp_path: Path) -> None:
    for content in (b"", b"no film at all" * 100):
        (tmp_path / "film.mov").write_bytes(content)
        order = DrawThumbnail(
            path=str(tmp_path / "film.mov"), frame=0, part=str(tmp_path / "x.part")
        )
        seen = worker.perform(Assignment(order=order, rate=Fraction(24)))
        assert isinstance(seen, Evidence) and seen.operation == "draw-thumbnail"
