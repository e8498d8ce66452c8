"""After a cut between a rename and its record, the record is brought up to what stands on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.engine.reconcile import catch_up, record_roll_back
from core.job.events import FilmJoined, FilmPublished, FilmRolledBack, JobAccepted
from core.media import hashes
from core.storage.journal import Journal
from core.storage.workspace import Workspace


class Place:
    """A journal, a workspace and a film's folder."""

    def __init__(self, root: Path) -> None:
        (root / "films").mkdir()
        self.output = root / "films" / "film.mov"
        self.workspace = Workspace(root / "home", root / "scratch")
        self.journal = Journal(root / "home" / "journal.db")
        accepted = JobAccepted(
            digest="r", timeline_path="", timeline_name="", output=str(self.output), preset=""
        )
        self.journal.accept("job1", accepted, b"", 1.0)

    def join(self, content: str) -> FilmJoined:
        staged = self.workspace.staged("job1", self.output)
        staged.write_text(content)
        fact = FilmJoined(
            cut=f"cut {content}",
            staged=str(staged),
            bytes=len(content),
            film_hash=hashes.tree_hash(staged),
            frames=48,
            samples=7,
        )
        self.journal.append("job1", [fact], 2.0)
        return fact

    def publish(self, content: str) -> None:
        fact = self.join(content)
        kept = self.workspace.publish(Path(fact.staged), self.output)
        self.journal.append(
            "job1",
            [
                FilmPublished(
                    output=str(self.output), film_hash=fact.film_hash, kept=kept, cut=fact.cut
                )
            ],
            3.0,
        )

    def last(self) -> object:
        return self.journal.facts("job1")[-1].fact

    def known(self) -> tuple[str, str]:
        """The hashes on record: of the film and of the kept one."""
        film = self.journal.film(str(self.output))
        assert film is not None
        return film.film_hash, film.kept_hash

    def standing(self) -> tuple[str, str]:
        """The hashes of what stands there."""
        return hashes.tree_hash(self.output), hashes.tree_hash(self.workspace.kept(self.output))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_without_a_cut_there_is_nothing_to_catch_up_with(place):
    place.publish("one")
    before = place.journal.facts("job1")
    assert catch_up(place.output, place.journal, place.workspace) is False
    assert place.journal.facts("job1") == before


def test_a_film_that_was_renamed_and_not_recorded_is_recorded(place):
    place.publish("one")
    fact = place.join("two")
    place.workspace.publish(Path(fact.staged), place.output)
    assert catch_up(place.output, place.journal, place.workspace) is False
    assert place.last() == FilmPublished(
        output=str(place.output), film_hash=fact.film_hash, kept=str(place.workspace.kept(place.output)),
        cut="cut two", frames=48,
        samples=7,
    )  # fmt: skip
    assert place.known() == place.standing()
    count = len(place.journal.facts("job1"))
    catch_up(place.output, place.journal, place.workspace)
    assert len(place.journal.facts("job1")) == count, "once is enough"


@pytest.mark.parametrize("what", ["joined only", "another film", "no film"])
def test_a_film_that_does_not_stand_there_is_not_recorded(place, what):
    fact = place.join("the film")
    if what == "another film":
        Path(fact.staged).unlink()
        place.output.write_text("its size!")
    elif what == "no film":
        Path(fact.staged).unlink()
    catch_up(place.output, place.journal, place.workspace)
    assert place.last() == fact
    assert place.journal.film(str(place.output)) is None


@pytest.mark.parametrize("recorded", [False, True], ids=["not on record", "on record"])
def test_an_exchange_that_was_cut_is_ended_and_recorded_once(place, recorded):
    place.publish("one")
    place.publish("two")
    before = place.known()
    place.workspace.roll_back(place.output)
    if recorded:
        record_roll_back(place.output, place.journal)
    assert catch_up(place.output, place.journal, place.workspace) is not recorded, (
        "one on record is over: the next exchanges again"
    )
    assert isinstance(place.last(), FilmRolledBack)
    assert place.known() == place.standing() == before[::-1]
    assert sum(isinstance(entry.fact, FilmRolledBack) for entry in place.journal.facts("job1")) == 1
    assert catch_up(place.output, place.journal, place.workspace) is False


def test_an_exchange_that_hardly_began_is_undone_and_not_recorded(place):
    place.publish("one")
    place.publish("two")
    swap = place.output.parent / ".hotsplice" / "film.mov.swap"
    swap.hardlink_to(place.output)
    assert catch_up(place.output, place.journal, place.workspace) is False
    assert not swap.exists()
    assert place.known() == place.standing()
    assert not isinstance(place.last(), FilmRolledBack)


def test_a_film_nobody_knows_has_no_record_to_bring_up(place):
    place.output.write_text("a stranger")
    record_roll_back(place.output, place.journal)
    assert catch_up(place.output, place.journal, place.workspace) is False
    assert len(place.journal.facts("job1")) == 1


def test_names_of_one_film_are_known_by_its_bytes_where_the_file_system_does_not_show_its_inode(
    place, monkeypatch
):
    place.publish("one")
    place.publish("two")
    before = place.known()
    place.workspace.roll_back(place.output)
    monkeypatch.setattr(Path, "samefile", lambda one, other: False)
    assert catch_up(place.output, place.journal, place.workspace) is True
    assert place.known() == place.standing() == before[::-1]
