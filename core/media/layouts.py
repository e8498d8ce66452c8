"""Names of channel layouts."""

from __future__ import annotations

_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


def layout_name(channels: int) -> str:
    """Return ffmpeg's name for the usual layout of `channels` channels."""
    return _LAYOUTS.get(channels, f"{channels}c")
