"""Limits of the property tests, a studio for the engine, and media that tests share. Tests damage copies, never these."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.core.studio import Studio
from tests.film.media import Movie, make_movie

pytest.register_assert_rewrite("tests.core.bench")

settings.register_profile(
    "steady", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("steady")


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """A job with everything real but the workers."""
    return Studio(tmp_path)


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the media stand."""
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture(scope="session")
def prores(shelf: Path) -> Movie:
    """Intra only, 24-bit sound, timecode."""
    return make_movie(
        shelf / "prores.mov", source_id=1, frames=30, audio="pcm", start_timecode="01:00:00:12"
    )


@pytest.fixture(scope="session")
def dnxhr(shelf: Path) -> Movie:
    """Intra only, 16-bit sound, a rate of 1001 parts, drop-frame timecode."""
    return make_movie(
        shelf / "dnxhr.mov", source_id=2, frames=20, rate=Fraction(30000, 1001), codec="dnxhr",
        audio="pcm", bits=16, start_timecode="01:00:00;00",
    )  # fmt: skip


@pytest.fixture(scope="session")
def h264(shelf: Path) -> Movie:
    """Long groups with B frames, AAC."""
    return make_movie(
        shelf / "h264.mp4", source_id=3, frames=72, codec="h264", audio="aac", rate=25, gop=24
    )


@pytest.fixture(scope="session")
def ffv1(shelf: Path) -> Movie:
    """Matroska with exact sound, checksums on every slice, timecode in a tag; frames lean on the one before."""
    return make_movie(
        shelf / "ffv1.mkv",
        source_id=4,
        frames=40,
        codec="ffv1",
        audio="pcm",
        start_timecode="10:00:00:00",
    )


@pytest.fixture(scope="session")
def mjpeg(shelf: Path) -> Movie:
    """Intra only, no sound."""
    return make_movie(shelf / "mjpeg.mov", source_id=5, frames=30, codec="mjpeg")
