"""Pictures of shots: from sealed segments, else from the film, kept, and never a reason to fail."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.engine import thumbnails
from core.graph.nodes import Plan
from core.job.events import JobAccepted, SegmentSealed
from core.storage import artifacts
from core.storage.journal import Journal
from core.storage.workspace import Workspace
from tests.core.props import DNXHR, clip, cut, picture, plan, source
from tests.film.barcode import Mark, read
from tests.film.media import Movie, make_movie


@pytest.fixture(scope="module")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Movie:
    return make_movie(tmp_path_factory.mktemp("media") / "segment.mov", source_id=5, frames=40)


@pytest.fixture
def made() -> Plan:
    """Two shots that are the same frames of the same source, and a gap."""
    media = source("/media/a.mov", picture(frames=100))
    return plan(cut([clip(0, 30, id="a"), clip(40, 30, id="b")]), media, preset=DNXHR)


@pytest.fixture
def house(tmp_path: Path) -> tuple[Journal, Workspace]:
    journal = Journal(tmp_path / "home" / "journal.db")
    asked = JobAccepted(
        digest="d", timeline_path="/t", timeline_name="T", output="/f.mov", preset="x"
    )
    journal.accept("job", asked, b"", 0.0)
    return journal, Workspace(tmp_path / "home", tmp_path / "scratch")


def seal(made: Plan, house: tuple[Journal, Workspace], movie: Movie) -> Path:
    """The first segment is sealed, with the movie for its content."""
    journal, workspace = house
    key = made.segments[0].key
    file = f"{key[1:2]}/{key}.mov"
    workspace.stored(file).parent.mkdir(parents=True)
    shutil.copy2(movie.path, workspace.stored(file))
    fact = SegmentSealed(
        key=key, kind="video", shot=1, file=file, bytes=1, file_hash="", frames=30, digest=""
    )
    journal.append("job", [fact], 1.0)
    return workspace.stored(file)


def marks(found: dict[int, bytes]) -> dict[int, Mark | None]:
    return {
        shot: read(np.asarray(Image.open(io.BytesIO(data)).convert("L")))
        for shot, data in found.items()
    }


def draw(
    made: Plan, house: tuple[Journal, Workspace], film: Path | None = None, **options: Any
) -> dict[int, bytes]:
    return thumbnails.of_job(made, film, house[0], house[1], workers=2, **options)


def left(house: tuple[Journal, Workspace]) -> list[str]:
    return sorted(path.suffix for path in (house[1].home / artifacts.PICTURES).iterdir())


def test_the_middle_frame_of_a_sealed_segment_for_every_shot_that_shows_it(made, house, movie):
    file = seal(made, house, movie)
    assert marks(draw(made, house)) == {1: Mark(5, 15), 3: Mark(5, 15)}
    assert left(house) == [".jpg"]
    file.unlink()
    assert marks(draw(made, house)) == {1: Mark(5, 15), 3: Mark(5, 15)}, (
        "kept, when the segment is gone"
    )


def test_from_the_film_when_the_segments_are_gone(made, house, movie):
    seal(made, house, movie).unlink()
    assert marks(draw(made, house, movie.path)) == {1: Mark(5, 15), 3: Mark(5, 15)}


def test_without_segment_and_film_there_are_no_pictures_and_nothing_is_left(
    made, house, movie, tmp_path
):
    assert draw(made, house) == {}
    seal(made, house, movie).write_bytes(b"no film")
    assert draw(made, house, tmp_path / "gone.mov") == {}
    assert left(house) == []


def test_a_data_folder_that_takes_no_pictures(made, house, movie):
    seal(made, house, movie)
    (house[1].home / artifacts.PICTURES).write_text("in the way")
    assert draw(made, house) == {}


def test_not_for_ever(made, house, movie, monkeypatch):
    seal(made, house, movie)
    monkeypatch.setattr(thumbnails, "STALL_S", 0.5)
    assert draw(made, house, within_s=-1.0) == {}
    assert left(house) == []


def test_who_gives_no_time_gets_one_at_least_and_so_all_of_them_in_the_end(made, house, movie):
    seal(made, house, movie)
    assert marks(draw(made, house, within_s=0.0)) == {1: Mark(5, 15), 3: Mark(5, 15)}


def test_of_the_shots_that_are_asked_for(made, house, movie):
    seal(made, house, movie)
    assert marks(draw(made, house, shots={3})) == {3: Mark(5, 15)}
    assert draw(made, house, shots={2, 99}) == {}
