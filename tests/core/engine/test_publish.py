"""Where a film goes, what is kept of those before it, and what is said when a disk fails between two steps."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from core.engine import publish as publishing
from core.engine.publish import NotDurable, beside, publish, tidy
from core.engine.reconcile import catch_up
from core.job.classify import diagnose
from core.job.events import FilmJoined, FilmPublished, JobAccepted, JobFinished
from core.media import hashes
from core.storage import workspace as moves
from core.storage.journal import Journal
from core.storage.kept_films import kept_films
from core.storage.workspace import Workspace


class Place:
    """A film's folder, its journal, and films that are published there one after the other."""

    def __init__(self, root: Path) -> None:
        (root / "films").mkdir()
        self.output = root / "films" / "film.mov"
        self.workspace = Workspace(root / "home", root / "scratch")
        self.journal = Journal(root / "home" / "journal.db")
        accepted = JobAccepted(
            digest="r", timeline_path="", timeline_name="", output=str(self.output), preset=""
        )
        self.journal.accept("job1", accepted, b"", 1.0)

    def join(self, content: str, *, complete: bool = True) -> FilmJoined:
        staged = self.workspace.staged("job1", self.output)
        staged.write_text(content)
        found = hashes.tree_hash(staged)
        fact = FilmJoined(
            cut=content,
            staged=str(staged),
            bytes=len(content),
            film_hash=found,
            frames=1,
            samples=1,
            complete=complete,
        )
        self.journal.append("job1", [fact], 2.0)
        return fact

    def put(
        self, content: str, *, complete: bool = True, replace: bool = False, keep: int = 2
    ) -> FilmPublished:
        """As the engine does it."""
        joined = self.join(content, complete=complete)
        fact = publish(
            joined, self.output, self.journal, self.workspace, complete=complete, replace=replace
        )
        self.journal.append("job1", [fact], 3.0)
        self.journal.append("job1", tidy(fact, self.output, self.journal, keep=keep), 3.0)
        return fact

    def stand(self) -> dict[str, str]:
        """What stands there, and what is kept, newest first."""
        films = [self.output, beside(self.output), *(one.path for one in kept_films(self.output))]
        return {path.name.replace("film.", ""): path.read_text() for path in films if path.exists()}

    def kept(self) -> list[str]:
        return [one.path.read_text() for one in kept_films(self.output)]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


# Complete and incomplete ----------------------------------------------------------------------------------------------


def test_incomplete_films_never_take_a_complete_ones_place(place):
    place.put("complete")
    for content in ("slates", "other slates", "more slates"):
        fact = place.put(content, complete=False)
        assert (fact.output, place.output.read_text()) == (str(beside(place.output)), "complete")
        assert beside(place.output).read_text() == content
    assert place.kept() == [] and place.journal.film(str(place.output)).cut == "complete"


def test_an_incomplete_film_stands_at_its_place_where_no_complete_one_does(place):
    place.put("slates", complete=False)
    place.put("fewer slates", complete=False)
    assert place.stand() == {"mov": "fewer slates", "mov.previous": "slates"}


def test_what_is_not_on_record_may_be_complete(place):
    place.output.write_text("from another program")
    place.put("slates", complete=False)
    assert place.stand() == {"mov": "from another program", "incomplete.mov": "slates"}


def test_one_that_may_replace_it_does_and_the_complete_one_is_kept_however_many_follow(place):
    place.put("complete")
    for number in range(5):
        place.put(f"slates {number}", complete=False, replace=True)
    assert place.output.read_text() == "slates 4" and place.kept() == [
        "slates 3",
        "slates 2",
        "complete",
    ]


def test_a_healed_film_takes_the_place_and_the_incomplete_one_beside_it_goes(place):
    place.put("complete")
    place.put("slates", complete=False)
    place.put("healed")
    assert place.stand() == {"mov": "healed", "mov.previous": "complete"}
    assert place.journal.film(str(beside(place.output))) is None


def test_a_file_beside_that_is_not_ours_stays(place):
    place.put("complete")
    place.put("slates", complete=False)
    beside(place.output).write_text("cut by hand")
    place.put("healed")
    assert place.stand() == {
        "mov": "healed",
        "incomplete.mov": "cut by hand",
        "mov.previous": "complete",
    }


@pytest.mark.parametrize(("outcome", "stays"), [("complete", True), ("incomplete", False)])
def test_of_a_film_of_an_older_version_its_job_says_whether_it_is_complete(place, outcome, stays):
    joined = place.join("older")
    kept = place.workspace.publish(Path(joined.staged), place.output)
    old = FilmPublished(output=str(place.output), film_hash=joined.film_hash, kept=kept, cut="c")
    place.journal.append("job1", [old, JobFinished(outcome=outcome)], 3.0)
    place.put("slates", complete=False)
    assert (place.output.read_text() == "older") == stays


# Generations ----------------------------------------------------------------------------------------------------------


def test_so_many_are_kept_and_the_oldest_go(place):
    for number in range(5):
        place.put(f"film {number}", keep=3)
    assert place.kept() == ["film 3", "film 2", "film 1"]


def test_a_file_that_is_not_ours_is_never_removed(place):
    place.output.write_text("a stranger")
    for number in range(5):
        place.put(f"film {number}", keep=1)
    assert place.kept() == ["film 3", "a stranger"]


# A disk that fails ----------------------------------------------------------------------------------------------------


class Disk:
    """Flushes of the film's folder end in EIO, `times` times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, times: int) -> None:
        self.left, self._real = times, moves.flush_directory
        self._folder = folder
        for module in (moves, publishing):
            monkeypatch.setattr(module, "flush_directory", self.flush)

    def flush(self, path: Path) -> None:
        if path == self._folder and self.left:
            self.left -= 1
            raise OSError(errno.EIO, "Input/output error")
        self._real(path)


@pytest.mark.parametrize("before", ["", "older"])
def test_a_flush_that_fails_after_the_rename_is_known_at_the_next_try(place, monkeypatch, before):
    if before:
        place.put(before)
    joined = place.join("new")
    Disk(monkeypatch, place.output.parent, times=1)
    with pytest.raises(NotDurable) as error:
        publish(joined, place.output, place.journal, place.workspace, complete=True)
    assert place.output.read_text() == "new" and not error.value.published.durable
    seen = publishing.evidence(error.value, place.output)
    assert (seen.note, seen.errno, seen.path) == ("name-not-durable", errno.EIO, str(place.output))
    again = publish(joined, place.output, place.journal, place.workspace, complete=True)
    assert (again.durable, again.film_hash) == (True, joined.film_hash)
    assert place.kept() == ([before] if before else [])


def test_a_film_whose_name_is_not_durable_is_on_record_as_what_stands_there(place, monkeypatch):
    place.put("older")
    joined = place.join("new")
    Disk(monkeypatch, place.output.parent, times=9)
    with pytest.raises(NotDurable) as error:
        publish(joined, place.output, place.journal, place.workspace, complete=True)
    place.journal.append("job1", [error.value.published], 3.0)
    film = place.journal.film(str(place.output))
    assert (film.film_hash, film.kept_hash) == (
        hashes.tree_hash(place.output),
        hashes.tree_hash(place.workspace.kept(place.output)),
    )


def test_an_incomplete_film_that_was_renamed_and_not_recorded_is_recorded_beside(place):
    place.put("complete")
    joined = place.join("slates", complete=False)
    publish(joined, place.output, place.journal, place.workspace, complete=False)
    catch_up(place.output, place.journal, place.workspace)
    film = place.journal.film(str(beside(place.output)))
    assert (film.film_hash, place.journal.film(str(place.output)).cut) == (
        joined.film_hash,
        "complete",
    )


def test_a_film_that_was_moved_to_make_room_goes_back(place):
    place.put("one")
    place.workspace.staged("job1", place.output)
    place.output.rename(
        place.workspace.kept(place.output)
    )  # without hard links, and then the power was cut
    catch_up(place.output, place.journal, place.workspace)
    assert place.stand() == {"mov": "one"}


def test_a_joined_film_that_somebody_removed_is_joined_again_and_nothing_is_moved_for_it(place):
    place.put("one")
    place.put("two")
    joined = place.join("three")
    Path(joined.staged).unlink()
    with pytest.raises(FileNotFoundError) as error:
        publish(joined, place.output, place.journal, place.workspace, complete=True)
    failure = diagnose(publishing.evidence(error.value, place.output))
    assert failure.code == "film-part-gone" and place.stand() == {
        "mov": "two",
        "mov.previous": "one",
    }


def test_a_film_whose_name_was_not_durable_is_flushed_again_before_it_counts_as_unchanged(
    place, monkeypatch
):
    place.put("film")
    film = place.journal.film(str(place.output))
    assert publishing.again(film, place.output) is None
    Disk(monkeypatch, place.output.parent, times=2)
    joined = publishing.again(film, place.output)
    assert joined is not None and joined.film_hash == film.film_hash
    published, seen = publishing.attempt(
        "job1", joined, place.output, place.journal, place.workspace, complete=True
    )
    assert diagnose(seen).code == "film-not-durable" and not published.durable
    assert place.stand() == {"mov": "film"}, (
        "it is not removed for having been verified in its place"
    )
    published, seen = publishing.attempt(
        "job1", joined, place.output, place.journal, place.workspace, complete=True
    )
    assert published.durable and seen is None and place.stand() == {"mov": "film"}


def test_an_incomplete_film_whose_slates_were_accepted_later_counts_as_complete(place):
    place.put("slates", complete=False)
    place.journal.append(
        "job1", [JobFinished(outcome="incomplete"), JobFinished(outcome="complete")], 4.0
    )
    place.put("other slates", complete=False)
    assert place.stand() == {"mov": "slates", "incomplete.mov": "other slates"}
