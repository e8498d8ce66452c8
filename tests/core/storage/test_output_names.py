"""What may be the name of a film's file."""

from __future__ import annotations

import pytest

from core.storage.output_names import fault_of, is_hidden_folder, too_long
from core.storage.workspace import BESIDE


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("film.mov", None), ("Der Film – 2. Fassung.mov", None), ("映画.mov", None), ("فيلم.mov", None), ("👨‍👩‍👧.mov", None),
        ("a.new cut.mov", None), ("incomplete.mov", None), ("con.mov", None), ("a:b.mov", None), (".hidden.mov", None), ("...a.mov", None),
        ("film\n.mov", "name-control"), ("a\x1b[31m.mov", "name-control"), ("a\x00.mov", "name-control"), ("a\x7f.mov", "name-control"),
        ("a\x9b.mov", "name-control"), ("a\t.mov", "name-control"), ("a\u202evom.mov", "name-direction"),
        ("a\u2066b.mov", "name-direction"), ("a\u2028.mov", "name-direction"), ("\udcff.mov", "name-not-text"),
        ("", "name-empty"), ("..", "name-empty"), (".mov", "name-only-ending"), ("..mov", "name-only-ending"), (" .mov", "name-only-ending"),
        ("film.incomplete.mov", "name-reserved"), ("FILM.Incomplete.MOV", "name-reserved"), ("film.mov.previous", "name-reserved"),
        ("film.ab12cd.part", "name-reserved"),
    ],
)  # fmt: skip
def test_a_name_is_judged(name, fault):
    assert fault_of(name) == fault


@pytest.mark.parametrize(
    "name",
    ["con.mov", "LPT1.mov", "nul", "a:b.mov", "a?.mov", "film.mov ", "film.mov.", "com¹.mov"],
)
def test_a_volume_with_the_rules_of_windows_keeps_them(name):
    assert fault_of(name, for_windows=True) == "name-windows"
    assert fault_of("console.mov", for_windows=True) is None


@pytest.mark.parametrize(
    "name", [BESIDE, ".HotSplice", ".hotsplice.", ".hotsplice ", ".hot\u200csplice", ".ｈotsplice"]
)
def test_our_folder_is_known_however_a_file_system_spells_it(name):
    assert is_hidden_folder(name)
    assert not is_hidden_folder(name + "x")


def test_a_name_leaves_room_for_the_files_beside_it():
    limits = {"longest_name": 255, "longest_path": 4096, "endings": 13}
    assert too_long("/m/x", 242, **limits) is None
    assert too_long("/m/x", 243, **limits) == "name"
    assert too_long("/" + "d" * (4096 - 1 - 13 - 11 - 1), 9, **limits) is None
    assert too_long("/" + "d" * (4096 - 13 - 11 - 1), 9, **limits) == "path"
    assert too_long("/" + "ä" * 2040, 9, **limits) == "path", "bytes are counted, not characters"
