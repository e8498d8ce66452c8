"""What the teller tells through the companion and the wire: of real films, made and spoilt."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from bridge.client.client import Client
from bridge.client.connection import Declined
from bridge.protocol.requests import Cancel, Describe, Pause, Pictures, Stats
from bridge.protocol.responses import Described, Happened
from tests.bridge.companions import Companions, companions, kind, submission, until_end
from tests.film.barcode import Mark, read
from tests.film.media import Movie, make_movie
from tests.film.timelines import timeline


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Movie:
    return make_movie(
        tmp_path_factory.mktemp("reel") / "reel.mov",
        source_id=5,
        frames=72,
        codec="prores",
        audio="pcm",
    )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Companions]:
    with companions(tmp_path / "home") as made:
        yield made


def cut_of(reel: Movie, path: Path, *, missing: str = "") -> Path:
    """Four shots of ten frames from 01:00:00:00 on; the second and fourth of media that is not there."""
    line = timeline(Fraction(24))
    track = line.video()
    for number in range(4):
        media = path.parent / missing if missing and number % 2 else reel.path
        track.clip(media, number * 5, 10, media_frames=72)
    line.save(path)
    return path


def described(client: Client, job: str) -> Described:
    said = client.ask(Describe(request="d", job=job))
    assert isinstance(said, Described)
    return said


def test_a_film_that_was_made_is_described_with_its_shots_and_pictures(house, reel, tmp_path):
    house.start("-j", "1")
    with house.client() as client:
        job = client.ask(
            *submission(cut_of(reel, tmp_path / "c.otio"), tmp_path / "film.mp4", "told-0001")
        ).job
        last = until_end(client, job)[-1].seq
        said = described(client, job)
        pictures = client.ask(Pictures(request="p", job=job, shots=(1, 3))).pictures
        figures = client.ask(Stats(request="f")).figures
    assert (said.last, said.title, said.findings) == (last, "Complete and verified.", ())
    assert (said.rate, said.start_frame, said.frames, said.job.state) == (
        "24",
        86400,
        40,
        "complete",
    )
    assert [(s.number, s.first, s.frames, s.state) for s in said.shots] == [
        (n + 1, n * 10, 10, "verified") for n in range(4)
    ]
    marks = {
        shot: read(np.asarray(Image.open(io.BytesIO(data)).convert("L")))
        for shot, data in pictures.items()
    }
    assert marks == {1: Mark(5, 5), 3: Mark(5, 15)}
    assert b'"jobs":1' in bytes(figures) and b'"complete":1' in bytes(figures)


def test_a_missing_file_is_one_finding_with_its_shots_and_what_can_be_done(house, reel, tmp_path):
    house.start("-j", "1")
    gone = tmp_path / "gone.mov"
    with house.client() as client:
        cut = cut_of(reel, tmp_path / "c.otio", missing=gone.name)
        job = client.ask(*submission(cut, tmp_path / "film.mp4", "told-0002")).job
        until_end(client, job)
        said = described(client, job)
    assert [shot.state for shot in said.shots] == ["verified", "slate", "verified", "slate"]
    found = [
        f for f in said.findings if f.code != "search-incomplete"
    ]  # a busy machine may not search to the end
    assert [(f.code, f.severity, f.shots, f.first, f.frames) for f in found] == [
        ("source-missing", "error", (2, 4), 10, 10)
    ]
    first = found[0]
    assert first.path == str(gone) and str(gone) in first.message and first.actions[0].safe
    assert first.answers == ("retry", "relink", "skip")
    assert said.title == "Published, but incomplete." and "2 of 4" in said.safe and said.action


def test_a_job_that_waits_and_has_no_plan_is_described(house, reel, tmp_path):
    house.start("-j", "1")
    with house.client() as client:
        client.ask(
            *submission(cut_of(reel, tmp_path / "c.otio"), tmp_path / "film.mp4", "told-0003")
        )
        second = client.ask(
            *submission(cut_of(reel, tmp_path / "d.otio"), tmp_path / "other.mp4", "told-0004")
        ).job
        client.ask(Cancel(request="c", job=second))
        said = described(client, second)
        assert (said.job.state, said.title, said.shots, said.findings, said.rate) == (
            "held",
            "Stopped.",
            (),
            (),
            "",
        )
        assert client.ask(Pictures(request="p", job=second, shots=(1,))).pictures == {}


def test_a_job_under_work_has_pictures_of_what_is_made(house, reel, tmp_path):
    """From its sealed segments: there is no film yet."""
    house.start("-j", "1")
    with house.client() as client:
        job = client.ask(
            *submission(cut_of(reel, tmp_path / "c.otio"), tmp_path / "film.mp4", "told-0005")
        ).job
        for said in client.watch(job):
            if isinstance(said, Happened) and kind(said) == "SegmentSealed":
                shot = msgspec.json.decode(said.fact)["shot"]
                break
        client.ask(Pause(request="rest", paused=True))
        pictures = client.ask(Pictures(request="p", job=job, shots=(1, 2, 3, 4))).pictures
        said = described(client, job)
        client.ask(Pause(request="go", paused=False))
        until_end(client, job)
    assert shot in pictures and all(data.startswith(b"\xff\xd8") for data in pictures.values())
    assert {one.state for one in said.shots} <= {"verified", "waiting"} and said.job.state in (
        "waiting",
        "working",
        "complete",
    )


def test_a_job_that_nobody_knows_is_refused_in_words(house):
    house.start()
    with house.client() as client, pytest.raises(Declined) as refused:
        client.ask(Describe(request="d", job="nosuch"))
    assert refused.value.refusal.code == "job-unknown"
