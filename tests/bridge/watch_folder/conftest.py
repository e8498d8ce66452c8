"""What the tests of the folder door share: a companion for each module, a film to cut, and a folder of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridge.companions import Companions, companions
from tests.bridge.watch_folder.doors import Doors
from tests.film.media import Movie, make_movie


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Movie:
    return make_movie(
        tmp_path_factory.mktemp("reel") / "reel.mov",
        source_id=5,
        frames=72,
        codec="prores",
        audio="pcm",
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Companions]:
    home = tmp_path_factory.mktemp("door") / "home"
    home.mkdir()
    (home / "settings.yaml").write_text("door: false\n")
    with companions(home) as made:
        made.start("-j", "2")
        yield made


@pytest.fixture
def doors(house: Companions, tmp_path: Path) -> Doors:
    return Doors(house, tmp_path)
