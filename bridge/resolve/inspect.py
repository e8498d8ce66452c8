"""Reads the open timeline from Resolve, and exports it as OTIO, once before the job begins."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from bridge.protocol.requests import Lacking
from bridge.resolve import api_values
from bridge.resolve.pipe import Editor, Failed, Missing, constant
from core.errors.refusal import Refused
from otio_adapters import guard

_SETTINGS = (
    "timelineResolutionWidth",
    "timelineResolutionHeight",
    "timelineFrameRate",
    "timelineDropFrameTimecode",
)
_MOST_SIDE, _LOWEST_HZ, _HIGHEST_HZ = 32768, 8000, 768_000


class Seen(NamedTuple):
    """The open timeline.

    `frames` is its length, `start_frame` the timecode of its first frame as a frame number.
    """

    product: str
    version: str
    project: str
    name: str
    start_timecode: str
    start_frame: int | None
    frames: int
    rate: float | None
    lacking: Lacking


def awake(editor: Editor) -> bool:
    """Return whether Resolve answers. While it shows a dialog, it answers nothing."""
    try:
        return bool(
            editor.call("resolve", "GetProductName") or editor.call("resolve", "GetVersionString")
        )
    except Failed:
        return False


def look(editor: Editor) -> Seen:
    """Hold `project` and `timeline` in the script, and return their properties.

    Raises Refused (editor-silent, editor-no-project, editor-no-timeline, editor-failing).
    """
    try:
        product = api_values.text(editor.call("resolve", "GetProductName"))
        version = api_values.text(editor.call("resolve", "GetVersionString"))
        if not product and not version:
            raise Refused("editor-silent")
        managed = editor.keep("manager", "resolve", "GetProjectManager")
        if not managed or not editor.keep("project", "manager", "GetCurrentProject"):
            raise Refused("editor-no-project")
        if not editor.keep("timeline", "project", "GetCurrentTimeline"):
            raise Refused(
                "editor-no-timeline", name=api_values.text(editor.call("project", "GetName"))
            )
        return _seen(editor, product, version)
    except Failed as error:
        raise Refused("editor-failing", detail=str(error)) from error


def _seen(editor: Editor, product: str, version: str) -> Seen:
    project, name = (
        api_values.text(editor.call(owner, "GetName")) for owner in ("project", "timeline")
    )
    of_timeline = _settings(editor, "timeline", _SETTINGS)
    of_project = _settings(editor, "project", (*_SETTINGS, "timelineSampleRate"))
    width, height, rate, drop = (
        said if (said := of_timeline[key]) not in (None, "") else of_project[key]
        for key in _SETTINGS
    )
    timecode = api_values.text(editor.call("timeline", "GetStartTimecode"))
    start, end = (
        api_values.whole(editor.call("timeline", method))
        for method in ("GetStartFrame", "GetEndFrame")
    )
    return Seen(
        product=product, version=version, project=project, name=name, start_timecode=timecode, start_frame=start,
        frames=max(0, end - start) if start is not None and end is not None else 0, rate=api_values.number(rate),
        lacking=Lacking(
            name=name or None, width=_within(width, 1, _MOST_SIDE), height=_within(height, 1, _MOST_SIDE),
            drop_frame=api_values.drops(timecode, rate, drop),
            sample_rate=_within(of_project["timelineSampleRate"], _LOWEST_HZ, _HIGHEST_HZ),
            project=project, editor=product, editor_version=version,
        ),
    )  # fmt: skip


def _settings(editor: Editor, owner: str, names: tuple[str, ...]) -> dict[str, object]:
    """Read settings with `GetSettings` of 21.1, and with `GetSetting` of all versions otherwise."""
    plural = editor.call(owner, "GetSettings")
    known = plural if isinstance(plural, dict) else {}
    singular = {
        name: None if known.get(name) not in (None, "") else editor.call(owner, "GetSetting", name)
        for name in names
    }
    return api_values.settings(known, singular)


def _within(said: object, least: int, most: int) -> int | None:
    found = api_values.whole(said)
    return found if found is not None and least <= found <= most else None


def export(editor: Editor, path: Path) -> bytes:
    """Export the timeline by way of a file. Resolve may report success without writing one.

    Raises Refused (editor-too-old, editor-export-failed, editor-silent, editor-failing), and
    TimelineRefused when the file is damaged.
    """
    try:
        done = editor.must("timeline", "Export", str(path), constant("resolve", "EXPORT_OTIO"))
    except Missing as error:
        raise Refused("editor-too-old" if awake(editor) else "editor-silent") from error
    except Failed as error:
        raise Refused("editor-failing", detail=str(error)) from error
    if done is not True or not path.is_file() or not path.stat().st_size:
        raise Refused("editor-export-failed" if awake(editor) else "editor-silent")
    return guard.bytes_of(path)
