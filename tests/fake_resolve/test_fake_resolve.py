"""The stand-in has the manners of the real one, over its own wire and in a Python with nothing installed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fake_resolve.running import Resolve, resolve
from tests.film.timelines import timeline


@pytest.fixture
def otio(tmp_path: Path) -> Path:
    line = timeline(24)
    line.video().clip("/m/a.mov", 0, 30).gap(10).clip(
        "/m/b.mov", 5, 20, offline=True, enabled=False
    )
    line.audio().clip("/m/a.mov", 0, 30)
    return line.save(tmp_path / "t.otio")


@pytest.fixture
def open_resolve(tmp_path: Path, otio: Path) -> Iterator[Any]:
    """Starts one with manners of the test's choice."""
    opened: list[Resolve] = []

    def start(**state: Any) -> Resolve:
        opened.append(Resolve(tmp_path / "r", otio, home=tmp_path / "home", **state))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def tell(desk: Resolve, tmp_path: Path, *lines: str) -> Any:
    """What a script of these lines puts into `said`, a list."""
    head = ["import json", "resolve = globals().get('resolve')", "said = []"]
    if desk.do("calls") is not None and any("timeline" in line for line in lines):
        head += [
            "project = resolve.GetProjectManager().GetCurrentProject()",
            "timeline = project.GetCurrentTimeline()",
        ]
    script = tmp_path / "one of them.py"
    script.write_text("\n".join([*head, *lines, "print(json.dumps(said))"]), encoding="utf-8")
    desk.choose(script)
    return json.loads(desk.ended()[-1])


def test_a_script_is_a_process_of_its_own_with_nothing_installed(open_resolve, tmp_path):
    desk = open_resolve()
    script = tmp_path / "s.py"
    script.write_text(
        "import os, sys\nprint(os.getppid() != 1, __name__, sys.argv[0][-4:])\ntry:\n    import zmq\nexcept ImportError:\n    print('bare')\n"
    )
    desk.choose(script)
    assert desk.ended() == ["True __main__ s.py", "bare"]


def test_every_name_seems_to_be_there_and_what_is_not_is_none(open_resolve, tmp_path):
    said = tell(
        open_resolve(), tmp_path,
        "said += [hasattr(resolve, 'NoSuchThing'), resolve.NoSuchThing, 'GetVersion' in dir(resolve), 'EXPORT_OTIO' in dir(resolve)]",
        "said += [resolve.EXPORT_OTIO, resolve.GetProductName(), resolve.GetVersion(), resolve.GetMarkers]",
    )  # fmt: skip
    assert said[:4] == [True, None, True, False] and isinstance(said[4], float)
    assert said[5:] == ["DaVinci Resolve Studio", [20, 3, 2, 9, ""], None]


def test_methods_borrowed_from_other_objects_return_nothing(open_resolve, tmp_path):
    assert tell(
        open_resolve(borrowed=True),
        tmp_path,
        "said += [callable(resolve.GetMarkers), resolve.GetMarkers()]",
    ) == [True, None]


def test_markers_count_from_the_start_have_floats_for_keys_and_one_frame_holds_one(
    open_resolve, tmp_path
):
    said = tell(
        open_resolve(), tmp_path,
        "said.append(timeline.AddMarker(0, 'Red', 'a', 'n', 5, 'x:1'))",
        "said.append(timeline.AddMarker(0, 'Blue', 'b', 'n', 1, ''))",
        "said.append(timeline.AddMarker(9999, 'Blue', 'beyond', 'n', 1))",
        "said.append(timeline.AddMarker(1, 'Orange', 'a colour of clips', 'n', 1))",
        "said.append(timeline.AddMarker(1, 'Blue', 'no length', 'n', 0))",
        "found = timeline.GetMarkers()",
        "said += [sorted(found), type(sorted(found)[0]).__name__, found[0.0], timeline.GetStartFrame()]",
        "said += [timeline.DeleteMarkerAtFrame(5), timeline.DeleteMarkerByCustomData('x:1'), sorted(timeline.GetMarkers())]",
        "said += [timeline.DeleteMarkersByColor('All'), timeline.GetMarkers()]",
    )  # fmt: skip
    assert said[:5] == [True, False, True, False, False] and said[5:7] == [[0.0, 9999.0], "float"]
    assert (
        said[7] == {"color": "Red", "duration": 5.0, "note": "n", "name": "a", "customData": "x:1"}
        and said[8] == 86400
    )
    assert said[9:] == [False, True, [9999.0], True, {}]


def test_an_export_is_shaped_like_resolves_own(open_resolve, tmp_path):
    desk = open_resolve(timeline={"timecode": "01:00:00:00"})
    desk.mark(7, "mine", "Green", "secret")
    target = tmp_path / "out.otio"
    said = tell(
        desk, tmp_path,
        f"said += [timeline.Export({str(target)!r}, resolve.EXPORT_OTIO), timeline.Export({str(target)!r}, 'EXPORT_OTIO')]",
        "said += [timeline.Export('/nowhere/at/all.otio', resolve.EXPORT_OTIO), timeline.GetName()]",
        "said += [timeline.GetStartFrame(), timeline.GetEndFrame(), [i.GetName() for i in timeline.GetItemListInTrack('video', 1)]]",
    )  # fmt: skip
    assert said == [True, False, False, "Reel 1", 86400, 86460, ["a.mov", "b.mov"]]
    made = json.loads(target.read_text())
    assert (
        made["OTIO_SCHEMA"] == "Timeline.1"
        and made["name"] == ""
        and made["global_start_time"]["value"] == 86400.0
    )
    assert made["metadata"]["Resolve_OTIO"] and [
        track["kind"] for track in made["tracks"]["children"]
    ] == ["Video", "Audio"]
    first, gap, offline = made["tracks"]["children"][0]["children"]
    assert (
        first["media_references"]["DEFAULT_MEDIA"]["target_url"] == "/m/a.mov"
        and gap["OTIO_SCHEMA"] == "Gap.1"
    )
    assert (
        offline["media_references"]["DEFAULT_MEDIA"]["metadata"]["Resolve_OTIO"]["Media Url"]
        == "/m/b.mov"
    )
    assert made["tracks"]["children"][1]["children"][-1]["OTIO_SCHEMA"] == "Gap.1", (
        "every track is as long as the longest"
    )
    (marker,) = made["tracks"]["markers"]
    assert (marker["name"], marker["color"], marker["comment"]) == ("mine", "GREEN", "")
    assert (
        marker["metadata"] == {"Resolve_OTIO": {"Keywords": [], "Note": "mine"}}
        and "secret" not in target.read_text()
    )


@pytest.mark.parametrize(
    ("manner", "written"), [("refuses", None), ("lies", None), ("empty", 0), ("damaged", 1)]
)
def test_an_export_may_fail_and_say_so_or_not(open_resolve, tmp_path, manner, written):
    target = tmp_path / "out.otio"
    said = tell(
        open_resolve(export=manner),
        tmp_path,
        f"said.append(timeline.Export({str(target)!r}, resolve.EXPORT_OTIO))",
    )
    assert said == [manner != "refuses"] and target.exists() == (written is not None)
    assert written is None or bool(target.stat().st_size) == bool(written)


def test_settings_are_numbers_or_text_and_from_21_1_on_there_are_two_forms(open_resolve, tmp_path):
    ask = (
        "said.append(timeline.GetSetting('timelineFrameRate'))",
        "said.append(timeline.GetSettings is not None)",
    )
    assert tell(open_resolve(), tmp_path, *ask) == [24, False]
    assert tell(open_resolve(rate_as="text"), tmp_path, *ask) == ["24", False]
    new = open_resolve(version=[21, 1, 0, 17], singular=False)
    assert tell(
        new, tmp_path, *ask, "said.append(timeline.GetSettings()['timelineFrameRate'])"
    ) == [None, True, 24]


def test_nothing_may_be_open(open_resolve, tmp_path):
    desk = open_resolve()
    desk.do("open", timeline=None)
    assert tell(
        desk,
        tmp_path,
        "said.append(resolve.GetProjectManager().GetCurrentProject().GetCurrentTimeline())",
    ) == [None]
    desk.do("open", project=False)
    assert tell(desk, tmp_path, "said.append(resolve.GetProjectManager().GetCurrentProject())") == [
        None
    ]


def test_an_old_version_cannot_export_otio(open_resolve, tmp_path):
    assert tell(
        open_resolve(version=[18, 1, 4, 1]), tmp_path, "said.append(resolve.EXPORT_OTIO)"
    ) == [None]


def test_a_dialog_makes_every_call_come_to_nothing(open_resolve, tmp_path):
    desk = open_resolve()
    desk.do("set", manners={"dialog": True})
    assert tell(
        desk,
        tmp_path,
        "said += [resolve.GetProductName(), resolve.GetProjectManager(), resolve.OpenPage('edit')]",
    ) == [None, None, False]


def test_the_free_edition_opens_a_dialog_when_a_window_is_asked_for(open_resolve, tmp_path):
    ask = (
        "said.append(resolve.GetProductName())",
        "fusion.UIManager",
        "said.append(resolve.GetProductName())",
    )
    assert tell(open_resolve(studio=False), tmp_path, *ask) == ["DaVinci Resolve", None]
    assert (
        tell(open_resolve(studio=False, version=[18, 6, 6, 7]), tmp_path, *ask)
        == ["DaVinci Resolve"] * 2
    )
    assert tell(open_resolve(), tmp_path, *ask) == ["DaVinci Resolve Studio"] * 2


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("menu", ["resolve", "app", "bmd"]),
        ("app", ["app"]),
        ("module", ["module"]),
        ("nothing", []),
    ],
)
def test_a_script_finds_resolve_in_different_ways(open_resolve, tmp_path, given, names):
    script = tmp_path / "s.py"
    script.write_text(
        "found = [name for name in ('resolve', 'app', 'bmd') if name in globals()]\n"
        "try:\n    import DaVinciResolveScript as d\n    found += ['module'] if d.scriptapp('Resolve').GetProductName() else []\n"
        "except ImportError:\n    pass\nprint(found)\n"
    )
    desk = open_resolve(given=given)
    desk.choose(script)
    assert desk.ended() == [str(names)]


def test_a_call_may_end_in_an_exception(open_resolve, tmp_path):
    desk = open_resolve(raises=["Timeline.GetName"])
    said = tell(
        desk,
        tmp_path,
        "try:",
        "    timeline.GetName()",
        "except Exception as error:",
        "    said.append(str(error))",
    )
    assert said == ["Timeline.GetName failed inside"]


def test_it_runs_while_a_test_looks(tmp_path, otio):
    with resolve(tmp_path / "r", otio, home=tmp_path) as desk:
        assert desk.markers() == {}
        desk.mark(3, "mine")
        assert desk.markers()[3]["name"] == "mine"
