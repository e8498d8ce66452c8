"""A film's life as a user lives it: made, changed, missing a source, healed, taken back. Real ffmpeg, the real command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.film import reading
from tests.film.assembling import ROOT, House
from tests.film.barcode import Mark
from tests.film.comparing import faults, shown
from tests.film.cutlist import SLATE, plain
from tests.film.media import Movie, make_movie
from tests.film.timelines import timeline


@pytest.fixture(scope="session")
def reels(tmp_path_factory: pytest.TempPathFactory) -> list[Movie]:
    folder = tmp_path_factory.mktemp("reels")
    kinds = (("prores", ".mov"), ("h264", ".mov"), ("dnxhr", ".mov"))
    return [
        make_movie(
            folder / f"{codec}{suffix}", source_id=n + 1, frames=72, codec=codec, audio="pcm"
        )
        for n, (codec, suffix) in enumerate(kinds)
    ]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "home")


def cut_of(shots: list[tuple[Path, int, int]], path: Path, *, sound: bool = True) -> Path:
    """The same row of (file, first frame, frames) as picture and sound."""
    line = timeline(Fraction(24))
    for track in [line.video(), *([line.audio()] if sound else [])]:
        for media, first, frames in shots:
            track.clip(media, first, frames, media_frames=72)
    line.save(path)
    return path


def test_after_a_change_only_the_changed_shot_is_made(
    house: House, reels: list[Movie], tmp_path: Path
) -> None:
    a, b, c = (reel.path for reel in reels)
    film = tmp_path / "film.mp4"
    first = house.assemble(
        cut_of([(a, 0, 20), (b, 10, 24), (c, 5, 16)], tmp_path / "one.otio"), film
    )
    assert (first.code, first.made) == (0, 60)
    second = house.assemble(
        cut_of([(c, 5, 16), (b, 11, 24), (a, 0, 20)], tmp_path / "two.otio"), film
    )
    assert (second.code, second.made) == (0, 24), "moved shots are known again, wherever they stand"
    assert shown(film)[16] == Mark(2, 11)


def test_the_same_cut_again_is_nothing_to_do(
    house: House, reels: list[Movie], tmp_path: Path
) -> None:
    cut = cut_of([(reels[0].path, 0, 20)], tmp_path / "one.otio")
    film = tmp_path / "film.mov"
    house.assemble(cut, film)
    before = film.stat()
    again = house.assemble(cut, film)
    assert (again.code, again.summary["outcome"]) == (0, "unchanged")
    assert (film.stat().st_ino, film.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_missing_source_is_a_slate_of_exact_length_and_heals_alone(
    house: House, reels: list[Movie], tmp_path: Path
) -> None:
    away, there = tmp_path / "away.mov", tmp_path / "there.mov"
    shutil.copy2(reels[1].path, away)
    cut = cut_of(
        [(reels[0].path, 0, 20), (there, 10, 24), (reels[2].path, 5, 16)], tmp_path / "one.otio"
    )
    film = tmp_path / "film.mov"
    ended = house.assemble(cut, film)
    assert ended.code == 1
    assert ended.codes == {"source-missing"}
    assert ended.summary["shots_missing"] == [2]
    pictures = shown(film)
    assert pictures[19:21] == [Mark(1, 19), SLATE] and pictures[43:45] == [SLATE, Mark(3, 5)]
    assert len(pictures) == 60 and len(reading.samples(film)) == 60 * 2000
    away.rename(there)
    healed = house.assemble(cut, film)
    assert (healed.code, healed.made) == (0, 24)
    assert shown(film)[20] == Mark(2, 10)


@pytest.mark.parametrize(
    "kind", [0, 1, pytest.param(2, marks=pytest.mark.long)], ids=["prores", "h264", "dnxhr"]
)
def test_a_damaged_source_never_reaches_the_film_unsaid(
    house: House, reels: list[Movie], tmp_path: Path, kind: int
) -> None:
    bad = tmp_path / "bad.mov"
    shutil.copy2(reels[kind].path, bad)
    with bad.open("r+b") as handle:
        handle.seek(bad.stat().st_size // 2)
        handle.write(bytes(min(65536, bad.stat().st_size // 8)))
    good = reels[(kind + 1) % 3].path
    ended = house.assemble(
        cut_of([(good, 0, 20), (bad, 0, 72)], tmp_path / "one.otio", sound=False),
        tmp_path / "film.mov",
    )
    assert ended.code == 1
    assert ended.codes == {"shot-mended"}
    assert ended.summary["shots_missing"] == [2]
    pictures = shown(tmp_path / "film.mov")
    (problem,) = ended.summary["problems"]
    named = {
        20 + n
        for run in problem["places"]
        for n in range(run["first"], run["first"] + run["frames"])
    }
    assert named and {n for n, picture in enumerate(pictures) if picture == SLATE} == named
    assert all(
        picture == Mark(kind + 1, n - 20)
        for n, picture in enumerate(pictures)
        if n >= 20 and n not in named
    )
    first = ended.summary["problems"][0]
    assert (
        first["source_frame"] == first["first"]
        and Path(first["last_good"]).exists()
        and first["source_timecode"]
    )


def test_a_source_that_decays_silently_is_told_by_what_is_on_record(
    house: House, tmp_path: Path
) -> None:
    """One bit in a coefficient of ProRes, or in a sample, decodes without a word."""
    reel = make_movie(tmp_path / "reel.mov", source_id=7, frames=72, audio="pcm")
    first, second = (
        cut_of([(reel.path, 0, 48)], tmp_path / "one.otio"),
        cut_of([(reel.path, 1, 47)], tmp_path / "two.otio"),
    )
    assert house.assemble(first, tmp_path / "one.mkv", "ffv1").code == 0
    before = reel.path.stat()
    packets = {}
    for kind in ("video", "audio"):
        with av.open(str(reel.path)) as container:
            packets[kind] = [
                p for p in container.demux(container.streams.get(**{kind: 0})) if p.size
            ]
    picture = packets["video"][20]
    sound = next(
        p for p in packets["audio"] if (p.pts or 0) <= 30000 < (p.pts or 0) + (p.duration or 0)
    )
    with reel.path.open("r+b") as handle:
        for at in ((picture.pos or 0) + picture.size * 2 // 3, (sound.pos or 0) + sound.size // 2):
            handle.seek(at)
            (byte,) = handle.read(1)
            handle.seek(at)
            handle.write(bytes([byte ^ 1]))
    os.utime(reel.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    ended = house.assemble(second, tmp_path / "two.mkv", "ffv1")
    assert ended.code == 1
    assert {problem["cause"] for problem in ended.summary["problems"]} == {"source-unlike-record"}
    frames = [(p["first"], p["frames"]) for p in ended.summary["problems"] if p["shots"]]
    assert frames == [(19, 1)] and shown(tmp_path / "two.mkv")[18:21] == [
        Mark(7, 19),
        SLATE,
        Mark(7, 21),
    ]
    heard, wanted = reading.samples(tmp_path / "two.mkv"), reel.sound(2000, 47 * 2000)
    silent = (heard != wanted).any(axis=1).nonzero()[0]
    assert 0 < len(silent) <= 2 * 4096 and not heard[silent[0] : silent[-1] + 1].any()


def test_a_source_that_ends_too_early_gives_what_it_has(
    house: House, reels: list[Movie], tmp_path: Path
) -> None:
    ended = house.assemble(
        cut_of([(reels[1].path, 60, 24)], tmp_path / "one.otio"), tmp_path / "film.mov"
    )
    assert ended.code == 1
    assert "source-too-short" in ended.codes
    pictures = shown(tmp_path / "film.mov")
    assert pictures[11:13] == [Mark(2, 71), SLATE] and len(pictures) == 24


def test_media_without_sound_on_a_sound_track_is_silence_and_said(
    house: House, reels: list[Movie], tmp_path: Path
) -> None:
    mute = make_movie(tmp_path / "mute.mov", source_id=9, frames=24)
    ended = house.assemble(
        cut_of([(mute.path, 0, 12), (reels[0].path, 0, 12)], tmp_path / "one.otio"),
        tmp_path / "film.mov",
    )
    assert ended.code == 1 and ended.codes == {"source-no-sound"}
    heard = reading.samples(tmp_path / "film.mov")
    assert not heard[:24000].any() and (heard[24000:] == reels[0].sound(0, 24000)).all()


CHECKPOINT = ["id", "job_id", "current_step", "completed_shots", "timestamp", "state"]
"""Fixed: other programs read them."""


def test_work_after_a_checkpoint_is_made_again_when_asked(
    house: House, reels: list[Movie], tmp_path: Path
) -> None:
    cut = cut_of(
        [(reels[1].path, 0, 20), (reels[1].path, 30, 24), (reels[2].path, 5, 16)],
        tmp_path / "one.otio",
    )
    film = tmp_path / "film.mov"
    house.assemble(cut, film)
    (job,) = [line["job"] for line in house.run("jobs", "--json").events]
    points = house.run("checkpoints", job, "--json").events
    assert [list(point) for point in points] == [CHECKPOINT] * len(points) and len(points) >= 4
    assert {point["state"] for point in points} == {"working"} and {
        point["job_id"] for point in points
    } == {job}
    assert points[-1]["current_step"]["done"] == points[-1]["current_step"]["of"] == len(points)
    assert points[-1]["completed_shots"] == [1, 2, 3] and points[0]["completed_shots"] != [1, 2, 3]
    assert all(
        datetime.fromisoformat(point["timestamp"]).utcoffset() == timedelta(0) for point in points
    )
    told = [
        line["checkpoint"]
        for line in house.run("show", job, "--json").events
        if "checkpoint" in line
    ]
    assert told == points
    again = house.run("resume", job, "--from", points[1]["id"], "--json")
    assert again.code == 0
    remade = [fact for fact in again.facts("SegmentSealed") if not fact["reused"]]
    assert len(remade) == len(points) - 2
    assert faults(film, plain(20, reels[1])) != [], "the comparison itself can fail"


def test_a_roll_back_exchanges_two_films(house: House, reels: list[Movie], tmp_path: Path) -> None:
    film = tmp_path / "film.mov"
    house.assemble(cut_of([(reels[0].path, 0, 10)], tmp_path / "one.otio"), film)
    old = film.read_bytes()
    house.assemble(cut_of([(reels[0].path, 20, 10)], tmp_path / "two.otio"), film)
    new = film.read_bytes()
    assert old != new
    for wanted in (old, new, old):
        assert house.run("rollback", film).code == 0
        assert film.read_bytes() == wanted
    assert house.run("check", film).code == 0


def test_a_flipped_byte_in_the_film_is_found(
    house: House, reels: list[Movie], tmp_path: Path
) -> None:
    film = tmp_path / "film.mov"
    house.assemble(cut_of([(reels[0].path, 0, 10)], tmp_path / "one.otio"), film)
    assert house.run("check", film, "--deep").code == 0
    with film.open("r+b") as handle:
        handle.seek(film.stat().st_size // 2)
        byte = handle.read(1)[0]
        handle.seek(-1, os.SEEK_CUR)
        handle.write(bytes([byte ^ 1]))
    assert house.run("check", film).code == 1


def test_a_preset_of_ones_own(house: House, reels: list[Movie], tmp_path: Path) -> None:
    house.preset(
        "lt",
        (
            "name: lt\ntitle: ProRes LT\ncontainer: mov\nextension: .mov\n"
            "video: {encoder: prores_ks, pixel_format: yuv422p10le, options: {'profile:v': 1}}\naudio: {codec: pcm_s16le}\n"
        ),
    )
    ended = house.assemble(
        cut_of([(reels[0].path, 3, 10)], tmp_path / "one.otio"), tmp_path / "film.mov", "lt"
    )
    assert ended.code == 0 and ended.facts("FilmPlanned")[0]["copied"] == 0
    assert shown(tmp_path / "film.mov") == [Mark(1, 3 + n) for n in range(10)]


def test_a_film_that_decayed_after_it_was_published_is_named(
    house: House, reels: list[Movie], tmp_path: Path
) -> None:
    film = tmp_path / "film.mov"
    house.assemble(cut_of([(reels[0].path, 0, 20)], tmp_path / "one.otio"), film)
    assert house.run("check", film, "--json").code == 0
    with film.open("r+b") as handle:
        handle.seek(film.stat().st_size // 2)
        handle.write(b"\0\1\2\3")
    checked = house.run("check", film, "--json")
    (wrong,) = checked.summary["wrong"]
    assert (checked.code, wrong["what"], wrong["code"]) == (1, str(film), "film-changed")


# The film that is kept ------------------------------------------------------------------------------------------------


def kept_of(film: Path) -> bytes:
    return (film.parent / ".hotsplice" / f"{film.name}.previous").read_bytes()


@pytest.mark.long
def test_the_same_incomplete_film_again_does_not_cost_the_good_one_that_is_kept(
    house: House, reels: list[Movie], tmp_path: Path
) -> None:
    source, film = tmp_path / "own.mov", tmp_path / "film.mov"
    shutil.copy2(reels[0].path, source)
    good = house.assemble(cut_of([(reels[1].path, 0, 30)], tmp_path / "one.otio"), film)
    assert good.code == 0
    first = film.read_bytes()
    with source.open("r+b") as handle:
        handle.seek(source.stat().st_size // 2)
        handle.write(bytes(65536))
    hurt = cut_of([(source, 0, 72)], tmp_path / "two.otio", sound=False)
    beside = film.with_name("film.incomplete.mov")
    assert house.assemble(hurt, film).code == 1
    assert film.read_bytes() == first, "an incomplete film stands beside a complete one"
    incomplete = beside.read_bytes()
    assert house.assemble(hurt, film).code == 1
    assert (film.read_bytes(), beside.read_bytes()) == (first, incomplete)
    assert house.run("assemble", hurt, "-o", film, "--replace-complete", "--json").code == 1
    assert kept_of(film) == first
    assert house.run("rollback", film).code == 0
    assert film.read_bytes() == first


def test_a_film_that_was_spoilt_does_not_take_the_place_of_the_good_one_that_is_kept(
    house: House, reels: list[Movie], tmp_path: Path
) -> None:
    film = tmp_path / "film.mov"
    one, two = (cut_of([(reels[n].path, 0, 30)], tmp_path / f"{n}.otio") for n in (0, 1))
    house.assemble(one, film)
    first = film.read_bytes()
    house.assemble(two, film)
    second = film.read_bytes()
    spoilt = bytearray(second)
    spoilt[len(spoilt) // 2] ^= 8
    film.write_bytes(spoilt)
    assert house.assemble(two, film).code == 0
    assert film.read_bytes() == second and kept_of(film) == first
    assert (film.parent / ".hotsplice" / "film.mov.other").read_bytes() == spoilt, (
        "nothing is lost, not even that"
    )
    assert house.run("rollback", film).code == 0
    assert film.read_bytes() == first


@pytest.mark.long
def test_after_a_rollback_to_another_length_the_film_is_still_as_recorded(
    house: House, reels: list[Movie], tmp_path: Path
) -> None:
    film = tmp_path / "film.mov"
    house.assemble(cut_of([(reels[0].path, 0, 20)], tmp_path / "one.otio"), film)
    house.assemble(cut_of([(reels[0].path, 0, 40)], tmp_path / "two.otio"), film)
    house.run("rollback", film)
    assert house.run("check", film, "--deep", "--json").code == 0


def test_a_file_that_was_there_before_has_no_record_to_be_compared_with(
    house: House, reels: list[Movie], tmp_path: Path
) -> None:
    film = Path(shutil.copy2(reels[1].path, tmp_path / "film.mov"))
    house.assemble(cut_of([(reels[0].path, 0, 20)], tmp_path / "one.otio"), film)
    house.run("rollback", film)
    film.write_bytes(b"junk")
    checked = house.run("check", film, "--json")
    assert (checked.code, checked.summary["code"]) == (2, "film-unknown")


@pytest.mark.parametrize("words", [["--json"], []], ids=["lines for programs", "words for people"])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here that is always full")
def test_a_film_is_finished_though_nobody_can_be_told(
    house: House, reels: list[Movie], tmp_path: Path, words: list[str]
) -> None:
    cut, film = cut_of([(reels[0].path, 0, 20)], tmp_path / "one.otio"), tmp_path / "film.mov"
    with Path("/dev/full").open("w") as nowhere:
        done = subprocess.run(
            [sys.executable, "-m", "bridge.cli.main", "assemble", str(cut), "-o", str(film), *words],
            stdin=subprocess.DEVNULL, stdout=nowhere, stderr=subprocess.PIPE, cwd=ROOT, check=False,
            env={**os.environ, "HOTSPLICE_HOME": str(house.home), "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert film.exists()


def test_a_link_leads_to_where_its_film_stands(
    house: House, reels: list[Movie], tmp_path: Path
) -> None:
    (tmp_path / "volume").mkdir()
    link, film = tmp_path / "film.mov", tmp_path / "volume" / "real.mov"
    shutil.copyfile(reels[1].path, film)
    before = film.read_bytes()
    link.symlink_to("volume/real.mov")
    assert house.assemble(cut_of([(reels[0].path, 0, 20)], tmp_path / "one.otio"), link).code == 0
    assert link.is_symlink() and len(shown(film)) == 20
    assert house.run("rollback", link).code == 0
    assert link.is_symlink() and film.read_bytes() == before
    assert house.run("rollback", link).code == 0
    assert house.run("check", link, "--json").code == 0
