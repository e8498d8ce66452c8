"""Where markers stand. A timeline of 100 frames: shots of ten, numbered from 1."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.protocol.responses import Act, Described, Finding, JobLine, ShotLine
from bridge.resolve.api_values import Marker
from bridge.resolve.markers import CUSTOM, NAME, Mark, lay, marks, note_of, ours
from tests.fake_resolve.model import COLOURS

JOB = JobLine(job="j1", state="incomplete", timeline="R", output="/f.mov", preset="p", at=0.0)
SHOTS = tuple(
    ShotLine(number=n, name=f"s{n}", first=10 * n - 10, frames=10, state="slate")
    for n in range(1, 11)
)


def finding(
    *shots: int,
    first: int | None = None,
    frames: int = 0,
    severity: Any = "error",
    title: str = "Media offline",
) -> Finding:
    return Finding(
        severity=severity, code="source-missing", title=title, message="a.mov is not there.", did="A slate stands for it.",
        actions=(Act(do="Connect its drive."), Act(do="Give up.", safe=False)), shots=shots, first=first, frames=frames,
    )  # fmt: skip


def told(*findings: Finding) -> Described:
    return Described(
        re="d",
        last=1,
        job=JOB,
        title="t",
        message="m",
        rate="24",
        start_frame=86400,
        frames=100,
        shots=SHOTS,
        findings=findings,
    )


def laid(*findings: Finding, taken: tuple[int, ...] = (), length: int = 100) -> dict[int, Marker]:
    made = lay(marks(told(*findings)), taken, length, "j1")
    assert not made.homeless
    return {marker.frame: marker for marker in made.markers}


def test_a_marker_says_what_was_found_what_was_done_and_what_to_do():
    (marker,) = laid(finding(3, first=20, frames=10)).values()
    assert marker == Marker(
        20, "Red", "Hotsplice: Media offline",
        "a.mov is not there.\nA slate stands for it.\n→ Connect its drive.\n! Give up.", 10, "hotsplice:j1:1",
    )  # fmt: skip
    assert ours(marker)


@pytest.mark.parametrize(
    ("severity", "colour"), [("error", "Red"), ("warning", "Yellow"), ("note", "Sky")]
)
def test_colours_are_those_that_resolve_knows(severity, colour):
    assert laid(finding(1, first=0, frames=10, severity=severity))[0].color == colour in COLOURS


def test_each_shot_of_a_finding_has_a_marker_and_a_part_of_a_shot_only_that():
    assert {f: m.duration for f, m in laid(finding(2, 5)).items()} == {10: 10, 40: 10}
    assert {f: m.duration for f, m in laid(finding(4, first=33, frames=4)).items()} == {33: 4}
    assert {f: m.duration for f, m in laid(finding(4, 5, first=36, frames=8)).items()} == {
        36: 4,
        40: 4,
    }


def test_sound_is_marked_where_it_is_though_it_is_no_shots():
    assert {f: m.duration for f, m in laid(finding(first=15, frames=30)).items()} == {15: 30}


def test_what_has_no_place_stands_at_the_beginning_when_it_is_an_error():
    assert laid(finding())[0].duration == 1
    assert laid(finding(severity="note"), finding(severity="warning")) == {}


def test_findings_of_one_frame_share_a_marker_the_worst_gives_name_and_colour():
    (marker,) = laid(
        finding(1, first=0, frames=5, severity="note", title="Healed"),
        finding(1, first=0, frames=10),
    ).values()
    assert (marker.color, marker.name, marker.duration, marker.custom) == (
        "Red",
        "Hotsplice: Media offline (+1)",
        10,
        "hotsplice:j1:2",
    )
    assert marker.note.endswith(
        "Healed. a.mov is not there.\nA slate stands for it.\n→ Connect its drive.\n! Give up."
    )


def test_where_somebody_elses_marker_stands_the_next_frame_of_the_shot_is_taken():
    made = laid(finding(3, first=20, frames=10), taken=(20, 21))
    assert {f: m.duration for f, m in made.items()} == {22: 8}
    assert list(laid(finding(3, first=29, frames=1), taken=(29,))) == [28]
    assert list(laid(finding(1, first=3, frames=1), taken=tuple(range(3, 10)))) == [2]
    assert list(laid(finding(1, first=1, frames=1), taken=tuple(range(1, 10)))) == [0]


def test_the_neighbouring_frame_is_not_taken_from_another_finding():
    made = laid(
        finding(3, first=20, frames=1), finding(3, first=21, frames=1, title="Other"), taken=(20,)
    )
    assert {f: m.name for f, m in made.items()} == {21: f"{NAME}Other", 22: f"{NAME}Media offline"}


def test_where_no_frame_of_the_shot_is_free_it_joins_another_of_ours_or_is_told():
    full = tuple(frame for frame in range(20, 30) if frame != 25)
    made = laid(
        finding(3, first=20, frames=1), finding(3, first=25, frames=1, title="Other"), taken=full
    )
    assert {f: m.name for f, m in made.items()} == {25: f"{NAME}Media offline (+1)"}
    nowhere = lay(marks(told(finding(3, first=20, frames=10))), range(20, 30), 100, "j1")
    assert not nowhere.markers and [mark.first for mark in nowhere.homeless] == [20]


def test_nothing_stands_beyond_the_end_where_resolve_would_hide_it():
    assert {
        f: m.duration for f, m in laid(finding(10, first=90, frames=10), length=95).items()
    } == {90: 5}
    assert lay(marks(told(finding(10, first=96, frames=2))), (), 95, "j1").markers[0].frame == 94
    assert [mark.first for mark in lay(marks(told(finding(10))), (), 80, "j1").homeless] == [90]
    assert lay([Mark(-3, 4, -3, 4, "error", "t", "n", 1)], (), 10, "j1").markers[0].frame == 0


def test_ours_are_known_by_customdata_and_by_name_where_that_is_lost():
    def marker(name: str, custom: str = "") -> Marker:
        return Marker(0, "Blue", name, "", 1, custom)

    assert ours(marker("renamed by the editor", f"{CUSTOM}j0:1")) and ours(
        marker(f"{NAME}Media offline")
    )
    assert (
        not ours(marker("mine"))
        and not ours(marker("mine", "othertool:1"))
        and not ours(marker("about Hotsplice: x"))
    )
    assert not ours(marker(f"{NAME}x", "othertool:1")), (
        "it is another tool's, whatever it is called"
    )


def test_long_words_are_cut_and_the_count_stays():
    made = laid(finding(1, first=0, frames=1, title="x" * 300), finding(1, first=0, frames=1))
    assert len(made[0].name) == 120 and made[0].name.endswith(" (+1)") and len(made[0].note) <= 4000
    assert note_of(Finding(severity="note", code="c", title="t", message="m")) == "m"
