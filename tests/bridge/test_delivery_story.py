"""A newer version of a file is delivered under its name while the companion makes a film of it. The real processes; the ffmpeg of
the settings delivers it before it makes the second piece."""

from __future__ import annotations

import shlex
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import msgspec

from bridge.protocol.responses import Happened
from core.job.events import REPLAN
from tests.bridge.companions import companions, kind, listed, submission
from tests.film.barcode import Mark
from tests.film.comparing import shown
from tests.film.media import make_movie
from tests.film.timelines import timeline

OLD, NEW = 1, 7


def _delivering(folder: Path, newer: Path, media: Path) -> Path:
    """An ffmpeg: asked for the file the first time it takes note, from the second time on the newer one is there."""
    (folder / "armed").touch()
    armed, new, old, real = (
        shlex.quote(str(path))
        for path in (folder / "armed", newer, media, imageio_ffmpeg.get_ffmpeg_exe())
    )
    program = folder / "ffmpeg-of-mine"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *{media.name}*) rm {armed} 2>/dev/null || mv {new} {old} 2>/dev/null;; esac\nexec {real} "$@"\n'
    )
    program.chmod(0o755)
    return program


def test_the_film_is_laid_out_anew_in_the_same_turn(tmp_path: Path) -> None:
    media = make_movie(
        tmp_path / "shot.mov", source_id=OLD, frames=72, codec="h264", audio="pcm"
    ).path
    newer = make_movie(
        tmp_path / "delivered.mov", source_id=NEW, frames=72, codec="h264", audio="pcm"
    ).path
    line = timeline(Fraction(24))
    for track in (line.video(), line.audio()):
        for number in range(5):
            track.clip(media, number * 12, 10, media_frames=72)
    line.save(tmp_path / "c.otio")
    film, home = tmp_path / "film.mov", tmp_path / "home"
    home.mkdir()
    (home / "settings.yaml").write_text(f"ffmpeg: {_delivering(tmp_path, newer, media)}\n")
    with companions(home) as house:
        house.start("-j", "1")
        events, states = [], []
        with house.client() as client, house.client() as asking:
            job = client.ask(
                *submission(tmp_path / "c.otio", film, "delivery-0001", preset="prores-hq")
            ).job
            for said in client.watch(job):
                if isinstance(said, Happened):
                    events.append(said)
                    if kind(said) == "RunInterrupted":
                        states += [line.state for line in listed(asking) if line.job == job]
                    if kind(said) == "JobFinished":
                        break
    assert not newer.exists(), "it was delivered"
    story = [msgspec.json.decode(event.fact) for event in events]
    assert [fact["reason"] for fact in story if fact["is"] == "RunInterrupted"] == [REPLAN]
    assert set(states) <= {"working", "complete"}, "nobody is told that it rests"
    assert [fact["shots"] for fact in story if fact["is"] == "FilmPlanned"] == [5, 5]
    assert (story[-1]["is"], story[-1]["outcome"]) == ("JobFinished", "complete")
    assert any(
        fact["is"] == "SegmentSealed" and fact["kind"] == "video"
        for fact in story[: story.index(_anew(story))]
    )
    assert shown(film) == [
        Mark(NEW, number * 12 + frame) for number in range(5) for frame in range(10)
    ]


def _anew(story: list[dict[str, object]]) -> dict[str, object]:
    return next(fact for fact in story if fact["is"] == "RunInterrupted")
