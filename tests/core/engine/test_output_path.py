"""Where a film may stand, by whatever way it is reached, and what is said where a path cannot be looked at."""

from __future__ import annotations

import errno
import os

import pytest

from core.engine.output_path import check_output, film_at, look
from core.errors.refusal import Refused
from core.storage import locks
from core.storage.workspace import BESIDE, LONGEST_ENDING


def refused(path, *ours):
    with pytest.raises(Refused) as caught:
        check_output(film_at(str(path)), ours)
    return caught.value


def test_a_film_in_a_linked_folder_is_one_film_with_one_lock(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real" / "film.mov").symlink_to(tmp_path / "real" / "other.mov")
    named = [
        tmp_path / "link" / "a.mov",
        tmp_path / "real" / "a.mov",
        tmp_path / "link" / ".." / "real" / "a.mov",
    ]
    assert {film_at(str(path)) for path in named} == {tmp_path / "real" / "a.mov"}
    assert film_at(str(tmp_path / "link" / "film.mov")) == tmp_path / "real" / "other.mov"
    with locks.film(tmp_path, str(film_at(str(named[0])))):
        assert locks.held(tmp_path, str(film_at(str(named[1]))))


def test_our_own_folders_are_no_place_for_a_film(tmp_path):
    hidden = tmp_path / BESIDE
    (hidden / "deep").mkdir(parents=True)
    (tmp_path / "way").symlink_to(hidden)
    (tmp_path / "round").symlink_to(tmp_path)
    (tmp_path / ".HOTSPLICE").mkdir()
    (tmp_path / "store" / "ab").mkdir(parents=True)
    for place in (
        hidden,
        hidden / "deep",
        tmp_path / "way",
        tmp_path / "round" / BESIDE,
        tmp_path / ".HOTSPLICE",
    ):
        assert refused(place / "film.mov").code == "output-in-our-folder"
    assert (
        refused(tmp_path / "store" / "ab" / "film.mov", tmp_path / "store").code
        == "output-in-our-folder"
    )
    check_output(tmp_path / "film.mov", [tmp_path / "store"])


@pytest.mark.parametrize(
    "name", ["a\n.mov", "a\x1b]0;x\x07.mov", "a\u202e.mov", ".mov", "film.incomplete.mov"]
)
def test_a_name_that_no_film_may_have_is_refused_with_its_reason(tmp_path, name):
    error = refused(tmp_path / name)
    assert error.code == "output-name-unusable" and str(error.fields["why"]).startswith("name-")


def test_a_path_that_cannot_be_looked_at_is_refused_in_words(tmp_path, monkeypatch):
    (tmp_path / "loop").symlink_to("loop")
    assert refused(tmp_path / "loop" / "film.mov").code == "output-unreachable"
    assert refused(f"{tmp_path}/a\0b.mov").code == "output-name-unusable"
    assert refused("~nobody-of-this-name/film.mov").code == "output-folder-missing"
    assert refused("/" + "d" * 10_000 + "/film.mov").code == "output-name-too-long"
    for number in (errno.EACCES, errno.ESTALE, errno.EIO, errno.ENOTCONN, errno.ELOOP):

        def failing(path, *rest, number=number, **more):
            raise OSError(number, os.strerror(number), path)

        monkeypatch.setattr(os, "stat", failing)
        for path in (tmp_path / "film.mov", tmp_path):
            with pytest.raises(Refused) as caught:
                look(path)
            assert (caught.value.code, caught.value.fields["detail"]) == (
                "output-unreachable",
                os.strerror(number),
            )
        monkeypatch.undo()


def test_a_name_is_measured_in_bytes_with_what_stands_beside_it(tmp_path):
    room = os.pathconf(tmp_path, "PC_NAME_MAX") - LONGEST_ENDING - len(".mov")
    check_output(tmp_path / ("ä" * (room // 2) + ".mov"))
    assert refused(tmp_path / ("ä" * (room // 2 + 1) + ".mov")).code == "output-name-too-long"


def test_a_whole_path_leaves_room_too(tmp_path):
    place = tmp_path
    while len(str(place)) < 3900:
        place /= "d" * 100
    place.mkdir(parents=True)
    check_output(place / "film.mov")
    room = os.pathconf(tmp_path, "PC_PATH_MAX") - len(str(place))
    longer = place / ("d" * (room - 20))
    longer.mkdir()
    assert refused(longer / "film.mov").code == "output-path-too-long"
