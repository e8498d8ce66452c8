"""What the methods of the API do. Names, order of arguments and results are those of Blackmagic's README of 24 July 2026;
what they do where it says nothing is what was measured (see docs/resolve.md for what a real Resolve has not confirmed).

Only what begins with a capital letter can be seen by scripts. A method that is said to return `bool` returns False while a
dialog waits, all others None.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

from tests.fake_resolve import exporting
from tests.fake_resolve.manners import Manners

COLOURS = (
    "Blue", "Cyan", "Green", "Yellow", "Red", "Pink", "Purple", "Fuchsia", "Rose", "Lavender", "Sky", "Mint", "Lemon", "Sand",
    "Cocoa", "Cream",
)  # fmt: skip
EXPORTS = ("AAF", "DRT", "EDL", "FCP_7_XML", "FCPXML_1_10", "TEXT_CSV", "OTIO", "ALE")


class Thing:
    """Base of what a script can hold."""

    def __init__(self, manners: Manners) -> None:
        self.manners = manners
        self.id = str(uuid.uuid4())

    def GetUniqueId(self) -> str:
        return self.id


class TimelineItem(Thing):
    """A clip on a track; frames count as the timeline's timecode does."""

    def __init__(self, manners: Manners, said: dict[str, Any], start: int) -> None:
        super().__init__(manners)
        self.said, self.start = said, start

    def GetName(self) -> str:
        return str(self.said["name"])

    def GetStart(self, subframe_precision: bool = False) -> float:
        return float(self.start + self.said["start"])

    def GetEnd(self, subframe_precision: bool = False) -> float:
        return float(self.start + self.said["start"] + self.said["frames"])

    def GetDuration(self, subframe_precision: bool = False) -> float:
        return float(self.said["frames"])

    def GetClipEnabled(self) -> bool:
        return bool(self.said["enabled"])


class _Settled(Thing):
    """Has settings. From 21.1 on `GetSettings`; the older form is believed to be still there."""

    settings: dict[str, Any]

    def GetSetting(self, settingName: str = "") -> Any:
        if not self.manners.singular:
            return None
        return dict(self.settings) if settingName == "" else self.settings.get(settingName, "")

    def GetSettings(self) -> Any:
        return dict(self.settings)


class Timeline(_Settled):
    """`otio` is what it holds; markers by their offset from its start."""

    def __init__(self, manners: Manners, said: dict[str, Any]) -> None:
        super().__init__(manners)
        self.name = said["name"]
        self.otio = json.loads(Path(said["otio"]).read_text("utf-8"))
        self.timecode = said.get("timecode", "01:00:00:00")
        self.markers: dict[int, dict[str, Any]] = {}
        rate = exporting.rate_of(self.otio)
        shown: Any = round(rate, 3) if rate != round(rate) else int(rate)
        self.settings = {
            "timelineFrameRate": shown if manners.rate_as == "number" else str(shown),
            "timelineDropFrameTimecode": "1" if ";" in self.timecode else "0",
            "timelineResolutionWidth": "320", "timelineResolutionHeight": "180", "useCustomSettings": "0",
        } | said.get("settings", {})  # fmt: skip

    def GetName(self) -> str:
        return str(self.name)

    def GetStartFrame(self) -> int:
        return int(self.otio["global_start_time"]["value"])

    def GetEndFrame(self) -> int:
        return self.GetStartFrame() + exporting.frames_of(self.otio)

    def GetStartTimecode(self) -> str:
        return str(self.timecode)

    def GetTrackCount(self, trackType: str) -> int:
        return len(exporting.items_of(self.otio, trackType))

    def GetItemListInTrack(self, trackType: str, index: int) -> list[TimelineItem]:
        tracks = exporting.items_of(self.otio, trackType)
        if not 1 <= index <= len(tracks):
            return []
        return [
            TimelineItem(self.manners, said, self.GetStartFrame())
            for said in tracks[int(index) - 1]
        ]

    def Export(self, fileName: str, exportType: Any, exportSubtype: Any = None) -> bool:
        """A name of a constant is not understood: no file, and no word about it."""
        if (
            isinstance(exportType, str)
            or exportType != float(EXPORTS.index("OTIO"))
            or self.manners.export == "refuses"
        ):
            return False
        text = json.dumps(exporting.exported(self.otio, self.markers), indent=4)
        text = {"well": text, "lies": None, "empty": "", "damaged": text[: len(text) // 2]}[
            self.manners.export
        ]
        try:
            if text is not None:
                Path(fileName).write_text(text, encoding="utf-8")
        except OSError:
            return False
        return True

    def AddMarker(
        self,
        frameId: float,
        color: str,
        name: str,
        note: str,
        duration: float,
        customData: str = "",
    ) -> bool:
        """One marker in a frame; frames beyond the end are taken, and seen by nobody."""
        frame = int(frameId)
        if color not in COLOURS or frame in self.markers or duration < 1:
            return False
        custom = "" if self.manners.custom_lost else customData
        self.markers[frame] = {
            "color": color,
            "duration": float(duration),
            "note": note,
            "name": name,
            "customData": custom,
        }
        return True

    def GetMarkers(self) -> dict[float, dict[str, Any]]:
        return {float(frame): dict(said) for frame, said in self.markers.items()}

    def GetMarkerByCustomData(self, customData: str) -> dict[float, dict[str, Any]]:
        return dict(
            [(f, m) for f, m in self.GetMarkers().items() if m["customData"] == customData][:1]
        )

    def GetMarkerCustomData(self, frameId: float) -> str:
        return str(self.markers.get(int(frameId), {}).get("customData", ""))

    def UpdateMarkerCustomData(self, frameId: float, customData: str) -> bool:
        if int(frameId) not in self.markers:
            return False
        self.markers[int(frameId)]["customData"] = customData
        return True

    def DeleteMarkersByColor(self, color: str) -> bool:
        self.markers = {f: m for f, m in self.markers.items() if color not in ("All", m["color"])}
        return True

    def DeleteMarkerAtFrame(self, frameNum: float) -> bool:
        return self.markers.pop(int(frameNum), None) is not None

    def DeleteMarkerByCustomData(self, customData: str) -> bool:
        found = [f for f, m in self.markers.items() if m["customData"] == customData]
        return bool(found) and self.DeleteMarkerAtFrame(found[0])


class Project(_Settled):
    """`current` is the number of the open timeline, None when none is."""

    def __init__(self, manners: Manners, said: dict[str, Any]) -> None:
        super().__init__(manners)
        self.name = said["name"]
        self.timelines = [Timeline(manners, one) for one in said["timelines"]]
        self.current: int | None = 0 if self.timelines else None
        self.settings = {
            "timelineSampleRate": "48000",
            "timelineResolutionWidth": "1920",
            "timelineResolutionHeight": "1080",
        }

    def GetName(self) -> str:
        return str(self.name)

    def GetTimelineCount(self) -> int:
        return len(self.timelines)

    def GetTimelineByIndex(self, idx: int) -> Timeline | None:
        return self.timelines[int(idx) - 1] if 1 <= idx <= len(self.timelines) else None

    def GetCurrentTimeline(self) -> Timeline | None:
        return None if self.current is None else self.timelines[self.current]

    def SetCurrentTimeline(self, timeline: Timeline) -> bool:
        if timeline not in self.timelines:
            return False
        self.current = self.timelines.index(timeline)
        return True


class ProjectManager(Thing):
    """`project` is the open one."""

    def __init__(self, manners: Manners, project: Project) -> None:
        super().__init__(manners)
        self.project: Project | None = project

    def GetCurrentProject(self) -> Project | None:
        return self.project


class Fusion(Thing):
    """Also the global `app`. To touch its `UIManager` where that is not allowed opens a dialog."""

    resolve: Resolve

    def GetResolve(self) -> Resolve:
        return self.resolve


class Bmd(Thing):
    """The global `bmd`."""

    resolve: Resolve

    def scriptapp(self, name: str) -> Resolve | None:
        return self.resolve if name == "Resolve" else None


class Resolve(Thing):
    """The one object that leads to all others. Constants are floats."""

    def __init__(self, manners: Manners, project: Project) -> None:
        super().__init__(manners)
        self.manager = ProjectManager(manners, project)
        self.fusion, self.bmd = Fusion(manners), Bmd(manners)
        self.fusion.resolve = self.bmd.resolve = self
        for number, name in enumerate(EXPORTS):
            setattr(self, f"EXPORT_{name}", float(number))

    def Fusion(self) -> Fusion:
        return self.fusion

    def GetProjectManager(self) -> ProjectManager:
        return self.manager

    def GetCurrentPage(self) -> str | None:
        return "edit"

    def OpenPage(self, pageName: str) -> bool:
        return pageName in (
            "media",
            "photo",
            "cut",
            "edit",
            "fusion",
            "color",
            "fairlight",
            "deliver",
        )

    def GetProductName(self) -> str:
        return self.manners.name

    def GetVersion(self) -> list[Any]:
        return [*self.manners.version, ""]

    def GetVersionString(self) -> str:
        return ".".join(map(str, self.manners.version))
