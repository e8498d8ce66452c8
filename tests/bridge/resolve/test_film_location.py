"""Names of films, made of names that people gave to timelines."""

from __future__ import annotations

import pytest

from bridge.resolve.film_location import file_name


@pytest.mark.parametrize("name", ["Reel 1", "Ä – 北京 (v2)", "v1.2 final", "NULL"])
def test_a_good_name_is_kept(name):
    assert file_name(name, "Timeline") == name


@pytest.mark.parametrize(
    "name",
    [
        "A/B",
        "A:B",
        "..",
        "../../etc/passwd",
        "a\\b",
        "con",
        "NUL.txt",
        " x ",
        "x.",
        "a\x00b",
        "\ud800",
        "ä" * 200,
        "/" * 300,
    ],
)
def test_what_no_file_system_takes_is_changed_and_marked(name):
    made = file_name(name, "Timeline")
    assert made != name and made == file_name(name, "Timeline")
    assert (
        not set(made) & set('/\\:*?"<>|\x00')
        and made not in (".", "..")
        and made == made.strip(" .")
    )
    assert 0 < len(made.encode()) <= 130


def test_names_that_would_become_the_same_do_not():
    assert len({file_name(name, "T") for name in ("A/B", "A:B", "A?B", "A_B")}) == 4


def test_no_name_is_the_usual_one():
    assert file_name("", "Timeline") == file_name("  ", "Timeline") == "Timeline"
