"""What `clean` may take, and what it must leave, after real films. Real ffmpeg, the real command."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.job.events import SegmentSealed
from core.storage.journal import Journal
from tests.film.assembling import House
from tests.film.media import Movie, make_movie
from tests.film.test_assemble_story import cut_of


@pytest.fixture(scope="session")
def reels(tmp_path_factory: pytest.TempPathFactory) -> list[Movie]:
    folder = tmp_path_factory.mktemp("reels")
    return [
        make_movie(folder / f"{n}.mov", source_id=n + 1, frames=72, codec="h264", audio="pcm")
        for n in range(3)
    ]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "home")


def stored(scratch: Path) -> list[str]:
    """The segments that are there, by name."""
    return sorted(path.name for path in (scratch / "store").rglob("*.*"))


def grow_old(scratch: Path) -> None:
    """Nothing in the store is young any more."""
    for path in (scratch / "store").rglob("*.*"):
        os.utime(path, (1000, 1000))


def with_scratch(home: Path, scratch: Path) -> House:
    home.mkdir()
    (home / "settings.yaml").write_text(f"scratch: {scratch}\n")
    return House(home)


def test_cleaning_leaves_what_an_unfinished_job_has_made_though_another_used_it(
    house: House, reels: list[Movie], tmp_path: Path
) -> None:
    cut = cut_of([(reel.path, 0, 40) for reel in reels], tmp_path / "one.otio")
    journal = Journal(house.home / "journal.db")
    house.assemble(cut, tmp_path / "b.mov")
    job = journal.jobs()[0][0]
    accepted, raw = journal.request(job)
    other = type(accepted)(
        **{
            **{f: getattr(accepted, f) for f in accepted.__struct_fields__},
            "output": str(tmp_path / "a.mov"),
        }
    )
    journal.accept("open99", other, raw, 1.0)
    journal.append(
        "open99",
        [entry.fact for entry in journal.facts(job) if isinstance(entry.fact, SegmentSealed)][:3],
        2.0,
    )
    journal.append(
        job, [fact for fact, _ in journal.all_seals()], 3.0
    )  # the other job validated them last
    journal.close()
    before = sorted(path.name for path in (house.home / "scratch" / "store").rglob("*.*"))
    house.run("clean")
    after = sorted(path.name for path in (house.home / "scratch" / "store").rglob("*.*"))
    assert 0 < len(after) < len(before)


def test_cleaning_leaves_the_newer_film_after_a_rollback(
    house: House, reels: list[Movie], tmp_path: Path
) -> None:
    one, two = (
        cut_of([(reels[n].path, 0, 40)], tmp_path / f"{n}.otio", sound=False) for n in (0, 1)
    )
    film = tmp_path / "film.mov"
    house.assemble(one, film)
    house.assemble(two, film)
    house.run("rollback", film)
    grow_old(house.home / "scratch")
    house.run("clean")
    again = house.assemble(two, film)
    assert (again.code, again.made) == (0, 0), (
        "the newer film stands nowhere as a film: its segments are all there is of it"
    )


def test_cleaning_leaves_what_another_data_folder_keeps_in_the_same_scratch_folder(
    reels: list[Movie], tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    ours, theirs = (
        with_scratch(tmp_path / "ours", scratch),
        with_scratch(tmp_path / "theirs", scratch),
    )
    for number, house in enumerate((ours, theirs)):
        house.assemble(
            cut_of([(reels[number].path, 0, 40)], tmp_path / f"{number}.otio"),
            tmp_path / f"{number}.mov",
        )
    grow_old(scratch)
    before = stored(scratch)
    said = ours.words("clean")
    left = stored(scratch)
    assert 0 < len(left) < len(before), "our own film stands verified"
    assert f"{theirs.home} keeps segments in this scratch folder too" in " ".join(said.split())
    (tmp_path / "1.mov").unlink()
    again = theirs.assemble(tmp_path / "1.otio", tmp_path / "1.mov")
    assert (again.code, again.made) == (0, 0)


def test_a_data_folder_that_is_gone_keeps_nothing_any_more(
    reels: list[Movie], tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    ours, theirs = (
        with_scratch(tmp_path / "ours", scratch),
        with_scratch(tmp_path / "theirs", scratch),
    )
    for number, house in enumerate((ours, theirs)):
        house.assemble(
            cut_of([(reels[number].path, 0, 40)], tmp_path / f"{number}.otio"),
            tmp_path / f"{number}.mov",
        )
    grow_old(scratch)
    theirs.home.rename(tmp_path / "elsewhere")
    assert "too" not in ours.words("clean")
    assert stored(scratch) == []


def test_segments_of_replaced_cuts_go_when_that_is_asked_for(
    house: House, reels: list[Movie], tmp_path: Path
) -> None:
    cuts = [
        cut_of(
            [(reels[0].path, 0, 30), (reels[1].path, n, 30)], tmp_path / f"{n}.otio", sound=False
        )
        for n in range(3)
    ]
    film, scratch = tmp_path / "film.mov", house.home / "scratch"
    for cut in cuts:
        assert house.assemble(cut, film).code == 0
    film.write_bytes(b"spoilt")  # so that nothing stands verified
    before = stored(scratch)
    assert len(before) == 4, "one shot of all three cuts, and one of each"
    said = " ".join(house.words("clean").split())
    assert stored(scratch) == before and "hotsplice clean --superseded frees that, too" in said
    house.run("clean", "--superseded", "--dry-run")
    assert stored(scratch) == before
    said = " ".join(house.words("clean", "--superseded").split())
    assert len(stored(scratch)) == 3, (
        "the first cut's: the third is on record, and the second is kept beside it"
    )
    assert "Cuts that were replaced" not in said
    again = house.assemble(cuts[2], film)
    assert (again.code, again.made) == (0, 0)
    back = house.assemble(cuts[0], film)
    assert (back.code, back.made) == (0, 30), "made again from its media"
