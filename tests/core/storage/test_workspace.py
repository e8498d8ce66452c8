"""Names and moves: the old film or the new one at every instant, wherever the power is cut and whatever the volume can do.

`knife` counts every rename, link and removal that the workspace makes and cuts before the n-th of them.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.storage import workspace as module
from core.storage.workspace import BESIDE, Workspace, durable_rename, flush_directory

ROOT = Path(__file__).parents[3]


class Cut(BaseException):
    """The power is gone: nothing more of this process happens, so nothing may catch it."""


class Knife:
    """Cuts, or refuses, at a chosen operation on names."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log: list[str] = []
        self.at: int | None = None
        self.refuse: Callable[[str, str], OSError | None] = lambda verb, name: None
        for verb in ("replace", "link", "unlink", "rename"):
            monkeypatch.setattr(os, verb, self._wrapped(verb, getattr(os, verb)))
        monkeypatch.setattr(Path, "unlink", self._path_unlink(Path.unlink))

    def _met(self, verb: str, name: object) -> None:
        error = self.refuse(verb, Path(str(name)).name)
        if error is not None:
            raise error
        if self.at is not None and len(self.log) == self.at:
            raise Cut
        self.log.append(f"{verb} {Path(str(name)).name}")

    def _wrapped(self, verb: str, real: Callable[..., None]) -> Callable[..., None]:
        def met(source: object, *more: object, **options: object) -> None:
            self._met(verb, source)
            real(source, *more, **options)

        return met

    def _path_unlink(self, real: Callable[..., None]) -> Callable[..., None]:
        def met(path: Path, missing_ok: bool = False) -> None:
            if missing_ok and not os.path.lexists(path):
                return  # nothing is done, so nothing can be cut
            self._met("unlink", path)
            os_unlink(path)

        return met

    def no_links(self) -> None:
        """A volume without hard links, as exFAT."""
        self.refuse = lambda verb, name: (
            OSError(errno.EPERM, "no hard links here") if verb == "link" else None
        )


os_unlink = os.unlink


@pytest.fixture
def knife(monkeypatch: pytest.MonkeyPatch) -> Knife:
    return Knife(monkeypatch)


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    space = Workspace(tmp_path / "home", tmp_path / "scratch")
    space.prepare("job1")
    return space


@pytest.fixture
def output(tmp_path: Path) -> Path:
    (tmp_path / "films").mkdir()
    return tmp_path / "films" / "film.mov"


def staged(place: Workspace, output: Path, content: str) -> Path:
    path = place.staged("job1", output)
    path.write_text(content)
    return path


def standing(output: Path) -> dict[str, str]:
    """Every name beside the film and what is in it."""
    found = {"film": output} | {
        p.name.removeprefix("film."): p for p in sorted((output.parent / BESIDE).glob("*"))
    }
    return {name: path.read_text() for name, path in found.items() if path.exists()}


# Sealing --------------------------------------------------------------------------------------------------------------


def test_a_part_becomes_a_segment_under_its_content_key(place):
    part = place.part("job1", "v0123abc", 2, ".mov")
    assert part.name == "v0123abc.2.mov"
    part.write_text("pictures")
    part.with_name(part.name + ".png").write_text("a slate")
    file, durable = place.seal(part, "v0123abc", ".mov")
    durable()
    assert file == "0/v0123abc.mov"
    assert place.stored(file).read_text() == "pictures"
    assert list(part.parent.iterdir()) == [], "neither the part nor its slate is left"


def test_sealing_the_same_key_again_is_harmless(place):
    for attempt in (1, 2):
        part = place.part("job1", "v01", attempt, ".mov")
        part.write_text(f"attempt {attempt}")
        file = place.seal(part, "v01", ".mov").file
    assert place.stored(file).read_text() == "attempt 2"
    assert [p.name for p in place.stored(file).parent.iterdir()] == ["v01.mov"]


def test_a_seal_that_is_cut_leaves_the_part_or_the_segment_and_nothing_in_between(place, knife):
    part = place.part("job1", "v01", 1, ".mov")
    part.write_text("pictures")
    knife.at = 0
    with pytest.raises(Cut):
        place.seal(part, "v01", ".mov")
    assert part.read_text() == "pictures"
    assert not place.stored("0/v01.mov").exists()


def test_names_are_flushed_before_anybody_relies_on_them(place, monkeypatch):
    flushed = []
    monkeypatch.setattr(module, "flush_directory", lambda path: flushed.append(path.name))
    part = place.part("job1", "v77", 1, ".mov")
    part.write_text("pictures")
    place.seal(part, "v77", ".mov").durable()
    assert flushed == ["7"], (
        "the segment's name; its folder's was made durable when the job was prepared"
    )


def test_the_folders_of_the_store_are_made_durable_by_one_flush(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(module, "flush_directory", lambda path: flushed.append(path.name))
    place = Workspace(tmp_path, tmp_path / "scratch")
    place.prepare("job1")
    assert sorted(path.name for path in (tmp_path / "scratch" / "store").iterdir()) == list(
        "0123456789abcdef"
    )
    assert flushed.count("store") == 1
    place.prepare("job2")
    assert flushed.count("store") == 1, "nothing new, nothing to flush"


def test_part_names_carry_the_attempt_and_are_fresh(place):
    one = place.part("job1", "v01", 1, ".mov")
    one.write_text("half")
    one.with_name(one.name + ".png").write_text("half a slate")
    assert place.part("job1", "v01", 1, ".mov") == one
    assert not one.exists() and not one.with_name(one.name + ".png").exists()
    assert place.part("job1", "v01", 2, ".mov") != one


def test_discarding_leaves_nothing_and_may_be_done_twice(place):
    part = place.part("job1", "v01", 1, ".mov")
    part.write_text("half")
    part.with_name(part.name + ".png").write_text("slate")
    for _ in range(2):
        place.discard(part)
    assert list(part.parent.iterdir()) == []


def test_parts_of_an_earlier_run_are_gone_and_segments_stay(place):
    place.part("job1", "v01", 1, ".mov").write_text("half")
    part = place.part("job1", "v02", 1, ".mov")
    part.write_text("whole")
    file = place.seal(part, "v02", ".mov").file
    place.prepare("job1")
    assert place.work_folders() == ["job1"]
    assert list((place.scratch / "work" / "job1").iterdir()) == []
    assert place.stored(file).read_text() == "whole"


def test_closing_a_job_leaves_only_segments_and_the_kept_film(place, output):
    place.part("job1", "v01", 1, ".mov").write_text("half")
    staged(place, output, "half a film")
    place.staged("job2", output).write_text("another job's")
    place.close_job("job1", output)
    assert place.work_folders() == []
    assert standing(output) == {"job2.part.mov": "another job's"}
    place.close_job("job2", output)
    assert not (output.parent / BESIDE).exists(), "no empty folder is left beside the film"
    place.close_job("job2", output)


# Publishing -----------------------------------------------------------------------------------------------------------


def test_the_first_film_takes_its_place(place, output):
    assert place.publish(staged(place, output, "new"), output) == ""
    assert standing(output) == {"film": "new"}


def test_a_film_that_is_replaced_is_kept(place, output):
    output.write_text("old")
    kept = place.publish(staged(place, output, "new"), output)
    assert standing(output) == {"film": "new", "mov.previous": "old"}
    assert kept == str(place.kept(output))


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_every_name_is_flushed_before_the_next_step_relies_on_it(
    place, output, knife, monkeypatch, links
):
    if not links:
        knife.no_links()
    output.write_text("old")
    path = staged(place, output, "new")
    monkeypatch.setattr(
        module, "flush_directory", lambda folder: knife.log.append(f"flush {folder.name}")
    )
    place.publish(path, output)
    kept = ["link film.mov", "replace film.mov.previous.new"] if links else ["replace film.mov"]
    assert knife.log == [*kept, "flush .hotsplice", "replace film.job1.part.mov", "flush films"]


def test_only_the_last_film_is_kept(place, output):
    for content in ("one", "two", "three"):
        place.publish(staged(place, output, content), output)
    assert standing(output) == {"film": "three", "mov.previous": "two"}


def test_without_hard_links_the_old_film_is_kept_too(place, output, knife):
    knife.no_links()
    for content in ("one", "two", "three"):
        place.publish(staged(place, output, content), output)
    assert standing(output) == {"film": "three", "mov.previous": "two"}


def cuts(act: Callable[[], object], knife: Knife) -> Iterator[int]:
    """Do it with a cut before its first, second, third operation and so on, until no cut comes any more."""
    for at in range(40):
        knife.log, knife.at = [], at
        try:
            act()
        except Cut:
            knife.at = None
            yield at
        else:
            assert len(knife.log) == at, (
                "the last round was not cut, and there was nothing left to cut"
            )
            knife.at = None
            return
    raise AssertionError("forty operations to move a film")


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
@pytest.mark.parametrize("older", ["", "older"], ids=["none kept", "one kept"])
def test_a_cut_at_any_step_of_publishing_leaves_the_old_film_or_the_new_one(
    place, output, knife, older, links
):
    if not links:
        knife.no_links()

    def from_the_start() -> None:
        clean(output)
        output.write_text("old")
        path = staged(place, output, "new")
        if older:
            place.kept(output).write_text(older)
        place.publish(path, output)

    rounds = 0
    for _ in cuts(lambda: from_the_start(), knife):
        rounds += 1
        here = standing(output)
        assert "old" in here.values() and "new" in here.values(), f"a film is lost: {here}"
        if links:
            assert here["film"] in ("old", "new"), "no film in its place"
        finish_publishing(place, output)
        assert standing(output) == {"film": "new", "mov.previous": "old"}
    assert rounds >= 2


def clean(output: Path) -> None:
    for path in [output, *(output.parent / BESIDE).glob("*")]:
        if os.path.lexists(path):
            os_unlink(path)


def finish_publishing(place: Workspace, output: Path) -> None:
    """What the next run does: the film that was joined is published, unless it stands there already."""
    path = place.staged("job1", output)
    if path.exists():
        place.publish(path, output)
    elif not place.kept(output).exists():
        raise AssertionError("published, and the old film is nowhere")


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_volume_that_refuses_the_last_rename_leaves_the_old_film_in_its_place(
    place, output, knife, links
):
    output.write_text("old")
    path = staged(place, output, "new")

    def refuse(verb: str, name: str) -> OSError | None:
        if verb == "link" and not links:
            return OSError(errno.EPERM, "no hard links here")
        return OSError(errno.EIO, "failing") if verb == "replace" and name == path.name else None

    knife.refuse = refuse
    with pytest.raises(OSError, match="failing"):
        place.publish(path, output)
    assert standing(output)["film"] == "old", "a failed job leaves the older film untouched"
    assert path.read_text() == "new", "and the new one can still be published"
    knife.refuse = lambda verb, name: None
    place.publish(path, output)
    assert standing(output) == {"film": "new", "mov.previous": "old"}


def test_a_name_that_is_held_for_a_moment_is_tried_again_on_windows(monkeypatch, place, output):
    refusals = iter([PermissionError(13, "held by a scanner"), PermissionError(13, "still held")])
    real = os.replace

    def held(source: object, target: object) -> None:
        error = next(refusals, None)
        if error is not None:
            raise error
        real(source, target)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "replace", held)
    with pytest.raises(PermissionError):
        place.publish(staged(place, output, "new"), output)
    monkeypatch.setattr(module, "_HELD_BRIEFLY", True)
    place.publish(place.staged("job1", output), output)
    assert standing(output) == {"film": "new"}


# Rolling back ---------------------------------------------------------------------------------------------------------


def two_films(place: Workspace, output: Path) -> None:
    clean(output)
    place.staged("job1", output)
    output.write_text("newer")
    place.kept(output).write_text("older")


def roll_back(place: Workspace, output: Path) -> None:
    """As the command does it: finish an exchange that was cut, or make one; then it is put on record."""
    if not place.exchanged(output):
        place.roll_back(output)
    place.forget_exchange(output)


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_two_films_change_places_and_back(place, output, knife, links):
    if not links:
        knife.no_links()
    two_films(place, output)
    roll_back(place, output)
    assert standing(output) == {"film": "older", "mov.previous": "newer"}
    roll_back(place, output)
    assert standing(output) == {"film": "newer", "mov.previous": "older"}


def test_without_a_kept_film_nothing_is_touched(place, output):
    output.write_text("only")
    with pytest.raises(FileNotFoundError):
        place.roll_back(output)
    assert standing(output) == {"film": "only"}


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_film_that_was_deleted_is_brought_back(place, output, knife, links):
    if not links:
        knife.no_links()
    two_films(place, output)
    os_unlink(output)
    roll_back(place, output)
    assert standing(output) == {"film": "older"}


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_cut_at_any_step_of_rolling_back_loses_neither_film_and_the_next_call_ends_it(
    place, output, knife, links
):
    if not links:
        knife.no_links()

    def from_the_start() -> None:
        two_films(place, output)
        roll_back(place, output)

    rounds = 0
    for _ in cuts(from_the_start, knife):
        rounds += 1
        here = standing(output)
        assert {"newer", "older"} <= set(here.values()), f"a film is lost: {here}"
        if links:
            assert here["film"] in ("newer", "older")
        before = here.get("film")
        ended = place.exchanged(output)
        assert standing(output)["film"] == ("older" if ended else "newer"), (
            "it is finished, or it was never begun"
        )
        assert not (before == "older" and not ended) or "mov.swap" not in here, (
            "the exchange was done and nobody says so"
        )
        place.forget_exchange(output)
        expected = (
            {"film": "older", "mov.previous": "newer"}
            if ended or before == "older"
            else {"film": "newer", "mov.previous": "older"}
        )
        assert standing(output) == expected
    assert rounds >= 3


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_second_cut_while_the_first_is_being_ended_loses_nothing_either(
    place, output, knife, links
):
    for first in range(6):
        for second in range(6):
            knife.refuse = lambda verb, name: None
            if not links:
                knife.no_links()
            knife.at = None
            two_films(place, output)
            for at in (first, second):
                knife.log, knife.at = [], at
                try:
                    roll_back(place, output)
                except Cut:
                    pass
                here = standing(output)
                assert {"newer", "older"} <= set(here.values()), (
                    f"a film is lost by cuts {first} and {second}: {here}"
                )
            knife.at = None
            if place.exchanged(output):
                place.forget_exchange(output)
            here = standing(output)
            assert set(here) == {"film", "mov.previous"} and set(here.values()) == {
                "newer",
                "older",
            }


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_volume_that_refuses_leaves_the_newer_film_in_its_place(place, output, knife, links):
    two_films(place, output)

    def refuse(verb: str, name: str) -> OSError | None:
        if verb == "link" and not links:
            return OSError(errno.EPERM, "no hard links here")
        return (
            OSError(errno.EIO, "failing")
            if verb == "replace" and name == "film.mov.previous"
            else None
        )

    knife.refuse = refuse
    with pytest.raises(OSError, match="failing"):
        place.roll_back(output)
    assert standing(output)["film"] == "newer"
    assert standing(output)["mov.previous"] == "older"


# Cleaning -----------------------------------------------------------------------------------------------------------


def test_files_that_no_seal_knows_are_found_once_they_are_old(place):
    for key in ("v11", "v22"):
        part = place.part("job1", key, 1, ".mov")
        part.write_text("pictures")
        place.seal(part, key, ".mov")
    old = place.stored("2/v22.mov")
    os.utime(old, (1000, 1000))
    assert place.unrecorded(set(), before=2000) == ["2/v22.mov"], (
        "a young file may be on its way into the journal"
    )
    assert place.unrecorded({"2/v22.mov"}, before=2000) == []
    assert place.remove_stored("2/v22.mov") == len("pictures")
    assert place.remove_stored("2/v22.mov") == 0
    assert place.unrecorded(set(), before=2000) == []


def test_the_trial_of_an_encoder_has_one_name_for_each_film(place):
    one, again, other = (
        place.trial(Path(p), ".mov") for p in ("/films/a.mov", "/films/a.mov", "/films/b.mov")
    )
    assert one == again != other
    assert one.parent == place.scratch


def test_a_volume_is_tried_out_and_left_clean(tmp_path, monkeypatch):
    durable_rename(tmp_path)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(
        os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(errno.EIO, "no flush"))
    )
    with pytest.raises(OSError, match="no flush"):
        durable_rename(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "silent"),
    [(errno.EINVAL, True), (errno.ENOTSUP, True), (errno.EIO, False), (errno.ENOSPC, False)],
)
def test_only_a_volume_that_cannot_flush_names_is_excused(tmp_path, monkeypatch, number, silent):
    def fails(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fails)
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0
    if silent:
        flush_directory(tmp_path)
    else:
        with pytest.raises(OSError):
            flush_directory(tmp_path)
    assert (len(os.listdir("/proc/self/fd")) if before else 0) == before, "the folder was left open"
