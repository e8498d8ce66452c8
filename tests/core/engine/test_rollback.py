"""Any film that is kept can be brought back, and none is lost: not by it, by a cut, nor by a drive that fails."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from core.engine import rollback
from core.engine.reconcile import catch_up
from core.engine.rollback import generations, roll_back
from core.errors.refusal import Refused
from core.media import hashes
from core.storage import kept_films as keeping
from core.storage import workspace as moves
from core.storage.kept_films import kept_films
from tests.core.engine.test_publish import Place
from tests.core.storage.test_workspace import Cut, Knife

FILMS = ["film 0", "film 1", "film 2", "film 3"]


def generations_of(root: Path) -> Place:
    """A film and three before it."""
    root.mkdir(exist_ok=True)
    place = Place(root)
    for content in FILMS:
        place.put(content, keep=3)
    return place


def all_of(place: Place) -> list[str]:
    """Every film that stands or is kept."""
    return sorted([place.output.read_text() if place.output.exists() else "none", *place.kept()])


def recorded(place: Place) -> None:
    """The record says what stands there, and what is kept."""
    film, kept = place.journal.film(str(place.output)), place.workspace.kept(place.output)
    assert film.film_hash == hashes.tree_hash(place.output)
    assert not kept.exists() or film.kept_hash == hashes.tree_hash(kept)
    assert all(
        hashes.tree_hash(one.path).rpartition(":")[2].startswith(one.label)
        for one in kept_films(place.output)
    )


@pytest.fixture
def knife(monkeypatch: pytest.MonkeyPatch) -> Knife:
    return Knife(monkeypatch)


def test_they_are_listed_newest_first_with_what_is_on_record(tmp_path):
    place = generations_of(tmp_path)
    place.put("slates", complete=False, replace=True, keep=3)
    found = generations(place.output, place.journal)
    assert [(one.number, one.complete, one.job, one.frames, one.bytes) for one in found] == [
        (0, False, "job1", 1, 6), *((number, True, "job1", 1, 6) for number in (1, 2, 3)),
    ]  # fmt: skip
    assert [Path(one.path).read_text() for one in found] == ["slates", "film 3", "film 2", "film 1"]
    assert {one.at for one in found} == {3.0}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_each_is_brought_back_and_the_next_one_is_as_well(tmp_path, number):
    place = generations_of(tmp_path)
    for _ in range(4):
        wanted = place.kept()[number - 1]
        was = place.output.read_text()
        assert roll_back(place.output, place.journal, place.workspace, number)
        assert (place.output.read_text(), place.kept()[0]) == (wanted, was)
        assert all_of(place) == FILMS
        recorded(place)


@pytest.mark.parametrize("number", [0, -1, 4])
def test_a_number_that_there_is_not_is_refused(tmp_path, number):
    place = generations_of(tmp_path)
    with pytest.raises(Refused) as error:
        roll_back(place.output, place.journal, place.workspace, number)
    assert error.value.code == "generation-unknown" and place.output.read_text() == "film 3"


def test_without_the_newest_name_the_newest_numbered_one_comes(tmp_path):
    place = generations_of(tmp_path)
    place.workspace.kept(place.output).unlink()
    assert roll_back(place.output, place.journal, place.workspace)
    assert place.output.read_text() == "film 1" and place.kept() == ["film 3", "film 0"]
    recorded(place)


def test_a_kept_film_whose_bytes_have_changed_is_not_brought_back(tmp_path):
    place = generations_of(tmp_path)
    kept_films(place.output)[1].path.write_text("spoilt")
    with pytest.raises(Refused) as error:
        roll_back(place.output, place.journal, place.workspace, 2)
    assert error.value.code == "previous-film-changed" and place.output.read_text() == "film 3"


def test_a_file_from_elsewhere_is_brought_back_too_and_what_was_changed_in_the_place_is_kept(
    tmp_path,
):
    place = Place(tmp_path)
    place.put("film")
    place.put("next film")
    place.output.write_text("by hand")
    place.put("last film")
    assert place.kept() == ["film", "by hand"]
    place.output.write_text("changed again")
    assert roll_back(place.output, place.journal, place.workspace, 2)
    assert place.output.read_text() == "by hand" and place.kept() == ["changed again", "film"]
    recorded(place)


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_cut_at_any_step_loses_no_film_and_the_record_is_brought_up(
    tmp_path, knife, links, number
):
    for at in range(30):
        knife.log, knife.at = [], None
        if not links:
            knife.no_links()
        place = generations_of(tmp_path / str(at))
        wanted, knife.log, knife.at = place.kept()[number - 1], [], at
        try:
            roll_back(place.output, place.journal, place.workspace, number)
            done = True
        except Cut:
            done = False
        knife.at = None
        assert set(FILMS) <= set(all_of(place)) | {
            path.read_text() for path in (place.output.parent / ".hotsplice").iterdir()
        }
        finished = catch_up(place.output, place.journal, place.workspace)
        assert all_of(place) == FILMS, f"after {knife.log[:at]}"
        assert (
            place.output.read_text() == wanted
            if done or finished
            else place.output.read_text() in (wanted, "film 3")
        )
        recorded(place)
        if done:
            assert at >= 3
            return
    raise AssertionError("it never ended")


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_drive_that_fails_at_any_step_leaves_the_film_or_says_that_it_is_not_sure(
    tmp_path, monkeypatch, knife, links, number
):
    """EIO at each rename, link, removal and flush, one after the other."""
    met, fails_at, real = 0, 0, moves.flush_directory

    def step(verb: str) -> None:
        nonlocal met
        met += 1
        if met == fails_at:
            raise OSError(errno.EIO, "Input/output error")

    def refuse(verb: str, name: str) -> OSError | None:
        if verb == "link" and not links:
            return OSError(errno.EPERM, "no hard links here")
        step(verb)
        return None

    def flush(path: Path) -> None:
        step("flush")
        real(path)

    for module in (moves, keeping):
        monkeypatch.setattr(module, "flush_directory", flush)
    for at in range(1, 30):
        fails_at, met = -1, 0
        knife.refuse = lambda verb, name: None
        place = generations_of(tmp_path / str(at))
        wanted, fails_at, met = place.kept()[number - 1], at, 0
        knife.refuse = refuse
        try:
            durable = roll_back(place.output, place.journal, place.workspace, number)
            assert place.output.read_text() == wanted
        except Refused as error:
            assert (
                error.code == "roll-back-failed" and error.fields["detail"] == "Input/output error"
            )
            assert place.output.read_text() == "film 3", f"step {at}"
            durable = False
        ended = met < at
        fails_at = -1
        catch_up(place.output, place.journal, place.workspace)
        assert all_of(place) == FILMS, f"step {at}"
        recorded(place)
        if ended:
            assert durable and at > 4
            return
    raise AssertionError("it never ended")


def test_a_kept_film_that_cannot_be_read_changes_nothing(tmp_path, monkeypatch):
    place = generations_of(tmp_path)
    real = hashes.tree_hash

    def unreadable(path: Path) -> str:
        if path.name.endswith(".previous"):
            raise OSError(errno.EIO, "Input/output error")
        return real(path)

    monkeypatch.setattr(rollback.hashes, "tree_hash", unreadable)
    with pytest.raises(Refused) as error:
        roll_back(place.output, place.journal, place.workspace)
    assert error.value.code == "roll-back-failed" and place.output.read_text() == "film 3"
    assert roll_back(place.output, place.journal, place.workspace, 2), (
        "the others can be brought back all the same"
    )
    assert all_of(place) == FILMS
